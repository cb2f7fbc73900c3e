// The spill slab of one shard: blocks of shared memory for bytes that were read but that the other side did not take, where no
// pipe could hold them. Bounded; without a block or a pipe nothing is read that is not passed on at once. It knows no sessions.

import { assert } from '../base/assert.ts';

export interface SpillSlab {
  readonly blocks: number;
  readonly blockBytes: number;
  /** offset of block 0 in the arena */
  readonly at: number;
  /** blocks ever used: the rest of the memory was never touched */
  used: number;
  readonly free: Int32Array;
  freeCount: number;
}

export function createSpillSlab(at: number, blocks: number, blockBytes: number): SpillSlab {
  return { blocks, blockBytes, at, used: 0, free: new Int32Array(blocks), freeCount: 0 };
}

/** Blocks that can be taken. */
export function spillRoom(slab: SpillSlab): number {
  return slab.freeCount + slab.blocks - slab.used;
}

export function hasSpillRoom(slab: SpillSlab): boolean {
  return spillRoom(slab) > 0;
}

/** @returns a block; the caller has asked for room before */
export function takeSpillBlock(slab: SpillSlab): number {
  if (slab.freeCount > 0) return slab.free[--slab.freeCount] as number;
  assert(slab.used < slab.blocks, 'no spill block left');
  return slab.used++;
}

export function giveSpillBlock(slab: SpillSlab, block: number): void {
  assert(slab.freeCount < slab.blocks, 'more spill blocks returned than taken');
  slab.free[slab.freeCount++] = block;
}

/** Offset of a block's first byte in the arena. */
export function spillBlockAt(slab: SpillSlab, block: number): number {
  return slab.at + block * slab.blockBytes;
}

/** After a predecessor's death: what no session holds is free. */
export function adoptSpill(slab: SpillSlab, held: ReadonlySet<number>): void {
  slab.used = held.size === 0 ? 0 : Math.max(...held) + 1;
  slab.freeCount = 0;
  for (let block = 0; block < slab.used; block++) if (!held.has(block)) slab.free[slab.freeCount++] = block;
}
