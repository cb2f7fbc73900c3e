// How many sessions there are, over all shards together: one more is admitted, or not; one that ended makes room. It owns this
// shard's cell of the shared count and knows nothing of slots or sockets.

import { LIVE_STRIDE, type Shard } from './shard.ts';

/**
 * Counts one more live session if the limit of all shards together allows it. Each shard raises its own cell first and then
 * reads all: of two that meet at the limit both back out, and it is never exceeded.
 */
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
