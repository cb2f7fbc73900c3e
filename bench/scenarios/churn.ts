// Scenario `churn`: short connections at a fixed rate while big streams flow through the same thread. Who lets a stream move a
// megabyte before looking round makes everybody else wait: the short ones' tail shows it, and the streams' rate shows its price.

import { encodeLatency, percentileFigures, percentileMetrics } from '../latency.ts';
import { startBulk } from '../load/bulk.ts';
import { runRequestLoad } from '../load/requests.ts';
import type { Scenario } from '../scenario.ts';

const STREAMS = 4;
const GB = 1e9;

export const churn: Scenario = {
  name: 'churn',
  describe: ({ churnConnectionsPerSecond }) =>
    `${churnConnectionsPerSecond} new connections/s, one request each, while ${STREAMS} streams flow to clients; latency from the intended time`,
  metrics: () => [
    ...percentileMetrics('short connection'),
    { id: 'bulkRate', label: 'throughput of the streams', unit: 'GB/s', better: 'higher' },
  ],
  distributions: () => [{ id: 'short', label: 'short connection to first byte, while streams flow' }],
  async measure({ scale, start }) {
    const { httpPort, sinkPort } = await start({ bigStreams: true });
    const load = { downStreams: STREAMS, upStreams: 0, bytesPerStream: scale.bulkBytesPerStream, repeat: true };
    const streams = await startBulk({ httpPort, sinkPort, ...load });
    streams.go();
    const short = {
      port: httpPort,
      connections: scale.newConnectionsAtOnce,
      newConnections: true,
      ratePerSecond: scale.churnConnectionsPerSecond,
    };
    if (scale.warmUpSeconds > 0) await runRequestLoad({ ...short, seconds: scale.warmUpSeconds });
    const { latency, errors } = await runRequestLoad({ ...short, seconds: scale.churnSeconds });
    streams.stop();
    const { down, microseconds } = await streams.finished();
    if (errors > 0) throw new Error(`${errors} short connections failed`);
    const bytes = down.reduce((sum, moved) => sum + moved, 0);
    return {
      figures: { ...percentileFigures(latency), bulkRate: bytes / GB / (microseconds / 1e6) },
      latencies: { short: encodeLatency(latency) },
    };
  },
};
