// How figures are written, on the terminal, on the page and in the pictures alike. Values in, text out.

import type { LatencyPoint } from './latency.ts';
import type { Comparison, Spread } from './merge.ts';
import type { Metric } from './metric.ts';

/** The percentiles of the tables, as a curve has them. */
export const TABLE_PERCENTILES = [50, 90, 99, 99.9, 99.99] as const;

/** Curves are computed with powers of ten: what is meant as 99.9 may differ from it in the last digits. */
const PERCENTILE_TOLERANCE = 1e-6;
const DIGITS_MAX = 6;
const MS_FROM_US = 10_000;

/** Three significant digits, and no exponent. */
export function figure(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, DIGITS_MAX));
}

/** Two decimals; small ratios, such as those of memory, need a third. */
export function ratioFigure(ratio: number): string {
  return ratio.toFixed(Math.abs(ratio) < 0.1 ? 3 : 2);
}

export function formatInterval({ low, high }: { low?: number; high?: number }): string {
  return low === undefined || high === undefined ? '' : `${ratioFigure(low)}..${ratioFigure(high)}`;
}

export function formatRatio(comparison: Comparison | undefined): string {
  if (comparison === undefined) return '';
  const interval = formatInterval(comparison);
  return `${ratioFigure(comparison.ratio)}${interval === '' ? '' : ` (${interval})`} ${comparison.bestPeer}`;
}

/** How far the furthest round lies from the median, in per cent of it. */
export function formatDeviation({ median, min, max }: Spread): string {
  if (median === 0) return '';
  return `±${((100 * Math.max(max - median, median - min)) / Math.abs(median)).toFixed(0)}%`;
}

export function metricTitle({ label, unit }: Metric): string {
  return unit === '' ? label : `${label}, ${unit}`;
}

/** Microseconds up to ten thousand, milliseconds from there on. */
export function formatLatency(latencyUs: number): string {
  return latencyUs < MS_FROM_US ? `${figure(latencyUs)} us` : `${figure(latencyUs / 1000)} ms`;
}

/** Undefined where the curve does not reach: too few were counted to say anything that far out. */
export function latencyAt(curve: readonly LatencyPoint[], percentile: number): number | undefined {
  return curve.find((point) => Math.abs(point.percentile - percentile) < PERCENTILE_TOLERANCE)?.latencyUs;
}

/** One cell per percentile of the tables. */
export function percentileCells(curve: readonly LatencyPoint[]): string[] {
  return TABLE_PERCENTILES.map((percentile) => {
    const latencyUs = latencyAt(curve, percentile);
    return latencyUs === undefined ? '-' : formatLatency(latencyUs);
  });
}

/** Everyone who gave something in a scenario, in the order of the report. */
export function contendersOf(
  scenario: { metrics: readonly { contenders: object }[]; distributions?: readonly { contenders: object }[] },
  order: readonly string[],
): string[] {
  const parts = [...scenario.metrics, ...(scenario.distributions ?? [])];
  const names = new Set(parts.flatMap(({ contenders }) => Object.keys(contenders)));
  return [...order.filter((name) => names.has(name)), ...[...names].filter((name) => !order.includes(name))];
}
