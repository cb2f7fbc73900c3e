// The report as text: ratio and verdict first, absolute figures second, every spread beside its median. Only formatting.

import type { Machine } from './machine.ts';
import type { Comparison, MergedMetric, Spread } from './merge.ts';

export interface ScenarioReport {
  name: string;
  description: string;
  metrics: MergedMetric[];
}

export interface Report {
  subject: string;
  rounds: number;
  scale: string;
  commandLine: string;
  machine: Machine;
  /** Name -> command line and PROXY version, of every contender that ran. */
  contenders: Record<string, { command: string; proxyVersion: string }>;
  notes: string[];
  scenarios: ScenarioReport[];
}

export function formatReport(report: Report): string {
  const lines = [...formatMachine(report), ''];
  for (const scenario of report.scenarios) {
    lines.push(`${scenario.name}: ${scenario.description}`, ...formatScenario(scenario), '');
  }
  return `${lines.join('\n')}\n`;
}

function formatMachine({ machine, rounds, scale, commandLine, contenders, notes }: Report): string[] {
  const { kernel, cpu, cpus, pinned, congestion, loadAtStart, node, programs } = machine;
  return [
    `Linux ${kernel}, ${cpus} x ${cpu}, congestion control ${congestion}, ${pinned ? 'pinned' : 'NOT pinned'}`,
    `${rounds} rounds, scale ${scale}, load before it ${loadAtStart.toFixed(2)}: ${commandLine}`,
    ...Object.entries({ 'Node.js': node, ...programs }).map(([name, version]) => `  ${name}: ${version}`),
    ...Object.entries(contenders).map(([name, it]) => `  ${name}: PROXY ${it.proxyVersion}, ${it.command}`),
    ...notes.map((note) => `  note: ${note}`),
  ];
}

function formatScenario({ metrics }: ScenarioReport): string[] {
  const names = Object.keys(metrics[0]?.contenders ?? {});
  const compared = metrics.some(({ comparison }) => comparison !== undefined);
  const head = ['', ...(compared ? ['ratio to best peer', 'verdict'] : []), ...names.map((n) => `${n} (min..max)`)];
  const rows = metrics.map(({ metric, contenders, comparison }) => [
    metric.unit === '' ? metric.label : `${metric.label}, ${metric.unit}`,
    ...(compared ? [formatRatio(comparison), comparison?.verdict ?? ''] : []),
    ...names.map((name) => formatSpread(contenders[name])),
  ]);
  return table([head, ...rows]);
}

export function formatRatio(comparison: Comparison | undefined): string {
  if (comparison === undefined) return '';
  const { ratio, low, high, bestPeer } = comparison;
  const interval = low === undefined || high === undefined ? '' : ` (${low.toFixed(2)}..${high.toFixed(2)})`;
  return `${ratio.toFixed(2)}${interval} ${bestPeer}`;
}

function formatSpread(spread: Spread | undefined): string {
  if (spread === undefined) return '-';
  return `${figure(spread.median)} (${figure(spread.min)}..${figure(spread.max)})`;
}

/** Three significant digits, and no exponent. */
export function figure(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}

function table(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}
