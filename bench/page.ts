// BENCHMARKS.md, from the recorded runs: the newest in full, the older ones in a row each. Nothing on it but the method is typed by
// hand, and a goal that is missed is said before anything else.

import { type Picture, picturePath } from './charts/picture.ts';
import { picturesOf } from './charts/pictures.ts';
import { formatInterval, ratioFigure } from './figures.ts';
import { type GoalResult, type GoalSummary, type Judgement, judgeGoals, summariseGoals } from './goals.ts';
import type { History, Recorded } from './history.ts';
import {
  besideGoalsTable,
  goalMetricsTable,
  goalTable,
  historyTable,
  metricTable,
  percentileTable,
  roundsTable,
} from './page-tables.ts';
import type { Report, ScenarioReport } from './report.ts';

const INTRODUCTION = `# Benchmarks

The balancer beside its peers, on one machine, in one run: the same work for everybody. This page is generated from the files in
[bench/results](bench/results) by \`npm run bench -- --record\`. A ratio is ours divided by the best peer's: below 1 is good for costs and
latencies, above 1 for rates. [How it is measured](#how-it-is-measured) says what the intervals and verdicts mean.
`;

const METHOD = `## How it is measured

- **Same work, same run.** Every contender gets a fresh process for every measurement. All do a round before anybody does the next,
  and the order is reversed every round, so that a machine that gets slower or faster meanwhile favours nobody.
- **Warm.** Before it is measured, every contender gets the same load for some seconds. Ours is compiled while it runs, and what
  that costs in its first seconds stands in a row of its own: a balancer runs for months, and a process that is restarted often
  should be judged by that row.
- **A CPU of its own.** The contender under test runs with one thread on one CPU; client, node and the benchmark itself share
  another. Only where several worker threads are what is measured may a contender use all CPUs.
- **Nothing lost.** Every measurement compares what was sent with what arrived; one that misses a byte or an answer ends the run.
- **Own CPU** is the CPU time of the contender's whole process tree. **Whole box** is all that any CPU did except idling, so it has the
  work that a contender leaves to the kernel, the client and the node in it.
- **Ratios** are taken round by round, ours divided by the peer's in the same round, and the median of them is shown. The interval
  holds the true median with 95 % confidence (sign test: no assumption about how figures are spread). A **verdict** needs an
  interval that lies on one side of 1, otherwise it is "no conclusion"; under 6 rounds there is no interval and no verdict. A goal
  is **met** or **missed** when the whole interval lies on one side of its limit.
- **The best peer** is, metric by metric, the one with the best median of these very rounds. So the luck of the rounds is counted for
  the peer: that makes "faster" harder to reach and "slower" easier, and where two peers are close, the name may change from run
  to run. The interval knows nothing of this choice.
- **Many comparisons.** Each has its own 5 % of being wrong: of twenty without any difference, one gets a verdict by chance.
- **Latencies.** Within a round, what the threads of the load have recorded is added up by counts. Of the rounds, each percentile's median is
  shown, in tables and curves alike, so that one disturbed round decides nothing. At a fixed rate, latency runs from the moment at which a request
  was to be sent, so that a contender that stalls cannot hide how many waited.
- **Memory** is what the process tree has for itself, and the pages of its program files in full: who else on the machine runs the
  same program changes nothing. Sockets and pipes are in the kernel, and in nobody's figure. A ratio below 0 says that ours
  shrank while the connections came, which a garbage collector may do.
`;

const REPEAT = `## Repeat it

    npm ci
    npm run bench                    # everything, some minutes
    npm run bench -- --quick         # roughly, under 90 s
    npm run bench -- --record        # keeps the run and makes this page anew

It needs nginx; peers that are not installed are left out, and that is said. Close everything else first: other work on
the machine shows up as noise. \`npm run bench -- --help\` lists the options.
`;

export function benchmarksPage({ newest, earlier, unreadable }: History): string {
  const parts = [
    INTRODUCTION,
    ...(newest === undefined ? ['No run in the present format is recorded yet.\n'] : runParts(newest)),
    METHOD,
    REPEAT,
    ...(earlier.length === 0 ? [] : [historyPart(earlier)]),
    ...(unreadable.length === 0 ? [] : [`Not readable, and left out: ${unreadable.join(', ')}.\n`]),
  ];
  return `${parts.join('\n').trimEnd()}\n`;
}

function runParts({ stamp, run }: Recorded<Report>): string[] {
  const order = Object.keys(run.contenders);
  return [
    goalsPart(stamp, run),
    ...picturesPart(picturesOf(run)),
    ['## Scenarios', '', ...run.scenarios.flatMap((scenario) => scenarioPart(scenario, order))].join('\n'),
    contendersPart(run),
    machinePart(run),
  ];
}

function goalsPart(stamp: string, run: Report): string {
  const summaries = summariseGoals(run);
  const beside = besideGoalsTable(run);
  return [
    '## Goals',
    '',
    `The run of ${stamp.slice(0, 10)}${run.revision === undefined ? '' : `, revision ${run.revision}`}: \`${run.commandLine}\`, ${run.rounds} rounds.`,
    ...caution(run),
    countedText(summaries),
    ...missedText(summaries),
    '',
    ...goalTable(summaries),
    ...(beside.length === 0
      ? []
      : ['Growth is not all of the memory: what is allocated at start stands here.', '', ...beside]),
    ...folded('Every metric behind the goals', goalMetricsTable(judgeGoals(run))),
  ].join('\n');
}

function caution({ scale, rounds }: Report): string[] {
  if (scale !== 'full') return [`It was of scale ${scale}: do not quote its figures.`];
  return rounds < 6 ? ['It had too few rounds for verdicts.'] : [];
}

function countedText(summaries: readonly GoalSummary[]): string {
  const count = (wanted: Judgement | undefined) => summaries.filter(({ judgement }) => judgement === wanted).length;
  const absent = count(undefined);
  const text = `Of ${summaries.length} goals ${count('met')} are met, ${count('missed')} missed, ${count('undecided')} undecided`;
  return `${text}${absent === 0 ? '' : `, ${absent} not measured`}.`;
}

function missedText(summaries: readonly GoalSummary[]): string[] {
  const missed = summaries.flatMap(({ results }) => results.filter(({ judgement }) => judgement === 'missed'));
  return missed.length === 0 ? [] : ['', '**Missed:**', '', ...missed.map((result) => `- ${missedLine(result)}`)];
}

function missedLine({ goal, scenario, metric, comparison }: GoalResult): string {
  const { ratio, bestPeer } = comparison;
  const wanted = `wanted ${goal.bound} ${ratioFigure(goal.limit)}`;
  return `${scenario}, ${metric.metric.label}: ${ratioFigure(ratio)} times ${bestPeer}’s (${formatInterval(comparison)}), ${wanted}`;
}

function picturesPart(pictures: readonly Picture[]): string[] {
  return pictures.length === 0 ? [] : [['## Pictures', '', ...pictures.flatMap(pictureLines)].join('\n')];
}

function pictureLines(picture: Picture): string[] {
  const alt = picture.alt.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  return [
    '<picture>',
    `  <source media="(prefers-color-scheme: dark)" srcset="${picturePath(picture, 'dark')}">`,
    `  <img alt="${alt}" src="${picturePath(picture, 'light')}">`,
    '</picture>',
    '',
  ];
}

function scenarioPart(scenario: ScenarioReport, order: readonly string[]): string[] {
  return [
    `### ${scenario.name}`,
    '',
    `${scenario.description}. Medians, with the lowest and the highest round.`,
    '',
    ...metricTable(scenario, order),
    ...scenario.distributions.flatMap((distribution) => percentileTable(distribution, order)),
    ...folded('Every round', roundsTable(scenario, order)),
  ];
}

function folded(title: string, lines: readonly string[]): string[] {
  return ['<details>', `<summary>${title}</summary>`, '', ...lines, '</details>', ''];
}

function contendersPart({ contenders }: Report): string {
  const sections = Object.entries(contenders).flatMap(([name, { version, header, command, configuration }]) => [
    `### Configuration of ${name}`,
    '',
    `${version}. Sends ${header === 'none' ? 'no header' : `PROXY ${header}`} where the scenario does not say otherwise. Started as`,
    '',
    fenced(command),
    'with, for one port,',
    '',
    fenced(configuration),
  ]);
  return ['## Contenders', '', ...sections].join('\n');
}

function fenced(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
}

function machinePart({ machine, notes, scale, rounds }: Report): string {
  const { kernel, cpu, cpus, pinned, congestion, loadAtStart, node, programs } = machine;
  return [
    '## Machine',
    '',
    `- Linux ${kernel}, ${cpus} x ${cpu}`,
    `- ${pinned ? 'contender and load each pinned to a CPU of their own' : 'NOT pinned: contender and load shared all CPUs'}`,
    `- congestion control ${congestion}`,
    `- load average before the run: ${loadAtStart.toFixed(2)}`,
    `- scale ${scale}, ${rounds} rounds`,
    ...Object.entries({ 'Node.js': node, ...programs }).map(([name, version]) => `- ${name}: ${version}`),
    ...notes.map((note) => `- note: ${note}`),
    '',
  ].join('\n');
}

function historyPart(earlier: History['earlier']): string {
  return [
    '## Earlier runs',
    '',
    'The ratio to the best peer, of the metric that is furthest from its goal; undecided where neither met nor missed is said.',
    '',
    ...historyTable(earlier),
  ].join('\n');
}
