// Waking less often for long transfers. Where a shard is faster than a sender it is woken for every few segments, and a good part of what
// the transfer costs is going to sleep and waking up. So once much has been spliced of a direction, the kernel is asked
// to speak up only when much lies there (SO_RCVLOWAT, socket(7)): a full receive window and the end of the stream it reports all the same.
//
// Bytes below the mark must not wait for more that may never come. So every few milliseconds each raised mark is looked at, and
// where nothing was read since the last look it is lowered, and the side is read. To be raised again takes as much again:
// what comes in bursts is delayed by two looks at most, and no more often than so many bytes come.

import { pushSlot, shiftSlot } from '../base/slot-ring.ts';
import { LOW_WATER_LOOK_MS } from './limits.ts';
import { enqueueBulk, type Shard } from './shard.ts';
import { get, HIGH_WATER, LOW_WATER, PHASE_RELAYING, READABLE } from './table.ts';

const NO_MARK = 1;

/** Bytes were spliced from this side: raises its mark when they were many since the mark was last lowered. */
export function considerMark(shard: Shard, side: number): void {
  const { kernel, settings, table } = shard;
  const flags = get(table.sideFlags, side);
  if ((flags & LOW_WATER) !== 0 || settings.lowWaterBytes === 0) return;
  const from = get(table.bytesFrom, side);
  if (from - get(table.pausedAt, side) < settings.lowWaterAfterBytes) return;
  // Before the call: a successor lowers a mark that was not raised, and must know of each that was.
  table.sideFlags[side] = flags | LOW_WATER;
  table.pausedAt[side] = from;
  kernel.setOption(get(table.fd, side) - 1, 'receive-low-water', settings.lowWaterBytes);
  if (shard.marked.count === 0) shard.marksLookedMs = shard.nowMs;
  pushSlot(shard.marked, side);
}

/** When the raised marks are to be looked at, or Infinity. */
export function marksDueMs({ marked, marksLookedMs }: Shard): number {
  return marked.count === 0 ? Number.POSITIVE_INFINITY : marksLookedMs + LOW_WATER_LOOK_MS;
}

/** Lowers the marks of those that have paused. */
export function lookAtMarks(shard: Shard): void {
  const { marked, table } = shard;
  shard.marksLookedMs = shard.nowMs;
  for (let left = marked.count; left > 0; left--) {
    const side = shiftSlot(marked);
    const isMarked = (get(table.sideFlags, side) & LOW_WATER) !== 0;
    // Of a session that has ended meanwhile, or reads to throw away: that waits for an end, which has no mark.
    if (!isMarked || get(table.phase, side >> 1) !== PHASE_RELAYING) continue;
    const from = get(table.bytesFrom, side);
    if (from !== get(table.pausedAt, side)) table.pausedAt[side] = from;
    else if (lowerMark(shard, side)) continue;
    pushSlot(marked, side);
  }
}

/** @returns false where the kernel would not: it is asked again at the next look */
function lowerMark(shard: Shard, side: number): boolean {
  const { kernel, table } = shard;
  const isLowered = kernel.setOption(get(table.fd, side) - 1, 'receive-low-water', NO_MARK) === 0;
  const flags = get(table.sideFlags, side) | READABLE;
  table.sideFlags[side] = isLowered ? flags & ~LOW_WATER : flags;
  enqueueBulk(shard, side >> 1);
  return isLowered;
}

/** The marks of a table that a predecessor left. */
export function rebuildMarks(shard: Shard): void {
  const { marked, table } = shard;
  for (let side = 0; side < get(table.shared, HIGH_WATER) * 2; side++) {
    if ((get(table.sideFlags, side) & LOW_WATER) !== 0) pushSlot(marked, side);
  }
}
