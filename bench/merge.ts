// From samples to statements: medians, the ratio to the best peer, and a verdict. Values in, values out.
// The verdict rests on the ratios round by round, which drift of the machine leaves alone: "faster" when the interval that
// holds their median with 95 % confidence lies on one side of 1. With fewer than 6 rounds no interval is that sure.

import type { Metric, Sample } from './scenario.ts';

const CONFIDENCE = 0.95;

export type Verdict = 'faster' | 'slower' | 'no conclusion';

export interface Spread {
  median: number;
  min: number;
  max: number;
  values: number[];
}

export interface Comparison {
  bestPeer: string;
  /** Median over the rounds of ours divided by theirs; `low` and `high` are its interval, absent when too few rounds. */
  ratio: number;
  low?: number;
  high?: number;
  verdict: Verdict;
}

export interface MergedMetric {
  metric: Metric;
  contenders: Record<string, Spread>;
  comparison?: Comparison;
}

export function mergeMetric(
  metric: Metric,
  samples: ReadonlyMap<string, readonly Sample[]>,
  subject: string,
): MergedMetric {
  const contenders: Record<string, Spread> = {};
  for (const [name, rounds] of samples)
    contenders[name] = spreadOf(rounds.map((sample) => measured(sample, metric.id)));
  const own = contenders[subject];
  const peers = Object.entries(contenders).filter(([name]) => name !== subject);
  if (metric.better === 'none' || own === undefined || peers.length === 0) return { metric, contenders };

  const sign = metric.better === 'lower' ? 1 : -1;
  const [bestPeer, best] = peers.reduce((a, b) => (sign * (a[1].median - b[1].median) <= 0 ? a : b));
  // Nothing can be set in relation to a peer's zero: a coarse clock, or memory that shrank.
  if (best.values.some((value) => value <= 0)) return { metric, contenders };
  return { metric, contenders, comparison: compare(own.values, bestPeer, best.values, metric.better) };
}

function compare(own: number[], bestPeer: string, peer: number[], better: 'lower' | 'higher'): Comparison {
  const ratios = own.map((value, round) => value / (peer[round] ?? Number.NaN)).sort((a, b) => a - b);
  const ratio = medianOf(ratios);
  const skipped = skippedOnEachSide(ratios.length);
  const low = skipped === undefined ? undefined : ratios[skipped];
  const high = skipped === undefined ? undefined : ratios.at(-1 - skipped);
  if (low === undefined || high === undefined) return { bestPeer, ratio, verdict: 'no conclusion' };
  const below = high < 1;
  const above = low > 1;
  const verdict = !below && !above ? 'no conclusion' : below === (better === 'lower') ? 'faster' : 'slower';
  return { bestPeer, ratio, low, high, verdict };
}

/**
 * How many of `count` sorted values can be left out on either side so that the rest still holds the true median with
 * the wanted confidence (sign test: 1 - 2 * sum of C(count, i) / 2^count for i up to that number).
 */
export function skippedOnEachSide(count: number): number | undefined {
  let tail = 0;
  let binomial = 1;
  let skipped: number | undefined;
  for (let index = 0; index < count / 2; index++) {
    tail += binomial / 2 ** count;
    if (1 - 2 * tail < CONFIDENCE) break;
    skipped = index;
    binomial = (binomial * (count - index)) / (index + 1);
  }
  return skipped;
}

export function spreadOf(values: number[]): Spread {
  return { median: medianOf(values), min: Math.min(...values), max: Math.max(...values), values };
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

function measured(sample: Sample, id: string): number {
  const value = sample[id];
  if (value === undefined || !Number.isFinite(value)) throw new Error(`metric ${id} has no value`);
  return value;
}
