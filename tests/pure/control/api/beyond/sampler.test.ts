// What nodebalancers had to do, from counters that other threads write: whatever happens to the counters, to the
// clocks and to names.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Sampler } from '../../../../../control/sampler.ts';
import type { Inventory, StoredFrontend, StoredNodeBalancer } from '../../../../../control/store/inventory.ts';
import type { Amounts } from '../../../../../control/store/statistics.ts';
import type { FrontendSnapshot } from '../../../../../workers/snapshot.ts';
import { frontendOf, snapshotOf } from './support.ts';

const START_MS = Date.UTC(2026, 0, 2, 3, 0, 0);
const STEP_MS = 10_000;

let frontends: FrontendSnapshot[];
let inventory: Inventory;
let records: { time: number; amounts: ReadonlyMap<number, Amounts> }[];
let faults: unknown[];
let refusal: Error | undefined;
let wallMs: number;
let steadyMs: number;
let sampler: Sampler;

function stored(
  id: number,
  label: string,
  ...ports: readonly (readonly [id: number, port: number])[]
): StoredNodeBalancer {
  const configs = ports.map(([configId, port]) => ({ id: configId, port, nodes: [] }) as unknown as StoredFrontend);
  return { id, label, configs } as unknown as StoredNodeBalancer;
}

function counters(label: string, port: number, accepted: number, bytes_in = 0, bytes_out = 0): FrontendSnapshot {
  return frontendOf(label, port, { accepted, bytes_in, bytes_out });
}

function start(): void {
  sampler = new Sampler({
    plane: { snapshot: () => snapshotOf(frontends) },
    store: { read: () => ({ revision: 1, time: '', author: '', changes: [], inventory }) },
    statistics: {
      record: (time, amounts) => {
        if (refusal !== undefined) throw refusal;
        records.push({ time, amounts });
      },
    },
    fault: (error) => faults.push(error),
    now: () => wallMs,
    steadyMs: () => steadyMs,
  });
}

/** @returns the amounts of nodebalancer 1, by record */
function sampleAfter(ms: number, wall = ms): (Amounts | undefined)[] {
  steadyMs += ms;
  wallMs += wall;
  records = [];
  sampler.sample();
  return records.map(({ amounts }) => amounts.get(1));
}

beforeEach(() => {
  frontends = [counters('web', 80, 100, 1000, 5000)];
  inventory = { nextId: 9, nodebalancers: [stored(1, 'web', [2, 80])] };
  records = [];
  faults = [];
  refusal = undefined;
  wallMs = START_MS;
  steadyMs = 5_000_000;
  start();
});
afterEach(() => {
  sampler.stop();
  vi.useRealTimers();
});

test('a sample has what was counted since the last, in the interval that has just ended', () => {
  frontends = [counters('web', 80, 103, 1500, 5700)];
  expect(sampleAfter(STEP_MS)).toEqual([{ connections: 3, bytesIn: 500, bytesOut: 700 }]);
  expect(records[0]?.time).toBe(START_MS);
  frontends = [counters('web', 80, 104, 1500, 5700)];
  expect(sampleAfter(STEP_MS)).toEqual([{ connections: 1, bytesIn: 0, bytesOut: 0 }]);
  expect(records[0]?.time).toBe(START_MS + STEP_MS);
});

test('what was counted before the first sample is nobody’s: it may have been sampled by a thread that died', () => {
  expect(sampleAfter(STEP_MS)).toEqual([{ connections: 0, bytesIn: 0, bytesOut: 0 }]);
});

test('ports of one nodebalancer are summed, and one without ports has its zeroes', () => {
  inventory = { nextId: 9, nodebalancers: [stored(1, 'web', [2, 80], [3, 443]), stored(4, 'idle')] };
  frontends = [counters('web', 80, 101, 1010, 5100), counters('web', 443, 7, 70, 700)];
  expect(sampleAfter(STEP_MS)).toEqual([{ connections: 8, bytesIn: 80, bytesOut: 800 }]);
  expect(records[0]?.amounts.get(4)).toEqual({ connections: 0, bytesIn: 0, bytesOut: 0 });
});

describe('counters', () => {
  test('of a port that is new begin at zero', () => {
    inventory = { nextId: 9, nodebalancers: [stored(1, 'web', [2, 80], [3, 443])] };
    frontends = [counters('web', 80, 100, 1000, 5000), counters('web', 443, 4, 40, 400)];
    expect(sampleAfter(STEP_MS)).toEqual([{ connections: 4, bytesIn: 40, bytesOut: 400 }]);
  });

  test('that begin again are counted from zero', () => {
    frontends = [counters('web', 80, 2, 20, 200)];
    expect(sampleAfter(STEP_MS)).toEqual([{ connections: 2, bytesIn: 20, bytesOut: 200 }]);
  });

  test('of a renamed nodebalancer begin again, and stay with its id', () => {
    inventory = { nextId: 9, nodebalancers: [stored(1, 'shop', [2, 80])] };
    // More than the old ones had: only the name tells that they are others.
    frontends = [counters('shop', 80, 150, 1500, 6000)];
    expect(sampleAfter(STEP_MS)).toEqual([{ connections: 150, bytesIn: 1500, bytesOut: 6000 }]);
  });

  test('under a name that went to another nodebalancer are the other one’s', () => {
    inventory = { nextId: 9, nodebalancers: [stored(1, 'old', [2, 80]), stored(5, 'web', [6, 80])] };
    frontends = [counters('old', 80, 1, 10, 10), counters('web', 80, 3, 30, 30)];
    expect(sampleAfter(STEP_MS)).toEqual([{ connections: 1, bytesIn: 10, bytesOut: 10 }]);
    expect(records[0]?.amounts.get(5)).toEqual({ connections: 3, bytesIn: 30, bytesOut: 30 });
  });

  test('that fall because a session ended during a reading are not counted twice', () => {
    // The session of 1,000,000 bytes is in the table and among the ended ones; a moment later only among the latter.
    frontends = [counters('web', 80, 101, 2_001_000, 5000)];
    expect(sampleAfter(STEP_MS)[0]?.bytesIn).toBe(2_000_000);
    frontends = [counters('web', 80, 101, 1_001_000, 5000)];
    expect(sampleAfter(STEP_MS)[0]?.bytesIn).toBe(0);
    frontends = [counters('web', 80, 102, 2_501_000, 5000)];
    expect(sampleAfter(STEP_MS)[0]?.bytesIn).toBe(500_000);
  });

  test('of a port that the data plane has and the store has not are nobody’s', () => {
    frontends = [counters('web', 80, 100, 1000, 5000), counters('new', 80, 9, 9, 9)];
    sampleAfter(STEP_MS);
    expect([...(records[0]?.amounts.keys() ?? [])]).toEqual([1]);
  });
});

describe('clocks', () => {
  test('the amounts of a pause are spread over it, and no interval has them all', () => {
    frontends = [counters('web', 80, 160, 7000, 5000)];
    const amounts = sampleAfter(6 * STEP_MS);
    expect(amounts).toEqual(Array.from({ length: 6 }, () => ({ connections: 10, bytesIn: 1000, bytesOut: 0 })));
    expect(records.map(({ time }) => time)).toEqual([0, 1, 2, 3, 4, 5].map((n) => START_MS + n * STEP_MS));
  });

  test('a pause of a week is one of an hour', () => {
    frontends = [counters('web', 80, 460, 1000, 5000)];
    expect(sampleAfter(7 * 86_400_000)).toHaveLength(360);
  });

  test.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('a clock that is set %s an hour does not multiply or spread anything', (_name, jumpMs) => {
    frontends = [counters('web', 80, 105, 1000, 5000)];
    expect(sampleAfter(STEP_MS, STEP_MS + jumpMs)).toEqual([{ connections: 5, bytesIn: 0, bytesOut: 0 }]);
    expect(records[0]?.time).toBe(START_MS + jumpMs);
  });

  test('a timer that is a little early or late makes neither a hole nor a double', () => {
    const times: (number | undefined)[] = [];
    for (const ms of [STEP_MS - 3, STEP_MS + 40, STEP_MS - 40, STEP_MS + 900]) {
      sampleAfter(ms);
      times.push(records[0]?.time);
    }
    expect(times).toEqual([0, 1, 2, 3].map((n) => START_MS + n * STEP_MS));
  });

  test.each([
    ['in the first half', 4000],
    ['in the second half', 7000],
  ])('samples come at the end of each interval, begun %s of one', (_name, intoMs) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const pass = (ms: number) => {
      wallMs += ms;
      steadyMs += ms;
      vi.advanceTimersByTime(ms);
    };
    wallMs += intoMs;
    sampler.start();
    pass(STEP_MS - intoMs - 1);
    expect(records).toHaveLength(0);
    pass(1);
    expect(records).toHaveLength(1);
    pass(STEP_MS);
    expect(records).toHaveLength(2);
    sampler.stop();
    pass(5 * STEP_MS);
    expect(records.map(({ time }) => time)).toEqual([START_MS, START_MS + STEP_MS]);
  });
});

test('what cannot be recorded is part of the next sample, and told once', () => {
  refusal = new Error('disk full');
  frontends = [counters('web', 80, 102, 1000, 5000)];
  sampleAfter(STEP_MS);
  sampleAfter(STEP_MS);
  expect(faults).toEqual([refusal]);
  refusal = undefined;
  frontends = [counters('web', 80, 103, 1000, 5000)];
  expect(sampleAfter(STEP_MS)).toEqual(Array.from({ length: 3 }, () => ({ connections: 1, bytesIn: 0, bytesOut: 0 })));
  refusal = new Error('again');
  sampleAfter(STEP_MS);
  expect(faults).toHaveLength(2);
});
