// The verdict of the benchmark, from made-up samples: it may only say what the rounds support.

import { describe, expect, test } from 'vitest';
import { createLatency, encodeLatency } from '../../../bench/latency.ts';
import { medianOf, mergeDistribution, mergeMetric, skippedOnEachSide } from '../../../bench/merge.ts';
import type { Metric } from '../../../bench/metric.ts';
import type { Sample } from '../../../bench/scenario.ts';

const COST: Metric = { id: 'x', label: 'cost', unit: 'us', better: 'lower' };
const RATE: Metric = { id: 'x', label: 'rate', unit: '/s', better: 'higher' };

function samplesOf(rounds: Record<string, number[]>): Map<string, Sample[]> {
  return new Map(Object.entries(rounds).map(([name, values]) => [name, values.map((x) => ({ figures: { x } }))]));
}

function compared(metric: Metric, rounds: Record<string, number[]>) {
  return mergeMetric(metric, samplesOf(rounds), 'ours').comparison;
}

test('the median of an even count lies between the two in the middle', () => {
  expect(medianOf([3, 1, 2])).toBe(2);
  expect(medianOf([4, 1, 2, 3])).toBe(2.5);
});

test('the interval of the median follows the sign test', () => {
  // Values of the usual table for 95 %: the whole range from 6 samples on, one off each end from 9, two from 12.
  expect([5, 6, 8, 9, 11, 12].map(skippedOnEachSide)).toEqual([undefined, 0, 0, 1, 1, 2]);
});

describe('the verdict', () => {
  test('lower cost in every one of seven rounds is faster, against the best peer', () => {
    const comparison = compared(COST, {
      ours: [9, 9, 9, 9, 9, 9, 9],
      slow: [20, 20, 20, 20, 20, 20, 20],
      best: [10, 11, 10, 11, 10, 11, 10],
    });
    expect(comparison).toMatchObject({ bestPeer: 'best', ratio: 0.9, verdict: 'faster', high: 0.9 });
  });

  test('a higher rate is faster, a lower one slower', () => {
    const ours = [9, 9, 9, 9, 9, 9, 9];
    expect(compared(RATE, { ours, peer: ours.map((rate) => rate - 1) })?.verdict).toBe('faster');
    expect(compared(RATE, { ours, peer: ours.map((rate) => rate + 1) })?.verdict).toBe('slower');
  });

  test('rounds are compared with their own round: drift of the machine is not a difference', () => {
    const drift = [1, 2, 3, 4, 5, 6, 7];
    expect(compared(COST, { ours: drift.map((x) => 0.95 * x), peer: drift })?.verdict).toBe('faster');
  });

  test('one round the other way, or too few rounds, is no conclusion', () => {
    expect(compared(COST, { ours: [9, 9, 9, 9, 9, 9, 11], peer: [10, 10, 10, 10, 10, 10, 10] })?.verdict).toBe(
      'no conclusion',
    );
    expect(compared(COST, { ours: [1, 1, 1, 1, 1], peer: [10, 10, 10, 10, 10] })?.verdict).toBe('no conclusion');
  });

  test('without a peer, with a peer at zero, or for a metric that is only shown, nothing is compared', () => {
    expect(compared(COST, { ours: [1] })).toBeUndefined();
    expect(compared(COST, { ours: [1, 1], peer: [0, 1] })).toBeUndefined();
    expect(compared({ ...COST, better: 'none' }, { ours: [1], peer: [1] })).toBeUndefined();
  });

  test('rounds that are missing on one side are an error, not a ratio', () => {
    expect(() => compared(COST, { ours: [1, 1], peer: [1] })).toThrow('2 rounds of ours, 1 of peer');
  });
});

describe('an earlier revision of ours', () => {
  const merged = mergeMetric(
    COST,
    samplesOf({ ours: [9, 9, 9, 9, 9, 9], 'ours@1a2b3c4': [8, 8, 8, 8, 8, 8], peer: [10, 10, 10, 10, 10, 10] }),
    'ours',
  );

  test('is never the best peer, however good it was', () => {
    expect(merged.comparison).toMatchObject({ bestPeer: 'peer', ratio: 0.9, verdict: 'faster' });
  });

  test('has a comparison of its own', () => {
    expect(merged.earlier).toMatchObject({ bestPeer: 'ours@1a2b3c4', ratio: 9 / 8, verdict: 'slower' });
  });
});

describe('a metric that a contender cannot give', () => {
  const none: Sample = { figures: {} };

  test('leaves that contender out, and another is the best peer', () => {
    const samples = samplesOf({ ours: [1, 1], other: [2, 2] }).set('silent', [none, none]);
    const merged = mergeMetric(COST, samples, 'ours');
    expect(Object.keys(merged.contenders)).toEqual(['ours', 'other']);
    expect(merged.comparison?.bestPeer).toBe('other');
  });

  test('of ours is not compared at all', () => {
    const merged = mergeMetric(COST, samplesOf({ other: [2] }).set('ours', [none]), 'ours');
    expect(merged.contenders).toEqual({ other: { median: 2, min: 2, max: 2, values: [2] } });
    expect(merged.comparison).toBeUndefined();
  });

  test('is an error when some rounds gave it, and so is a value that is no number', () => {
    const some = new Map([['ours', [none, { figures: { x: 1 } }]]]);
    expect(() => mergeMetric(COST, some, 'ours')).toThrow('x of ours: only 1 of 2 rounds gave it');
    expect(() => mergeMetric(COST, samplesOf({ ours: [Number.NaN] }), 'ours')).toThrow('x of ours has no value: NaN');
  });
});

describe('a distribution', () => {
  const WAIT = { id: 'wait', label: 'wait' };
  const sampleOf = (latenciesUs: number[]): Sample => {
    const histogram = createLatency();
    for (const latencyUs of latenciesUs) histogram.recordValue(latencyUs);
    return { figures: {}, latencies: { wait: encodeLatency(histogram) } };
  };

  test('is at each percentile the median of the rounds: one that was disturbed decides nothing', () => {
    const calm = [...Array(95).fill(100), ...Array(5).fill(200)];
    const rounds = [sampleOf(calm), sampleOf(Array(100).fill(900)), sampleOf(calm)];
    const curve = mergeDistribution(WAIT, new Map([['ours', rounds]])).contenders.ours ?? [];
    expect(curve.find(({ percentile }) => percentile === 50)?.latencyUs).toBe(100);
    expect(curve.at(-1)).toEqual({ percentile: 99, latencyUs: 200 });
  });

  test('ends where its shortest round ends', () => {
    const rounds = [sampleOf(Array(1000).fill(5)), sampleOf(Array(100).fill(5)), sampleOf(Array(1000).fill(5))];
    const curve = mergeDistribution(WAIT, new Map([['ours', rounds]])).contenders.ours ?? [];
    expect(curve.at(-1)?.percentile).toBe(99);
  });

  test('rises, and has its median once', () => {
    const rounds = [sampleOf(Array.from({ length: 1000 }, (_, index) => index + 1))];
    const percentiles = (mergeDistribution(WAIT, new Map([['ours', rounds]])).contenders.ours ?? []).map(
      ({ percentile }) => percentile,
    );
    expect(percentiles).toEqual([...new Set(percentiles)].sort((a, b) => a - b));
    expect(percentiles).toContain(50);
  });

  test('leaves out who gave none, or an empty one', () => {
    const samples = new Map([
      ['silent', [{ figures: {} }]],
      ['empty', [sampleOf([])]],
    ]);
    expect(mergeDistribution(WAIT, samples)).toEqual({ distribution: WAIT, contenders: {} });
  });
});
