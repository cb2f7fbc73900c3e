// Which nodes a connection has tried: a short list in its slot. They are passed over until all have been.

import { TRIED_NODES_MAX } from './limits.ts';
import { get, type SessionTable } from './table.ts';

export function wasTried(table: SessionTable, slot: number, row: number): boolean {
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
