// Runs the rounds: every scenario with every contender, each in a fresh process, in an order that turns round every time,
// so that a machine that gets slower or faster meanwhile favours nobody. It does not know what is measured, and keeps nothing
// of a run that failed: half a run would compare what was not measured side by side.

import { killAllPrograms } from '../testing/process.ts';
import { type Contender, type RunningContender, routesTo, type Setup, startContender } from './contender.ts';
import { descriptorLimit } from './machine.ts';
import { type BenchNode, startNode } from './node.ts';
import type { Scale } from './options.ts';
import type { Step } from './progress.ts';
import type { Sample, Scenario, Stage } from './scenario.ts';

/** scenario -> contender -> one sample per round, in the order of the rounds. Who was left out is absent. */
export type Measurements = Map<string, Map<string, Sample[]>>;

export interface Run {
  scale: Scale;
  scenarios: readonly Scenario[];
  contenders: readonly Contender[];
}

/** Two sockets, and what HAProxy sets aside for pipes: it refuses to start when they do not all fit. */
const DESCRIPTORS_PER_CONNECTION = 2.6;
const SPARE_DESCRIPTORS = 512;
/** More than one pair of addresses has ports for; some contenders reserve memory for as many as they are told. */
const CONNECTIONS_MAX = 65_536;

/** How many connections every contender is told to hold. */
export function connectionLimit(): number {
  const possible = Math.floor((descriptorLimit() - SPARE_DESCRIPTORS) / DESCRIPTORS_PER_CONNECTION);
  return Math.min(possible, CONNECTIONS_MAX);
}

/** Who takes part in a scenario. */
export function participants(scenario: Scenario, contenders: readonly Contender[]): Contender[] {
  return contenders.filter((contender) => scenario.leavesOut?.(contender) === undefined);
}

/** Who does not, and why: a line per scenario and reason. */
export function describeLeftOut({ scenarios, contenders }: Run): string[] {
  return scenarios.flatMap((scenario) => {
    const names = new Map<string, string[]>();
    for (const contender of contenders) {
      const reason = scenario.leavesOut?.(contender);
      if (reason !== undefined) names.set(reason, [...(names.get(reason) ?? []), contender.name]);
    }
    return [...names].map(([reason, who]) => `${scenario.name}: ${who.join(', ')} left out: ${reason}`);
  });
}

export async function runRounds(run: Run, onStep: (step: Step) => void = () => {}): Promise<Measurements> {
  const { scale, scenarios, contenders } = run;
  const measurements: Measurements = new Map();
  for (const scenario of scenarios) {
    measurements.set(scenario.name, new Map(participants(scenario, contenders).map(({ name }) => [name, []])));
  }
  await withNode(scale, async (node) => {
    for (const { round, scenario, contender } of plan(run)) {
      onStep({ round, rounds: scale.rounds, scenario: scenario.name, contender: contender.name });
      const sample = await measureOnce(scale, scenario, contender, node).catch((error: unknown) => {
        const where = `round ${round}, scenario ${scenario.name}, contender ${contender.name}`;
        throw new Error(`${where}: ${error instanceof Error ? error.message : error}`, { cause: error });
      });
      measurements.get(scenario.name)?.get(contender.name)?.push(sample);
    }
  });
  return measurements;
}

export interface Turn {
  round: number;
  scenario: Scenario;
  contender: Contender;
}

/** The order of all measurements. */
export function plan({ scale, scenarios, contenders }: Run): Turn[] {
  return Array.from({ length: scale.rounds }, (_, index) => index + 1).flatMap((round) => {
    const order = round % 2 === 1 ? contenders : contenders.toReversed();
    return scenarios.flatMap((scenario) =>
      participants(scenario, order).map((contender) => ({ round, scenario, contender })),
    );
  });
}

/** The node behind all contenders, for as long as `use` takes. After a failure nothing that was started goes on. */
export async function withNode<T>(scale: Scale, use: (node: BenchNode) => Promise<T>): Promise<T> {
  const connections = connectionLimit();
  const wanted = Math.max(...scale.idleSteps, scale.keepaliveConnections, scale.newConnectionsAtOnce) + 64;
  if (connections < wanted) {
    const problem = `${descriptorLimit()} open files permit ${connections} connections, and ${wanted} are needed`;
    throw new Error(`${problem}: raise the limit (ulimit -Hn) or choose a smaller --scale`);
  }
  const node = await startNode(scale.bulkBytesPerStream, connections);
  try {
    return await use(node);
  } catch (error) {
    killAllPrograms();
    throw error;
  } finally {
    await node.stop();
  }
}

/** One measurement: stops what it started, and vouches that it had lived until then. */
async function measureOnce(
  scale: Scale,
  scenario: Pick<Scenario, 'measure'>,
  contender: Contender,
  node: BenchNode,
): Promise<Sample> {
  const started: RunningContender[] = [];
  const stage: Stage = {
    scale,
    contender,
    node,
    start: async (setup) => {
      const running = await startAs(contender, node, setup);
      started.push(running);
      return running;
    },
  };
  try {
    const sample = await scenario.measure(stage);
    for (const running of started) await running.stop();
    return sample;
  } catch (error) {
    // First, while it still says what the contender did and not what we do to it.
    const explained = withLastWords(error, started);
    for (const running of started) running.program.killGroup();
    await Promise.allSettled(started.map((running) => running.stop()));
    throw explained;
  }
}

async function startAs(contender: Contender, node: BenchNode, setup: Setup = {}): Promise<RunningContender> {
  const { header = contender.headers[0], ...rest } = setup;
  if (!contender.headers.includes(header)) throw new Error(`${contender.name} cannot send the header ${header}`);
  return startContender(contender, { ...rest, routes: await routesTo(node, header), connections: connectionLimit() });
}

/** What a contender said last usually explains why a byte is missing. */
function withLastWords(error: unknown, started: readonly RunningContender[]): unknown {
  const last = started.at(-1);
  const message = error instanceof Error ? error.message : String(error);
  if (last === undefined || last.program.output.trim() === '' || message.includes(`(pid ${last.pid},`)) return error;
  return last.program.failure(message, error);
}
