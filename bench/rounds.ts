// Runs the rounds: every scenario with every contender, each in a fresh process, in an order that turns round every time,
// so that a machine that gets slower or faster meanwhile favours nobody.

import { freePorts } from '../tests/support/ports.ts';
import { type Contender, startContender } from './contender.ts';
import { descriptorLimit } from './machine.ts';
import { type BenchNode, startNode } from './node.ts';
import type { Scale } from './options.ts';
import type { Sample, Scenario } from './scenario.ts';

/** scenario -> contender -> one sample per round, in the order of the rounds. */
export type Measurements = Map<string, Map<string, Sample[]>>;

/** Two sockets, and what HAProxy sets aside for pipes: it refuses to start when they do not all fit. */
const DESCRIPTORS_PER_CONNECTION = 2.6;
const SPARE_DESCRIPTORS = 512;

export async function runRounds(
  scale: Scale,
  scenarios: readonly Scenario[],
  contenders: readonly Contender[],
  progress: (text: string) => void,
): Promise<Measurements> {
  const connections = Math.floor((descriptorLimit() - SPARE_DESCRIPTORS) / DESCRIPTORS_PER_CONNECTION);
  const measurements: Measurements = new Map(
    scenarios.map((scenario) => [scenario.name, new Map(contenders.map(({ name }) => [name, []]))]),
  );
  const node = await startNode(scale.bulkBytesPerStream, connections);
  try {
    for (let round = 0; round < scale.rounds; round++) {
      const order = round % 2 === 0 ? contenders : contenders.toReversed();
      for (const scenario of scenarios) {
        for (const contender of order) {
          progress(`round ${round + 1}/${scale.rounds} ${scenario.name} ${contender.name}`);
          const sample = await measureOnce(scale, scenario, contender, node, connections);
          measurements.get(scenario.name)?.get(contender.name)?.push(sample);
        }
      }
    }
  } finally {
    await node.stop();
  }
  return measurements;
}

async function measureOnce(
  scale: Scale,
  scenario: Scenario,
  contender: Contender,
  node: BenchNode,
  connections: number,
): Promise<Sample> {
  const [httpFrontPort = 0, sinkFrontPort = 0] = await freePorts(2);
  const running = await startContender(contender, {
    connections,
    routes: [
      { label: 'http', frontPort: httpFrontPort, nodePort: node.httpPort },
      { label: 'sink', frontPort: sinkFrontPort, nodePort: node.sinkPort },
    ],
  });
  try {
    const sample = await scenario.measure({ scale, contender: running, node, httpFrontPort, sinkFrontPort });
    await running.stop();
    return sample;
  } catch (error) {
    running.program.killGroup();
    throw running.program.failure(`scenario ${scenario.name} failed`, error);
  }
}
