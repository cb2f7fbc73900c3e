// The picture of a latency distribution: percentiles on a scale on which every further nine takes the same width, because the tail
// is what differs, and latency on a logarithmic one, because tails are many times the median.

import { figure, formatLatency, latencyAt } from '../figures.ts';
import type { LatencyPoint } from '../latency.ts';
import type { MergedDistribution } from '../merge.ts';
import type { Report } from '../report.ts';
import { logTicks } from './layout.ts';
import { type Axis, linesSpec } from './lines.ts';
import type { Picture } from './picture.ts';
import { type Style, stylesOf, type Theme } from './theme.ts';

const MS_FROM_US = 10_000;
const PERCENTILE_TICKS = [50, 90, 99, 99.9, 99.99, 99.999] as const;

export interface LatencyPicture {
  name: string;
  scenario: string;
  distribution: string;
  title: string;
  /** What the percentage counts. */
  counted: string;
}

/** Percentile 90 -> 1, 99 -> 2, 99.9 -> 3. */
export function ninesOf(percentile: number): number {
  return -Math.log10(1 - percentile / 100);
}

/** Undefined when the report has nothing to draw here. */
export function latencyPicture(which: LatencyPicture, report: Report): Picture | undefined {
  const scenario = report.scenarios.find(({ name }) => name === which.scenario);
  const merged = scenario?.distributions.find(({ distribution }) => distribution.id === which.distribution);
  const names = Object.keys(report.contenders).filter((name) => canBeDrawn(merged?.contenders[name] ?? []));
  if (scenario === undefined || merged === undefined || names.length === 0) return undefined;
  const subtitle = `${scenario.description}; median of ${report.rounds} rounds at each percentile`;
  return {
    name: which.name,
    alt: altText(which, merged, names),
    spec: (theme) => {
      const styles = stylesOf(Object.keys(report.contenders), report.subject, theme);
      return curvesSpec(
        which,
        merged,
        subtitle,
        styles.filter(({ contender }) => names.includes(contender)),
        theme,
      );
    },
  };
}

function curvesSpec(
  { title, counted }: LatencyPicture,
  merged: MergedDistribution,
  subtitle: string,
  styles: readonly Style[],
  theme: Theme,
) {
  const { unit, us } = unitOf(merged, styles);
  const lines = styles.map((style) => ({
    style,
    label: style.contender,
    points: drawable(merged.contenders[style.contender] ?? [], us),
  }));
  const points = lines.flatMap((line) => line.points);
  return linesSpec({ title, subtitle, x: percentileAxis(points, counted), y: latencyAxis(points, unit), lines }, theme);
}

interface Point {
  x: number;
  y: number;
}

function canBeDrawn(curve: readonly LatencyPoint[]): boolean {
  return drawable(curve, 1).length > 1;
}

/** The picture starts at the median: what is below it interests nobody, and the smallest value is often an accident. */
function drawable(curve: readonly LatencyPoint[], unitUs: number): Point[] {
  return curve
    .filter(({ percentile }) => percentile >= 50)
    .map(({ percentile, latencyUs }) => ({ x: ninesOf(percentile), y: Math.max(latencyUs, 1) / unitUs }));
}

function unitOf({ contenders }: MergedDistribution, styles: readonly Style[]): { unit: string; us: number } {
  const highest = Math.max(...styles.map(({ contender }) => contenders[contender]?.at(-1)?.latencyUs ?? 0));
  return highest < MS_FROM_US ? { unit: 'us', us: 1 } : { unit: 'ms', us: 1000 };
}

function percentileAxis(points: readonly Point[], counted: string): Axis {
  const furthest = Math.max(...points.map(({ x }) => x));
  return {
    title: counted,
    domain: [ninesOf(50), furthest],
    ticks: PERCENTILE_TICKS.map((percentile) => ({ at: ninesOf(percentile), label: `${percentile} %` })).filter(
      ({ at }) => at <= furthest + 1e-9,
    ),
  };
}

function latencyAxis(points: readonly Point[], unit: string): Axis {
  const ticks = logTicks(points.map(({ y }) => y));
  return {
    title: `latency, ${unit}`,
    logarithmic: true,
    domain: [ticks[0] ?? 1, ticks.at(-1) ?? 1],
    ticks: ticks.map((at) => ({ at, label: plain(at) })),
  };
}

/** A tick is 1, 2 or 5 of something: its digits need no filling up. */
function plain(value: number): string {
  return value >= 1 ? value.toLocaleString('en') : String(Number(figure(value)));
}

function altText({ title }: LatencyPicture, { contenders }: MergedDistribution, names: readonly string[]): string {
  const tails = names.map((name) => {
    const curve = contenders[name] ?? [];
    const p99 = latencyAt(curve, 99);
    return `${name} ${p99 === undefined ? 'unknown' : formatLatency(p99)}`;
  });
  return `${title}: percentile curves; at 99 %: ${tails.join(', ')}`;
}
