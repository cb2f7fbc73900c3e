// The text format of Prometheus, version 0.0.4: one family of samples after the other, each with its help and its type.

import type { HistogramView } from '../data-plane.ts';

export type Labels = Readonly<Record<string, string | number>>;
export type Sample = readonly [labels: Labels, value: number];

/** One column of a table of things: a family with a sample for each thing. */
export interface Row<T> {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly value: (thing: T) => number;
}

export function gauge(name: string, help: string, value: number): string[] {
  return metric(name, 'gauge', help, [[{}, value]]);
}

/** @param things with their labels, made once for all rows */
export function table<T>(prefix: string, rows: readonly Row<T>[], things: readonly (readonly [T, Labels])[]): string[] {
  // Of ten thousand series most of the cost is in the labels.
  const written = things.map(([thing, labels]) => ({ thing, suffix: labelText(labels) }));
  if (written.length === 0) return [];
  return rows.flatMap(({ name, type, help, value }) => [
    ...head(`${prefix}${name}`, type, help),
    ...written.map(({ thing, suffix }) => `${prefix}${name}${suffix} ${numberText(value(thing))}`),
  ]);
}

/** Nothing at all where there are no samples. */
export function metric(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string[] {
  if (samples.length === 0) return [];
  return [...head(name, type, help), ...samples.map(([labels, value]) => line(name, labels, value))];
}

export function histogram(name: string, help: string, { buckets, sum, count }: HistogramView): string[] {
  return [
    ...head(name, 'histogram', help),
    ...buckets.map((bucket) => line(`${name}_bucket`, { le: bucket.le }, bucket.count)),
    line(`${name}_bucket`, { le: '+Inf' }, count),
    line(`${name}_sum`, {}, sum),
    line(`${name}_count`, {}, count),
  ];
}

function head(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`];
}

function line(name: string, labels: Labels, value: number): string {
  return `${name}${labelText(labels)} ${numberText(value)}`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(String(text))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
