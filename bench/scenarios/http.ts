// Scenarios `new` and `keepalive`: small requests, one per connection or many over the same connections. Cost and rate under as
// much load as the contender takes; what the generator counted is compared with what one answer weighs and with what the node
// says that it served.

import { Peer } from '../../testing/peer.ts';
import { LOOPBACK_IPV4 } from '../../testing/ports.ts';
import type { RunningContender } from '../contender.ts';
import { encodeLatency, percentileFigures, percentileMetrics } from '../latency.ts';
import { type HttpLoad, type HttpResult, runHttpLoad } from '../load/http.ts';
import { runRequestLoad } from '../load/requests.ts';
import { type CpuUse, measureCpu } from '../meters.ts';
import type { Metric } from '../metric.ts';
import type { NodeCounts } from '../node.ts';
import type { Scale } from '../options.ts';
import type { Sample, Scenario, Stage } from '../scenario.ts';

/** wrk connects once to see whether the address works, and closes without a request. */
const TRIAL_CONNECTIONS = 1;

export interface SmallRequests {
  connections: number;
  newConnections: boolean;
}

export interface SmallRequestsResult extends CpuUse {
  load: HttpResult;
  /** own CPU per request of the warm-up; absent without one */
  coldUs: number | undefined;
}

function metricsPer(what: 'connection' | 'request', latency: string, { warmUpSeconds }: Scale): Metric[] {
  return [
    { id: 'ownUs', label: `own CPU per ${what}`, unit: 'us', better: 'lower' },
    { id: 'boxUs', label: `whole box per ${what}`, unit: 'us', better: 'lower' },
    { id: 'rate', label: `${what}s per second`, unit: '/s', better: 'higher' },
    ...percentileMetrics(latency),
    { id: 'kernelShare', label: 'kernel’s part of own CPU', unit: '', better: 'none' },
    ...(warmUpSeconds === 0 ? [] : [coldMetric(what)]),
  ];
}

function coldMetric(what: string): Metric {
  return { id: 'coldUs', label: `own CPU per ${what} in the seconds after the start`, unit: 'us', better: 'none' };
}

export const newConnections: Scenario = {
  name: 'new',
  describe: (scale) => `new connections, one request each, ${scale.newConnectionsAtOnce} at a time`,
  metrics: (scale) => metricsPer('connection', 'connect to first byte', scale),
  distributions: () => [{ id: 'latency', label: 'connect to first byte' }],
  async measure(stage) {
    const shape = { connections: stage.scale.newConnectionsAtOnce, newConnections: true };
    const contender = await stage.start();
    const result = await loadWithSmallRequests(stage, contender, shape);
    // wrk counts from the request on; what a client waits for begins with the connect.
    const { latency, errors } = await runRequestLoad({
      port: contender.httpPort,
      seconds: stage.scale.httpSeconds,
      ...shape,
    });
    if (errors > 0) throw new Error(`${errors} connections failed`);
    return sampleOf(result, latency);
  },
};

export const keepalive: Scenario = {
  name: 'keepalive',
  describe: (scale) => `requests over ${scale.keepaliveConnections} kept connections`,
  metrics: (scale) => metricsPer('request', 'latency', scale),
  distributions: () => [{ id: 'latency', label: 'request to answer' }],
  async measure(stage) {
    const shape = { connections: stage.scale.keepaliveConnections, newConnections: false };
    const result = await loadWithSmallRequests(stage, await stage.start(), shape);
    return sampleOf(result, result.load.latency);
  },
};

function sampleOf(
  { load, ownUs, boxUs, kernelShare, coldUs }: SmallRequestsResult,
  latency: HttpResult['latency'],
): Sample {
  return {
    figures: {
      ownUs: ownUs / load.requests,
      boxUs: boxUs / load.requests,
      rate: load.requests / (load.microseconds / 1e6),
      kernelShare,
      ...(coldUs === undefined ? {} : { coldUs }),
      ...percentileFigures(latency),
    },
    latencies: { latency: encodeLatency(latency) },
  };
}

/** Warms up, loads for `httpSeconds`, and vouches for every answer. */
export async function loadWithSmallRequests(
  { scale, node }: Pick<Stage, 'scale' | 'node'>,
  contender: RunningContender,
  { connections, newConnections }: SmallRequests,
): Promise<SmallRequestsResult> {
  const url = `http://${LOOPBACK_IPV4}:${contender.httpPort}/small`;
  const answerBytes = await weighAnswer(contender.httpPort, newConnections);
  const coldUs = await warmUp(contender, { url, connections, seconds: scale.warmUpSeconds, newConnections });
  const before = await node.counts();
  const { result: load, ...cpu } = await measureCpu(contender.pid, () =>
    runHttpLoad({ url, connections, seconds: scale.httpSeconds, newConnections }),
  );
  check(load, answerBytes, { connections, newConnections }, before, await node.counts());
  return { ...cpu, load, coldUs };
}

/** @returns own CPU per request meanwhile */
async function warmUp({ pid }: RunningContender, load: HttpLoad): Promise<number | undefined> {
  if (load.seconds === 0) return undefined;
  const { result, ownUs } = await measureCpu(pid, () => runHttpLoad(load));
  return ownUs / result.requests;
}

/** The size of one whole answer, through the contender. */
async function weighAnswer(port: number, close: boolean): Promise<number> {
  const peer = await Peer.connect({ host: LOOPBACK_IPV4, port });
  try {
    await peer.send(`GET /small HTTP/1.1\r\nHost: bench\r\n${close ? 'Connection: close\r\n' : ''}\r\n`);
    const head = (await peer.recvUntil('\r\n\r\n')).toString('latin1');
    const length = Number(head.match(/^content-length: (\d+)\r$/im)?.[1]);
    const body = await peer.recv(length);
    if (!head.startsWith('HTTP/1.1 200') || !/^x+$/.test(body.toString('latin1'))) throw new Error(`answer: ${head}`);
    return head.length + length;
  } finally {
    peer.destroy();
  }
}

/**
 * When time is up, each connection may have one request on its way, and the node may see those of the warm-up only now:
 * that much may differ, and nothing else.
 */
function check(
  { requests, bytes, errors }: HttpResult,
  answerBytes: number,
  { connections, newConnections }: SmallRequests,
  before: NodeCounts,
  after: NodeCounts,
): void {
  const problems: string[] = [];
  const within = (what: string, value: number, low: number, high: number) => {
    if (!(value >= low && value <= high)) problems.push(`${what}: ${value}, expected ${low}..${high}`);
  };
  const underWay = 2 * connections;
  within('answers', requests, 1, Number.POSITIVE_INFINITY);
  within('errors', errors, 0, 0);
  within('bytes received', bytes, requests * answerBytes, (requests + connections) * answerBytes);
  within('requests at the node', after.requests - before.requests, requests, requests + underWay);
  const atNode = after.connections - before.connections;
  if (newConnections) within('connections at the node', atNode, requests, requests + underWay + TRIAL_CONNECTIONS);
  else within('connections at the node', atNode, 1, connections + TRIAL_CONNECTIONS);
  if (problems.length > 0) throw new Error(`incomplete: ${problems.join('; ')}`);
}
