// Bytes for streams of any length: each stream goes round and round a pool from a place of its own, so
// that a lost, doubled or moved byte shows, and both ends know every piece without sharing it.

import { Buffer } from 'node:buffer';
import { pattern } from './scene.ts';

export const POOL_BYTES = 1 << 20;
/** as much as `piece` gives at a time, at most */
export const PIECE_BYTES_MAX = 65_536;

/** The end repeats the beginning, so that no piece wraps. */
const POOL = (() => {
  const once = pattern(77, POOL_BYTES);
  return Buffer.concat([once, once.subarray(0, PIECE_BYTES_MAX)]);
})();

/** @param from where the stream begins in the pool @param at offset in the stream */
export function piece(from: number, at: number, bytes: number): Buffer {
  const start = (from + at) % POOL_BYTES;
  return POOL.subarray(start, start + bytes);
}
