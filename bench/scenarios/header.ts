// Scenario `header`: what the PROXY header costs: the same new connections without one, with v1, with v2, and with v2 and a checksum
// TLV, each in a fresh process, one after the other within the round.

import type { HeaderKind } from '../contender.ts';
import type { Metric } from '../metric.ts';
import type { Scenario } from '../scenario.ts';
import { loadWithSmallRequests } from './http.ts';

const KINDS: readonly { kind: HeaderKind; id: string; title: string }[] = [
  { kind: 'none', id: 'none', title: 'no header' },
  { kind: 'v1', id: 'v1', title: 'v1' },
  { kind: 'v2', id: 'v2', title: 'v2' },
  { kind: 'v2+crc32c', id: 'v2crc32c', title: 'v2 with CRC32C' },
];

export const header: Scenario = {
  name: 'header',
  describe: ({ newConnectionsAtOnce }) =>
    `new connections, ${newConnectionsAtOnce} at a time, by the header in front of each; own CPU`,
  metrics: () => [
    ...KINDS.map(({ id, title }): Metric => ({ id, label: `${title}, per connection`, unit: 'us', better: 'lower' })),
    ...KINDS.slice(1).map(
      ({ id, title }): Metric => ({ id: `${id}Cost`, label: `${title}, difference`, unit: 'us', better: 'none' }),
    ),
  ],
  leavesOut: ({ headers }) => (headers.includes('none') ? undefined : 'it cannot leave the header out'),
  async measure(stage) {
    const figures: Record<string, number> = {};
    const shape = { connections: stage.scale.newConnectionsAtOnce, newConnections: true };
    for (const { kind, id } of KINDS) {
      if (!stage.contender.headers.includes(kind)) continue;
      const running = await stage.start({ header: kind });
      const { ownUs, load } = await loadWithSmallRequests(stage, running, shape);
      await running.stop();
      figures[id] = ownUs / load.requests;
      if (figures.none !== undefined && id !== 'none') figures[`${id}Cost`] = figures[id] - figures.none;
    }
    return { figures };
  },
};
