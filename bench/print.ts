// The report as text for a terminal: machine and contenders, how each was started and set up, then ratio and verdict, absolute figures
// second, how far the rounds lie apart beside every median, the goals last, where the eye ends. Only formatting; nothing is computed here that the page does not say as well.

import { styleText } from 'node:util';
import {
  contendersOf,
  figure,
  formatDeviation,
  formatRatio,
  metricTitle,
  percentileCells,
  TABLE_PERCENTILES,
} from './figures.ts';
import { formatLimit, summariseGoals } from './goals.ts';
import type { Comparison, MergedDistribution, Spread, Verdict } from './merge.ts';
import type { Report, ScenarioReport } from './report.ts';
import { type Cell, formatTable, INDENT, left, right, WIDTH_MAX, wrap } from './table.ts';

export interface PrintOptions {
  colours: boolean;
}

const VERDICT_STYLES = { faster: 'green', slower: 'red', 'no conclusion': 'dim' } as const;
const JUDGEMENT_STYLES = { met: 'green', missed: 'red', undecided: 'dim' } as const;

/** Colours are for people at a terminal who have not said that they want none (no-color.org). */
export function wantsColours(stream: { isTTY?: boolean }, environment: Record<string, string | undefined>): boolean {
  return stream.isTTY === true && (environment.NO_COLOR ?? '') === '';
}

export function formatReport(report: Report, options: PrintOptions = { colours: false }): string {
  const order = Object.keys(report.contenders);
  const blocks = [
    machineLines(report),
    ...setUpLines(report),
    ...report.scenarios.map((scenario) => scenarioLines(scenario, order, options)),
    goalLines(report, options),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function machineLines({ machine, rounds, scale, commandLine, revision, contenders, notes }: Report): string[] {
  const { kernel, cpu, cpus, pinned, congestion, loadAtStart, node, programs } = machine;
  const others = Object.entries({ 'Node.js': node, ...programs }).filter(([name]) => contenders[name] === undefined);
  return [
    `Linux ${kernel}, ${cpus} x ${cpu}, congestion control ${congestion}, ${pinned ? 'pinned' : 'NOT pinned'}`,
    `${count(rounds, 'round')}, scale ${scale}, load before it ${loadAtStart.toFixed(2)}: ${commandLine}`,
    ...(revision === undefined ? [] : [`revision ${revision}`]),
    ...Object.entries(contenders).map(([name, { version, header }]) => `  ${name}: ${version}, PROXY ${header}`),
    ...others.map(([name, version]) => `  ${name}: ${version}`),
    ...notes.map((note) => `  note: ${note}`),
  ];
}

/** A block per contender: how it was started, and its configuration for one port. */
function setUpLines({ contenders }: Report): string[][] {
  return Object.entries(contenders).map(([name, { command, configuration }]) => [
    `${name} was started as`,
    ...wrap(command, WIDTH_MAX - INDENT.length).map((line) => `${INDENT}${line}`),
    ...configuration
      .trimEnd()
      .split('\n')
      .map((line) => `${INDENT}| ${line}`),
  ]);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function scenarioLines(scenario: ScenarioReport, order: readonly string[], options: PrintOptions): string[] {
  return [
    `${scenario.name}: ${scenario.description}`,
    ...metricTable(scenario, order, options),
    ...scenario.distributions.flatMap((distribution) => percentileTable(distribution, order)),
  ];
}

function metricTable(scenario: ScenarioReport, order: readonly string[], options: PrintOptions): string[] {
  const { metrics } = scenario;
  const names = contendersOf({ metrics }, order);
  const compared = metrics.some(({ comparison }) => comparison !== undefined);
  const earlier = metrics.some((metric) => metric.earlier !== undefined);
  const head = [
    '',
    ...(compared ? ['ratio to best peer', 'verdict'] : []),
    ...(earlier ? ['ratio to before', 'verdict'] : []),
  ];
  const rows = metrics.map((merged): Cell[] => [
    left(metricTitle(merged.metric)),
    ...(compared ? comparisonCells(merged.comparison, options) : []),
    ...(earlier ? comparisonCells(merged.earlier, options) : []),
    ...names.map((name) => right(formatSpread(merged.contenders[name]))),
  ]);
  return formatTable([[...head.map(left), ...names.map(right)], ...rows]);
}

function comparisonCells(comparison: Comparison | undefined, options: PrintOptions): Cell[] {
  const verdict = comparison?.verdict;
  return [left(formatRatio(comparison)), verdict === undefined ? left('') : verdictCell(verdict, options)];
}

function verdictCell(verdict: Verdict, { colours }: PrintOptions): Cell {
  return { text: verdict, ...painted(VERDICT_STYLES[verdict], colours) };
}

/** The median and how far the furthest round lies from it: both ends of the range would not fit on a line. */
function formatSpread(spread: Spread | undefined): string {
  if (spread === undefined) return '-';
  return spread.values.length < 2 ? figure(spread.median) : `${figure(spread.median)} ${formatDeviation(spread)}`;
}

function percentileTable({ distribution, contenders }: MergedDistribution, order: readonly string[]): string[] {
  const names = order.filter((name) => contenders[name] !== undefined);
  if (names.length === 0) return [];
  const head = [left(distribution.label), ...TABLE_PERCENTILES.map((percentile) => right(`p${percentile}`))];
  return formatTable([
    head,
    ...names.map((name) => [left(`  ${name}`), ...percentileCells(contenders[name] ?? []).map(right)]),
  ]);
}

/** One line per goal, by the metric that is furthest from it; without words for which the ratio beside them is enough. */
function goalLines(report: Report, { colours }: PrintOptions): string[] {
  const rows = summariseGoals(report).flatMap(({ goal, worst, judgement }) =>
    worst === undefined || judgement === undefined
      ? []
      : [
          [
            left(goal.short),
            left(formatLimit(goal)),
            left(formatRatio(worst.comparison)),
            { text: judgement, ...painted(JUDGEMENT_STYLES[judgement], colours) },
            left(`${worst.scenario}: ${worst.metric.metric.label}`),
          ],
        ],
  );
  return rows.length === 0 ? [] : ['goals, each by the metric that is furthest from it', ...formatTable(rows)];
}

function painted(style: 'green' | 'red' | 'dim', colours: boolean): Pick<Cell, 'paint'> {
  return colours ? { paint: (text) => styleText(style, text, { validateStream: false }) } : {};
}
