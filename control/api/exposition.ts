// The text format of Prometheus, version 0.0.4: one family of samples after the other, each with its help and its type. Every function
// here writes whole lines.

import type { HistogramView } from '../data-plane.ts';

export type Labels = Readonly<Record<string, string | number>>;
export type Sample = readonly [labels: Labels, value: number];
type MetricType = 'counter' | 'gauge' | 'histogram';

/** One column of a table of things: a family with a sample for each thing. */
export interface Row<T> {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly value: (thing: T) => number;
}

export function gauge(name: string, help: string, value: number): string {
  return metric(name, 'gauge', help, [[{}, value]]);
}

/** @param things with their labels, written once for all rows: of ten thousand series most of the cost is in the labels */
export function table<T>(
  prefix: string,
  rows: readonly Row<T>[],
  things: readonly (readonly [thing: T, labels: string])[],
): string {
  if (things.length === 0) return '';
  let text = '';
  for (const { name, type, help, value } of rows) {
    const family = `${prefix}${name}`;
    text += head(family, type, help);
    for (const [thing, labels] of things) text += `${family}${labels} ${numberText(value(thing))}\n`;
  }
  return text;
}

/** Nothing at all where there are no samples. */
export function metric(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  let text = head(name, type, help);
  for (const [labels, value] of samples) text += line(name, labels, value);
  return text;
}

export function histogram(name: string, help: string, { buckets, sum, count }: HistogramView): string {
  let text = head(name, 'histogram', help);
  for (const bucket of buckets) text += line(`${name}_bucket`, { le: bucket.le }, bucket.count);
  text += line(`${name}_bucket`, { le: '+Inf' }, count);
  text += line(`${name}_sum`, {}, sum);
  return text + line(`${name}_count`, {}, count);
}

/** `{frontend="web:80"}`; nothing without labels */
export function labelText(labels: Labels): string {
  let pairs = '';
  for (const key in labels) pairs += `${pairs === '' ? '' : ','}${key}="${escapeLabel(String(labels[key]))}"`;
  return pairs === '' ? '' : `{${pairs}}`;
}

function head(name: string, type: MetricType, help: string): string {
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
}

function line(name: string, labels: Labels, value: number): string {
  return `${name}${labelText(labels)} ${numberText(value)}\n`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
