import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTimerWheel, TIMER_RANGE_MS, TIMER_TICK_MS, type TimerWheel } from '../../../core/base/timer-wheel.ts';
import { holds } from '../../../testing/suite/property.ts';

const HOUR_MS = 3_600_000;

function expired(wheel: TimerWheel, nowMs: number): number[] {
  const ids: number[] = [];
  wheel.advance(nowMs, (id) => ids.push(id));
  return ids;
}

describe('one timer', () => {
  test('expires once, at its deadline or less than a tick later', () => {
    const wheel = createTimerWheel(1, 1000);
    wheel.arm(0, 1100);
    expect(expired(wheel, 1099)).toEqual([]);
    expect(wheel.isArmed(0)).toBe(true);
    expect(expired(wheel, 1100 + TIMER_TICK_MS)).toEqual([0]);
    expect(wheel.isArmed(0)).toBe(false);
    expect(expired(wheel, 10_000)).toEqual([]);
  });

  test('a deadline on a tick is not late at all', () => {
    const wheel = createTimerWheel(1, 0);
    wheel.arm(0, 10 * TIMER_TICK_MS);
    expect(expired(wheel, 10 * TIMER_TICK_MS - 1)).toEqual([]);
    expect(expired(wheel, 10 * TIMER_TICK_MS)).toEqual([0]);
  });

  test('arming again moves it, disarming removes it', () => {
    const wheel = createTimerWheel(2, 0);
    wheel.arm(0, 100);
    wheel.arm(0, 500);
    wheel.arm(1, 100);
    wheel.disarm(1);
    wheel.disarm(1);
    expect(expired(wheel, 400)).toEqual([]);
    expect(expired(wheel, 512)).toEqual([0]);
  });

  test('a deadline that has passed falls due at the next tick', () => {
    const wheel = createTimerWheel(1, 0);
    wheel.advance(1000, () => {});
    wheel.arm(0, 5);
    expect(wheel.msUntilNext(1000, 500)).toBeLessThanOrEqual(TIMER_TICK_MS);
    expect(expired(wheel, 1000 + TIMER_TICK_MS)).toEqual([0]);
  });

  test('a clock that goes backwards expires nothing', () => {
    const wheel = createTimerWheel(1, 0);
    wheel.advance(1000, () => {});
    wheel.arm(0, 1100);
    expect(expired(wheel, 10)).toEqual([]);
    expect(expired(wheel, 1104)).toEqual([0]);
  });

  test('ids out of range and deadlines that are no number are refused', () => {
    const wheel = createTimerWheel(2, 0);
    expect(() => wheel.arm(2, 10)).toThrow('out of range');
    expect(() => wheel.arm(-1, 10)).toThrow('out of range');
    expect(() => wheel.arm(0.5, 10)).toThrow('out of range');
    expect(() => wheel.arm(0, Number.NaN)).toThrow('finite');
  });
});

describe('the callback', () => {
  test('may disarm a neighbour of the same bucket, which then does not expire', () => {
    const wheel = createTimerWheel(4, 0);
    for (let id = 0; id < 4; id++) wheel.arm(id, 100);
    const seen: number[] = [];
    wheel.advance(200, (id) => {
      seen.push(id);
      for (let other = 0; other < 4; other++) wheel.disarm(other);
    });
    expect(seen).toHaveLength(1);
    expect(wheel.msUntilNext(200, 500)).toBe(500);
  });

  test('that re-arms itself in the past is called once per advance', () => {
    const wheel = createTimerWheel(1, 0);
    wheel.arm(0, 1);
    let calls = 0;
    const again = (id: number): void => {
      calls++;
      wheel.arm(id, 1);
    };
    for (let now = 160; now <= 1600; now += 160) wheel.advance(now, again);
    expect(calls).toBe(10);
  });

  test('may throw, and the rest stays due', () => {
    const wheel = createTimerWheel(3, 0);
    for (let id = 0; id < 3; id++) wheel.arm(id, 100 + 1000 * id);
    expect(() =>
      wheel.advance(5000, () => {
        throw new Error('one session');
      }),
    ).toThrow('one session');
    expect(expired(wheel, 5000)).toEqual([1, 2]);
  });
});

describe('far deadlines', () => {
  test('each level and its edges keep to the deadline', () => {
    for (const ticks of [1, 63, 64, 65, 4095, 4096, 4097, 262_143, 262_144, 262_145, 16_777_215]) {
      const wheel = createTimerWheel(1, 7);
      wheel.arm(0, 7 + ticks * TIMER_TICK_MS);
      expect(expired(wheel, 6 + ticks * TIMER_TICK_MS), `${ticks}`).toEqual([]);
      expect(expired(wheel, 7 + ticks * TIMER_TICK_MS), `${ticks}`).toEqual([0]);
    }
  });

  test('a deadline beyond the range is kept, in one jump and in many', () => {
    const deadline = 3.5 * TIMER_RANGE_MS;
    const wheel = createTimerWheel(2, 0);
    wheel.arm(0, deadline);
    for (let now = 0; now < deadline; now += HOUR_MS) expect(expired(wheel, now)).toEqual([]);
    expect(expired(wheel, deadline)).toEqual([0]);
    wheel.arm(1, 3 * deadline);
    expect(expired(wheel, 3 * deadline - 1)).toEqual([]);
    expect(expired(wheel, 3 * deadline)).toEqual([1]);
  });

  test('ticks past 2^32 (two years) change nothing', () => {
    const wheel = createTimerWheel(3, 0);
    const edge = 2 ** 32 * TIMER_TICK_MS;
    wheel.advance(edge - 5 * TIMER_TICK_MS, () => {});
    wheel.arm(0, edge - TIMER_TICK_MS);
    wheel.arm(1, edge + 3 * TIMER_TICK_MS);
    wheel.arm(2, edge + HOUR_MS);
    expect(expired(wheel, edge)).toEqual([0]);
    expect(expired(wheel, edge + 2 * TIMER_TICK_MS)).toEqual([]);
    expect(expired(wheel, edge + 3 * TIMER_TICK_MS)).toEqual([1]);
    expect(expired(wheel, edge + HOUR_MS)).toEqual([2]);
  });

  test('a jump over a year costs steps per occupied bucket, not per tick', () => {
    const capacity = 10_000;
    const wheel = createTimerWheel(capacity, 0);
    for (let id = 0; id < capacity; id++) wheel.arm(id, id * 997);
    const ids = expired(wheel, 365 * 24 * HOUR_MS);
    expect(ids).toHaveLength(capacity);
    expect(ids).toEqual([...ids].sort((a, b) => Math.ceil((a * 997) / 16) - Math.ceil((b * 997) / 16)));
  });
});

/** What the wheel promises, by looking at every timer every time. */
class NaiveTimers {
  readonly due = new Map<number, number>();
  lastTick = 0;
  readonly originMs: number;

  constructor(originMs: number) {
    this.originMs = originMs;
  }

  arm(id: number, deadlineMs: number): void {
    this.due.set(id, Math.max(Math.ceil((deadlineMs - this.originMs) / TIMER_TICK_MS), this.lastTick + 1));
  }

  advance(nowMs: number): number[] {
    const tick = Math.floor((nowMs - this.originMs) / TIMER_TICK_MS);
    this.lastTick = Math.max(this.lastTick, tick);
    const ids = [...this.due].filter(([, due]) => due <= tick).map(([id]) => id);
    for (const id of ids) this.due.delete(id);
    return ids.sort((a, b) => a - b);
  }

  msUntilFirst(nowMs: number): number {
    return Math.min(...[...this.due.values()].map((due) => this.originMs + due * TIMER_TICK_MS - nowMs));
  }
}

const CAPACITY = 24;
const anyId = fc.nat(CAPACITY - 1);
const anyDelayMs = fc.oneof(
  fc.integer({ min: -50, max: 3000 }),
  fc.integer({ min: 0, max: HOUR_MS }),
  fc.integer({ min: 0, max: 3 * TIMER_RANGE_MS }),
  fc.double({ min: 0, max: 2000, noNaN: true }),
);
const anyStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('arm' as const), id: anyId, delayMs: anyDelayMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disarm' as const), id: anyId }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('advance' as const), byMs: anyDelayMs.map(Math.abs) }) },
);

describe('against a naive model', () => {
  test('the same ids expire in the same call, and the sleep never passes an expiry', () => {
    holds(
      fc.property(fc.integer({ min: 0, max: 1e9 }), fc.array(anyStep, { maxLength: 80 }), (startMs, steps) => {
        const wheel = createTimerWheel(CAPACITY, startMs);
        const naive = new NaiveTimers(startMs);
        let now = startMs;
        for (const step of steps) {
          if (step.kind === 'arm') {
            wheel.arm(step.id, now + step.delayMs);
            naive.arm(step.id, now + step.delayMs);
          } else if (step.kind === 'disarm') {
            wheel.disarm(step.id);
            naive.due.delete(step.id);
          } else {
            now += step.byMs;
            expect(expired(wheel, now).sort((a, b) => a - b)).toEqual(naive.advance(now));
          }
          for (let id = 0; id < CAPACITY; id++) expect(wheel.isArmed(id)).toBe(naive.due.has(id));
          const sleepMs = wheel.msUntilNext(now, 500);
          expect(Number.isInteger(sleepMs) && sleepMs >= 0 && sleepMs <= 500).toBe(true);
          expect(sleepMs).toBeLessThan(Math.max(naive.msUntilFirst(now), 0) + 1);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('an event loop that sleeps as told wakes rarely and is never late', () => {
    holds(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 * HOUR_MS }), { minLength: 1, maxLength: 20 }), (delays) => {
        const wheel = createTimerWheel(delays.length, 0);
        for (const [id, delayMs] of delays.entries()) wheel.arm(id, delayMs);
        let now = 0;
        let wakes = 0;
        const lateMs: number[] = [];
        while (lateMs.length < delays.length) {
          now += wheel.msUntilNext(now, Number.MAX_SAFE_INTEGER);
          wakes++;
          wheel.advance(now, (id) => lateMs.push(now - (delays[id] ?? 0)));
        }
        expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...lateMs)).toBeLessThan(TIMER_TICK_MS);
        expect(wakes).toBeLessThanOrEqual(4 * delays.length);
      }),
      { numRuns: 200 },
    );
  });

  test('callbacks that arm and disarm at random leave a consistent wheel', () => {
    const anyAction = fc.record({ id: anyId, delayMs: anyDelayMs, disarms: fc.boolean() });
    holds(
      fc.property(
        fc.array(anyAction, { minLength: 1, maxLength: 60 }),
        fc.array(anyDelayMs.map(Math.abs)),
        (actions, jumps) => {
          const wheel = createTimerWheel(CAPACITY, 0);
          for (let id = 0; id < CAPACITY; id++) wheel.arm(id, 37 * id);
          let now = 0;
          let next = 0;
          for (const byMs of jumps) {
            now += byMs;
            const seen = new Set<number>();
            wheel.advance(now, (id) => {
              expect(seen.has(id)).toBe(false);
              expect(wheel.isArmed(id)).toBe(false);
              seen.add(id);
              const action = actions[next++ % actions.length];
              if (action?.disarms === true) wheel.disarm(action.id);
              else if (action !== undefined) wheel.arm(action.id, now + action.delayMs);
            });
          }
          let armed = 0;
          for (let id = 0; id < CAPACITY; id++) if (wheel.isArmed(id)) armed++;
          expect(expired(wheel, now + 4 * TIMER_RANGE_MS)).toHaveLength(armed);
          expect(wheel.msUntilNext(now, 123)).toBe(123);
        },
      ),
      { numRuns: 200 },
    );
  });
});
