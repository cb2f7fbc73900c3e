// `npm run bench`: our balancer side by side with its peers on this machine. Puts the parts together: options, machine,
// rounds (measure), merge, print. Figures on stdout, progress on stderr. Exit codes: 0 ok, 1 failure, 2 usage; a signal ends what
// runs, gives back what was changed on this machine, and keeps nothing.

import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { killAllPrograms } from '../testing/process.ts';
import { NGINX } from '../testing/servers/nginx.ts';
import { PEERS, SCENARIOS, SUBJECT } from './catalogue.ts';
import { type Contender, commandLine, type Job } from './contender.ts';
import { loadGeneratorVersion } from './load/http.ts';
import { currentCongestion, describeMachine, fixCongestion, pinSelf, versionOf, whyNotPinned } from './machine.ts';
import { mergeDistribution, mergeMetric } from './merge.ts';
import { type Options, parseOptions, USAGE, UsageError } from './options.ts';
import { formatReport, wantsColours } from './print.ts';
import { explain } from './problem.ts';
import { runProfile } from './profile.ts';
import { Progress } from './progress.ts';
import { recordRun } from './record.ts';
import type { ContenderReport, Report, ScenarioReport } from './report.ts';
import { describeRevision, findRevision, openRevision } from './revision.ts';
import { connectionLimit, describeLeftOut, type Measurements, plan, type Run, runRounds } from './rounds.ts';
import type { Sample } from './scenario.ts';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
/** A shell's way to say which signal it was. */
const EXIT_SIGNAL = 128;

const progress = new Progress(process.stderr);

async function main(args: string[]): Promise<void> {
  const options = parseOptions(args, namesOf(SCENARIOS), namesOf(PEERS));
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  const startedAt = new Date().toISOString();
  if (!existsSync(NGINX)) throw new Error('the node behind the balancers is nginx: install the Debian package nginx');
  const notes: string[] = [];
  const contenders = await chooseContenders(options, notes);
  prepareMachine(options, notes);
  const scenarios = SCENARIOS.filter(({ name }) => options.scenarios.includes(name));
  if (options.verb === 'profile') {
    for (const note of notes) progress.say(note);
    process.stdout.write(await runProfile(options, contenders, options.scenarios, (text) => progress.say(text)));
    return;
  }
  const run: Run = { scale: options.scale, scenarios, contenders };
  notes.push(...describeLeftOut(run));
  for (const note of notes) progress.say(note);
  // Before the run: the tree may be worked on meanwhile.
  const revision = describeRevision();
  const congestion = new Set<string>();
  const measurements = await measure(run, () => congestion.add(currentCongestion()));
  if (congestion.size > 1) {
    const change = `congestion control changed during the run (${[...congestion].join(', ')}): another program set it`;
    progress.say(change);
    notes.push(`${change}; rounds before and after cannot be compared`);
  }
  const report: Report = {
    ...makeReport(run, measurements, notes, args, startedAt),
    ...(revision === undefined ? {} : { revision }),
  };
  const colours = wantsColours(process.stdout, process.env);
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report, { colours }));
  // Last: should the drawing fail, the figures have been shown.
  if (options.record && congestion.size > 1) throw new Error('not recorded: the conditions changed during the run');
  if (options.record) for (const file of await recordRun(report)) progress.say(`wrote ${file}`);
}

function namesOf(things: readonly { name: string }[]): string[] {
  return things.map(({ name }) => name);
}

/** Ours first, then the revision to compare with, then the peers that this machine has. */
async function chooseContenders({ compare, peers }: Options, notes: string[]): Promise<Contender[]> {
  const hash = compare === undefined ? undefined : findRevision(compare);
  const present = PEERS.filter((peer) => {
    if (!peers.includes(peer.name)) return false;
    const reason = peer.unavailable();
    if (reason !== undefined) notes.push(`${peer.name} left out: ${reason}`);
    return reason === undefined;
  });
  const earlier = hash === undefined ? [] : [await openRevision(hash, (text) => progress.say(text))];
  return [SUBJECT, ...earlier, ...present];
}

function prepareMachine({ congestion }: Options, notes: string[]): void {
  const problem = fixCongestion(congestion);
  if (problem?.isUnknown === true)
    throw new UsageError(`--congestion ${congestion}: this kernel has none of that name`);
  if (problem !== undefined) notes.push(problem.warning);
  const notPinned = whyNotPinned();
  if (notPinned !== undefined) notes.push(`not pinned, contenders and load share all CPUs: ${notPinned}`);
  pinSelf();
}

/** @param look called before each measurement and after the last */
async function measure(run: Run, look: () => void): Promise<Measurements> {
  progress.expect(plan(run).map(({ scenario, contender }) => ({ scenario: scenario.name, contender: contender.name })));
  try {
    const measurements = await runRounds(run, (step) => {
      progress.step(step);
      look();
    });
    look();
    return measurements;
  } finally {
    progress.clear();
  }
}

function makeReport(
  { scale, scenarios, contenders }: Run,
  measurements: Measurements,
  notes: string[],
  args: string[],
  startedAt: string,
): Report {
  return {
    format: 2,
    startedAt,
    subject: SUBJECT.name,
    rounds: scale.rounds,
    scale: scale.name,
    commandLine: ['npm run bench', ...(args.length === 0 ? [] : ['--', ...args])].join(' '),
    machine: describeMachine({ load: loadGeneratorVersion(), 'node behind them': versionOf(NGINX, ['-v']) }),
    contenders: Object.fromEntries(contenders.map((contender) => [contender.name, reportContender(contender)])),
    notes,
    scenarios: scenarios.map((scenario): ScenarioReport => {
      const samples = measurements.get(scenario.name) ?? new Map<string, Sample[]>();
      return {
        name: scenario.name,
        description: scenario.describe(scale),
        metrics: scenario.metrics(scale).map((metric) => mergeMetric(metric, samples, SUBJECT.name)),
        distributions: (scenario.distributions?.(scale) ?? []).map((it) => mergeDistribution(it, samples)),
      };
    }),
  };
}

function reportContender(contender: Contender): ContenderReport {
  const [kind] = contender.headers;
  const routes = [{ label: 'http', frontPort: 80, nodePort: 8080, header: kind }];
  const example: Job = { directory: 'DIR', routes, connections: connectionLimit(), workers: 1 };
  const { file, text } = contender.configuration(example);
  return {
    version: contender.version(),
    header: kind,
    command: commandLine(contender, file, example),
    configuration: `${text}${bigStreamLines(contender, example, text)}`,
  };
}

/** What differs where big streams flow, as comments. */
function bigStreamLines(contender: Contender, example: Job, usual: string): string {
  const lines = contender.configuration({ ...example, bigStreams: true }).text.split('\n');
  const other = lines.filter((line) => !usual.split('\n').includes(line));
  return other.length === 0 ? '' : `# where big streams flow:\n${other.map((line) => `#${line}\n`).join('')}`;
}

// Whoever reads may have seen enough (`| head`): that is no reason for a stack trace, nor against keeping the run.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    progress.clear();
    killAllPrograms();
    // Leaving through exit() also restores what the run changed on this machine.
    process.exit(EXIT_SIGNAL + constants.signals[signal]);
  });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof UsageError)) {
    progress.say(explain(error));
    process.exit(EXIT_FAILURE);
  }
  for (const problem of error.message.split('\n')) progress.say(problem);
  process.stderr.write('Try "npm run bench -- --help".\n');
  process.exit(EXIT_USAGE);
});
