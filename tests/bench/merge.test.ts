// The verdict of the benchmark, from made-up samples: it may only say what the rounds support.

import { expect, test } from 'vitest';
import { medianOf, mergeMetric, skippedOnEachSide } from '../../bench/merge.ts';
import type { Metric, Sample } from '../../bench/scenario.ts';

const COST: Metric = { id: 'x', label: 'cost', unit: 'us', better: 'lower' };
const RATE: Metric = { id: 'x', label: 'rate', unit: '/s', better: 'higher' };

function merged(metric: Metric, rounds: Record<string, number[]>) {
  const samples = new Map(
    Object.entries(rounds).map(([name, values]) => [name, values.map((x): Sample => ({ x }))] as const),
  );
  return mergeMetric(metric, samples, 'ours').comparison;
}

test('the median of an even count lies between the two in the middle', () => {
  expect(medianOf([3, 1, 2])).toBe(2);
  expect(medianOf([4, 1, 2, 3])).toBe(2.5);
});

test('the interval of the median follows the sign test', () => {
  // Values of the usual table for 95 %: the whole range from 6 samples on, one off each end from 9, two from 12.
  expect([5, 6, 8, 9, 11, 12].map(skippedOnEachSide)).toEqual([undefined, 0, 0, 1, 1, 2]);
});

test('lower cost in every one of seven rounds is faster, against the best peer', () => {
  const comparison = merged(COST, {
    ours: [9, 9, 9, 9, 9, 9, 9],
    slow: [20, 20, 20, 20, 20, 20, 20],
    best: [10, 11, 10, 11, 10, 11, 10],
  });
  expect(comparison).toMatchObject({ bestPeer: 'best', ratio: 0.9, verdict: 'faster', high: 0.9 });
});

test('a higher rate is faster, a lower one slower', () => {
  const ours = [9, 9, 9, 9, 9, 9, 9];
  expect(merged(RATE, { ours, peer: ours.map((rate) => rate - 1) })?.verdict).toBe('faster');
  expect(merged(RATE, { ours, peer: ours.map((rate) => rate + 1) })?.verdict).toBe('slower');
});

test('rounds are compared with their own round: drift of the machine is not a difference', () => {
  const drift = [1, 2, 3, 4, 5, 6, 7];
  expect(merged(COST, { ours: drift.map((x) => 0.95 * x), peer: drift })?.verdict).toBe('faster');
});

test('one round the other way, or too few rounds, is no conclusion', () => {
  expect(merged(COST, { ours: [9, 9, 9, 9, 9, 9, 11], peer: [10, 10, 10, 10, 10, 10, 10] })?.verdict).toBe(
    'no conclusion',
  );
  expect(merged(COST, { ours: [1, 1, 1, 1, 1], peer: [10, 10, 10, 10, 10] })?.verdict).toBe('no conclusion');
});

test('without a peer, or for a metric that is only shown, nothing is compared', () => {
  expect(merged(COST, { ours: [1] })).toBeUndefined();
  expect(merged({ ...COST, better: 'none' }, { ours: [1], peer: [1] })).toBeUndefined();
});
