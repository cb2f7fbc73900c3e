// Keeps a run: its report as JSON under bench/results/, and BENCHMARKS.md made anew from the newest one. Nothing in that page but
// the method is typed by hand.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MergedMetric, Spread } from './merge.ts';
import { figure, formatRatio, type Report, type ScenarioReport } from './print.ts';

const ROOT = join(import.meta.dirname, '..');

const METHOD = `# Benchmarks

The balancer beside HAProxy and nginx stream, on one machine, in one run: the same work, fresh processes, one thread each on a
core of its own, client and node on the other; rounds interleaved, their order reversed every round. Listeners are wildcard ones;
each sends a PROXY header with every connection (nginx stream knows v1 only). Ratios are ours divided by the best peer's, median over
the rounds with the interval that holds it at 95 %; below 1 is better for costs and latencies, above 1 for rates. A verdict needs
an interval that lies on one side of 1; otherwise it is "no conclusion". "Own CPU" is that of the balancer's whole process tree.

Repeat it: \`npm run bench\` (some minutes), \`npm run bench -- --quick\`, \`npm run bench -- --record\` to make this page anew.
`;

/** @returns the files written */
export function recordRun(measured: Report, now: Date): string[] {
  // Where this tree lies is nobody else's business.
  const report: Report = JSON.parse(JSON.stringify(measured).replaceAll(`${ROOT}/`, './'));
  const folder = join(ROOT, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const stamp = now.toISOString().slice(0, 16).replaceAll(':', '');
  const json = join(folder, `${stamp}.json`);
  writeFileSync(json, `${JSON.stringify(report, null, 1)}\n`);
  const page = join(ROOT, 'BENCHMARKS.md');
  writeFileSync(page, benchmarksPage(report, now));
  return [json, page];
}

export function benchmarksPage(report: Report, now: Date): string {
  const { machine, contenders, notes, rounds, commandLine } = report;
  const lines = [
    METHOD,
    `## ${now.toISOString().slice(0, 10)}`,
    '',
    `\`${commandLine}\`, ${rounds} rounds, on Linux ${machine.kernel}, ${machine.cpus} x ${machine.cpu}, congestion control ${machine.congestion}, load before it ${machine.loadAtStart.toFixed(2)}.`,
    '',
    ...Object.entries(contenders).map(
      ([name, { command, proxyVersion }]) => `- ${name}: PROXY ${proxyVersion}, \`${command}\``,
    ),
    ...Object.entries({ 'Node.js': machine.node, ...machine.programs }).map(
      ([name, version]) => `- ${name}: ${version}`,
    ),
    ...notes.map((note) => `- note: ${note}`),
    '',
    ...report.scenarios.flatMap(scenarioSection),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function scenarioSection({ name, description, metrics }: ScenarioReport): string[] {
  const names = Object.keys(metrics[0]?.contenders ?? {});
  return [
    `### ${name}`,
    '',
    `${description}`,
    '',
    `| | ratio to the best peer | verdict | ${names.join(' | ')} |`,
    `| --- | --- | --- | ${names.map(() => '---').join(' | ')} |`,
    ...metrics.map((metric) => row(metric, names)),
    '',
  ];
}

function row({ metric, contenders, comparison }: MergedMetric, names: readonly string[]): string {
  const title = metric.unit === '' ? metric.label : `${metric.label}, ${metric.unit}`;
  const cells = names.map((name) => spreadCell(contenders[name]));
  return `| ${title} | ${formatRatio(comparison)} | ${comparison?.verdict ?? ''} | ${cells.join(' | ')} |`;
}

function spreadCell(spread: Spread | undefined): string {
  return spread === undefined ? '-' : `**${figure(spread.median)}** (${spread.values.map(figure).join(', ')})`;
}
