// Smooth weighted round robin, as nginx does it (ngx_http_upstream_round_robin.c): weights 5, 1, 1 give
// a a b a c a a, never a a a a a b c. Owns one shard's place in the cycle. Shards do not share it: a shared cursor would
// be a cache line that all of them write for each connection; instead they start at different points of the same cycle.

import { assert } from '../base/assert.ts';
import type { Policy } from './policy.ts';

/** Where shards start matters within the first few picks of each node only; large pools need not walk a whole cycle. */
const START_STEPS_MAX = 4096;

/**
 * Each choice gives every eligible node its weight as credit and takes the sum of these weights from the richest, which is
 * the node chosen. The credits of all nodes always sum to 0.
 *
 * A node that is not eligible keeps the credit it has: gaining none, it cannot come back with a burst, and as it neither loses
 * any, a flapping node cannot be starved. Resetting all credits when the set changes was refused: with a set that changes
 * at every choice (each retry masks a node) it would give every session to the first node.
 *
 * A session costs the weight of all eligible nodes, so credit is worth more sessions when few are eligible. nginx leaves it at
 * that; then nodes that are picked from the full set pay more for a session than those picked from the rest, by a quarter
 * where every first try of three fails. So here credit is converted when that weight changes.
 */
export class RoundRobin implements Policy {
  private readonly fullWeights: Int32Array;
  private readonly weights: Float64Array;
  private readonly credits: Float64Array;
  /** What one session costs in the credits' present unit: the eligible weight of the last choice. */
  private sessionCost = 1;

  /** @param shard 0..shards-1: starts that fraction of the way through the cycle */
  constructor(weights: readonly number[], shard: number, shards: number) {
    assert(shard >= 0 && shard < shards, 'a shard is one of the shards');
    this.fullWeights = Int32Array.from(weights);
    this.weights = Float64Array.from(weights);
    this.credits = new Float64Array(weights.length);
    const steps = Math.floor((Math.min(cycleLength(weights), START_STEPS_MAX) * shard) / shards);
    const everyNode = new Uint8Array(weights.length).fill(1);
    for (let i = 0; i < steps; i++) this.choose(everyNode);
  }

  choose(eligible: Uint8Array): number {
    const { weights, credits } = this;
    const eligibleWeight = this.weightOf(eligible);
    if (eligibleWeight === 0) return -1;
    if (eligibleWeight !== this.sessionCost) this.convertCredits(eligibleWeight);
    let best = -1;
    let bestCredit = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < weights.length; i++) {
      if (eligible[i] === 0) continue;
      const credit = (credits[i] ?? 0) + (weights[i] ?? 0);
      credits[i] = credit;
      if (credit <= bestCredit) continue;
      best = i;
      bestCredit = credit;
    }
    credits[best] = bestCredit - eligibleWeight;
    return best;
  }

  rescale(index: number, share: number): void {
    this.weights[index] = (this.fullWeights[index] ?? 0) * share;
  }

  private weightOf(eligible: Uint8Array): number {
    const { weights } = this;
    let total = 0;
    for (let i = 0; i < weights.length; i++) if (eligible[i] !== 0) total += weights[i] ?? 0;
    return total;
  }

  /** While the eligible weight stays, credits are integers and a cycle is exact; converted ones are off by a rounding error. */
  private convertCredits(sessionCost: number): void {
    const { credits } = this;
    const factor = sessionCost / this.sessionCost;
    for (let i = 0; i < credits.length; i++) credits[i] = (credits[i] ?? 0) * factor;
    this.sessionCost = sessionCost;
  }
}

/** After so many choices, with all nodes eligible, everything repeats: the sum of the weights in lowest terms. */
export function cycleLength(weights: readonly number[]): number {
  if (weights.length === 0) return 0;
  const sum = weights.reduce((a, b) => a + b, 0);
  return sum / weights.reduce(greatestCommonDivisor);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
