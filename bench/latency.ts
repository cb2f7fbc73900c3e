// Latency distributions: one kind of histogram for all of them (HDR, microseconds, three digits), its way between processes, and
// the points of a percentile curve. Recorded where the load is made.

import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { Metric } from './metric.ts';

/** A histogram on its way between processes, and in a sample. */
export type EncodedLatency = string;

export interface LatencyPoint {
  /** 0..100 */
  percentile: number;
  latencyUs: number;
}

const HIGHEST_US = 3_600_000_000;
const DIGITS = 3;

/** The percentiles of a curve: evenly spread over log(1 / (1 - p)), which is how tails are drawn. */
const NINES_MAX = 4;
const STEPS_PER_NINE = 8;

export function createLatency(): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: DIGITS,
  });
}

export function encodeLatency(latency: Histogram): EncodedLatency {
  return encodeIntoCompressedBase64(latency);
}

export function decodeLatency(text: EncodedLatency): Histogram {
  return decodeFromCompressedBase64(text, 32);
}

/** The curve of a histogram, as far out as its count has something to say. */
export function latencyCurve(latency: Histogram): LatencyPoint[] {
  const points: LatencyPoint[] = [];
  for (let step = 0; step <= NINES_MAX * STEPS_PER_NINE; step++) {
    const rest = 10 ** (-step / STEPS_PER_NINE);
    if (latency.totalCount * rest < 1) break;
    const percentile = 100 * (1 - rest);
    points.push({ percentile, latencyUs: latency.getValueAtPercentile(percentile) });
  }
  return points;
}

/** The percentiles that tables show. */
const SHOWN = [
  { name: '50', percentile: 50 },
  { name: '90', percentile: 90 },
  { name: '99', percentile: 99 },
  { name: '999', percentile: 99.9 },
];

/** As figures of a sample: `p50Us`, `p90Us`, `p99Us`, `p999Us`; with a prefix `shortP50Us` and so on. */
export function percentileFigures(latency: Histogram, prefix = ''): Record<string, number> {
  return Object.fromEntries(
    SHOWN.map(({ name, percentile }) => [figureId(name, prefix), latency.getValueAtPercentile(percentile)]),
  );
}

/** What `percentileFigures` gives, for the tables. @param label what was waited for */
export function percentileMetrics(label: string, prefix = ''): Metric[] {
  return SHOWN.map(({ name, percentile }) => ({
    id: figureId(name, prefix),
    label: `${label} p${percentile}`,
    unit: 'us',
    better: 'lower',
  }));
}

function figureId(name: string, prefix: string): string {
  return prefix === '' ? `p${name}Us` : `${prefix}P${name}Us`;
}
