// Scenario `open`: a fixed rate below saturation, whatever the contender does meanwhile. Latency counts from the moment at which a
// request was to be sent: a contender that stalls for 50 ms makes all wait that were due in them, not only the one that was
// under way. Closed loops, which stop asking while nothing answers, do not see that.

import { encodeLatency, percentileFigures, percentileMetrics } from '../latency.ts';
import { type RequestLoad, type RequestResult, runRequestLoad } from '../load/requests.ts';
import type { Scale } from '../options.ts';
import type { Scenario } from '../scenario.ts';

export const openLoop: Scenario = {
  name: 'open',
  describe: ({ openRequestsPerSecond, openConnectionsPerSecond, keepaliveConnections }) =>
    `${openRequestsPerSecond} requests/s over ${keepaliveConnections} kept connections, then ${openConnectionsPerSecond} new connections/s; latency from the intended time`,
  metrics: () => [
    ...percentileMetrics('kept connection', 'requests'),
    ...percentileMetrics('new connection', 'connections'),
  ],
  distributions: () => [
    { id: 'requests', label: 'request over a kept connection, from its intended time' },
    { id: 'connections', label: 'new connection to first byte, from its intended time' },
  ],
  async measure({ scale, start }) {
    const { httpPort: port } = await start();
    const kept = { port, connections: scale.keepaliveConnections, newConnections: false };
    const fresh = { port, connections: scale.newConnectionsAtOnce, newConnections: true };
    const requests = await atFixedRate(scale, { ...kept, ratePerSecond: scale.openRequestsPerSecond });
    const connections = await atFixedRate(scale, { ...fresh, ratePerSecond: scale.openConnectionsPerSecond });
    return {
      figures: {
        ...percentileFigures(requests.latency, 'requests'),
        ...percentileFigures(connections.latency, 'connections'),
      },
      latencies: {
        requests: encodeLatency(requests.latency),
        connections: encodeLatency(connections.latency),
      },
    };
  },
};

/**
 * Warms up at the same rate: a saturated contender goes other ways through its code, which is compiled then, and what is measured
 * is not. Every request that was to be sent must have been answered, late or not.
 */
async function atFixedRate(
  { openSeconds, warmUpSeconds }: Scale,
  load: Omit<RequestLoad, 'seconds'> & { ratePerSecond: number },
): Promise<RequestResult> {
  await runRequestLoad({ ...load, seconds: Math.max(warmUpSeconds, 0.2) });
  const result = await runRequestLoad({ ...load, seconds: openSeconds });
  const intended = Math.floor(load.ratePerSecond * openSeconds);
  if (result.errors > 0 || result.requests < intended - 1) {
    throw new Error(`${result.requests} answers and ${result.errors} errors of ${intended} requests`);
  }
  return result;
}
