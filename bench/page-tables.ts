// The tables of BENCHMARKS.md, in Markdown. Only formatting: what they say is computed elsewhere.

import {
  contendersOf,
  figure,
  formatInterval,
  formatRatio,
  metricTitle,
  percentileCells,
  ratioFigure,
  TABLE_PERCENTILES,
} from './figures.ts';
import { formatJudgement, formatLimit, GOALS, type GoalResult, type GoalSummary, summariseGoals } from './goals.ts';
import type { PastRun, Recorded } from './history.ts';
import type { MergedDistribution, MergedMetric, Spread } from './merge.ts';
import type { Report, ScenarioReport } from './report.ts';

/** The first row is the head. Followed by an empty line, which Markdown needs. */
function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const [head = [], ...body] = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...body.map(line), ''];
}

/** One row per goal, told by the metric that is furthest from it. */
export function goalTable(summaries: readonly GoalSummary[]): string[] {
  const head = ['goal', 'wanted', 'ratio to the best peer', 'interval', 'verdict', 'goal met?', 'metric'];
  return markdownTable([head, ...summaries.map(goalRow)]);
}

function goalRow({ goal, results, worst, judgement }: GoalSummary): string[] {
  const title = [goal.title, formatLimit(goal)];
  if (worst === undefined || judgement === undefined) return [...title, '-', '-', '-', 'not measured', '-'];
  const { ratio, bestPeer, verdict } = worst.comparison;
  const many = results.length === 1 ? '' : `, the worst of ${results.length}`;
  return [
    ...title,
    `**${ratioFigure(ratio)}** ${bestPeer}`,
    formatInterval(worst.comparison) || '-',
    verdict,
    judgement === 'undecided' ? formatJudgement(worst) : `**${judgement}**`,
    `[${worst.scenario}](#${worst.scenario}): ${worst.metric.metric.label}${many}`,
  ];
}

/** Every metric behind the goals. */
export function goalMetricsTable(results: readonly GoalResult[]): string[] {
  const rows = results.map((result) => [
    result.goal.title,
    formatLimit(result.goal),
    `${result.scenario}: ${result.metric.metric.label}`,
    formatRatio(result.comparison),
    result.comparison.verdict,
    formatJudgement(result),
  ]);
  return markdownTable([['goal', 'wanted', 'metric', 'ratio to the best peer', 'verdict', 'goal met?'], ...rows]);
}

/** What has to be seen beside the goals, from the same scenarios. */
export function besideGoalsTable({ scenarios, contenders }: Report): string[] {
  const metrics = GOALS.flatMap(({ beside, sources }) =>
    beside === undefined
      ? []
      : scenarios
          .filter(({ name }) => sources.some(({ scenario }) => scenario === name))
          .flatMap((scenario) => scenario.metrics.filter(({ metric }) => beside.test(metric.id))),
  );
  if (metrics.length === 0) return [];
  const names = contendersOf({ metrics }, Object.keys(contenders));
  return markdownTable([
    ['', ...names],
    ...metrics.map((merged) => [metricTitle(merged.metric), ...names.map((name) => medianOf(merged.contenders[name]))]),
  ]);
}

function medianOf(spread: Spread | undefined): string {
  return spread === undefined ? '-' : figure(spread.median);
}

export function metricTable({ metrics }: ScenarioReport, order: readonly string[]): string[] {
  const names = contendersOf({ metrics }, order);
  const compared = metrics.some(({ comparison }) => comparison !== undefined);
  const rows = metrics.map((merged) => [
    metricTitle(merged.metric),
    ...(compared ? [formatRatio(merged.comparison), merged.comparison?.verdict ?? ''] : []),
    ...names.map((name) => spreadCell(merged.contenders[name])),
  ]);
  return markdownTable([['', ...(compared ? ['ratio to the best peer', 'verdict'] : []), ...names], ...rows]);
}

function spreadCell(spread: Spread | undefined): string {
  return spread === undefined ? '-' : `**${figure(spread.median)}** (${figure(spread.min)}..${figure(spread.max)})`;
}

export function roundsTable({ metrics }: ScenarioReport, order: readonly string[]): string[] {
  const rounds = Math.max(0, ...metrics.flatMap(({ contenders }) => lengthsOf(contenders)));
  const head = ['', '', ...Array.from({ length: rounds }, (_, index) => String(index + 1))];
  return markdownTable([head, ...metrics.flatMap((metric) => roundRows(metric, order))]);
}

function lengthsOf(contenders: MergedMetric['contenders']): number[] {
  return Object.values(contenders).map(({ values }) => values.length);
}

function roundRows(merged: MergedMetric, order: readonly string[]): string[][] {
  return contendersOf({ metrics: [merged] }, order).map((name, index) => [
    index === 0 ? metricTitle(merged.metric) : '',
    name,
    ...(merged.contenders[name]?.values ?? []).map(figure),
  ]);
}

export function percentileTable({ distribution, contenders }: MergedDistribution, order: readonly string[]): string[] {
  const names = contendersOf({ metrics: [{ contenders }] }, order);
  if (names.length === 0) return [];
  const head = [
    `${distribution.label}, median of the rounds`,
    ...TABLE_PERCENTILES.map((percentile) => `p${percentile}`),
  ];
  return markdownTable([head, ...names.map((name) => [name, ...percentileCells(contenders[name] ?? [])])]);
}

/** The goals of earlier runs, a row each: enough to see where it went. */
export function historyTable(runs: readonly Recorded<PastRun>[]): string[] {
  const head = [
    'run',
    'revision',
    'rounds',
    'scale',
    ...GOALS.map((goal) => `${goal.short} ${formatLimit(goal)}`),
    'command line',
  ];
  const rows = runs.map(({ stamp, run }) => [
    `[${stamp}](bench/results/${stamp}.json)`,
    run.revision ?? '-',
    String(run.rounds),
    run.scale,
    ...summariseGoals(run).map(historyCell),
    `\`${run.commandLine}\``,
  ]);
  return markdownTable([head, ...rows]);
}

function historyCell({ worst, judgement }: GoalSummary): string {
  if (worst === undefined) return '-';
  return `${ratioFigure(worst.comparison.ratio)}${judgement === 'undecided' ? '' : ` ${judgement}`}`;
}
