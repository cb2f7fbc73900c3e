// Bytes that were read from one side and not yet taken by the other: in the direction's pipe first, then in its spill block,
// in this order. A direction is named by the side it reads from (an index of the two-per-slot arrays).

import { assert } from '../base/assert.ts';
import { add, SHARD } from '../metrics/counters.ts';
import type { Shard } from './shard.ts';
import { giveSpillBlock, hasSpillRoom, spillBlockAt, takeSpillBlock } from './spill.ts';
import { get, HOLDS, type SessionTable, SPLICING } from './table.ts';

export function hasPending(table: SessionTable, side: number): boolean {
  return (get(table.sideFlags, side) & HOLDS) !== 0 && (get(table.pipeFill, side) > 0 || get(table.spill, side) !== 0);
}

export function pendingBytes(table: SessionTable, side: number): number {
  return get(table.pipeFill, side) + get(table.spillTo, side) - get(table.spillFrom, side);
}

/** Keeps bytes of the arena that were read and not taken. The caller has made sure that nothing waits and that there is room (`hasRoom`). */
export function hold(shard: Shard, slot: number, side: number, at: number, bytes: number): void {
  assert(!hasPending(shard.table, side), 'bytes that would be held behind others');
  const piped = holdInPipe(shard, side, at, bytes);
  if (piped < bytes) spillOver(shard, side, at + piped, bytes - piped);
  shard.table.activeMs[slot] = shard.nowMs;
}

/** @returns how many bytes a pipe took */
function holdInPipe(shard: Shard, side: number, at: number, bytes: number): number {
  const { kernel, pipes, table } = shard;
  const pipe = takePipe(shard, side);
  if (pipe < 0) return 0;
  const n = Math.max(0, kernel.write(pipes.writeFd(pipe), at, bytes));
  table.pipeFill[side] = n;
  // A direction that stalls is a bulk transfer: it goes on by splice(2).
  if (n > 0) table.sideFlags[side] = get(table.sideFlags, side) | SPLICING;
  else releasePipe(shard, side);
  return n;
}

/** The direction's pipe, a new one if need be. @returns -1 when none can be had */
export function takePipe(shard: Shard, side: number): number {
  const { counters, pipes, table } = shard;
  const held = (get(table.sideFlags, side) & HOLDS) === 0 ? -1 : get(table.pipe, side) - 1;
  if (held >= 0) return held;
  const refusals = pipes.refusals;
  const pipe = pipes.take(shard.nowMs);
  if (pipes.refusals > refusals) add(counters.shard, SHARD.pipeRefusals, 1);
  if (pipe < 0) return pipe;
  table.sideFlags[side] = get(table.sideFlags, side) | HOLDS;
  table.pipe[side] = pipe + 1;
  return pipe;
}

/** Whether a full read would have a place to go if the other side took none of it: a spill block, or an empty pipe. */
export function hasRoom(shard: Shard, side: number): boolean {
  if (hasSpillRoom(shard.spill)) return true;
  const pipe = takePipe(shard, side);
  if (pipe >= 0 && shard.pipes.size(pipe) >= shard.settings.bufferBytes) return true;
  releasePipe(shard, side);
  return false;
}

function spillOver(shard: Shard, side: number, at: number, bytes: number): void {
  const { arena, counters, spill, table } = shard;
  const block = takeSpillBlock(spill);
  table.sideFlags[side] = get(table.sideFlags, side) | HOLDS;
  arena.bytes.copyWithin(spillBlockAt(spill, block), at, at + bytes);
  table.spillFrom[side] = 0;
  table.spillTo[side] = bytes;
  table.spill[side] = block + 1;
  add(counters.shard, SHARD.bytesSpilled, bytes);
}

/** Lets go of a direction's pipe: back to the pool when it is empty, closed when it is not. */
export function releasePipe(shard: Shard, side: number): void {
  const { pipes, table } = shard;
  if ((get(table.sideFlags, side) & HOLDS) === 0) return;
  const pipe = get(table.pipe, side) - 1;
  if (pipe < 0) return noteReleased(table, side);
  const fill = get(table.pipeFill, side);
  table.pipe[side] = 0;
  table.pipeFill[side] = 0;
  noteReleased(table, side);
  if (fill === 0) pipes.give(pipe);
  else pipes.discard(pipe);
}

/** Lets go of a direction's spill block, whatever is in it. */
export function releaseSpill({ spill, table }: Shard, side: number): void {
  const block = get(table.spill, side) - 1;
  if (block < 0) return;
  table.spill[side] = 0;
  table.spillFrom[side] = 0;
  table.spillTo[side] = 0;
  noteReleased(table, side);
  giveSpillBlock(spill, block);
}

function noteReleased(table: SessionTable, side: number): void {
  if (get(table.pipe, side) !== 0 || get(table.spill, side) !== 0) return;
  table.sideFlags[side] = get(table.sideFlags, side) & ~HOLDS;
}

/** Throws away what waits of a direction: nobody will take it. */
export function dropPending(shard: Shard, slot: number, side: number): void {
  const { table } = shard;
  if ((get(table.sideFlags, side) & HOLDS) === 0) return;
  table.bytesLost[slot] = get(table.bytesLost, slot) + pendingBytes(table, side);
  releasePipe(shard, side);
  releaseSpill(shard, side);
}
