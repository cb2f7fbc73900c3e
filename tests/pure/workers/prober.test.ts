// When nodes are checked and what is made of it, in simulated time: first checks come soon, later ones are spread over the interval,
// and neither a suspended process nor a shortage takes nodes down.

import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { formatIp } from '../../../core/base/ip.ts';
import { epochOf, HEALTH_DOWN, HEALTH_UNKNOWN, HEALTH_UP, REASON } from '../../../core/health/node-states.ts';
import { ipOf } from '../../../testing/loopback.ts';
import { holds } from '../../../testing/suite/property.ts';
import { FIRST_STEP_MS, JITTER, REPEAT_MS_MAX } from '../../../workers/check-pace.ts';
import type { CheckVerdict } from '../../../workers/checks/target.ts';
import { type Check, makeTarget, makeTargets, makeWorld, PASSED, REFUSED, someRandom } from './prober-support.ts';

/** Places for checks, where there are fewer than nodes. */
const FEW = 100;

/** Of sums of fractions. */
const ROUNDING_MS = 0.001;

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the schedule', () => {
  test('checks a small pool at once, a step after each other', () => {
    const world = makeWorld(() => PASSED);
    const beganMs = world.time.nowMs;
    world.prober.update(makeTargets(10));
    expect(world.checks).toEqual([]);
    world.time.pass(10 * FIRST_STEP_MS + 1);
    for (let row = 0; row < 10; row++) {
      const afterMs = (world.startsOf(row)[0] ?? Number.NaN) - beganMs;
      expect(afterMs).toBeGreaterThanOrEqual(row * FIRST_STEP_MS);
      expect(afterMs).toBeLessThanOrEqual((row + 1) * FIRST_STEP_MS);
    }
    expect(world.checks).toHaveLength(10);
    expect(world.transitions.map(({ health }) => health)).toEqual(Array(10).fill('up'));
  });

  test('then spreads the pool over the whole interval', () => {
    const world = makeWorld(() => PASSED);
    const count = 20;
    const intervalMs = 10_000;
    const beganMs = world.time.nowMs;
    world.prober.update(makeTargets(count, { intervalMs }));
    world.time.pass(2 * intervalMs);
    const seconds = makeTargets(count).map(
      ({ row }) => ((world.startsOf(row)[1] ?? Number.NaN) - beganMs) % intervalMs,
    );
    const slots = new Set(seconds.map((ms) => Math.floor((ms / intervalMs) * count)));
    expect(slots.size).toBeGreaterThan(0.7 * count);
    // No two seconds of the interval are without a check.
    const sorted = seconds.toSorted((a, b) => a - b);
    const gaps = sorted.map((ms, i) => (sorted[i + 1] ?? (sorted[0] ?? 0) + intervalMs) - ms);
    expect(Math.max(...gaps)).toBeLessThan(2000);
  });

  test.each([1000, 4096])('of %d nodes never has many checks start together', (count) => {
    const world = makeWorld(() => PASSED);
    world.prober.update(makeTargets(count, { intervalMs: 5000 }));
    world.time.pass(15_000);
    const perTenth = new Map<number, number>();
    for (const { startedMs } of world.checks) {
      const tenth = Math.floor(startedMs / 100);
      perTenth.set(tenth, (perTenth.get(tenth) ?? 0) + 1);
    }
    // An even spread has a fiftieth of the nodes in a tenth of a second.
    expect(Math.max(...perTenth.values())).toBeLessThan(3 * (count / 50));
    expect(world.checks.length).toBeGreaterThan(2.5 * count);
  });

  test('keeps the interval from start to start, with some jitter, whatever a check takes', () => {
    holds(
      fc.property(
        someRandom,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 2, max: 60 }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (random, count, seconds, share) => {
          const intervalMs = seconds * 1000;
          const world = makeWorld(() => PASSED, { random: random(), latencyMs: Math.floor(share * intervalMs) });
          world.prober.update(makeTargets(count, { intervalMs, timeoutMs: intervalMs - 500 }));
          world.time.pass(6 * intervalMs);
          for (let row = 0; row < count; row++) {
            const starts = world.startsOf(row);
            const [first = Number.NaN, ...others] = starts.slice(1).map((ms, i) => ms - (starts[i] ?? Number.NaN));
            expect(first).toBeLessThanOrEqual(intervalMs + ROUNDING_MS);
            expect(first).toBeGreaterThanOrEqual(Math.min(intervalMs / count, share * intervalMs) - ROUNDING_MS);
            expect(others.length).toBeGreaterThan(2);
            for (const ms of others) {
              expect(ms).toBeGreaterThanOrEqual(intervalMs * (1 - JITTER) - ROUNDING_MS);
              expect(ms).toBeLessThanOrEqual(intervalMs * (1 + JITTER) + ROUNDING_MS);
            }
          }
          world.prober.stop();
        },
      ),
      { numRuns: 40 },
    );
  });

  test('never has two checks of a node at a time, however long one takes', () => {
    const world = makeWorld(() => undefined);
    world.prober.update([makeTarget(0)]);
    world.time.pass(60_000);
    expect(world.checks).toHaveLength(1);
    world.checks[0]?.finish(PASSED);
    world.time.pass(1);
    expect(world.checks).toHaveLength(2);
  });
});

describe('results', () => {
  test('are counted and kept in the cells', () => {
    let isWell = true;
    const world = makeWorld(() => (isWell ? PASSED : { ...(REFUSED as CheckVerdict), tookMs: 7 }), { latencyMs: 7 });
    world.prober.update([makeTarget(5)]);
    const { states } = world;
    world.time.pass(100);
    expect([states.health[5], states.reason[5], states.checks[5], states.checkFailures[5]]).toEqual([
      HEALTH_UP,
      REASON.connected,
      1,
      0,
    ]);
    isWell = false;
    const epoch = epochOf(states);
    world.time.pass(10_400);
    expect([states.health[5], states.checks[5], states.checkFailures[5]]).toEqual([HEALTH_UP, 3, 2]);
    expect(epochOf(states)).toBe(epoch);
    world.time.pass(5300);
    expect([states.health[5], states.reason[5], states.detail[5]]).toEqual([HEALTH_DOWN, REASON.connectError, 111]);
    expect([states.checks[5], states.checkFailures[5], states.checkTookMs[5]]).toEqual([4, 3, 7]);
    expect(states.checkedMs[5]).toBe((world.startsOf(5)[3] ?? 0) + 7);
    expect(states.changedMs[5]).toBe(states.checkedMs[5]);
    expect(epochOf(states)).toBe(epoch + 1);
  });

  test('make one line per change, with the reason', () => {
    const results = [
      PASSED,
      REFUSED,
      REFUSED,
      REFUSED,
      REFUSED,
      { ok: true, reason: REASON.status, detail: 200, tookMs: 2 } as const,
      { ok: true, reason: REASON.status, detail: 204, tookMs: 2 } as const,
      PASSED,
    ];
    const world = makeWorld(() => results.shift());
    world.prober.update([makeTarget(0)]);
    world.time.pass(8 * 5250);
    expect(world.transitions.map(({ text }) => text)).toEqual([
      'node node-0 (192.0.2.1:8080) of web port 80 is UP: it takes connections',
      'node node-0 (192.0.2.1:8080) of web port 80 is DOWN: 3 checks in a row failed, the last: connection refused after 1 ms',
      'node node-0 (192.0.2.1:8080) of web port 80 is UP: it answers with status 204',
    ]);
    expect(world.transitions.map(({ health }) => health)).toEqual(['up', 'down', 'up']);
  });

  test.each<[string, Partial<CheckVerdict>]>([
    ['its check failed: connection refused after 1 ms', { reason: REASON.connectError, detail: 111, tookMs: 0.3 }],
    ['its check failed: host is unreachable after 3100 ms', { reason: REASON.connectError, detail: 113, tookMs: 3100 }],
    ['its check failed: no answer within check_timeout (3000 ms)', { reason: REASON.timeout, tookMs: 3002 }],
    ['its check failed: its host name cannot be resolved, or leads back here', { reason: REASON.noAddress }],
    ['its check failed: it answers with status 503, after 12 ms', { reason: REASON.status, detail: 503, tookMs: 12 }],
    ['its check failed: its answer is not HTTP, after 1 ms', { reason: REASON.notHttp, tookMs: 1 }],
  ])('say why: %s', (text, verdict) => {
    const result = { ok: false, reason: REASON.noAnswer, detail: 0, tookMs: 0, ...verdict };
    const world = makeWorld(() => result);
    world.prober.update([makeTarget(0, { attempts: 1 })]);
    world.time.pass(FIRST_STEP_MS + 10);
    expect(world.transitions.map((transition) => transition.text)).toEqual([
      `node node-0 (192.0.2.1:8080) of web port 80 is DOWN: ${text}`,
    ]);
  });

  test('that are inconclusive change nothing, and the check is repeated soon', () => {
    const world = makeWorld(() => 'inconclusive');
    world.prober.update([makeTarget(0, { attempts: 1 })]);
    world.time.pass(10_000);
    expect(world.checks.length).toBeGreaterThanOrEqual(10_000 / (REPEAT_MS_MAX + 10) - 1);
    expect(world.checks.length).toBeLessThanOrEqual(10_000 / (REPEAT_MS_MAX / 2) + 1);
    expect([world.states.health[0], world.states.checks[0], world.states.checkedMs[0]]).toEqual([HEALTH_UNKNOWN, 0, 0]);
    expect(world.transitions).toEqual([]);
  });

  test('that are inconclusive do not part failures in a row', () => {
    const results = [PASSED, REFUSED, 'inconclusive' as const, REFUSED, 'inconclusive' as const, REFUSED];
    const world = makeWorld(() => results.shift());
    world.prober.update([makeTarget(0)]);
    world.time.pass(6 * 5250);
    expect(world.transitions.map(({ health }) => health)).toEqual(['up', 'down']);
  });
});

describe('a process that was suspended', () => {
  test('does not check all nodes at once when it wakes, and takes none down', () => {
    const world = makeWorld(() => PASSED);
    const count = 50;
    world.prober.update(makeTargets(count));
    world.time.pass(12_000);
    const before = world.checks.length;
    world.time.suspend(3_600_000);
    const wokeMs = world.time.nowMs;
    world.time.pass(5500);
    const after = world.checks.slice(before).map(({ startedMs }) => startedMs - wokeMs);
    expect(after.length).toBeGreaterThanOrEqual(count);
    const perSecond = [0, 1, 2, 3, 4].map((s) => after.filter((ms) => Math.floor(ms / 1000) === s).length);
    expect(Math.max(...perSecond)).toBeLessThan(count / 2);
    expect(Math.min(...perSecond)).toBeGreaterThan(0);
    expect(world.transitions.filter(({ health }) => health !== 'up')).toEqual([]);
  });

  test('for less than half an interval checks what is due, and goes on from there', () => {
    const world = makeWorld(() => PASSED);
    world.prober.update([makeTarget(0)]);
    world.time.pass(4900);
    expect(world.checks).toHaveLength(1);
    world.time.suspend(2400);
    const wokeMs = world.time.nowMs;
    world.time.pass(5300);
    const [, second, third = Number.NaN] = world.startsOf(0);
    expect(second).toBe(wokeMs);
    expect(third - wokeMs).toBeGreaterThanOrEqual(5000 * (1 - JITTER) - ROUNDING_MS);
  });

  test('counts nothing of the checks that it slept through', () => {
    const world = makeWorld(() => undefined);
    world.prober.update(makeTargets(50, { attempts: 1 }));
    world.time.pass(3000);
    expect(world.checks).toHaveLength(50);
    world.time.suspend(60_000);
    for (const { finish } of [...world.checks]) finish('inconclusive');
    const wokeMs = world.time.nowMs;
    world.time.pass(REPEAT_MS_MAX);
    const after = world.checks.slice(50).map(({ startedMs }) => startedMs - wokeMs);
    expect(after).toHaveLength(50);
    expect(new Set(after).size).toBe(50);
    expect(world.transitions).toEqual([]);
  });
});

describe('at most so many checks at a time', () => {
  test('the others wait their turn, in order', () => {
    const world = makeWorld(() => undefined, { checksMax: FEW });
    const count = FEW + 30;
    world.prober.update(makeTargets(count, { intervalMs: 60_000 }));
    world.time.pass(count * FIRST_STEP_MS + FIRST_STEP_MS);
    expect(world.checks).toHaveLength(FEW);
    world.checks[10]?.finish(PASSED);
    expect(world.checks).toHaveLength(FEW + 1);
    for (const check of world.checks.slice(20, 60)) check.finish(PASSED);
    expect(world.checks.map(({ row }) => row)).toEqual(makeTargets(count).map(({ row }) => row));
  });

  test('a pool whose nodes are all silent does not make another one’s node wait', () => {
    const world = makeWorld(() => undefined, { checksMax: FEW });
    const silent = makeTargets(FEW + 30, { intervalMs: 60_000 });
    const other = makeTarget(FEW + 30, { frontend: 1, intervalMs: 60_000 });
    world.prober.update([...silent, other]);
    world.time.pass(silent.length * FIRST_STEP_MS + 2 * FIRST_STEP_MS);
    expect(world.checks).toHaveLength(FEW);
    world.checks[10]?.finish(PASSED);
    expect(world.checks.at(-1)?.row).toBe(other.row);
  });

  test('a node that leaves gives its place, or its turn, to the next', () => {
    const world = makeWorld(() => undefined, { checksMax: FEW });
    const targets = makeTargets(FEW + 3, { intervalMs: 60_000 });
    world.prober.update(targets);
    world.time.pass(10_000);
    const [first, ...others] = targets;
    // The first is under way, the last but two waits.
    world.prober.update(others.filter(({ row }) => row !== FEW));
    expect(world.checks.map(({ row }) => row).slice(-1)).toEqual([FEW + 1]);
    expect(world.checks).toHaveLength(FEW + 1);
    expect(world.checks[first?.row ?? -1]?.signal.aborted).toBe(true);
    // Its result is nobody's any more: no second place becomes free.
    world.checks[0]?.finish(REFUSED);
    expect(world.checks).toHaveLength(FEW + 1);
    expect(world.states.checks[0]).toBe(0);
  });
});

test('places are neither lost nor made up, whatever comes, goes and moves meanwhile', () => {
  const anyPool = fc.array(fc.record({ row: fc.nat({ max: 149 }), port: fc.constantFrom(80, 81) }), {
    minLength: 100,
    maxLength: 300,
  });
  holds(
    fc.property(someRandom, fc.array(anyPool, { minLength: 2, maxLength: 4 }), (random, pools) => {
      const world = makeWorld(() => undefined, { random: random(), checksMax: FEW });
      for (const pool of pools) {
        const nodes = new Map(pool.map(({ row, port }) => [row, makeTarget(row, { port, intervalMs: 60_000 })]));
        world.prober.update([...nodes.values()]);
        world.time.pass(60_000);
        const underWay = world.checks.filter(({ signal }) => !signal.aborted);
        expect(underWay).toHaveLength(Math.min(nodes.size, FEW));
        expect(new Set(underWay.map(({ row }) => row)).size).toBe(underWay.length);
      }
      world.prober.stop();
    }),
    // Smaller pools would fit into the places, and prove nothing.
    { numRuns: 40, endOnFailure: true },
  );
});

describe('an update', () => {
  test('with an equal list disturbs nothing', () => {
    const starts = (updates: number) => {
      const world = makeWorld(() => PASSED);
      const beganMs = world.time.nowMs;
      world.prober.update(makeTargets(7));
      for (let i = 0; i < updates; i++) {
        world.time.pass(30_000 / updates);
        world.prober.update(makeTargets(7));
      }
      const epoch = epochOf(world.states);
      world.prober.stop();
      return { starts: world.checks.map(({ row, startedMs }) => [row, startedMs - beganMs]), epoch };
    };
    expect(starts(300)).toEqual(starts(1));
  });

  test('that leaves a node out makes it unknown and ends its checks', () => {
    const world = makeWorld(() => PASSED);
    world.prober.update(makeTargets(2));
    world.time.pass(200);
    expect([...world.states.health.subarray(0, 2)]).toEqual([HEALTH_UP, HEALTH_UP]);
    const epoch = epochOf(world.states);
    world.prober.update([makeTarget(1)]);
    expect([...world.states.health.subarray(0, 2)]).toEqual([HEALTH_UNKNOWN, HEALTH_UP]);
    expect(world.states.reason[0]).toBe(REASON.notChecked);
    expect(epochOf(world.states)).toBe(epoch + 1);
    const checks = world.startsOf(0).length;
    world.time.pass(20_000);
    expect(world.startsOf(0)).toHaveLength(checks);
    expect(world.startsOf(1).length).toBeGreaterThan(3);
    expect(world.transitions).toHaveLength(3);
  });

  test('that brings it back checks it soon, from the beginning', () => {
    const world = makeWorld(() => REFUSED);
    world.prober.update([makeTarget(0, { attempts: 2 })]);
    world.time.pass(5400);
    expect(world.states.health[0]).toBe(HEALTH_DOWN);
    world.prober.update([]);
    world.prober.update([makeTarget(0, { attempts: 2 })]);
    const checks = world.checks.length;
    world.time.pass(FIRST_STEP_MS + 10);
    expect(world.checks).toHaveLength(checks + 1);
    expect(world.states.health[0]).toBe(HEALTH_UNKNOWN);
  });

  test('with other settings keeps health and counts, and the next check follows them', () => {
    const world = makeWorld((target) => (target.check === 'http' ? REFUSED : PASSED));
    world.prober.update([makeTarget(0)]);
    world.time.pass(100);
    const changed = makeTarget(0, { check: 'http', path: '/health', timeoutMs: 1000, attempts: 2, name: 'renamed' });
    world.prober.update([changed]);
    expect(world.states.health[0]).toBe(HEALTH_UP);
    world.time.pass(5300);
    expect(world.checks.slice(1).map(({ target }) => target)).toEqual([changed]);
    world.prober.update([makeTarget(0, { check: 'http', attempts: 2, name: 'again' })]);
    world.time.pass(5300);
    expect(world.transitions.map(({ text }) => text)).toEqual([
      'node node-0 (192.0.2.1:8080) of web port 80 is UP: it takes connections',
      'node again is DOWN: 2 checks in a row failed, the last: connection refused after 1 ms',
    ]);
  });

  test('with a shorter interval does not wait for the end of the longer one', () => {
    const world = makeWorld(() => PASSED);
    world.prober.update([makeTarget(0, { intervalMs: 3_600_000 })]);
    world.time.pass(10_000);
    world.prober.update([makeTarget(0, { intervalMs: 2000 })]);
    const changedMs = world.time.nowMs;
    world.time.pass(10_000);
    const starts = world.startsOf(0).filter((ms) => ms >= changedMs);
    expect((starts[0] ?? Number.NaN) - changedMs).toBeLessThanOrEqual(2000);
    expect(starts.length).toBeGreaterThanOrEqual(4);
  });

  test('while a check is under way lets it end and count, by the new settings', () => {
    const world = makeWorld(() => undefined);
    world.prober.update([makeTarget(0, { intervalMs: 60_000, attempts: 3 })]);
    world.time.pass(100);
    const changed = makeTarget(0, { check: 'http', path: '/health', intervalMs: 2000, attempts: 1 });
    world.prober.update([changed]);
    expect(world.checks.map(({ signal }) => signal.aborted)).toEqual([false]);
    world.checks[0]?.finish(REFUSED);
    expect([world.states.health[0], world.states.checks[0]]).toEqual([HEALTH_DOWN, 1]);
    world.time.pass(2000 * (1 + JITTER));
    expect(world.checks.slice(1).map(({ target }) => target)).toEqual([changed]);
  });

  test('while a node waits for its turn keeps the turn, and the check follows the new settings', () => {
    const world = makeWorld(() => undefined, { checksMax: FEW });
    const targets = makeTargets(FEW + 2, { intervalMs: 60_000 });
    world.prober.update(targets);
    world.time.pass(10_000);
    const changed = targets.map((target) => ({ ...target, check: 'http' as const, path: '/health', intervalMs: 2000 }));
    world.prober.update(changed);
    world.time.pass(2000);
    expect(world.checks).toHaveLength(FEW);
    for (const check of world.checks.slice(0, 2)) check.finish(PASSED);
    expect(world.checks.slice(FEW).map(({ target }) => target)).toEqual(changed.slice(FEW));
  });

  test('with another address for a node that waits takes its turn from it, and it is checked once', () => {
    const world = makeWorld(() => undefined, { checksMax: FEW });
    const targets = makeTargets(FEW + 1, { intervalMs: 60_000 });
    world.prober.update(targets);
    world.time.pass(10_000);
    const moved = makeTarget(FEW, { intervalMs: 60_000, port: 81 });
    world.prober.update([...targets.slice(0, -1), moved]);
    // One whose own next check is far.
    world.checks[60]?.finish(PASSED);
    expect(world.checks).toHaveLength(FEW);
    world.time.pass(FIRST_STEP_MS + 1);
    expect(world.checks.slice(FEW).map(({ target }) => target)).toEqual([moved]);
  });

  test('with another address on the row begins anew, and the old check says nothing', () => {
    const world = makeWorld(() => undefined);
    world.prober.update([makeTarget(0)]);
    world.time.pass(100);
    world.checks[0]?.finish(PASSED);
    world.time.pass(5300);
    world.prober.update([makeTarget(0, { ip: makeTarget(9).ip })]);
    expect(world.states.health[0]).toBe(HEALTH_UNKNOWN);
    expect(world.checks[1]?.signal.aborted).toBe(true);
    world.checks[1]?.finish(REFUSED);
    world.time.pass(100);
    expect([world.states.health[0], world.states.checkFailures[0]]).toEqual([HEALTH_UNKNOWN, 0]);
    expect(world.checks).toHaveLength(3);
  });

  test('with another port, or with the address of a name that resolves at last, begins anew too', () => {
    const world = makeWorld(() => PASSED);
    const nameless = { ip: undefined, host: 'web.example' };
    world.prober.update([makeTarget(0), makeTarget(1, nameless)]);
    world.time.pass(200);
    world.prober.update([makeTarget(0, { port: 81 }), makeTarget(1, { host: 'web.example' })]);
    expect([...world.states.health.subarray(0, 2)]).toEqual([HEALTH_UNKNOWN, HEALTH_UNKNOWN]);
  });

  test('of a name that never resolved, still unresolved, changes nothing', () => {
    const world = makeWorld(() => REFUSED);
    const nameless = { ip: undefined, host: 'web.example', attempts: 1 };
    world.prober.update([makeTarget(0, nameless)]);
    world.time.pass(200);
    world.prober.update([makeTarget(0, nameless)]);
    expect(world.states.health[0]).toBe(HEALTH_DOWN);
  });
});

describe('a node whose name has several addresses', () => {
  const [a, b, c] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((text) => ipOf(text));
  const ips = [a, b, c].filter((ip) => ip !== undefined);
  const target = (ip = a) => makeTarget(0, { ip, ips, attempts: 2 });
  const textOf = ({ target: { ip } }: Check) => (ip === undefined ? '' : formatIp(ip, 0));

  /** @param good addresses that answer */
  function serving(...good: string[]) {
    const working = new Set(good);
    const world = makeWorld(({ ip }) => (ip !== undefined && working.has(formatIp(ip, 0)) ? PASSED : REFUSED));
    return { ...world, working, checked: () => world.checks.map((check) => textOf(check).at(-1)).join('') };
  }

  test('is checked where it is, and at all of them in turn while it is down', () => {
    const { prober, time, transitions, checked, answers } = serving('192.0.2.1');
    prober.update([target()]);
    time.pass(12_000);
    expect([checked(), transitions.map(({ health }) => health)]).toEqual(['111', ['up']]);
    prober.update([target(b)]);
    time.pass(40_000);
    // Two failures where it is, and one more; the first success ends the round.
    expect(checked()).toMatch(/^111222311/);
    expect(answers.slice(0, 1)).toEqual(['192.0.2.1']);
  });

  test('comes back where it answered, with two successes there', () => {
    const { prober, time, states, transitions, checked, answers, working } = serving();
    prober.update([target()]);
    time.pass(20_000);
    expect([checked().slice(0, 4), states.health[0]]).toEqual(['1112', HEALTH_DOWN]);
    working.add('192.0.2.3');
    while (answers.length === 0) time.pass(100);
    expect([answers, states.health[0]]).toEqual([['192.0.2.3'], HEALTH_DOWN]);
    // The node moves to where it was heard: that is not another node.
    prober.update([target(c)]);
    time.pass(5500);
    expect([states.health[0], answers]).toEqual([HEALTH_UP, ['192.0.2.3']]);
    expect(checked()).toMatch(/33$/);
    expect(transitions.map(({ health }) => health)).toEqual(['down', 'up']);
  });

  test('that moves elsewhere begins anew, without a word: whoever moved it has told', () => {
    const { prober, time, states, transitions } = serving();
    prober.update([target()]);
    time.pass(20_000);
    expect(states.health[0]).toBe(HEALTH_DOWN);
    prober.update([target(b)]);
    expect([states.health[0], transitions.map(({ health }) => health)]).toEqual([HEALTH_UNKNOWN, ['down']]);
  });

  test('goes on with its round when everything stays as it is', () => {
    const { prober, time, checked } = serving();
    prober.update([target()]);
    for (let i = 0; i < 40; i++) {
      prober.update([target()]);
      time.pass(1000);
    }
    expect(checked()).toMatch(/^111231231?/);
  });

  test('is checked where it is when the next one is no longer among them', () => {
    const { prober, time, states, checked } = serving();
    prober.update([target()]);
    while (!checked().endsWith('12')) time.pass(100);
    prober.update([{ ...target(), ips: ips.slice(0, 2) }]);
    time.pass(5500);
    expect([checked().slice(-3), states.health[0]]).toEqual(['121', HEALTH_DOWN]);
  });
});

describe('a stop', () => {
  test('leaves no timer, gives up what is under way and keeps what is known', () => {
    const world = makeWorld(({ row }) => (row < 3 ? PASSED : undefined));
    world.prober.update(makeTargets(6));
    world.time.pass(1000);
    world.prober.stop();
    expect(world.time.pending).toBe(0);
    expect(world.checks.every(({ signal }) => signal.aborted)).toBe(true);
    world.checks[4]?.finish(PASSED);
    expect([...world.states.health.subarray(0, 6)]).toEqual([1, 1, 1, 0, 0, 0]);
    const checks = world.checks.length;
    world.time.pass(20_000);
    expect(world.checks).toHaveLength(checks);
  });

  test('may come from within a transition', () => {
    const world = makeWorld(() => PASSED);
    const push = world.transitions.push.bind(world.transitions);
    world.transitions.push = (...items) => {
      world.prober.stop();
      return push(...items);
    };
    world.prober.update(makeTargets(3));
    world.time.pass(10_000);
    expect(world.transitions).toHaveLength(1);
    expect(world.time.pending).toBe(0);
  });
});
