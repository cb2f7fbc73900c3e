// From the name of an algorithm in the configuration to its policy. The only file that knows all implementations.

import { assert, assertNever } from '../base/assert.ts';
import type { ListedNode } from './carry-over.ts';
import { LeastConnections } from './least-connections.ts';
import type { Policy, PolicyNode } from './policy.ts';
import { RoundRobin } from './round-robin.ts';
import { Source } from './source.ts';
import { carryTurns, dueFirst, type Seats, type Turns } from './turns.ts';

export type Algorithm = 'roundrobin' | 'leastconn' | 'source';

export interface PolicyOptions {
  /** 0..shards-1 */
  readonly shard: number;
  readonly shards: number;
  /** A node's active sessions, summed over all shards. Called per eligible node and choice by leastconn only. */
  readonly load: (index: number) => number;
  /** where it is kept whose turn it is, and where that may be known already; without: begun anew, and lost with the policy */
  readonly seats?: Seats;
}

/**
 * Carries over whose turn it is from a frontend's list, or from its policy under another algorithm, to that of the policy to come.
 * @returns the nodes in the order in which that policy is to be given them
 */
export function seatNodes<T extends ListedNode>(
  algorithm: Algorithm,
  nodes: readonly T[],
  turns: Turns,
  frontend: number,
): readonly T[] {
  const inPlace = carryTurns(turns, frontend, nodes);
  return algorithm === 'leastconn' ? dueFirst(turns, inPlace) : inPlace;
}

/** Takes 1 to 15 ms for source, by the number of nodes, and far less for the others: once per change of the list, not per session. */
export function createPolicy(algorithm: Algorithm, nodes: readonly PolicyNode[], options: PolicyOptions): Policy {
  for (const { identity, weight } of nodes) {
    assert(Number.isInteger(weight) && weight >= 1, `the weight of ${identity} is an integer of at least 1`);
  }
  const weights = nodes.map((node) => node.weight);
  switch (algorithm) {
    case 'roundrobin':
      return new RoundRobin(weights, options.shard, options.shards, options.seats);
    case 'leastconn':
      return new LeastConnections(weights, options.shard, options.shards, options.load, options.seats);
    case 'source':
      return new Source(nodes);
    default:
      return assertNever(algorithm);
  }
}
