// `npm run bench`: our balancer side by side with its peers on this machine. Puts the parts together: options, machine,
// rounds (measure), merge, print. Figures on stdout, progress on stderr.

import { existsSync } from 'node:fs';
import { killAllPrograms } from '../tests/support/process.ts';
import { NGINX } from '../tests/support/servers/nginx.ts';
import type { Contender } from './contender.ts';
import { loadGeneratorVersion } from './load/http.ts';
import { describeMachine, fixCongestion, pinSelf } from './machine.ts';
import { mergeMetric } from './merge.ts';
import { type Options, parseOptions, USAGE, UsageError } from './options.ts';
import { balancer } from './peers/balancer.ts';
import { haproxy } from './peers/haproxy.ts';
import { nginx } from './peers/nginx.ts';
import { formatReport, type Report } from './print.ts';
import { recordRun } from './record.ts';
import { type Measurements, runRounds } from './rounds.ts';
import type { Scenario } from './scenario.ts';
import { bulk } from './scenarios/bulk.ts';
import { keepalive, newConnections } from './scenarios/http.ts';
import { idle } from './scenarios/idle.ts';

const SCENARIOS: readonly Scenario[] = [newConnections, keepalive, bulk, idle];
const SUBJECT = balancer;
const PEERS: readonly Contender[] = [haproxy, nginx];

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

async function main(args: string[]): Promise<void> {
  const options = parseOptions(
    args,
    SCENARIOS.map(({ name }) => name),
    PEERS.map(({ name }) => name),
  );
  if (!existsSync(NGINX)) throw new Error('the node behind the balancers is nginx: install the Debian package nginx');
  const notes: string[] = [];
  const contenders = [SUBJECT, ...PEERS.filter(({ name }) => options.peers.includes(name))].filter((contender) => {
    const reason = contender.unavailable();
    if (reason !== undefined) notes.push(`${contender.name} left out: ${reason}`);
    return reason === undefined;
  });
  if (contenders.length === 0) throw new Error(`nothing to measure: ${notes.join('; ')}`);
  const warning = fixCongestion(options.congestion);
  if (warning !== undefined) notes.push(warning);
  pinSelf();
  for (const note of notes) progress(note);

  const scenarios = SCENARIOS.filter(({ name }) => options.scenarios.includes(name));
  const measurements = await runRounds(options.scale, scenarios, contenders, progress);
  const report = makeReport(options, scenarios, contenders, measurements, notes, args);
  if (options.record) for (const file of recordRun(report, new Date())) progress(`wrote ${file}`);
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report));
}

function makeReport(
  { scale }: Options,
  scenarios: readonly Scenario[],
  contenders: readonly Contender[],
  measurements: Measurements,
  notes: string[],
  args: string[],
): Report {
  const example = { directory: 'DIR', routes: [], connections: 0 };
  return {
    subject: SUBJECT.name,
    rounds: scale.rounds,
    scale: scale.name,
    commandLine: ['npm run bench --', ...args].join(' '),
    machine: describeMachine({
      load: loadGeneratorVersion(),
      ...Object.fromEntries([...contenders, nginx].map((it) => [it === nginx ? 'nginx' : it.name, it.version()])),
    }),
    contenders: Object.fromEntries(
      contenders.map((contender) => {
        const { command, args: list, env = {} } = contender.command('FILE', example);
        const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
        return [
          contender.name,
          { command: [...settings, command, ...list].join(' '), proxyVersion: contender.proxyVersion },
        ];
      }),
    ),
    notes,
    scenarios: scenarios.map((scenario) => ({
      name: scenario.name,
      description: scenario.describe(scale),
      metrics: scenario
        .metrics(scale)
        .map((metric) => mergeMetric(metric, measurements.get(scenario.name) ?? new Map(), SUBJECT.name)),
    })),
  };
}

function progress(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killAllPrograms();
    // Leaving through exit() also restores what the run changed on this machine.
    process.exit(EXIT_INTERRUPTED);
  });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n${USAGE}`);
    process.exit(EXIT_USAGE);
  }
  console.error(error);
  process.exit(EXIT_FAILURE);
});
