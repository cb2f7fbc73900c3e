// MurmurHash3, x86, 32 bits (Austin Appleby, public domain): the one hash of this folder. It decides which node a client reaches,
// so its values are fixed for ever: shards, processes and versions must agree; the tests hold the published vectors.
// It has no secret, for the same reason: do not use it where an adversary gains by collisions in our memory.

/** @returns a signed 32-bit integer: half of the unsigned ones would be allocated on the heap, as they do not fit a small integer */
export function murmur3(bytes: Uint8Array, at: number, length: number, seed: number): number {
  let hash = seed | 0;
  const tailAt = at + (length & ~3);
  for (let i = at; i < tailAt; i += 4) {
    hash ^= scramble(wordAt(bytes, i));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  if ((length & 3) !== 0) hash ^= scramble(tailWord(bytes, tailAt, length & 3));
  return finish(hash ^ length);
}

function scramble(word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}

/** Every bit of the input reaches every bit of the output. */
function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

function tailWord(bytes: Uint8Array, at: number, length: number): number {
  let word = 0;
  for (let i = 0; i < length; i++) word |= (bytes[at + i] ?? 0) << (8 * i);
  return word;
}
