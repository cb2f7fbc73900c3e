// When the PROXY header goes out: with the client's first bytes where they come within a turn of the event loop, and else without them.

import { expect, test } from 'vitest';
import { EAGAIN } from '../../../core/base/errno.ts';
import { EPOLLIN, EPOLLOUT, EVENT_BYTES, writeEvent } from '../../../core/linux/kernel.ts';
import { startConnect } from '../../../core/session/connect.ts';
import { turn } from '../../../core/session/reactor.ts';
import { cutNode, sessionTimer } from '../../../core/session/session.ts';
import {
  BACK,
  FRONT,
  PHASE_CONNECTING,
  PHASE_RELAYING,
  PHASE_RETRYING,
  WRITABLE,
} from '../../../core/session/table.ts';
import { type FakeShard, fakeShard, nodePlan, relaying, SETTINGS, START_MS, serve } from './support.ts';

const BACK_FD = 30;
/** v2 with the addresses of an IPv6 client: those of a table that is all zero */
const HEADER_BYTES = 52;
const FIRST_BYTES = 5;

type Event = [which: number, mask: number];

interface Scene extends FakeShard {
  readonly slot: number;
  /** what the client has said and nobody has read */
  said: { bytes: number };
  clock: { nowMs: number };
  /** a turn with these events @returns bytes of each write to the node in it */
  after(...events: Event[]): number[];
}

/** A session whose connect is under way. */
function connecting(): Scene {
  const events: Event[] = [];
  const sent: number[] = [];
  const said = { bytes: 0 };
  const clock = { nowMs: START_MS };
  const fake = fakeShard(
    {},
    {
      nowMs: () => clock.nowMs,
      openConnection: () => BACK_FD,
      restOfConnection: () => 0,
      recv: () => (said.bytes > 0 ? said.bytes : -EAGAIN),
      send(_fd, _at, bytes) {
        sent.push(bytes);
        said.bytes = 0;
        return bytes;
      },
      wait(_, eventsAt) {
        for (const [index, [which, mask]] of events.entries()) {
          writeEvent(fake.shard.arena, eventsAt + index * EVENT_BYTES, mask, slot * 2 + which, 0);
        }
        return events.splice(0).length;
      },
    },
  );
  const { shard } = fake;
  shard.onTimer = (of) => sessionTimer(shard, of);
  serve(shard, [nodePlan(0, { proxyProtocol: 'v2' })]);
  const slot = relaying(shard, WRITABLE, 0);
  shard.table.fd[slot * 2 + BACK] = 0;
  shard.table.phase[slot] = PHASE_CONNECTING;
  startConnect(shard, slot);
  const after = (...happened: Event[]) => {
    events.push(...happened);
    turn(shard);
    return sent.splice(0);
  };
  return { ...fake, slot, said, clock, after };
}

test('a client that has spoken: header and first bytes are one write, at once', () => {
  const { after, said } = connecting();
  said.bytes = FIRST_BYTES;
  expect(after([FRONT, EPOLLIN | EPOLLOUT])).toEqual([]);
  expect(after([BACK, EPOLLOUT])).toEqual([HEADER_BYTES + FIRST_BYTES]);
});

test('a client that speaks a turn later: they are one write as well', () => {
  const { after, said } = connecting();
  expect(after([BACK, EPOLLOUT])).toEqual([]);
  said.bytes = FIRST_BYTES;
  expect(after([FRONT, EPOLLIN | EPOLLOUT])).toEqual([HEADER_BYTES + FIRST_BYTES]);
});

test('a client that says nothing: the header goes alone, a turn later, without an event', () => {
  const { after, shard, slot } = connecting();
  expect(after([BACK, EPOLLOUT])).toEqual([]);
  expect(after()).toEqual([HEADER_BYTES]);
  expect(shard.table.phase[slot]).toBe(PHASE_RELAYING);
});

test('a node that speaks at once is not kept waiting', () => {
  const { after } = connecting();
  expect(after([BACK, EPOLLIN | EPOLLOUT])[0]).toBe(HEADER_BYTES);
});

test('a connect that was heard is not timed out before its turn', () => {
  const { after, clock, shard, slot } = connecting();
  clock.nowMs += 10 * SETTINGS.connectTimeoutMs;
  expect(after([BACK, EPOLLOUT])).toEqual([HEADER_BYTES]);
  expect(shard.table.phase[slot]).toBe(PHASE_RELAYING);
});

test('a node that goes down in between is left', () => {
  const { after, calls, shard, slot } = connecting();
  after([BACK, EPOLLOUT]);
  cutNode(shard, 0);
  expect(calls).toContain(`close ${BACK_FD}`);
  expect(shard.table.phase[slot]).toBe(PHASE_RETRYING);
  expect(after()).toEqual([]);
});
