// Stage 2, choose: which node takes this connection. It asks the frontend's policy; nodes that this connection has already
// tried are left out.

import { ENDPOINTS_BYTES } from '../base/ip.ts';
import { TRIED_NODES_MAX } from './limits.ts';
import type { Frontend } from './shard.ts';
import { get, type SessionTable } from './table.ts';

export const NO_NODE = -1;
/** every eligible node was tried by this connection */
export const ALL_TRIED = -2;

/** @returns an index into the frontend's nodes, NO_NODE or ALL_TRIED */
export function chooseNode(frontend: Frontend, table: SessionTable, slot: number): number {
  const { policy, eligible, untried } = frontend;
  const clientAt = slot * ENDPOINTS_BYTES;
  if (get(table.triedCount, slot) === 0) return policy.choose(eligible, table.endpoints, clientAt);
  untried.set(eligible);
  let left = 0;
  for (let i = 0; i < frontend.nodes.length; i++) {
    if (wasTried(table, slot, frontend.nodes[i]?.row ?? -1)) untried[i] = 0;
    left += get(untried, i);
  }
  if (left > 0) return policy.choose(untried, table.endpoints, clientAt);
  return eligible.includes(1) ? ALL_TRIED : NO_NODE;
}

function wasTried(table: SessionTable, slot: number, row: number): boolean {
  const from = slot * TRIED_NODES_MAX;
  for (let i = from; i < from + get(table.triedCount, slot); i++) if (table.tried[i] === row) return true;
  return false;
}

export function noteTried(table: SessionTable, slot: number, row: number): void {
  const count = get(table.triedCount, slot);
  if (count >= TRIED_NODES_MAX) return;
  table.tried[slot * TRIED_NODES_MAX + count] = row;
  table.triedCount[slot] = count + 1;
}

/** All nodes are open to this connection again. */
export function forgetTried(table: SessionTable, slot: number): void {
  table.triedCount[slot] = 0;
}
