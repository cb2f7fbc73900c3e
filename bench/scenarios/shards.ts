// Scenario `shards`: the same new connections with one worker, two, and so on: what a connection costs when the work is shared, and
// how evenly the workers accept. On a small machine the load itself shares the CPUs; read the cost, not the rate.

import { eventually } from '../../testing/process.ts';
import type { RunningContender } from '../contender.ts';
import type { Metric } from '../metric.ts';
import type { Scenario, Stage } from '../scenario.ts';
import { loadWithSmallRequests } from './http.ts';

export const shards: Scenario = {
  name: 'shards',
  describe: ({ shardCounts, newConnectionsAtOnce }) =>
    `new connections, ${newConnectionsAtOnce} at a time, with ${shardCounts.join(' and ')} workers, not bound to CPUs`,
  metrics: ({ shardCounts }) => [
    ...[1, ...shardCounts].map(
      (count): Metric => ({
        id: `own${count}`,
        label: `own CPU per connection, ${workers(count)}`,
        unit: 'us',
        better: 'lower',
      }),
    ),
    ...shardCounts.flatMap((count): Metric[] => [
      { id: `ownRatio${count}`, label: `${workers(count)} against one`, unit: 'x', better: 'lower' },
      {
        id: `evenness${count}`,
        label: `accepted by the least busy of ${count}, of a fair share`,
        unit: '',
        better: 'none',
      },
    ]),
  ],
  leavesOut: ({ workersMax }) => (workersMax < 2 ? 'it has one thread' : undefined),
  async measure(stage) {
    const figures: Record<string, number> = {};
    const own = async (count: number): Promise<number> => {
      const running = await stage.start({ workers: count, isPinned: false });
      const { ownUs, load } = await loadWithSmallRequests(stage, running, shapeOf(stage));
      await running.stop();
      return ownUs / load.requests;
    };
    const one = await own(1);
    figures.own1 = one;
    for (const count of stage.scale.shardCounts) {
      const several = await own(count);
      figures[`own${count}`] = several;
      figures[`ownRatio${count}`] = several / one;
      Object.assign(figures, await evenness(stage, count));
    }
    return { figures };
  },
};

function workers(count: number): string {
  return count === 1 ? '1 worker' : `${count} workers`;
}

function shapeOf({ scale }: Stage) {
  return { connections: scale.newConnectionsAtOnce, newConnections: true };
}

/** In a run of its own, because keeping a line per session costs something. */
async function evenness(stage: Stage, count: number): Promise<Record<string, number>> {
  const running = await stage.start({ workers: count, isPinned: false, logsSessions: true });
  if (!running.logsSessions) return {};
  const { load } = await loadWithSmallRequests(stage, running, shapeOf(stage));
  await eventually('the lines of the sessions', () => running.endedSessions().length >= load.requests);
  return { [`evenness${count}`]: shareOfLeastBusy(running, count) };
}

/** 1 when all accepted the same. */
function shareOfLeastBusy(running: RunningContender, count: number): number {
  const accepted = new Map<unknown, number>();
  const lines = running.endedSessions();
  for (const { shard } of lines) accepted.set(shard, (accepted.get(shard) ?? 0) + 1);
  if (accepted.size < count) return 0;
  return (Math.min(...accepted.values()) * count) / lines.length;
}
