// Scenario `bulk`: several big streams at once, first towards the client, then towards the node. Costs are per GB (10^9
// bytes), and both ends must have counted the same number of bytes.

import { cpuBetween, readCpu } from '../meters.ts';
import { startLoadProgram } from '../node.ts';
import type { Metric, Sample, Scenario, Stage } from '../scenario.ts';

const DEADLINE_MS = 120_000;
const GB = 1e9;

const DIRECTIONS = [
  { direction: 'down', title: 'to the client' },
  { direction: 'up', title: 'to the node' },
] as const;

async function transfer(stage: Stage, direction: 'down' | 'up'): Promise<Sample> {
  const { scale, contender } = stage;
  const port = direction === 'up' ? stage.sinkFrontPort : stage.httpFrontPort;
  const args = [direction, String(port), String(scale.bulkStreams), String(scale.bulkBytesPerStream)];
  const client = await startLoadProgram('bulk client', 'bulk-client.ts', args);
  await client.waitForOutput(/ready/);
  const before = readCpu(contender.pid);
  client.write('go\n');
  const [line] = await client.waitForOutput(/^\{.*\}$/m, DEADLINE_MS);
  const { ownUs, boxUs } = cpuBetween(before, readCpu(contender.pid));
  await client.waitForExit();
  const { moved, microseconds }: { moved: number[]; microseconds: number } = JSON.parse(line);
  const short = moved.filter((bytes) => bytes !== scale.bulkBytesPerStream);
  if (moved.length !== scale.bulkStreams || short.length > 0) {
    throw new Error(`incomplete: streams of ${moved.join(', ')} bytes, expected ${scale.bulkBytesPerStream} each`);
  }
  const gigabytes = (scale.bulkStreams * scale.bulkBytesPerStream) / GB;
  return {
    [`${direction}Own`]: ownUs / 1e6 / gigabytes,
    [`${direction}Box`]: boxUs / 1e6 / gigabytes,
    [`${direction}Rate`]: gigabytes / (microseconds / 1e6),
  };
}

export const bulk: Scenario = {
  name: 'bulk',
  describe: ({ bulkStreams, bulkBytesPerStream }) =>
    `${bulkStreams} streams of ${bulkBytesPerStream / 1024 / 1024} MiB at once, each way`,
  metrics: () =>
    DIRECTIONS.flatMap(({ direction, title }): Metric[] => [
      { id: `${direction}Own`, label: `own CPU, ${title}`, unit: 's/GB', better: 'lower' },
      { id: `${direction}Box`, label: `whole box, ${title}`, unit: 's/GB', better: 'lower' },
      { id: `${direction}Rate`, label: `throughput, ${title}`, unit: 'GB/s', better: 'higher' },
    ]),
  async measure(stage) {
    return { ...(await transfer(stage, 'down')), ...(await transfer(stage, 'up')) };
  },
};
