// Source: a client's address always leads to the same node, on every shard and in every process with the same nodes. Looks the
// address up in a Maglev table over all nodes of the list, whatever their state. Owns the table and how a client whose node
// is not eligible finds another; must keep no memory of earlier choices, or two shards could disagree.

import { IP_BYTES } from '../base/ip.ts';
import { murmur3 } from './hash.ts';
import { buildMaglev, MAGLEV_SLOTS, nextSlot } from './maglev.ts';
import type { Policy, PolicyNode } from './policy.ts';

const SLOT_SEED = 0x736c6f74;
const STEP_SEED = 0x73746570;

/**
 * When the node of a client's slot is not eligible, the client looks at further slots, at a step of its own, until one
 * belongs to an eligible node. That is drawing again from the same distribution until it fits: the clients of a lost
 * node spread over the others by weight, nobody else moves, and all come back when it does.
 *
 * The paper rebuilds the table for the nodes that are up. Refused: it stalls the shard for milliseconds at each change of health,
 * moves some clients of healthy nodes, and cannot tell a node that is down from one that a single session has tried. Here
 * both take the same way, so a client that was redispatched stays where it is when its node is then marked down.
 *
 * The price is the look-ups: on average the inverse of the eligible nodes' share of all weight: 2 with half of them up, 1,000
 * (some microseconds) when one of 1,000 is left. The step is the client's own because walking on to the neighbouring slot would
 * give each node the gaps before its slots, which are uneven where it has few.
 */
export class Source implements Policy {
  private readonly table: Uint16Array;

  constructor(nodes: readonly PolicyNode[]) {
    this.table = buildMaglev(nodes);
  }

  choose(eligible: Uint8Array, client: Uint8Array, clientAt: number): number {
    const slot = (murmur3(client, clientAt, IP_BYTES, SLOT_SEED) >>> 0) % MAGLEV_SLOTS;
    const node = this.table[slot] ?? -1;
    if ((eligible[node] ?? 0) !== 0) return node;
    if (!anyOf(eligible)) return -1;
    const step = 1 + ((murmur3(client, clientAt, IP_BYTES, STEP_SEED) >>> 0) % (MAGLEV_SLOTS - 1));
    return this.probe(eligible, slot, step);
  }

  /** Without effect: a client that comes to its node now and not later would not stay with any. */
  rescale(): void {}

  /** Ends: every node has a slot, and any step visits all slots of a table of prime size. */
  private probe(eligible: Uint8Array, start: number, step: number): number {
    for (let slot = nextSlot(start, step); slot !== start; slot = nextSlot(slot, step)) {
      const node = this.table[slot] ?? -1;
      if ((eligible[node] ?? 0) !== 0) return node;
    }
    return -1;
  }
}

function anyOf(eligible: Uint8Array): boolean {
  for (let i = 0; i < eligible.length; i++) if (eligible[i] !== 0) return true;
  return false;
}
