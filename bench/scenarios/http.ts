// Scenarios `new` and `keepalive`: small requests, one per connection or many over the same connections. What wrk counted
// is compared with what one answer weighs and with what the node says that it served.

import { Peer } from '../../tests/support/peer.ts';
import { LOOPBACK_IPV4 } from '../../tests/support/ports.ts';
import { type HttpResult, runHttpLoad } from '../load/http.ts';
import { cpuBetween, readCpu } from '../meters.ts';
import type { NodeCounts } from '../node.ts';
import type { Scale } from '../options.ts';
import type { Sample, Scenario, Stage } from '../scenario.ts';

/** wrk connects once to see whether the address works, and closes without a request. */
const TRIAL_CONNECTIONS = 1;

interface Shape {
  name: string;
  newConnections: boolean;
  per: 'connection' | 'request';
  connections(scale: Scale): number;
  title: string;
}

function httpScenario(shape: Shape): Scenario {
  const { name, per, newConnections } = shape;
  return {
    name,
    describe: (scale) => `${shape.title}, ${shape.connections(scale)} at a time, ${scale.httpSeconds} s per round`,
    metrics: () => [
      { id: 'ownUs', label: `own CPU per ${per}`, unit: 'us', better: 'lower' },
      { id: 'boxUs', label: `whole box per ${per}`, unit: 'us', better: 'lower' },
      { id: 'rate', label: `${per}s per second`, unit: '/s', better: 'higher' },
      { id: 'p50Us', label: 'latency p50', unit: 'us', better: 'lower' },
      { id: 'p99Us', label: 'latency p99', unit: 'us', better: 'lower' },
      { id: 'kernelShare', label: 'kernel’s part of own CPU', unit: '', better: 'none' },
    ],
    async measure(stage: Stage): Promise<Sample> {
      const { scale, contender, node } = stage;
      const url = `http://${LOOPBACK_IPV4}:${stage.httpFrontPort}/small`;
      const connections = shape.connections(scale);
      const answerBytes = await weighAnswer(stage.httpFrontPort, newConnections);
      if (scale.warmUpSeconds > 0) {
        await runHttpLoad({ url, connections, seconds: scale.warmUpSeconds, newConnections });
      }
      const countsBefore = await node.counts();
      const before = readCpu(contender.pid);
      const result = await runHttpLoad({ url, connections, seconds: scale.httpSeconds, newConnections });
      const { ownUs, boxUs, kernelShare } = cpuBetween(before, readCpu(contender.pid));
      check(result, answerBytes, connections, countsBefore, await node.counts(), newConnections);
      return {
        ownUs: ownUs / result.requests,
        boxUs: boxUs / result.requests,
        rate: result.requests / (result.microseconds / 1e6),
        p50Us: result.p50Us,
        p99Us: result.p99Us,
        kernelShare,
      };
    },
  };
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
  result: HttpResult,
  answerBytes: number,
  connections: number,
  before: NodeCounts,
  after: NodeCounts,
  newConnections: boolean,
): void {
  const problems: string[] = [];
  const within = (what: string, value: number, low: number, high: number) => {
    if (!(value >= low && value <= high)) problems.push(`${what}: ${value}, expected ${low}..${high}`);
  };
  const { requests, bytes, errors } = result;
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

export const newConnections = httpScenario({
  name: 'new',
  title: 'new connections, one request each',
  newConnections: true,
  per: 'connection',
  connections: (scale) => scale.newConnectionsAtOnce,
});

export const keepalive = httpScenario({
  name: 'keepalive',
  title: 'requests over kept connections',
  newConnections: false,
  per: 'request',
  connections: (scale) => scale.keepaliveConnections,
});
