// How many sessions there are, over all shards together: one more is admitted, to the process or to a node, or not; one that ended
// makes room. It owns this shard's cells of the shared counts and knows nothing of slots or sockets.
//
// Each shard raises its own cell first and then reads all: of two that meet at the limit both back out, and it is never exceeded.

import type { NodePlan } from './plan.ts';
import { LIVE_STRIDE, type Shard } from './shard.ts';
import { get } from './table.ts';

/** Counts one more live session if the limit of all shards together allows it. */
export function reserve(shard: Shard): boolean {
  const { live } = shard;
  Atomics.add(live, shard.index * LIVE_STRIDE, 1);
  let sum = 0;
  for (let i = 0; i < shard.shards; i++) sum += Atomics.load(live, i * LIVE_STRIDE);
  if (sum <= shard.settings.connectionsMax) return true;
  release(shard);
  return false;
}

export function release(shard: Shard): void {
  Atomics.sub(shard.live, shard.index * LIVE_STRIDE, 1);
}

/** Counts one more session at a node if its limit allows it. */
export function reserveNode(shard: Shard, { maxConnections, row }: NodePlan): boolean {
  const { nodesActive } = shard.counters;
  if (maxConnections === 0) {
    nodesActive[row] = get(nodesActive, row) + 1;
    return true;
  }
  Atomics.add(nodesActive, row, 1);
  let sum = 0;
  for (const counters of shard.allCounters) sum += Atomics.load(counters.nodesActive, row);
  if (sum <= maxConnections) return true;
  releaseNode(shard, row);
  return false;
}

export function releaseNode(shard: Shard, row: number): void {
  Atomics.sub(shard.counters.nodesActive, row, 1);
}

/** A node's sessions on all shards, as far as this one can see now. */
export function activeOn(shard: Shard, row: number): number {
  let sum = 0;
  for (const { nodesActive } of shard.allCounters) sum += get(nodesActive, row);
  return sum;
}
