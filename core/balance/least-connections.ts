// Weighted least connections: the node whose sessions, with the new one, are fewest for its weight. Sessions are counted over
// all shards, read from shared counters that other shards are writing: a choice may be based on a load a moment old, which
// costs a slightly uneven pick and nothing else. Moves only where this shard starts to look, which is kept in turns.ts.

import { assert } from '../base/assert.ts';
import type { Policy } from './policy.ts';
import { beginCircle, cursorOf, isUntaken, ownSeats } from './turns.ts';

export class LeastConnections implements Policy {
  private readonly fullWeights: Float64Array;
  private readonly weights: Float64Array;
  private readonly load: (index: number) => number;
  /** Behind the last pick: equal nodes take turns. Shards start apart, or all would send their first session to one node. */
  private from: number;
  /** One cell: the same, for whoever goes on from here. */
  private readonly cursor: Float64Array;

  /**
   * @param load the node's active sessions now, over all shards
   * @param seats hold nothing yet, or credits: then the list is in their order, and its first node is the next to be looked at
   */
  constructor(
    weights: readonly number[],
    shard: number,
    shards: number,
    load: (index: number) => number,
    seats = ownSeats(weights.length),
  ) {
    assert(shard >= 0 && shard < shards, 'a shard is one of the shards');
    this.fullWeights = Float64Array.from(weights);
    this.weights = Float64Array.from(weights);
    this.load = load;
    this.from = isUntaken(seats) ? Math.floor((weights.length * shard) / shards) : 0;
    this.cursor = cursorOf(seats);
    beginCircle(seats, this.from);
  }

  /**
   * Compares (load + 1) / weight as products, which are exact. The + 1 counts the session to come: without it all idle nodes
   * are equal and a weight would mean nothing until sessions overlap. So while none do, the heaviest nodes take them all.
   */
  choose(eligible: Uint8Array): number {
    const { from, weights } = this;
    const count = weights.length;
    let best = -1;
    // More than anybody's.
    let bestLoad = Number.POSITIVE_INFINITY;
    let bestWeight = 1;
    for (let step = 0; step < count; step++) {
      const i = from + step < count ? from + step : from + step - count;
      if (eligible[i] === 0) continue;
      const weight = weights[i] ?? 0;
      // Counters summed while others write them can be one short, never meaningfully negative.
      const load = Math.max(this.load(i), 0) + 1;
      if (load * bestWeight >= bestLoad * weight) continue;
      best = i;
      bestLoad = load;
      bestWeight = weight;
    }
    if (best === -1) return -1;
    const next = best + 1 < count ? best + 1 : 0;
    this.from = next;
    this.cursor[0] = next;
    return best;
  }

  rescale(index: number, share: number): void {
    this.weights[index] = (this.fullWeights[index] ?? 0) * share;
  }
}
