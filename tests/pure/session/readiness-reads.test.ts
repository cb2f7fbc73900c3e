// What the result of a read says about a side: is there more, has the stream ended, and was that end an orderly one. A reset
// whose error a write has consumed looks like an end of stream; taking it for one would tell the other side a lie.

import { describe, expect, test } from 'vitest';
import { EAGAIN, ECONNRESET, EPIPE, ETIMEDOUT } from '../../../core/base/errno.ts';
import { outcomeCode } from '../../../core/session/outcome.ts';
import { noteRead } from '../../../core/session/readiness.ts';
import {
  BACK,
  FIN_SEEN,
  FRONT,
  HUNG_UP,
  MISCOUNTED,
  READ_ENDED,
  READ_FAILED,
  READABLE,
  UNSURE,
  URGENT,
  WRITABLE,
} from '../../../core/session/table.ts';
import { fakeShard, relaying } from './support.ts';

const WANTED = 4096;
const NOW_MS = 5000;

interface Read {
  from?: number;
  flags?: number;
  firstErrno?: number;
  wanted?: number;
  /** bytes that were read before */
  readBefore?: number;
  /** what the kernel says that it has received, and what of it is unread */
  received?: number;
  unread?: number;
}

function afterRead(n: number, read: Read = {}) {
  const {
    from = FRONT,
    flags = READABLE,
    firstErrno = 0,
    wanted = WANTED,
    readBefore = 0,
    received,
    unread = 0,
  } = read;
  const asked = received === undefined ? {} : { received: () => received, unread: () => unread };
  const { shard } = fakeShard({}, asked);
  const { table } = shard;
  const slot = relaying(shard, 0, 0);
  const side = slot * 2 + from;
  shard.nowMs = NOW_MS;
  table.sideFlags[side] = flags;
  table.firstErrno[side] = firstErrno;
  table.bytesFrom[side] = readBefore;
  const result = noteRead(shard, slot, from, n, wanted);
  return {
    result,
    flags: table.sideFlags[side],
    errno: table.firstErrno[side],
    bytes: table.bytesFrom[side],
    activeMs: table.activeMs[slot],
    firstByteMs: table.firstByteMs[slot],
    outcome: outcomeCode(table.outcomeWho[slot] ?? 0, table.outcomePhase[slot] ?? 0),
  };
}

describe('bytes', () => {
  test('a full read: there may be more', () => {
    expect(afterRead(WANTED)).toMatchObject({ result: WANTED, flags: READABLE, bytes: WANTED, activeMs: NOW_MS });
  });

  test('a short read: the queue is empty', () => {
    expect(afterRead(WANTED - 1)).toMatchObject({ result: WANTED - 1, flags: 0, bytes: WANTED - 1 });
  });

  test('a short read once the FIN was seen: that was the end', () => {
    const flags = READABLE | FIN_SEEN;
    expect(afterRead(1, { flags })).toMatchObject({ result: 1, flags: flags | READ_ENDED, bytes: 1, outcome: '--' });
    expect(afterRead(WANTED, { flags }).flags).toBe(flags);
    expect(afterRead(1, { flags: flags | UNSURE }).flags).toBe(flags | UNSURE);
  });

  test('a short read after an event that said more: it stays readable', () => {
    const flags = READABLE | UNSURE | HUNG_UP;
    expect(afterRead(1, { flags })).toMatchObject({ result: 1, flags });
    expect(afterRead(1, { flags: READABLE | UNSURE | URGENT }).flags).toBe(READABLE | UNSURE | URGENT);
  });

  test('the first byte of a node is timed, that of a client is not', () => {
    expect(afterRead(10, { from: BACK }).firstByteMs).toBe(NOW_MS);
    expect(afterRead(10, { from: FRONT }).firstByteMs).toBe(0);
  });

  test('only the first', () => {
    const { shard } = fakeShard();
    const slot = relaying(shard, 0, 0);
    shard.nowMs = 3000;
    noteRead(shard, slot, BACK, 1, WANTED);
    shard.nowMs = 4000;
    noteRead(shard, slot, BACK, 2, WANTED);
    expect([shard.table.firstByteMs[slot], shard.table.bytesFrom[slot * 2 + BACK]]).toEqual([3000, 3]);
    expect(shard.table.activeMs[slot]).toBe(4000);
  });

  test('an error of the past does not turn bytes into an end', () => {
    expect(afterRead(10, { firstErrno: ECONNRESET, flags: READABLE | UNSURE })).toMatchObject({
      result: 10,
      flags: READABLE | UNSURE,
      outcome: '--',
    });
  });
});

describe('EAGAIN', () => {
  test('the queue is empty: doubts and the urgent mark are behind us, what was seen of the peer stays', () => {
    const flags = READABLE | UNSURE | URGENT | WRITABLE | HUNG_UP;
    expect(afterRead(-EAGAIN, { flags })).toMatchObject({
      result: 0,
      flags: WRITABLE | HUNG_UP,
      errno: 0,
      bytes: 0,
      outcome: '--',
    });
  });

  test('is no activity', () => {
    expect(afterRead(-EAGAIN).activeMs).not.toBe(NOW_MS);
  });
});

describe('the end of the stream', () => {
  const END = { result: 0, bytes: 0 };

  test('orderly or not, it begins the other direction’s time, however long this one has been silent', () => {
    expect(afterRead(0).activeMs).toBe(NOW_MS);
    expect(afterRead(-ECONNRESET).activeMs).toBe(NOW_MS);
  });

  test('is an end when nothing went wrong before', () => {
    const ended = { ...END, flags: READABLE | READ_ENDED, outcome: '--', errno: 0 };
    expect(afterRead(0)).toMatchObject(ended);
    expect(afterRead(0, { from: BACK })).toMatchObject(ended);
  });

  test('after EPIPE is an end where the peer’s FIN came first: the kernel has received one byte more than there was to read', () => {
    const ended = { result: 0, flags: READABLE | READ_ENDED, outcome: '--', errno: EPIPE };
    expect(afterRead(0, { firstErrno: EPIPE, received: 1 })).toMatchObject(ended);
    expect(afterRead(0, { firstErrno: EPIPE, readBefore: 700, received: 701 })).toMatchObject(ended);
    expect(afterRead(0, { firstErrno: EPIPE, readBefore: 700, received: 704, unread: 3 })).toMatchObject(ended);
  });

  test.for([
    ['nothing more than was read', { readBefore: 700, received: 700 }],
    ['what is unread', { readBefore: 700, received: 701, unread: 1 }],
    ['more than a FIN', { readBefore: 700, received: 702 }],
    ['less than was read', { readBefore: 700, received: 699 }],
    ['an errno', { readBefore: 0, received: -92 }],
    // Not even asked.
    ['a FIN, but the count may be off', { flags: READABLE | MISCOUNTED }],
  ] as const)('after EPIPE is a failure where the kernel has received %s', ([, read]) => {
    const flags = 'flags' in read ? read.flags : READABLE;
    expect(afterRead(0, { firstErrno: EPIPE, ...read })).toMatchObject({
      result: 0,
      flags: flags | READ_FAILED,
      outcome: 'CD',
      errno: ECONNRESET,
    });
  });

  test.for([ECONNRESET, ETIMEDOUT])('after errno %i, which a write consumed, is a failure', (firstErrno) => {
    expect(afterRead(0, { firstErrno })).toMatchObject({
      ...END,
      flags: READABLE | READ_FAILED,
      outcome: 'CD',
      errno: firstErrno,
    });
    expect(afterRead(0, { firstErrno, from: BACK }).outcome).toBe('SD');
  });
});

describe('an error', () => {
  test('is a failure of that side, and its errno is kept', () => {
    expect(afterRead(-ECONNRESET)).toMatchObject({
      result: 0,
      flags: READABLE | READ_FAILED,
      errno: ECONNRESET,
      outcome: 'CD',
    });
    expect(afterRead(-ETIMEDOUT, { from: BACK })).toMatchObject({ errno: ETIMEDOUT, outcome: 'SD' });
  });

  test('does not overwrite the first one', () => {
    expect(afterRead(-ECONNRESET, { firstErrno: EPIPE })).toMatchObject({
      flags: READABLE | READ_FAILED,
      errno: EPIPE,
    });
  });

  test('after an earlier EPIPE is a failure all the same', () => {
    expect(afterRead(-ECONNRESET, { firstErrno: EPIPE }).outcome).toBe('CD');
  });
});
