// Lines of several contenders in one frame, each named at its end in its own colour instead of in a legend. The subject is drawn
// last, over the others.

import type { TopLevelSpec } from 'vega-lite';
import { wrap } from '../table.ts';
import { spreadApart } from './layout.ts';
import { configOf, frameOf, type Style, type Theme } from './theme.ts';

const LEFT = 84;
const PLOT_WIDTH = 576;
/** What labels of the y axis get: its title stands where it stands, whatever the library takes their width for. */
const LABEL_EXTENT = 56;
const PLOT_HEIGHT = 300;
const BOTTOM = 62;
const LABEL_GAP = 18;
/** Characters of a subtitle that fit beside each other in a wide font. */
const TEXT_LENGTH = 92;

export interface Line {
  style: Style;
  points: readonly { x: number; y: number }[];
  /** At the end of the line. */
  label: string;
}

export interface Axis {
  title: string;
  /** Both ends of the axis. */
  domain: readonly [number, number];
  /** default: the library's choice */
  ticks?: readonly { at: number; label: string }[];
  logarithmic?: boolean;
}

export interface LinesPicture {
  title: string;
  subtitle: string;
  x: Axis;
  y: Axis;
  lines: readonly Line[];
  /** A dot at every point, where the points are what was measured. */
  dots?: boolean;
}

export function linesSpec(picture: LinesPicture, theme: Theme): TopLevelSpec {
  const { title, subtitle, x, y } = picture;
  // What is drawn later lies above: the subject is the first of the report.
  const lines = picture.lines.toReversed();
  const subtitleLines = wrap(subtitle, TEXT_LENGTH);
  return {
    ...frameOf(LEFT, PLOT_WIDTH, BOTTOM, subtitleLines.length),
    config: configOf(theme),
    title: { text: title, subtitle: subtitleLines },
    width: PLOT_WIDTH,
    height: PLOT_HEIGHT,
    encoding: {
      x: { field: 'x', type: 'quantitative', scale: scaleOf(x), axis: axisOf(x) },
      y: {
        field: 'y',
        type: 'quantitative',
        scale: scaleOf(y),
        axis: { ...axisOf(y), minExtent: LABEL_EXTENT, maxExtent: LABEL_EXTENT },
      },
    },
    layer: [...lines.map((line) => lineLayer(line, picture.dots === true)), ...labelLayers(lines, x, y)],
  };
}

function scaleOf({ domain: [low, high], logarithmic }: Axis) {
  if (logarithmic === true) return { type: 'log' as const, domain: [low, high], nice: false };
  return { type: 'linear' as const, domain: [low, high], nice: false, zero: false };
}

function axisOf({ title, ticks }: Axis) {
  if (ticks === undefined) return { title, tickCount: 6 };
  const choices = ticks.map(({ at, label }) => `datum.value === ${at} ? ${JSON.stringify(label)} : `);
  return { title, values: ticks.map(({ at }) => at), labelExpr: `${choices.join('')}''`, labelOverlap: false };
}

function lineLayer({ style, points }: Line, dots: boolean) {
  return {
    data: { values: points.map(({ x, y }) => ({ x, y })) },
    mark: {
      type: 'line' as const,
      color: style.colour,
      strokeWidth: style.strokeWidth,
      strokeDash: style.dash,
      strokeJoin: 'round' as const,
      ...(dots ? { point: { color: style.colour, size: 55, filled: true } } : {}),
    },
  };
}

function labelLayers(lines: readonly Line[], x: Axis, y: Axis) {
  const ends = lines.map(({ points }) => positionOf(points.at(-1)?.y ?? y.domain[0], y));
  const positions = spreadApart(ends, LABEL_GAP, 0, PLOT_HEIGHT);
  return lines.map(({ style, label }, index) => ({
    data: { values: [{ x: x.domain[1] }] },
    mark: {
      type: 'text' as const,
      text: label,
      color: style.colour,
      fontSize: 14,
      fontWeight: 600 as const,
      align: 'left' as const,
      baseline: 'middle' as const,
      dx: 10,
    },
    encoding: { y: { value: positions[index] ?? 0 } },
  }));
}

/** Pixels from the top. */
function positionOf(value: number, { domain: [low, high], logarithmic }: Axis): number {
  const scaled = logarithmic === true ? Math.log : (plain: number) => plain;
  return PLOT_HEIGHT * (1 - (scaled(value) - scaled(low)) / (scaled(high) - scaled(low)));
}
