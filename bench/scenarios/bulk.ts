// Scenarios `bulk` and `untuned`: big streams towards the client, towards the node, and both ways at once, few and several of them.
// Costs are per GB (10^9 bytes) that went through, and both ends must have counted the same bytes. Where streams are few, each is
// done several times in a row: the machine's clock ticks every 10 ms, and one stream takes a handful of them.

import { eventually } from '../../testing/process.ts';
import type { RunningContender } from '../contender.ts';
import { startBulk } from '../load/bulk.ts';
import { measureCpu } from '../meters.ts';
import type { Metric } from '../metric.ts';
import type { Scale } from '../options.ts';
import type { Sample, Scenario, Stage } from '../scenario.ts';

const GB = 1e9;
/** As many in each direction at least, at once or in a row. */
const STREAMS_MIN = 4;

const DIRECTIONS = [
  { id: 'down', title: 'to the client', down: true, up: false },
  { id: 'up', title: 'to the node', down: false, up: true },
  { id: 'both', title: 'both ways', down: true, up: true },
] as const;

type Direction = (typeof DIRECTIONS)[number];

const WARM_UP: Direction = DIRECTIONS[2];

/** Big streams, and how peers are set for them. */
interface BigStreams {
  name: string;
  /** Whether peers are set as their operators can set them when they know what comes. */
  bigStreams: boolean;
  /** In words. */
  peers: string;
  streamsOf: (scale: Scale) => readonly number[];
}

export const bulk = scenarioOf({
  name: 'bulk',
  bigStreams: true,
  peers: 'peers set for them',
  streamsOf: ({ bulkStreams }) => bulkStreams,
});

/** Reported, no goal: what is gained over a peer that nobody has set for big streams. */
export const untuned = scenarioOf({
  name: 'untuned',
  bigStreams: false,
  peers: 'peers as they come: HAProxy with option splice-auto, nginx with its default buffers',
  streamsOf: ({ bulkStreams }) => [Math.max(...bulkStreams)],
});

function scenarioOf({ name, bigStreams, peers, streamsOf }: BigStreams): Scenario {
  return {
    name,
    describe: (scale) =>
      `${streamsOf(scale).join(' or ')} streams of ${scale.bulkBytesPerStream / 1024 / 1024} MiB at once in each direction, at least ${STREAMS_MIN} in all; ${peers}`,
    metrics: (scale) => streamsOf(scale).flatMap((streams) => DIRECTIONS.flatMap((it) => metricsOf(it, streams))),
    async measure(stage) {
      const contender = await stage.start({ logsSessions: true, bigStreams });
      const sample: Sample = { figures: {} };
      await warmUp(stage, contender);
      for (const streams of streamsOf(stage.scale)) {
        for (const direction of DIRECTIONS) {
          Object.assign(sample.figures, await transfer(stage, contender, direction, streams));
        }
      }
      return sample;
    },
  };
}

/**
 * A transfer takes half a second, and after one of them the compiler's threads still took a sixth of our CPU time: they see to the
 * part that copies first, with which each new stream begins.
 */
async function warmUp(stage: Stage, contender: RunningContender): Promise<void> {
  const { bulkStreams, warmUpSeconds } = stage.scale;
  const end = performance.now() + warmUpSeconds * 1000;
  while (performance.now() < end) await transfer(stage, contender, WARM_UP, Math.max(...bulkStreams));
}

function metricsOf({ id, title }: Direction, streams: number): Metric[] {
  const what = `${title}, ${streams} ${streams === 1 ? 'stream' : 'streams'}`;
  return [
    { id: `${id}${streams}Own`, label: `own CPU, ${what}`, unit: 's/GB', better: 'lower' },
    { id: `${id}${streams}Box`, label: `whole box, ${what}`, unit: 's/GB', better: 'lower' },
    { id: `${id}${streams}Rate`, label: `throughput, ${what}`, unit: 'GB/s', better: 'higher' },
    { id: `${id}${streams}Spliced`, label: `share spliced, ${what}`, unit: '', better: 'none' },
  ];
}

async function transfer(
  { scale }: Stage,
  contender: RunningContender,
  { id, down, up }: Direction,
  streams: number,
): Promise<Record<string, number>> {
  const { bulkBytesPerStream: bytesPerStream } = scale;
  const { httpPort, sinkPort } = contender;
  const sessionsBefore = contender.endedSessions().length;
  const times = Math.ceil(STREAMS_MIN / streams);
  const load = await startBulk({
    httpPort,
    sinkPort,
    downStreams: down ? streams : 0,
    upStreams: up ? streams : 0,
    bytesPerStream,
    times,
  });
  const { ownUs, boxUs, result } = await measureCpu(contender.pid, () => {
    load.go();
    return load.moved();
  });
  await load.finished();
  const moved = [...result.down, ...result.up];
  const wanted = (down ? streams : 0) + (up ? streams : 0);
  const bytesEach = times * bytesPerStream;
  if (moved.length !== wanted || moved.some((bytes) => bytes !== bytesEach)) {
    throw new Error(`incomplete: streams of ${moved.join(', ')} bytes, expected ${wanted} of ${bytesEach}`);
  }
  const gigabytes = (wanted * bytesEach) / GB;
  return {
    [`${id}${streams}Own`]: ownUs / 1e6 / gigabytes,
    [`${id}${streams}Box`]: boxUs / 1e6 / gigabytes,
    [`${id}${streams}Rate`]: gigabytes / (result.microseconds / 1e6),
    ...(await splicedShare(contender, sessionsBefore, wanted * times, `${id}${streams}Spliced`)),
  };
}

/** From the contender's own lines about these sessions, where it writes any. */
async function splicedShare(
  contender: RunningContender,
  sessionsBefore: number,
  sessions: number,
  metric: string,
): Promise<Record<string, number>> {
  if (!contender.logsSessions) return {};
  const lines = () => contender.endedSessions().slice(sessionsBefore);
  await eventually('the lines of all sessions', () => lines().length >= sessions);
  const sum = (field: string) => lines().reduce((total, line) => total + Number(line[field]), 0);
  return { [metric]: sum('bytes_spliced') / (sum('bytes_to_client') + sum('bytes_to_node')) };
}
