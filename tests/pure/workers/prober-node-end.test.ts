// How soon the end of a node is noticed, in simulated time: whether it refuses or is silent, alone or with a thousand others.

import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { holds } from '../../../testing/suite/property.ts';
import { FIRST_STEP_MS } from '../../../workers/check-pace.ts';
import { checksNeeded } from '../../../workers/check-places.ts';
import { makeTarget, makeTargets, makeWorld, PASSED, REFUSED, SILENT, someRandom } from './prober-support.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("a node's end", () => {
  /** Refuses or is silent, as long as it likes each. */
  const anyDeath = fc.array(fc.boolean(), { minLength: 10, maxLength: 10 });

  test('is noticed within attempts times the interval and a tenth, or an interval and attempts times the timeout', () => {
    holds(
      fc.property(
        someRandom,
        anyDeath,
        fc.record({
          count: fc.integer({ min: 1, max: 20 }),
          seconds: fc.integer({ min: 2, max: 30 }),
          attempts: fc.integer({ min: 1, max: 8 }),
          timeoutShare: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
          diesAfter: fc.double({ min: 0, max: 3, noNaN: true }),
        }),
        (random, death, { count, seconds, attempts, timeoutShare, diesAfter }) => {
          const intervalMs = seconds * 1000;
          const timeoutMs = Math.ceil(timeoutShare * intervalMs);
          let endMs = Number.POSITIVE_INFINITY;
          const failuresOf = new Map<number, number>();
          const world = makeWorld(
            ({ row }, nowMs) => {
              if (nowMs < endMs) return PASSED;
              const failures = failuresOf.get(row) ?? 0;
              failuresOf.set(row, failures + 1);
              return death[(row + failures) % death.length] === true ? SILENT : REFUSED;
            },
            { random: random() },
          );
          world.prober.update(makeTargets(count, { intervalMs, timeoutMs, attempts }));
          // After the first check of each, and up to three intervals later.
          world.time.pass(Math.ceil(((count * FIRST_STEP_MS) % intervalMs) + FIRST_STEP_MS + diesAfter * intervalMs));
          endMs = world.time.nowMs;
          world.time.pass(1.1 * Math.max(attempts * intervalMs, intervalMs + attempts * timeoutMs));
          const downs = world.transitions.filter(({ health }) => health === 'down');
          expect(downs.map(({ row }) => row).toSorted((a, b) => a - b)).toEqual(
            makeTargets(count).map(({ row }) => row),
          );
          world.prober.stop();
        },
      ),
      { numRuns: 100 },
    );
  });

  // By default a check comes every 5 s, takes 3 s at most, and the third failure takes a node down.
  test.each([
    ['together, with a place for each', 0, 1000],
    ['together, with as many places as are needed', 0, checksNeeded(makeTargets(1000))],
    ['one after the other, with a place for each', 10, 1000],
    ['one after the other, with as many places as are needed', 10, checksNeeded(makeTargets(1000))],
  ])('of 1,000 nodes that fall silent %s is noticed as soon', (_, stepMs, checksMax) => {
    let endMs = Number.POSITIVE_INFINITY;
    const world = makeWorld(({ row }, nowMs) => (nowMs >= endMs + row * stepMs ? SILENT : PASSED), { checksMax });
    world.prober.update(makeTargets(1000));
    world.time.pass(12_345);
    endMs = world.time.nowMs;
    world.time.pass(30_000);
    const downs = world.transitions.filter(({ health }) => health === 'down');
    expect(downs).toHaveLength(1000);
    const afterMs = downs.map(({ row, atMs }) => atMs - (endMs + row * stepMs));
    expect(Math.max(...afterMs)).toBeLessThanOrEqual(3 * 5000 * 1.1);
    expect(Math.min(...afterMs)).toBeGreaterThan(3 * 3000);
  });

  test('of 1,000 nodes that have never answered is noticed as soon, from the beginning on', () => {
    const world = makeWorld(() => SILENT);
    const beganMs = world.time.nowMs;
    world.prober.update(makeTargets(1000));
    world.time.pass(3 * 5000 * 1.1);
    expect(world.transitions.filter(({ health }) => health === 'down')).toHaveLength(1000);
    expect(world.time.nowMs - beganMs).toBeLessThanOrEqual(3 * 5000 * 1.1);
  });

  test('in nodes that came one by one within a second is noticed as soon: all are checked at a time', () => {
    let endMs = Number.POSITIVE_INFINITY;
    const world = makeWorld((_, nowMs) => (nowMs >= endMs ? SILENT : PASSED));
    for (let count = 1; count <= 200; count++) {
      world.prober.update(makeTargets(count));
      world.time.pass(5);
    }
    world.time.pass(9500);
    endMs = world.time.nowMs;
    world.time.pass(3 * 5000 * 1.1);
    expect(world.transitions.filter(({ health }) => health === 'down')).toHaveLength(200);
  });
});

describe('a node that has failed', () => {
  test('is checked sooner until it is down or well, and at its interval then', () => {
    const results = [PASSED, REFUSED, PASSED, REFUSED, REFUSED, REFUSED, REFUSED, PASSED, PASSED, PASSED];
    const count = results.length;
    const world = makeWorld(() => results.shift(), { random: () => 0.5 });
    world.prober.update([makeTarget(0)]);
    world.time.pass(60_000);
    const starts = world.startsOf(0);
    expect(starts).toHaveLength(count + 1);
    const gaps = starts.slice(1).map((ms, i) => ms - (starts[i] ?? Number.NaN));
    // Half a timeout sooner, twice: the third check's timeout.
    expect(gaps).toEqual([5000, 3500, 5000, 3500, 3500, 5000, 5000, 5000, 5000, 5000]);
  });
});
