// Stickiness `table`: a client returns to its node for half an hour from its first connection. What is remembered lies in the table
// of client addresses that all shards share; here is what that means for a connection. A client whose node is gone or may not take
// it any more is pinned anew.

import { ENDPOINTS_BYTES } from '../base/ip.ts';
import { findClient, findOrAddClient, MISS, replaceClient } from './client-table.ts';
import { STICKY_MS } from './limits.ts';
import type { Frontend, Shard } from './shard.ts';
import type { SessionTable } from './table.ts';
import { wasTried } from './tried.ts';

/** @returns the index of the node that the connection's client is pinned to and may have, or -1 */
export function pinnedNode(shard: Shard, frontend: Frontend, slot: number): number {
  const { nowMs, stickyClients, table } = shard;
  const at = slot * ENDPOINTS_BYTES;
  const row = findClient(stickyClients, frontend.plan.row, table.endpoints, at, nowMs - STICKY_MS);
  return row === MISS ? -1 : indexOfOpen(frontend, table, slot, row);
}

/**
 * Pins the connection's client to the node of that index, unless it is pinned already.
 * @returns the index of the node that it is pinned to then. Where the table could not be asked, the one given: it counts as a miss
 */
export function pinClient(shard: Shard, frontend: Frontend, slot: number, index: number): number {
  const { nowMs, stickyClients, table } = shard;
  const at = slot * ENDPOINTS_BYTES;
  const { row: scope } = frontend.plan;
  const row = frontend.nodes[index]?.row ?? MISS;
  let present = findOrAddClient(stickyClients, scope, table.endpoints, at, nowMs - STICKY_MS, row, nowMs);
  // Pinned to a node that it cannot have: to this one from now on, unless another of its connections has just found one.
  if (present !== MISS && indexOfOpen(frontend, table, slot, present) < 0) {
    present = replaceClient(stickyClients, scope, table.endpoints, at, present, row, nowMs);
  }
  const pinned = present === MISS ? -1 : indexOfOpen(frontend, table, slot, present);
  return pinned < 0 ? index : pinned;
}

/** A node that has just failed this connection is not open to it: the client moves on for good, not each time anew. */
function indexOfOpen(frontend: Frontend, table: SessionTable, slot: number, row: number): number {
  const index = frontend.indexOf.get(row) ?? -1;
  return index >= 0 && frontend.pinnable[index] === 1 && !wasTried(table, slot, row) ? index : -1;
}
