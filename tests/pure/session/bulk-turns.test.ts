// Big transfers among others: what a turn of the event loop moves of them, and who goes first.

import { expect, test } from 'vitest';
import { EAGAIN } from '../../../core/base/errno.ts';
import { EPOLLIN, EPOLLOUT, EVENT_BYTES, writeEvent } from '../../../core/linux/kernel.ts';
import { BULK_BYTES_PER_TURN } from '../../../core/session/limits.ts';
import { turn } from '../../../core/session/reactor.ts';
import { sessionTimer } from '../../../core/session/session.ts';
import { FRONT, NO_DELAY, PHASE_RELAYING, SPLICING, WRITABLE } from '../../../core/session/table.ts';
import { type FakeShard, fakeShard, nodePlan, relaying, SETTINGS, START_MS, serve } from './support.ts';

const CALM = WRITABLE | NO_DELAY;
const PIPE_BYTES = 1 << 20;
const SMALL = 5;

interface Scene extends FakeShard {
  clock: { nowMs: number };
  /** @returns descriptors that were read from, in order */
  turnWith(...slots: number[]): number[];
}

/** Sockets that never run dry, of sessions that are spliced; others have a few bytes, once. */
function makeScene(): Scene {
  const clock = { nowMs: START_MS };
  const ready: number[] = [];
  const read: number[] = [];
  let pipeFds = 100;
  const fake = fakeShard(
    { splice: 'auto', pipes: 8, pipeBytes: PIPE_BYTES },
    {
      nowMs: () => clock.nowMs,
      openPipe(fdsAt) {
        fake.shard.arena.view.setInt32(fdsAt, pipeFds++, true);
        fake.shard.arena.view.setInt32(fdsAt + 4, pipeFds++, true);
        return 0;
      },
      setOption: () => 0,
      resizePipe: (_fd, bytes) => bytes,
      pipeSize: () => PIPE_BYTES,
      splice(from, _to, bytes) {
        if (from < 100) read.push(from);
        return bytes;
      },
      recv(fd) {
        if (read.includes(fd)) return -EAGAIN;
        read.push(fd);
        return SMALL;
      },
      send: (_fd, _at, bytes) => bytes,
      wait(_, eventsAt) {
        for (const [index, slot] of ready.entries()) {
          writeEvent(fake.shard.arena, eventsAt + index * EVENT_BYTES, EPOLLIN | EPOLLOUT, slot * 2 + FRONT, 0);
        }
        return ready.splice(0).length;
      },
    },
  );
  const { shard } = fake;
  shard.onTimer = (slot) => sessionTimer(shard, slot);
  serve(shard, [nodePlan(0)]);
  const turnWith = (...slots: number[]) => {
    ready.push(...slots);
    turn(shard);
    return read.splice(0);
  };
  return { ...fake, clock, turnWith };
}

function session({ shard }: Scene, frontFlags: number): { slot: number; fd: number } {
  const slot = relaying(shard, frontFlags, CALM);
  const fd = 20 + 10 * slot;
  shard.table.fd[slot * 2 + FRONT] = fd + 1;
  shard.table.fd[slot * 2 + 1] = fd + 2;
  return { slot, fd };
}

test('small things first, and of the big ones as many as a turn may move', () => {
  const scene = makeScene();
  const [one, two, small] = [session(scene, CALM | SPLICING), session(scene, CALM | SPLICING), session(scene, CALM)];
  expect(PIPE_BYTES).toBe(BULK_BYTES_PER_TURN);
  expect(scene.turnWith(one.slot, two.slot, small.slot)).toEqual([small.fd, one.fd]);
  expect(scene.turnWith(small.slot)).toEqual([small.fd, two.fd]);
  expect(scene.turnWith()).toEqual([one.fd]);
});

test('who waits for a turn is not timed out', () => {
  const scene = makeScene();
  const [one, two] = [session(scene, CALM | SPLICING), session(scene, CALM | SPLICING)];
  const { shard, clock } = scene;
  for (const { slot } of [one, two]) shard.wheel.arm(slot, clock.nowMs + SETTINGS.idleTimeoutMs);
  clock.nowMs += 2 * SETTINGS.idleTimeoutMs;
  expect(scene.turnWith(one.slot, two.slot)).toEqual([one.fd]);
  expect(shard.table.phase[two.slot]).toBe(PHASE_RELAYING);
  expect(scene.turnWith()).toEqual([two.fd]);
});
