// Latency histograms of one shard: log-linear buckets (as in HdrHistogram) in shared memory, written by that shard alone, read by
// everybody without a lock. Owns the layout of a histogram and what can be read from it: sums over shards, percentiles,
// cumulative buckets for an exposition, values for an HdrHistogram. Must not know the library of that name or any format.

import { assert } from '../base/assert.ts';

/** An octave has 64 buckets, so that a bucket is at most 1/64 = 1.6 % wide; below 128 us each value has its own. */
const SUB_BUCKET_BITS = 6;
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS;

/** 71 minutes, the largest unsigned 32-bit integer: `Math.clz32` finds the octave. Longer ones are recorded as this. */
export const HISTOGRAM_MAX_US = 2 ** 32 - 1;

const BUCKETS = bucketOf(HISTOGRAM_MAX_US) + 1;

/*
 * Cells, as doubles: counts are exact up to 2^53 (32-bit ones would wrap within a day), and aligned 8 bytes are not torn on
 * x64 and arm64.
 *
 *   | sum of the values, us | largest value, us | count of bucket 0 | count of bucket 1 | ... |
 *
 * The number of values is not kept: as the sum of the counts read, it fits them even while the shard goes on recording.
 */
const SUM_CELL = 0;
const MAX_CELL = 1;
const FIRST_BUCKET_CELL = 2;
const CELL_BYTES = 8;
const CACHE_LINE_BYTES = 64;

/** Whole cache lines: two shards' histograms may follow each other in one memory. */
export const HISTOGRAM_BYTES =
  Math.ceil(((FIRST_BUCKET_CELL + BUCKETS) * CELL_BYTES) / CACHE_LINE_BYTES) * CACHE_LINE_BYTES;

export interface Histogram {
  readonly cells: Float64Array;
}

/**
 * A view of a histogram; memory of zeroes is an empty one, and a successor of the writer continues where it was.
 * @param memory at least HISTOGRAM_BYTES from `byteOffset`
 * @param byteOffset a multiple of 8; of 64 when different shards write to the same memory
 */
export function createHistogram(memory: ArrayBufferLike, byteOffset: number): Histogram {
  return { cells: new Float64Array(memory, byteOffset, FIRST_BUCKET_CELL + BUCKETS) };
}

/** @param valueUs microseconds; clamped to 1..HISTOGRAM_MAX_US, fractions are cut off. Only the owning shard may call this. */
export function record(histogram: Histogram, valueUs: number): void {
  const { cells } = histogram;
  // The first comparison also catches NaN.
  const value = valueUs >= 1 ? Math.floor(Math.min(valueUs, HISTOGRAM_MAX_US)) : 1;
  const cell = FIRST_BUCKET_CELL + bucketOf(value);
  cells[SUM_CELL] = (cells[SUM_CELL] ?? 0) + value;
  if (value > (cells[MAX_CELL] ?? 0)) cells[MAX_CELL] = value;
  cells[cell] = (cells[cell] ?? 0) + 1;
}

/** Bucket = octave and the 6 bits below the leading one. The first two octaves' worth, 0..127, fall out as value = bucket. */
function bucketOf(value: number): number {
  const shift = Math.max(31 - SUB_BUCKET_BITS - Math.clz32(value), 0);
  return shift * SUB_BUCKETS + (value >>> shift);
}

/** Multiplied, not shifted: the last octave needs 32 bits without a sign. */
function lowestOf(bucket: number): number {
  return bucket < 2 * SUB_BUCKETS ? bucket : (SUB_BUCKETS + (bucket % SUB_BUCKETS)) * widthOf(bucket);
}

function highestOf(bucket: number): number {
  return lowestOf(bucket) + widthOf(bucket) - 1;
}

function widthOf(bucket: number): number {
  return 2 ** Math.max(Math.floor(bucket / SUB_BUCKETS) - 1, 0);
}

/** What was recorded up to one moment; a copy that no longer changes. */
export interface HistogramSummary {
  /** by bucket, up to that of the largest value: most of the others, nobody ever fills */
  readonly counts: Float64Array;
  readonly count: number;
  readonly sumUs: number;
  /** Exact, since the histogram was empty; 0 when it still is. */
  readonly maxUs: number;
}

/** Adds up what several shards recorded. While they go on, the sum may be a few values ahead of the counts, the maximum behind. */
export function sumHistograms(histograms: readonly Histogram[]): HistogramSummary {
  const maxUs = histograms.reduce((max, { cells }) => Math.max(max, cells[MAX_CELL] ?? 0), 0);
  const counts = new Float64Array(maxUs === 0 ? 0 : bucketOf(maxUs) + 1);
  let count = 0;
  for (const { cells } of histograms) {
    for (let bucket = 0; bucket < counts.length; bucket++) {
      const added = cells[FIRST_BUCKET_CELL + bucket] ?? 0;
      counts[bucket] = (counts[bucket] ?? 0) + added;
      count += added;
    }
  }
  const sumUs = histograms.reduce((sum, { cells }) => sum + (cells[SUM_CELL] ?? 0), 0);
  return { counts, count, sumUs, maxUs };
}

/**
 * The value that `percentile` % of all values do not exceed: at most 1.6 % above the true one, never below it. That is how
 * HdrHistogram reports, and for latencies the honest side to err on.
 * @param percentile 0..100
 * @returns microseconds, 0 for an empty summary
 */
export function percentileUs(summary: HistogramSummary, percentile: number): number {
  assert(percentile >= 0 && percentile <= 100, 'a percentile is between 0 and 100');
  // Rounded up, so that the share is really reached, but not for a product that is a hair above an integer (0.07 * 100).
  const rank = Math.max(Math.ceil((percentile / 100) * summary.count * (1 - Number.EPSILON)), 1);
  let seen = 0;
  for (let bucket = 0; bucket < summary.counts.length; bucket++) {
    seen += summary.counts[bucket] ?? 0;
    if (seen >= rank) return reportedUs(summary, bucket);
  }
  return 0;
}

/** The top of a bucket, but nothing larger than was ever recorded. */
function reportedUs(summary: HistogramSummary, bucket: number): number {
  return Math.max(Math.min(highestOf(bucket), summary.maxUs), lowestOf(bucket));
}

/**
 * Cumulative counts as an exposition needs them: for each bound, how many values are at most that. A bucket that a bound cuts
 * counts above it, so a bound is off by at most 1.6 %. The last step, +Inf, is `summary.count`.
 * @param boundsUs ascending
 */
export function eachBound(
  summary: HistogramSummary,
  boundsUs: readonly number[],
  visit: (boundUs: number, count: number) => void,
): void {
  let bucket = 0;
  let count = 0;
  for (const boundUs of boundsUs) {
    for (; bucket < summary.counts.length && highestOf(bucket) <= boundUs; bucket++)
      count += summary.counts[bucket] ?? 0;
    visit(boundUs, count);
  }
}

/** Where `toHdr` puts values: an hdr-histogram-js histogram, or anything like it. */
export interface ValueSink {
  recordValueWithCount(value: number, count: number): void;
}

/** Adds the counts to an HdrHistogram, each as the value `percentileUs` reports. Two significant digits there lose nothing. */
export function toHdr(summary: HistogramSummary, sink: ValueSink): void {
  for (let bucket = 0; bucket < summary.counts.length; bucket++) {
    const count = summary.counts[bucket] ?? 0;
    if (count > 0) sink.recordValueWithCount(reportedUs(summary, bucket), count);
  }
}
