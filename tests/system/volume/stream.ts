// Bytes that both ends can make and check without sharing them: an AES keystream from a seed. Any byte lost, doubled or
// moved changes the digest, which is kept while the bytes pass, so a gigabyte needs no memory.

import type { Buffer } from 'node:buffer';
import { createCipheriv, createHash, type Hash } from 'node:crypto';

const BLOCK_BYTES = 256 * 1024;
const ZEROS = new Uint8Array(BLOCK_BYTES);

export class ByteStream {
  left: number;
  readonly #hash: Hash = createHash('sha256');
  readonly #cipher;

  constructor(seed: string, bytes: number) {
    this.left = bytes;
    const key = createHash('sha256').update(seed).digest();
    this.#cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16, 32));
  }

  /** The next bytes, at most 256 KiB; undefined at the end. */
  next(): Buffer | undefined {
    if (this.left === 0) return undefined;
    const block = this.#cipher.update(ZEROS.subarray(0, Math.min(BLOCK_BYTES, this.left)));
    this.left -= block.length;
    this.#hash.update(block);
    return block;
  }

  /** Of everything given so far. */
  digest(): Buffer {
    return this.#hash.digest();
  }
}
