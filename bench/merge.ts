// From samples to statements: medians, the ratio to the best peer, and a verdict. Values in, values out.
// The verdict rests on the ratios round by round, which drift of the machine leaves alone: "faster" when the interval that
// holds their median with 95 % confidence lies on one side of 1. With fewer than 6 rounds no interval is that sure.
// The best peer is the one with the best median of these same rounds, so what luck there was is counted for the peer: that
// makes "faster" harder to reach and "slower" easier. The refused alternative, to compare with every peer and demand all
// verdicts, lets one noisy peer that nobody would choose take away a conclusion about the good one.

import type { Histogram } from 'hdr-histogram-js';
import { decodeLatency, type LatencyPoint, latencyCurve } from './latency.ts';
import type { Distribution, Metric } from './metric.ts';
import type { Sample } from './scenario.ts';

const CONFIDENCE = 0.95;

export type Verdict = 'faster' | 'slower' | 'no conclusion';

export interface Spread {
  median: number;
  min: number;
  max: number;
  /** One per round, in the order of the rounds. */
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
  /** Only those that gave this metric. */
  contenders: Record<string, Spread>;
  comparison?: Comparison;
  /** With an earlier revision of the subject, where one ran too; `bestPeer` is its name. */
  earlier?: Comparison;
}

/** A distribution: at each percentile the median of the rounds. */
export interface MergedDistribution {
  distribution: Distribution;
  /** contender -> its curve, rising */
  contenders: Record<string, LatencyPoint[]>;
}

/** contender -> its samples, one per round */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/** An earlier revision of the subject (`balancer@1a2b3c4`) is set beside it, but is nobody's peer. */
export function isEarlierRevision(name: string, subject: string): boolean {
  return name.startsWith(`${subject}@`);
}

export function mergeMetric(metric: Metric, samples: Samples, subject: string): MergedMetric {
  const contenders: Record<string, Spread> = {};
  for (const [name, rounds] of samples) {
    const values = given(metric.id, name, rounds, ({ figures }) => figures[metric.id]);
    if (values.length > 0) contenders[name] = spreadOf(values.map((value) => finite(metric.id, name, value)));
  }
  const own = contenders[subject];
  if (metric.better === 'none' || own === undefined) return { metric, contenders };

  const others = Object.entries(contenders).filter(([name]) => name !== subject);
  const comparison = compareWithBest(
    own,
    others.filter(([name]) => !isEarlierRevision(name, subject)),
    metric.better,
  );
  const earlier = compareWithBest(
    own,
    others.filter(([name]) => isEarlierRevision(name, subject)),
    metric.better,
  );
  return {
    metric,
    contenders,
    ...(comparison === undefined ? {} : { comparison }),
    ...(earlier === undefined ? {} : { earlier }),
  };
}

/**
 * Percentile by percentile the median over a contender's rounds, as far out as all rounds reach. All rounds added up by counts was
 * refused: then one round that the machine has disturbed decides the tail, for us as often as against us.
 */
export function mergeDistribution(distribution: Distribution, samples: Samples): MergedDistribution {
  const contenders: Record<string, LatencyPoint[]> = {};
  for (const [name, rounds] of samples) {
    const parts = given(distribution.id, name, rounds, ({ latencies }) => latencies?.[distribution.id]);
    const points = medianCurve(parts.map((part) => curveWithMedian(decodeLatency(part))));
    if (points.length > 0) contenders[name] = points;
  }
  return { distribution, contenders };
}

/** @param curves points at the same percentiles, the shorter ones without the last */
function medianCurve(curves: readonly LatencyPoint[][]): LatencyPoint[] {
  const [first = [], ...others] = curves.toSorted((a, b) => a.length - b.length);
  return first.map(({ percentile, latencyUs }, i) => {
    const values = [latencyUs, ...others.map((curve) => curve[i]?.latencyUs ?? Number.NaN)];
    return { percentile, latencyUs: medianOf(values) };
  });
}

function curveWithMedian(latency: Histogram): LatencyPoint[] {
  const points = latencyCurve(latency).filter(({ percentile }) => percentile !== 50);
  if (points.length === 0) return [];
  const median = { percentile: 50, latencyUs: latency.getValueAtPercentile(50) };
  return [...points, median].sort((a, b) => a.percentile - b.percentile);
}

/** What every round gave; nothing when none did. Some with and some without is a mistake of the scenario. */
function given<T>(id: string, name: string, rounds: readonly Sample[], take: (sample: Sample) => T | undefined): T[] {
  const values = rounds.map(take).filter((value) => value !== undefined);
  if (values.length > 0 && values.length < rounds.length) {
    throw new Error(`${id} of ${name}: only ${values.length} of ${rounds.length} rounds gave it`);
  }
  return values;
}

function finite(id: string, name: string, value: number): number {
  if (!Number.isFinite(value)) throw new Error(`${id} of ${name} has no value: ${value}`);
  return value;
}

function compareWithBest(
  own: Spread,
  peers: readonly [string, Spread][],
  better: 'lower' | 'higher',
): Comparison | undefined {
  const sign = better === 'lower' ? 1 : -1;
  const [first, ...rest] = peers;
  if (first === undefined) return undefined;
  const [bestPeer, best] = rest.reduce((a, b) => (sign * (a[1].median - b[1].median) <= 0 ? a : b), first);
  // Nothing can be set in relation to a peer's zero: a coarse clock, or memory that shrank.
  if (best.values.some((value) => value <= 0)) return undefined;
  return compare(own.values, bestPeer, best.values, better);
}

function compare(own: number[], bestPeer: string, peer: number[], better: 'lower' | 'higher'): Comparison {
  if (own.length !== peer.length) throw new Error(`${own.length} rounds of ours, ${peer.length} of ${bestPeer}`);
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

function spreadOf(values: number[]): Spread {
  return { median: medianOf(values), min: Math.min(...values), max: Math.max(...values), values };
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}
