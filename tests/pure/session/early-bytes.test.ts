// When the PROXY header goes out: with the client's first bytes where they come within a turn of the event loop, and else without them.

import { expect, test } from 'vitest';
import { EAGAIN, ECONNRESET } from '../../../core/base/errno.ts';
import { EPOLLIN, EPOLLOUT, EPOLLPRI, EVENT_BYTES, writeEvent } from '../../../core/linux/kernel.ts';
import { startConnect } from '../../../core/session/connect.ts';
import { pendingBytes } from '../../../core/session/pending.ts';
import { turn } from '../../../core/session/reactor.ts';
import { cutNode, sessionTimer } from '../../../core/session/session.ts';
import type { ShardSettings } from '../../../core/session/settings.ts';
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
  /** the same of the node */
  answered: { bytes: number };
  /** what the coming writes answer; then all is taken */
  answers: number[];
  clock: { nowMs: number };
  /** a turn with these events @returns bytes of each write to the node in it */
  after(...events: Event[]): number[];
}

/** A session whose connect is under way. @param nodes how many there are */
function connecting(settings: Partial<ShardSettings> = {}, nodes = 1): Scene {
  const events: Event[] = [];
  const sent: number[] = [];
  const said = { bytes: 0 };
  const answered = { bytes: 0 };
  const clock = { nowMs: START_MS };
  const answers: number[] = [];
  const fake = fakeShard(settings, {
    nowMs: () => clock.nowMs,
    openConnection: () => BACK_FD,
    restOfConnection: () => 0,
    recv(fd) {
      const { bytes } = fd === BACK_FD ? answered : said;
      answered.bytes = fd === BACK_FD ? 0 : answered.bytes;
      return bytes > 0 ? bytes : -EAGAIN;
    },
    setOption: () => 0,
    send(_fd, _at, bytes) {
      sent.push(bytes);
      said.bytes = 0;
      return answers.shift() ?? bytes;
    },
    wait(_, eventsAt) {
      for (const [index, [which, mask]] of events.entries()) {
        writeEvent(fake.shard.arena, eventsAt + index * EVENT_BYTES, mask, slot * 2 + which, 0);
      }
      return events.splice(0).length;
    },
  });
  const { shard } = fake;
  shard.onTimer = (of) => sessionTimer(shard, of);
  serve(
    shard,
    Array.from({ length: nodes }, (_, row) => nodePlan(row, { proxyProtocol: 'v2' })),
  );
  const slot = relaying(shard, WRITABLE, 0);
  shard.table.fd[slot * 2 + BACK] = 0;
  shard.table.phase[slot] = PHASE_CONNECTING;
  startConnect(shard, slot);
  const after = (...happened: Event[]) => {
    events.push(...happened);
    turn(shard);
    return sent.splice(0);
  };
  return { ...fake, slot, said, answered, answers, clock, after };
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

test('a header that is not taken never waits behind bytes of the client: it goes to another node', () => {
  const { after, answers, calls, said, shard, slot } = connecting({ pipes: 0 }, 3);
  said.bytes = FIRST_BYTES;
  after([FRONT, EPOLLIN | EPOLLOUT]);
  answers.push(-ECONNRESET, -EAGAIN);
  // The first node resets: what was read for it waits for the second one, which takes nothing.
  expect(after([BACK, EPOLLOUT])).toEqual([HEADER_BYTES + FIRST_BYTES]);
  const waiting = () => pendingBytes(shard.table, slot * 2 + FRONT);
  expect(waiting()).toBe(FIRST_BYTES);
  expect(after([BACK, EPOLLIN | EPOLLOUT])).toEqual([HEADER_BYTES]);
  expect(waiting()).toBe(FIRST_BYTES);
  expect(shard.table.phase[slot]).toBe(PHASE_CONNECTING);
  // The third gets its header first, then them.
  expect(after([BACK, EPOLLIN | EPOLLOUT])).toEqual([HEADER_BYTES, FIRST_BYTES]);
  expect(waiting()).toBe(0);
  expect(calls.filter((call) => call === `close ${BACK_FD}`)).toHaveLength(2);
});

test('an urgent mark in the event that completes the connect is heard: what lies before it is no reason to splice', () => {
  const { after, answered, shard, slot } = connecting({ splice: 'on' });
  answered.bytes = 2;
  // A splice would be a call that nobody expects.
  after([BACK, EPOLLIN | EPOLLOUT | EPOLLPRI]);
  expect(shard.table.phase[slot]).toBe(PHASE_RELAYING);
  expect(shard.table.bytesTo[slot * 2 + FRONT]).toBe(2);
});
