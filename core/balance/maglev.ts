// The lookup table of Maglev hashing (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI
// 2016, section 3.4): each node prefers all slots in an order of its own, and nodes take turns to claim their next free
// one. The table depends on the nodes' identities and weights, not on their order in the list, so that shards, processes and
// machines with the same configuration agree; and a changed list moves few slots besides those of the nodes that changed.
// Built once per list, never for a connection (1 to 15 ms); must not know which nodes are eligible.

import { assert } from '../base/assert.ts';
import { murmur3 } from './hash.ts';
import type { PolicyNode } from './policy.ts';

/**
 * Prime, so that any step visits every slot before it comes back: as an order of preference here, as a probe sequence in
 * source.ts. The paper's small size: at 1,000 nodes, our largest pool, a node has 65 slots, and 128 KiB stay in the cache.
 */
export const MAGLEV_SLOTS = 65_537;

const OFFSET_SEED = 0x6f666673;
const SKIP_SEED = 0x736b6970;
const FREE = 0xffff;

/** @returns MAGLEV_SLOTS node indexes, or an empty table for no nodes */
export function buildMaglev(nodes: readonly PolicyNode[]): Uint16Array {
  if (nodes.length === 0) return new Uint16Array(0);
  assert(nodes.length < FREE, 'each node of a table needs a slot');
  const turns = inOrderOfIdentity(nodes);
  const table = new Uint16Array(MAGLEV_SLOTS).fill(FREE);
  for (let free = MAGLEV_SLOTS; free > 0; ) free = claimOnce(turns, table, free);
  return table;
}

/** One node's turn-taking. Weights are credits: a round brings each node `weight * nodes`, and a slot costs the sum of all. */
interface Turn {
  readonly index: number;
  readonly skip: number;
  readonly creditPerRound: number;
  readonly price: number;
  slot: number;
  credit: number;
}

/** Compared by code units: a locale's order would differ between machines. */
function inOrderOfIdentity(nodes: readonly PolicyNode[]): Turn[] {
  const price = nodes.reduce((sum, node) => sum + node.weight, 0);
  const order = nodes.map((node, index) => ({ node, index }));
  order.sort((a, b) => (a.node.identity < b.node.identity ? -1 : a.node.identity > b.node.identity ? 1 : 0));
  return order.map(({ node, index }) => turnOf(node, index, nodes.length, price));
}

function turnOf(node: PolicyNode, index: number, count: number, price: number): Turn {
  const name = new TextEncoder().encode(node.identity);
  const creditPerRound = node.weight * count;
  return {
    index,
    skip: 1 + ((murmur3(name, 0, name.length, SKIP_SEED) >>> 0) % (MAGLEV_SLOTS - 1)),
    creditPerRound,
    price,
    slot: (murmur3(name, 0, name.length, OFFSET_SEED) >>> 0) % MAGLEV_SLOTS,
    // A light node gets its first slot in the first round: one without a slot could never be chosen, not even as the last one up.
    credit: Math.max(price - creditPerRound, 0),
  };
}

/** One round: as many slots as there are nodes, shared by weight. @returns how many are still free */
function claimOnce(turns: readonly Turn[], table: Uint16Array, free: number): number {
  let left = free;
  for (const turn of turns) {
    turn.credit += turn.creditPerRound;
    for (; turn.credit >= turn.price && left > 0; left--) {
      turn.credit -= turn.price;
      while (table[turn.slot] !== FREE) turn.slot = nextSlot(turn.slot, turn.skip);
      table[turn.slot] = turn.index;
    }
  }
  return left;
}

/** @param skip 1..MAGLEV_SLOTS-1 */
export function nextSlot(slot: number, skip: number): number {
  const next = slot + skip;
  return next < MAGLEV_SLOTS ? next : next - MAGLEV_SLOTS;
}
