// Scenario `pool`: what a node pool that is looked after costs: the same new connections with nothing but a policy, and with health
// checks, stickiness and the throttle on, each in a fresh process, one after the other within the round. Clients have thousands of
// addresses: one alone would be throttled, and would find its own entry of the tables always in the cache.

import { runRequestLoad } from '../load/requests.ts';
import { measureCpu } from '../meters.ts';
import type { Scenario } from '../scenario.ts';

/** At the throttle's 20 per second each, they may open far more than any contender can take. */
const CLIENT_ADDRESSES = 4096;

const WAYS = [
  { id: 'bare', poolFeatures: false },
  { id: 'pool', poolFeatures: true },
] as const;

export const pool: Scenario = {
  name: 'pool',
  describe: ({ newConnectionsAtOnce }) =>
    `new connections of ${CLIENT_ADDRESSES} clients, ${newConnectionsAtOnce} at a time, without and with checks, stickiness and throttle; own CPU`,
  metrics: () => [
    { id: 'bare', label: 'policy alone, per connection', unit: 'us', better: 'lower' },
    { id: 'pool', label: 'checks, stickiness and throttle on, per connection', unit: 'us', better: 'lower' },
    { id: 'poolRatio', label: 'with them, against without', unit: '', better: 'none' },
  ],
  leavesOut: ({ hasPoolFeatures }) =>
    hasPoolFeatures === true ? undefined : 'its checks, stickiness and throttle are not set up here',
  async measure({ scale, start }) {
    const figures: Record<string, number> = {};
    for (const { id, poolFeatures } of WAYS) {
      const running = await start({ poolFeatures });
      const load = {
        port: running.httpPort,
        connections: scale.newConnectionsAtOnce,
        newConnections: true,
        clientAddresses: CLIENT_ADDRESSES,
      };
      if (scale.warmUpSeconds > 0) await runRequestLoad({ ...load, seconds: scale.warmUpSeconds });
      const { result, ownUs } = await measureCpu(running.pid, () =>
        runRequestLoad({ ...load, seconds: scale.httpSeconds }),
      );
      await running.stop();
      if (result.errors > 0) throw new Error(`${result.errors} connections failed: ${result.firstError}`);
      figures[id] = ownUs / result.requests;
    }
    figures.poolRatio = (figures.pool ?? 0) / (figures.bare ?? 1);
    return { figures };
  },
};
