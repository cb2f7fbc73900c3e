import fc from 'fast-check';
import * as hdr from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import {
  createHistogram,
  eachBound,
  HISTOGRAM_BYTES,
  HISTOGRAM_MAX_US,
  type Histogram,
  type HistogramSummary,
  percentileUs,
  record,
  sumHistograms,
  toHdr,
} from '../../../core/metrics/histogram.ts';
import { holds } from '../../../testing/suite/property.ts';

const PRECISION = 1 / 64;
const PERCENTILES = [0, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100];

/** Log-uniform: as many values of some microseconds as of some minutes. */
const anyValue = fc
  .tuple(fc.integer({ min: 0, max: 31 }), fc.double({ min: 1, max: 2, noNaN: true }))
  .map(([octave, factor]) => Math.min(Math.floor(2 ** octave * factor), HISTOGRAM_MAX_US));

function empty(): Histogram {
  return createHistogram(new SharedArrayBuffer(HISTOGRAM_BYTES), 0);
}

function summaryOf(values: readonly number[]): HistogramSummary {
  const histogram = empty();
  for (const value of values) record(histogram, value);
  return sumHistograms([histogram]);
}

function hdrHistogram(digits: 1 | 2 | 3): hdr.Histogram {
  return hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HISTOGRAM_MAX_US,
    numberOfSignificantValueDigits: digits,
  });
}

/** Nearest rank, in integers. @param percentile with at most two decimals */
function exactPercentile(sorted: readonly number[], percentile: number): number {
  const rank = Math.max(Math.ceil((Math.round(percentile * 100) * sorted.length) / 10_000), 1);
  return sorted[rank - 1] ?? 0;
}

describe('recording', () => {
  test('an empty histogram reports zeroes', () => {
    const summary = summaryOf([]);
    expect(summary).toMatchObject({ count: 0, sumUs: 0, maxUs: 0 });
    expect(percentileUs(summary, 50)).toBe(0);
  });

  test('values below 128 us are kept exactly, larger ones to 1.6 %, and never reported too low', () => {
    holds(
      fc.property(anyValue, (value) => {
        // A second, larger value, so that the maximum does not hide the bucket.
        const reported = percentileUs(summaryOf([value, HISTOGRAM_MAX_US]), 50);
        expect(reported).toBeGreaterThanOrEqual(value);
        expect(reported - value).toBeLessThanOrEqual(value < 128 ? 0 : value * PRECISION);
      }),
      { numRuns: 2000 },
    );
  });

  test('each edge between two buckets is where it is said to be', () => {
    for (let octave = 7; octave < 32; octave++) {
      const [below, at] = [2 ** octave - 1, 2 ** octave];
      expect(percentileUs(summaryOf([below, HISTOGRAM_MAX_US]), 50)).toBe(below);
      expect(percentileUs(summaryOf([at, HISTOGRAM_MAX_US]), 50)).toBe(at + at / 64 - 1);
    }
  });

  test.each([
    [0, 1],
    [-5, 1],
    [Number.NaN, 1],
    [0.4, 1],
    [1.9, 1],
    [HISTOGRAM_MAX_US, HISTOGRAM_MAX_US],
    [HISTOGRAM_MAX_US + 1, HISTOGRAM_MAX_US],
    [Number.POSITIVE_INFINITY, HISTOGRAM_MAX_US],
  ])('%d counts as %d', (value, expected) => {
    expect(summaryOf([value])).toMatchObject({ count: 1, sumUs: expected, maxUs: expected });
    expect(percentileUs(summaryOf([value]), 100)).toBe(expected);
  });

  test('stays within its region, whose neighbours are its own', () => {
    const memory = new SharedArrayBuffer(3 * HISTOGRAM_BYTES);
    const middle = createHistogram(memory, HISTOGRAM_BYTES);
    for (const value of [1, 127, 128, 5000, HISTOGRAM_MAX_US]) record(middle, value);
    expect(new Uint8Array(memory, 0, HISTOGRAM_BYTES).every((byte) => byte === 0)).toBe(true);
    expect(new Uint8Array(memory, 2 * HISTOGRAM_BYTES).every((byte) => byte === 0)).toBe(true);
    expect(HISTOGRAM_BYTES % 64).toBe(0);
  });

  test('a second view of the same memory continues and reads the same', () => {
    const memory = new SharedArrayBuffer(HISTOGRAM_BYTES);
    record(createHistogram(memory, 0), 10);
    record(createHistogram(memory, 0), 30);
    expect(sumHistograms([createHistogram(memory, 0)])).toMatchObject({ count: 2, sumUs: 40, maxUs: 30 });
  });
});

describe('reading', () => {
  test('the sum over shards is what one shard would have recorded', () => {
    holds(
      fc.property(fc.array(fc.tuple(fc.nat(2), anyValue)), (events) => {
        const shards = [empty(), empty(), empty()];
        for (const [shard, value] of events) record(shards[shard] ?? empty(), value);
        expect(sumHistograms(shards)).toEqual(summaryOf(events.map(([, value]) => value)));
      }),
      { numRuns: 50 },
    );
  });

  test('buckets above the largest value are not read', () => {
    const histogram = empty();
    for (const value of [1, 100, 100_000]) record(histogram, value);
    let reads = 0;
    const cells = new Proxy(histogram.cells, {
      get: (target, name) => {
        reads++;
        return Reflect.get(target, name, target);
      },
    });
    expect(sumHistograms([{ cells }])).toEqual(summaryOf([1, 100, 100_000]));
    // 0.1 s of 71 minutes: 15 of 26 octaves lie above.
    expect(reads).toBeLessThan(histogram.cells.length * 0.5);
  });

  test('a summary does not change with what comes later', () => {
    const histogram = empty();
    record(histogram, 5);
    const summary = sumHistograms([histogram]);
    record(histogram, 500);
    expect(summary).toMatchObject({ count: 1, sumUs: 5, maxUs: 5 });
    expect(percentileUs(summary, 100)).toBe(5);
  });

  test('percentiles are those of the values, at most 1.6 % above', () => {
    holds(
      fc.property(fc.array(anyValue, { minLength: 1, maxLength: 500 }), (values) => {
        const summary = summaryOf(values);
        const sorted = [...values].map((value) => Math.max(value, 1)).sort((a, b) => a - b);
        for (const percentile of PERCENTILES) {
          const exact = exactPercentile(sorted, percentile);
          const found = percentileUs(summary, percentile);
          expect(found).toBeGreaterThanOrEqual(exact);
          expect(found).toBeLessThanOrEqual(exact * (1 + PRECISION));
        }
        expect(percentileUs(summary, 100)).toBe(sorted.at(-1));
      }),
      { numRuns: 200 },
    );
  });

  test('a rank that floating point puts a hair above an integer is that integer', () => {
    const values = Array.from({ length: 100 }, (_, i) => i + 1);
    for (let percentile = 1; percentile <= 100; percentile++) {
      expect(percentileUs(summaryOf(values), percentile)).toBe(percentile);
    }
  });

  test('a percentile outside 0..100 is refused', () => {
    for (const percentile of [-1, 100.1, Number.NaN]) {
      expect(() => percentileUs(summaryOf([1]), percentile)).toThrow('percentile');
    }
  });

  test('cumulative counts rise to the number of values, and are exact at bounds between buckets', () => {
    const seen: [number, number][] = [];
    const summary = summaryOf([1, 100, 100, 127, 255, 256, 1_000_000]);
    eachBound(summary, [1, 99, 100, 127, 255, 257, 259, 1_100_000], (boundUs, count) => seen.push([boundUs, count]));
    expect(seen).toEqual([
      [1, 1],
      [99, 1],
      [100, 3],
      [127, 4],
      [255, 5],
      // 256 shares its bucket with 257 to 259.
      [257, 5],
      [259, 6],
      [1_100_000, 7],
    ]);
  });

  test('a bound inside a bucket counts no value that exceeds it', () => {
    holds(
      fc.property(fc.array(anyValue, { maxLength: 200 }), fc.array(anyValue, { maxLength: 8 }), (values, bounds) => {
        const recorded = values.map((value) => Math.max(value, 1));
        let last = 0;
        eachBound(
          summaryOf(values),
          [...bounds].sort((a, b) => a - b),
          (boundUs, count) => {
            expect(count).toBeGreaterThanOrEqual(last);
            expect(count).toBeLessThanOrEqual(recorded.filter((value) => value <= boundUs).length);
            expect(count).toBeGreaterThanOrEqual(recorded.filter((value) => value * (1 + PRECISION) <= boundUs).length);
            last = count;
          },
        );
      }),
      { numRuns: 100 },
    );
  });
});

describe('hdr-histogram-js', () => {
  test('agrees on percentiles with one that saw every value', () => {
    const anyValues = fc.array(anyValue, { minLength: 1, maxLength: 400 });
    holds(
      fc.property(anyValues, (values) => {
        const full = hdrHistogram(3);
        for (const value of values) full.recordValue(Math.max(value, 1));
        const summary = summaryOf(values);
        for (const percentile of PERCENTILES) {
          const theirs = full.getValueAtPercentile(percentile);
          const ours = percentileUs(summary, percentile);
          // Theirs is at most 0.1 % above the exact value, ours at most 1.6 %.
          expect(ours).toBeGreaterThanOrEqual(Math.floor(theirs * 0.999));
          expect(ours).toBeLessThanOrEqual(theirs * (1 + PRECISION));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('takes the counts over: same number, same percentiles, same maximum', () => {
    holds(
      fc.property(fc.array(anyValue, { minLength: 1, maxLength: 400 }), (values) => {
        const summary = summaryOf(values);
        const taken = hdrHistogram(3);
        toHdr(summary, taken);
        expect(taken.totalCount).toBe(values.length);
        for (const percentile of PERCENTILES) {
          const [ours, theirs] = [percentileUs(summary, percentile), taken.getValueAtPercentile(percentile)];
          expect(Math.abs(theirs - ours)).toBeLessThanOrEqual(ours * 0.001);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('with two digits every one of our buckets keeps its own', () => {
    const all = empty();
    for (let value = 1; value <= HISTOGRAM_MAX_US; value = Math.floor(value * (1 + PRECISION)) + 1) record(all, value);
    const summary = sumHistograms([all]);
    const ours: number[] = [];
    toHdr(summary, { recordValueWithCount: (value) => ours.push(value) });
    const one = hdrHistogram(2);
    const theirs = ours.map((value) => {
      one.reset();
      one.recordValue(value);
      return one.getValueAtPercentile(100);
    });
    expect(new Set(theirs).size).toBe(ours.length);
  });
});
