// From the name of an algorithm in the configuration to its policy. The only file that knows all implementations.

import { assert, assertNever } from '../base/assert.ts';
import { LeastConnections } from './least-connections.ts';
import type { Policy, PolicyNode } from './policy.ts';
import { RoundRobin } from './round-robin.ts';
import { Source } from './source.ts';

export type Algorithm = 'roundrobin' | 'leastconn' | 'source';

export interface PolicyOptions {
  /** 0..shards-1 */
  readonly shard: number;
  readonly shards: number;
  /** A node's active sessions, summed over all shards. Called per eligible node and choice by leastconn only. */
  readonly load: (index: number) => number;
}

/** Takes 1 to 15 ms for source, by the number of nodes, and far less for the others: once per change of the list, not per session. */
export function createPolicy(algorithm: Algorithm, nodes: readonly PolicyNode[], options: PolicyOptions): Policy {
  for (const { identity, weight } of nodes) {
    assert(Number.isInteger(weight) && weight >= 1, `the weight of ${identity} is an integer of at least 1`);
  }
  const weights = nodes.map((node) => node.weight);
  switch (algorithm) {
    case 'roundrobin':
      return new RoundRobin(weights, options.shard, options.shards);
    case 'leastconn':
      return new LeastConnections(weights, options.shard, options.shards, options.load);
    case 'source':
      return new Source(nodes);
    default:
      return assertNever(algorithm);
  }
}
