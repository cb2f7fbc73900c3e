// What a turn of the event loop hears first: timers do not speak while a wait has left events behind that may answer them, as after a
// suspension of the process, and they do speak in the end.

import { expect, test } from 'vitest';
import { ETIMEDOUT } from '../../../core/base/errno.ts';
import { NO_TRIAL, noteConnectFailure } from '../../../core/health/ejection.ts';
import { createArena, EPOLLOUT, EVENT_BYTES, writeEvent } from '../../../core/linux/kernel.ts';
import { startConnect } from '../../../core/session/connect.ts';
import { EVENTS_PER_WAIT, FULL_WAITS_MAX } from '../../../core/session/limits.ts';
import { turn } from '../../../core/session/reactor.ts';
import { cutNode, sessionTimer } from '../../../core/session/session.ts';
import {
  BACK,
  FRONT,
  PHASE_CONNECTING,
  PHASE_FREE,
  PHASE_RELAYING,
  PHASE_RETRYING,
  READABLE,
} from '../../../core/session/table.ts';
import { TAG_WAKE } from '../../../core/session/tags.ts';
import { type FakeShard, FRONT_FD, fakeShard, nodePlan, relaying, SETTINGS, START_MS, serve } from './support.ts';

const BACK_TO_LIFE_MS = START_MS + 10 * SETTINGS.connectTimeoutMs;
/** a slot that has no socket: an event of a session that has ended */
const ENDED_SIDE = 7 * 2;

interface Scene extends FakeShard {
  readonly slot: number;
  /** events of each coming wait: so many of sessions that have ended, or those of these sides */
  readonly waits: (number | readonly number[])[];
}

/** A session whose connect was begun long ago: its time is up. */
function connecting(): Scene {
  const waits: Scene['waits'] = [];
  let isBack = false;
  const scene = fakeShard(
    {},
    {
      nowMs: () => (isBack ? BACK_TO_LIFE_MS : START_MS),
      openConnection: () => 30,
      takeWake: () => 0,
      restOfConnection: () => 0,
      wait: (_, eventsAt) => {
        const next = waits.shift() ?? 0;
        const sides = typeof next === 'number' ? new Array<number>(next).fill(ENDED_SIDE) : next;
        for (const [index, side] of sides.entries()) {
          writeEvent(arena, eventsAt + index * EVENT_BYTES, EPOLLOUT, side, 0);
        }
        return sides.length;
      },
    },
  );
  const { shard } = scene;
  const arena = createArena(shard.arena.bytes.buffer);
  shard.onTimer = (of) => sessionTimer(shard, of);
  serve(shard, [nodePlan(0)], { isPassive: true });
  const slot = relaying(shard, 0, 0);
  shard.table.fd[slot * 2 + BACK] = 0;
  shard.table.phase[slot] = PHASE_CONNECTING;
  startConnect(shard, slot);
  isBack = true;
  return { ...scene, slot, waits };
}

test('a connect that succeeded while the process was suspended is heard before its timeout', () => {
  const { shard, slot, waits } = connecting();
  waits.push(EVENTS_PER_WAIT, EVENTS_PER_WAIT, [slot * 2 + BACK]);
  for (let i = 0; i < 3; i++) turn(shard);
  expect(shard.table.phase[slot]).toBe(PHASE_RELAYING);
});

test('what another thread wants is done behind the events: an event of a back socket is not taken for its successor’s', () => {
  const { calls, shard, slot, waits } = connecting();
  const heard: string[] = [];
  // So that nothing is put off for its first bytes.
  shard.table.sideFlags[slot * 2 + FRONT] = READABLE;
  Object.assign(shard, {
    onWake: () => {
      heard.push(`phase ${shard.table.phase[slot]}`);
      cutNode(shard, 0);
    },
  });
  waits.push([TAG_WAKE, slot * 2 + BACK]);
  turn(shard);
  // The connect had succeeded: the session is cut as one that relays, and its node is not left for another.
  expect(heard).toEqual([`phase ${PHASE_RELAYING}`]);
  expect(calls).toEqual([`reset ${FRONT_FD}`, `close ${FRONT_FD}`, 'reset 30', 'close 30']);
  expect(shard.table.phase[slot]).toBe(PHASE_FREE);
  turn(shard);
  expect(heard).toHaveLength(1);
});

test('once everything was heard, silence is a timeout', () => {
  const { shard, slot, waits } = connecting();
  waits.push(EVENTS_PER_WAIT, EVENTS_PER_WAIT - 1);
  turn(shard);
  expect(shard.table.phase[slot]).toBe(PHASE_CONNECTING);
  turn(shard);
  expect(shard.table.phase[slot]).toBe(PHASE_RETRYING);
});

test.each([
  [0, ['ejected 0']],
  [START_MS + 1, []],
])('of a node that moved at %d ms, a connect that was begun before fails: %j', (movedMs, events) => {
  const { calls, shard } = connecting();
  for (let i = 0; i < 2; i++) {
    noteConnectFailure(shard.nodeStates, 0, NO_TRIAL, SETTINGS.connectTimeoutMs, ETIMEDOUT, BACK_TO_LIFE_MS);
  }
  shard.nodeStates.movedMs[0] = movedMs;
  turn(shard);
  expect(calls.filter((call) => !call.startsWith('close'))).toEqual(events);
});

test('a flood of events does not stop the clock', () => {
  const { shard, slot, waits } = connecting();
  waits.push(...new Array<number>(FULL_WAITS_MAX).fill(EVENTS_PER_WAIT));
  for (let i = 1; i < FULL_WAITS_MAX; i++) turn(shard);
  expect(shard.table.phase[slot]).toBe(PHASE_CONNECTING);
  turn(shard);
  expect(shard.table.phase[slot]).toBe(PHASE_RETRYING);
});
