// The one rule for what a side gets when we close it: a FIN promises that it was everything, so a
// side gets one only where the other side's FIN was passed to it. Every other is reset, whatever
// has ended the session: a timeout, the operator, the drain deadline, a node that went down, a
// mistake of ours, the end of the process.

import type { Kernel } from '../linux/kernel.ts';
import {
  get,
  HIGH_WATER,
  PHASE_FREE,
  PHASE_RESETTING,
  READ_FAILED,
  type SessionTable,
  WRITE_BROKEN,
  WRITE_ENDED,
} from './table.ts';

/** Lets the coming close of a side reset it, unless it has its FIN. */
export function resetIfCut(kernel: Kernel, table: SessionTable, side: number): void {
  const fd = get(table.fd, side) - 1;
  if (fd >= 0 && isCut(table, side)) kernel.resetOnClose(fd);
}

function isCut(table: SessionTable, side: number): boolean {
  // What is there to be reset is reset, FIN or not: its peer shall know that the other side is
  // gone.
  if (get(table.phase, side >> 1) === PHASE_RESETTING) return true;
  // A socket that has failed is closed already, and says nothing more to anybody.
  return (get(table.sideFlags, side) & (WRITE_ENDED | WRITE_BROKEN | READ_FAILED)) === 0;
}

/**
 * The same for every open socket of a table, before a process ends that cannot wait for its shards:
 * the kernel closes them then.
 */
export function resetAllCut(kernel: Kernel, table: SessionTable): void {
  for (let slot = 0; slot < get(table.shared, HIGH_WATER); slot++) {
    if (get(table.phase, slot) === PHASE_FREE) continue;
    resetIfCut(kernel, table, slot * 2);
    resetIfCut(kernel, table, slot * 2 + 1);
  }
}
