// What becomes of a session after its directions were pumped: each row of the table at the head of settle.ts. A reset must not
// overtake bytes that are still on their way, and a close must not become a reset.

import { describe, expect, test } from 'vitest';
import { TIMER_TICK_MS } from '../../../core/base/timer-wheel.ts';
import { SHARD } from '../../../core/metrics/counters.ts';
import { settle } from '../../../core/session/settle.ts';
import type { Shard } from '../../../core/session/shard.ts';
import {
  BACK,
  FRONT,
  HUNG_UP,
  PHASE_FREE,
  PHASE_LINGERING,
  PHASE_RELAYING,
  PHASE_RESETTING,
  READ_ENDED,
  READ_FAILED,
  READABLE,
  WRITABLE,
  WRITE_BROKEN,
  WRITE_ENDED,
} from '../../../core/session/table.ts';
import { BACK_FD, FRONT_FD, fakeShard, relaying, SETTINGS, START_MS, spilled } from './support.ts';

interface Given {
  front: number;
  back: number;
  /** bytes that a side's peer has not acknowledged */
  unsentFront?: number;
  unsentBack?: number;
  /** bytes read from a side that the other has not taken, in a spill block */
  pendingFront?: number;
  pendingBack?: number;
}

function settled(given: Given) {
  const fake = fakeShard();
  const { shard, calls } = fake;
  const { table } = shard;
  const slot = relaying(shard, given.front, given.back);
  fake.unsent.set(FRONT_FD, given.unsentFront ?? 0).set(BACK_FD, given.unsentBack ?? 0);
  for (const [side, bytes] of [
    [slot * 2 + FRONT, given.pendingFront],
    [slot * 2 + BACK, given.pendingBack],
  ] as const) {
    if (bytes !== undefined) spilled(shard, side, bytes);
  }
  settle(shard, slot);
  return { ...fake, slot, table, calls, phase: table.phase[slot], ended: shard.counters.shard[SHARD.ended] };
}

/** That the session's timer fires this long from now, give or take a tick. */
function expectTimer({ shard, slot }: { shard: Shard; slot: number }, ms: number): void {
  const fired: number[] = [];
  shard.wheel.advance(START_MS + ms - 1, (id) => fired.push(id));
  expect(fired).toEqual([]);
  shard.wheel.advance(START_MS + ms + TIMER_TICK_MS, (id) => fired.push(id));
  expect(fired).toEqual([slot]);
}

const closed = { phase: PHASE_FREE, ended: 1, calls: [`close ${FRONT_FD}`, `close ${BACK_FD}`] };

describe('close both', () => {
  test.for([
    ["FIN'd, FIN'd", WRITE_ENDED | READ_ENDED, WRITE_ENDED | READ_ENDED],
    ['broken, broken', WRITE_BROKEN, WRITE_BROKEN],
    ['failed, failed', READ_FAILED, READ_FAILED],
    ['failed, broken', READ_FAILED, WRITE_BROKEN],
    ['broken, failed', WRITE_BROKEN, READ_FAILED],
  ] as const)('%s', ([, front, back]) => {
    expect(settled({ front, back })).toMatchObject(closed);
  });
});

describe('one side failed: the other is reset, once it has everything', () => {
  test('the front failed', () => {
    const done = settled({ front: READ_FAILED, back: WRITABLE });
    expect(done).toMatchObject({
      phase: PHASE_FREE,
      calls: [`close ${FRONT_FD}`, `reset ${BACK_FD}`, `close ${BACK_FD}`],
    });
  });

  test('the back failed', () => {
    const done = settled({ front: WRITABLE, back: READ_FAILED });
    expect(done).toMatchObject({
      phase: PHASE_FREE,
      calls: [`close ${BACK_FD}`, `reset ${FRONT_FD}`, `close ${FRONT_FD}`],
    });
  });

  test('the front failed, and the node has not acknowledged all: no reset yet', () => {
    const waiting = settled({ front: READ_FAILED, back: WRITABLE, unsentBack: 500 });
    expect(waiting).toMatchObject({ phase: PHASE_RESETTING, ended: 0, calls: [`close ${FRONT_FD}`] });
    expect(waiting.shard.wheel.isArmed(waiting.slot)).toBe(true);
    expect(waiting.table.fd[waiting.slot * 2 + FRONT]).toBe(0);
  });

  test('the back failed, and the client has not acknowledged all: no reset yet', () => {
    const waiting = settled({ front: WRITABLE, back: READ_FAILED, unsentFront: 500 });
    expect(waiting).toMatchObject({ phase: PHASE_RESETTING, ended: 0, calls: [`close ${BACK_FD}`] });
  });

  test.for([
    ['front', { front: READ_FAILED, back: 0, pendingFront: 100 }],
    ['back', { front: 0, back: READ_FAILED, pendingBack: 100 }],
  ] as const)('the %s failed, but its last bytes still wait here: they go first', ([, given]) => {
    const waiting = settled(given);
    expect(waiting).toMatchObject({ phase: PHASE_RELAYING, ended: 0, calls: [] });
    expect(waiting.shard.wheel.isArmed(waiting.slot)).toBe(true);
  });

  test('bytes that wait for the failed side itself hold nobody up, and are counted as lost', () => {
    const done = settled({ front: READ_FAILED, back: WRITABLE, pendingBack: 100 });
    expect(done).toMatchObject({ phase: PHASE_FREE });
    expect(done.shard.counters.shard[SHARD.bytesLost]).toBe(100);
    expect(done.shard.spill.freeCount).toBe(1);
  });
});

describe('one side takes no more, and the other has our FIN', () => {
  test("front FIN'd, back broken: linger on the front", () => {
    const lingering = settled({ front: WRITE_ENDED, back: WRITE_BROKEN });
    expect(lingering).toMatchObject({ phase: PHASE_LINGERING, ended: 0, calls: [`close ${BACK_FD}`] });
    expect(lingering.table.fd[lingering.slot * 2 + FRONT]).toBe(FRONT_FD + 1);
    expectTimer(lingering, SETTINGS.lingerTimeoutMs);
  });

  test("front broken, back FIN'd: reset the back", () => {
    const done = settled({ front: WRITE_BROKEN, back: WRITE_ENDED });
    expect(done).toMatchObject({
      phase: PHASE_FREE,
      calls: [`close ${FRONT_FD}`, `reset ${BACK_FD}`, `close ${BACK_FD}`],
    });
  });

  test("front broken, back FIN'd, and the node has not acknowledged all: no reset yet", () => {
    const waiting = settled({ front: WRITE_BROKEN, back: WRITE_ENDED, unsentBack: 1 });
    expect(waiting).toMatchObject({ phase: PHASE_RESETTING, calls: [`close ${FRONT_FD}`] });
  });

  test('a node that sent its FIN and was reset since takes no more: linger on the front', () => {
    const lingering = settled({ front: WRITE_ENDED, back: HUNG_UP | READ_ENDED });
    expect(lingering).toMatchObject({ phase: PHASE_LINGERING, calls: [`close ${BACK_FD}`] });
  });
});

describe('a side that hung up', () => {
  test('after its FIN and before ours was reset since: it takes no more', () => {
    const going = settled({ front: HUNG_UP | READ_ENDED, back: WRITABLE });
    expect((going.table.sideFlags[going.slot * 2 + FRONT] ?? 0) & WRITE_BROKEN).toBe(WRITE_BROKEN);
    expect((going.table.sideFlags[going.slot * 2 + BACK] ?? 0) & WRITE_BROKEN).toBe(0);
  });

  test('after our FIN has only ended orderly', () => {
    const going = settled({ front: HUNG_UP | READ_ENDED | WRITE_ENDED, back: 0 });
    expect(going).toMatchObject({ phase: PHASE_RELAYING, calls: [] });
    expect((going.table.sideFlags[going.slot * 2 + FRONT] ?? 0) & WRITE_BROKEN).toBe(0);
  });

  test('with something still to read goes on', () => {
    expect(settled({ front: HUNG_UP | READABLE, back: WRITABLE })).toMatchObject({ phase: PHASE_RELAYING, calls: [] });
  });
});

describe('nothing is decided', () => {
  test('while both sides are whole, and the timer is not touched', () => {
    const going = settled({ front: READABLE | WRITABLE, back: WRITABLE });
    expect(going).toMatchObject({ phase: PHASE_RELAYING, calls: [] });
    expect(going.shard.wheel.isArmed(going.slot)).toBe(false);
  });

  test.for([
    ['the client ended', { front: READ_ENDED, back: WRITE_ENDED }],
    ['the node ended', { front: WRITE_ENDED, back: READ_ENDED }],
    ['the client takes no more', { front: WRITE_BROKEN, back: WRITABLE }],
    ['the node takes no more', { front: WRITABLE, back: WRITE_BROKEN }],
  ] as const)('%s: the other direction goes on, on a shorter leash', ([, given]) => {
    const going = settled(given);
    expect(going).toMatchObject({ phase: PHASE_RELAYING, ended: 0, calls: [] });
    expectTimer(going, SETTINGS.halfClosedTimeoutMs);
  });
});
