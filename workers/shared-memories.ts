// The shared memory of the shards that any thread may read: what is posted to another thread, and the views that it makes of it there.
// Reading takes no lock and disturbs nobody.

import { createNodeStates, type NodeStates } from '../core/health/node-states.ts';
import { type Counters, createCounters } from '../core/metrics/counters.ts';
import { createHistogram, type Histogram } from '../core/metrics/histogram.ts';
import { FRONTENDS_MAX, NODES_MAX } from '../core/session/limits.ts';
import type { ShardMemory } from '../core/session/shard.ts';
import { createSessionTable, type SessionTable } from '../core/session/table.ts';
import { type Control, createControl } from './channel.ts';

export interface SharedMemories {
  /** by index of the shard */
  readonly shards: readonly Pick<ShardMemory, 'counters' | 'table' | 'connectTimes' | 'firstByteTimes' | 'durations'>[];
  readonly nodeStates: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  /** slots of each table */
  readonly capacity: number;
}

/** One of each per shard, but for what all share. */
export interface MemoryViews {
  readonly counters: readonly Counters[];
  readonly tables: readonly SessionTable[];
  readonly states: NodeStates;
  readonly control: Control;
  readonly connectTimes: readonly Histogram[];
  readonly firstByteTimes: readonly Histogram[];
  /** in milliseconds, see core/session/shard.ts */
  readonly durations: readonly Histogram[];
}

export function viewMemories({ shards, nodeStates, control, capacity }: SharedMemories): MemoryViews {
  return {
    counters: shards.map(({ counters }) => createCounters(counters, FRONTENDS_MAX, NODES_MAX)),
    tables: shards.map(({ table }) => createSessionTable(table, capacity)),
    states: createNodeStates(nodeStates, NODES_MAX),
    control: createControl(control),
    connectTimes: shards.map(({ connectTimes }) => createHistogram(connectTimes, 0)),
    firstByteTimes: shards.map(({ firstByteTimes }) => createHistogram(firstByteTimes, 0)),
    durations: shards.map(({ durations }) => createHistogram(durations, 0)),
  };
}
