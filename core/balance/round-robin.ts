// Smooth weighted round robin, as nginx does it (ngx_http_upstream_round_robin.c): weights 5, 1, 1 give
// a a b a c a a, never a a a a a b c. Moves one shard's place in the cycle, which is kept in turns.ts. Shards do not share it: a
// shared cursor would be a cache line that all of them write for each connection; instead they start at different points of the
// same cycle.

import { assert } from '../base/assert.ts';
import { quantized } from './carry-over.ts';
import type { Policy } from './policy.ts';
import { beginCredits, cursorOf, isUntaken, ownSeats } from './turns.ts';

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
  private readonly rows: Int32Array;
  /** by row */
  private readonly credits: Float64Array;
  /** One cell: what one session costs in the credits' present unit, the eligible weight of the last choice. */
  private readonly sessionCost: Float64Array;

  /**
   * @param shard 0..shards-1: where nobody has begun, it starts that fraction of the way through the cycle
   * @param seats hold credits, or nothing yet
   */
  constructor(weights: readonly number[], shard: number, shards: number, seats = ownSeats(weights.length)) {
    assert(shard >= 0 && shard < shards, 'a shard is one of the shards');
    this.fullWeights = Int32Array.from(weights);
    this.weights = Float64Array.from(weights);
    this.rows = Int32Array.from(seats.rows);
    this.credits = seats.turns.credit;
    this.sessionCost = cursorOf(seats);
    if (!isUntaken(seats)) return;
    beginCredits(
      seats,
      weights.reduce((a, b) => a + b, 0),
    );
    const steps = Math.floor((Math.min(cycleLength(weights), START_STEPS_MAX) * shard) / shards);
    const everyNode = new Uint8Array(weights.length).fill(1);
    for (let i = 0; i < steps; i++) this.choose(everyNode);
  }

  /**
   * Goes over the nodes once. What a session costs is known at the end of that; to add it up before would be a second loop, as long
   * as this one. Where the cost is not the one that credits are counted in, all is taken back, converted and given anew.
   */
  choose(eligible: Uint8Array): number {
    const { credits, rows, weights } = this;
    let eligibleWeight = 0;
    let best = -1;
    let bestCredit = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < rows.length; i++) {
      if (eligible[i] === 0) continue;
      const row = rows[i] ?? 0;
      const weight = weights[i] ?? 0;
      const credit = (credits[row] ?? 0) + weight;
      credits[row] = credit;
      eligibleWeight += weight;
      if (credit <= bestCredit) continue;
      best = i;
      bestCredit = credit;
    }
    if (best === -1) return -1;
    if (eligibleWeight !== this.sessionCost[0]) return this.chooseAtCost(eligibleWeight, eligible);
    credits[rows[best] ?? 0] = bestCredit - eligibleWeight;
    return best;
  }

  rescale(index: number, share: number): void {
    this.weights[index] = (this.fullWeights[index] ?? 0) * share;
  }

  /** The choice once more, after one that has met another cost. It ends: the same weights, added up in the same order. */
  private chooseAtCost(eligibleWeight: number, eligible: Uint8Array): number {
    const { credits, rows, weights } = this;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? 0;
      if (eligible[i] !== 0) credits[row] = (credits[row] ?? 0) - (weights[i] ?? 0);
    }
    this.convertCredits(eligibleWeight);
    return this.choose(eligible);
  }

  /**
   * While the eligible weight stays, a cycle is exact; converted credits are rounded. The cell holds the larger cost meanwhile: should
   * the thread die, credits that count for too little are forgotten, and none is inflated.
   */
  private convertCredits(eligibleWeight: number): void {
    const { credits, rows, sessionCost } = this;
    const before = sessionCost[0] ?? 1;
    const factor = eligibleWeight / before;
    sessionCost[0] = Math.max(before, eligibleWeight);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? 0;
      credits[row] = quantized((credits[row] ?? 0) * factor);
    }
    sessionCost[0] = eligibleWeight;
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
