// The picture of what work costs: own CPU and that of the whole box, per connection, per request and per GB each way. Every panel
// has an axis and a unit of its own, from zero on; a thin line shows how far the rounds lie apart.

import type { TopLevelSpec } from 'vega-lite';
import { figure } from '../figures.ts';
import type { MergedMetric, Spread } from '../merge.ts';
import type { Report } from '../report.ts';
import type { Picture } from './picture.ts';
import { configOf, frameOf, type Style, stylesOf, type Theme } from './theme.ts';

const LEFT = 84;
const PANEL_WIDTH = 300;
const ROW_HEIGHT = 44;
/** Between panels, for their titles and axes. */
const COLUMN_GAP = 96;
const ROW_GAP = 104;
const BOTTOM = 62;
const COLUMNS = 2;
/** The panels' own titles stand between the picture's and the plots. */
const PANEL_TITLE_HEIGHT = 38;
const TITLE_OFFSET = 30;
/** Part of the axis that is kept for the words at the end of the longest bar. */
const LABEL_SHARE = 0.42;
const WHOLE_BOX_OPACITY = 0.45;

interface PanelSource {
  title: string;
  scenario: string;
  /** The first that the report has. */
  own: RegExp;
  box: RegExp;
}

interface Panel {
  title: string;
  unit: string;
  own: MergedMetric;
  box: MergedMetric;
}

const SOURCES: readonly PanelSource[] = [
  { title: 'Per new connection', scenario: 'new', own: /^ownUs$/, box: /^boxUs$/ },
  { title: 'Per request on kept connections', scenario: 'keepalive', own: /^ownUs$/, box: /^boxUs$/ },
  { title: 'Per GB to the client', scenario: 'bulk', own: /^down(\d*)Own$/, box: /^down(\d*)Box$/ },
  { title: 'Per GB to the node', scenario: 'bulk', own: /^up(\d*)Own$/, box: /^up(\d*)Box$/ },
];

/** Undefined when the report has nothing to draw here. */
export function costPicture(report: Report): Picture | undefined {
  const panels = SOURCES.flatMap((source) => panelOf(source, report));
  if (panels.length === 0) return undefined;
  return {
    name: 'cost',
    alt: `CPU time that work costs; ${panels.map((panel) => altText(panel, report)).join('; ')}`,
    spec: (theme) => costSpec(panels, report, theme),
  };
}

function costSpec(panels: readonly Panel[], report: Report, theme: Theme): TopLevelSpec {
  const subtitle = [
    'Upper bar: own CPU. Lower bar: the whole box, so with client, node and kernel.',
    `Bars are medians of ${report.rounds} rounds; the thin lines reach from the lowest round to the highest.`,
  ];
  const specs = panels.map((panel) => panelSpec(panel, report, theme));
  const rows = Array.from({ length: Math.ceil(specs.length / COLUMNS) }, (_, row) =>
    Math.max(...specs.slice(row * COLUMNS, (row + 1) * COLUMNS).map(({ height }) => height)),
  );
  const height = rows.reduce((sum, row) => sum + row, ROW_GAP * (rows.length - 1));
  return {
    // A concatenation has no size of its own: from the origin on, all of it lies in the margin.
    ...frameOf(LEFT, 0, height + BOTTOM, subtitle.length, PANEL_TITLE_HEIGHT),
    config: configOf(theme),
    title: { text: 'What work costs, in CPU time (shorter is better)', subtitle, offset: TITLE_OFFSET },
    columns: COLUMNS,
    bounds: 'flush',
    spacing: { row: ROW_GAP, column: COLUMN_GAP },
    concat: specs,
  };
}

/** Where there are several numbers of streams, the greatest stands for them: it loads everybody most. */
function panelOf({ title, scenario, own, box }: PanelSource, report: Report): Panel[] {
  const metrics = report.scenarios.find(({ name }) => name === scenario)?.metrics ?? [];
  const ownMetric = lastOf(metrics, own);
  const boxMetric = lastOf(metrics, box);
  if (ownMetric === undefined || boxMetric === undefined || highestOf([ownMetric, boxMetric]) === 0) return [];
  const streams = Number(own.exec(ownMetric.metric.id)?.[1] || 0);
  const suffix = streams === 0 ? '' : `, ${streams} stream${streams === 1 ? '' : 's'}`;
  return [{ title: `${title}${suffix}`, unit: ownMetric.metric.unit, own: ownMetric, box: boxMetric }];
}

function lastOf(metrics: readonly MergedMetric[], id: RegExp): MergedMetric | undefined {
  const streams = ({ metric }: MergedMetric) => Number(id.exec(metric.id)?.[1] ?? 0);
  return metrics
    .filter(({ metric }) => id.test(metric.id))
    .sort((a, b) => streams(a) - streams(b))
    .at(-1);
}

/** Zero when so little was done that the clocks saw nothing: an axis cannot show that. */
function highestOf(metrics: readonly MergedMetric[]): number {
  return Math.max(0, ...metrics.flatMap(({ contenders }) => Object.values(contenders).map(({ max }) => max)));
}

interface Bar {
  contender: string;
  kind: string;
  colour: string;
  opacity: number;
  median: number;
  min: number;
  max: number;
  label: string;
}

function barsOf({ own, box }: Panel, styles: readonly Style[]): Bar[] {
  return styles.flatMap(({ contender, colour }) =>
    [
      { kind: 'own', spread: own.contenders[contender], opacity: 1, words: 'own' },
      { kind: 'box', spread: box.contenders[contender], opacity: WHOLE_BOX_OPACITY, words: 'whole box' },
    ].flatMap(({ kind, spread, opacity, words }) =>
      spread === undefined
        ? []
        : [{ contender, kind, colour, opacity, ...ends(spread), label: `${figure(spread.median)} ${words}` }],
    ),
  );
}

function ends({ median, min, max }: Spread) {
  return { median, min, max };
}

function panelSpec(panel: Panel, report: Report, theme: Theme) {
  const bars = barsOf(panel, stylesOf(Object.keys(report.contenders), report.subject, theme));
  const names = [...new Set(bars.map(({ contender }) => contender))];
  return {
    title: { text: panel.title, fontSize: 15, offset: 8 },
    width: PANEL_WIDTH,
    height: names.length * ROW_HEIGHT,
    data: { values: bars.map((bar) => ({ ...bar })) },
    encoding: rowEncoding(names, theme),
    layer: panelLayers(Math.max(...bars.map(({ max }) => max)), panel.unit, theme),
  };
}

/** A row per contender, in it the own CPU above the whole box. */
function rowEncoding(names: string[], theme: Theme) {
  return {
    y: {
      field: 'contender',
      type: 'nominal' as const,
      sort: names,
      scale: { paddingInner: 0.25, paddingOuter: 0.1 },
      axis: { title: null, domain: false, ticks: false, labelColor: theme.text, labelFontSize: 14 },
    },
    yOffset: { field: 'kind', type: 'nominal' as const, sort: ['own', 'box'], scale: { paddingInner: 0.12 } },
  };
}

/** The bar, the range of the rounds over it, and the figure at its end. */
function panelLayers(highest: number, unit: string, theme: Theme) {
  const x = {
    type: 'quantitative' as const,
    scale: { domain: [0, highest / (1 - LABEL_SHARE)], nice: false },
    axis: {
      title: `CPU time, ${unit}`,
      values: axisValues(highest),
      labelExpr: "'' + datum.value",
      labelOverlap: false,
      grid: false,
    },
  };
  return [
    {
      mark: { type: 'bar' as const },
      encoding: {
        x: { field: 'median', ...x },
        color: { field: 'colour', type: 'nominal' as const, scale: null },
        opacity: { field: 'opacity', type: 'quantitative' as const, scale: null },
      },
    },
    {
      mark: { type: 'rule' as const, color: theme.text, opacity: 0.75, strokeWidth: 1.5 },
      encoding: { x: { field: 'min', ...x }, x2: { field: 'max' } },
    },
    {
      mark: { type: 'text' as const, align: 'left' as const, baseline: 'middle' as const, dx: 6 },
      encoding: { x: { field: 'max', ...x }, text: { field: 'label', type: 'nominal' as const } },
    },
  ];
}

/** Ticks up to the longest bar only: where the words stand, the axis says nothing. */
function axisValues(highest: number): number[] {
  const rough = highest / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  return Array.from({ length: Math.floor(highest / step) + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}

function altText({ title, unit, own }: Panel, report: Report): string {
  const values = Object.keys(report.contenders).flatMap((name) => {
    const spread = own.contenders[name];
    return spread === undefined ? [] : [`${name} ${figure(spread.median)}`];
  });
  return `${title}, own CPU in ${unit}: ${values.join(', ')}`;
}
