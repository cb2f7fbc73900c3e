// What the peers send, and how it is known again: byte `offset` of stream `id` is a function of the two, so a receiver finds
// loss, doubling, reordering and bytes of other sessions at once, and nothing has to be kept. The first four bytes of a stream
// are its id: that is how a receiver without a PROXY header learns who it talks to.

import { Random } from './random.ts';

export const STREAM_ID_BYTES = 4;

/** A prime, so that no buffer size in use leads back to the same place of the table. */
const TABLE_BYTES = 65_521;
const TABLE = makeTable();

function makeTable(): Uint8Array {
  const random = new Random(0x5eed);
  return Uint8Array.from({ length: TABLE_BYTES }, () => random.uint32());
}

/** @returns bytes `offset` to `offset + bytes` of the stream, in memory of their own */
export function streamBytes(id: number, offset: number, bytes: number): Uint8Array {
  const result = new Uint8Array(bytes);
  let filled = 0;
  for (; filled < bytes && offset + filled < STREAM_ID_BYTES; filled++) {
    result[filled] = id >>> (8 * (STREAM_ID_BYTES - 1 - offset - filled));
  }
  while (filled < bytes) {
    const from = (Math.imul(id, 40_503) >>> 0) + offset + filled;
    const piece = TABLE.subarray(from % TABLE_BYTES, (from % TABLE_BYTES) + bytes - filled);
    result.set(piece, filled);
    filled += piece.length;
  }
  return result;
}

/** Compares what arrives with the stream it must be. */
export class StreamCheck {
  /** Set once it is known: by the first four bytes, or before them by whoever knows. */
  id: number | undefined;
  received = 0;
  #head: number[] = [];
  readonly #identified: (id: number) => void;
  readonly #violate: (what: string) => void;
  #wrong = false;

  constructor(identified: (id: number) => void, violate: (what: string) => void) {
    this.#identified = identified;
    this.#violate = violate;
  }

  accept(piece: Uint8Array): void {
    const offset = this.received;
    this.received += piece.length;
    for (let i = 0; this.#head.length < STREAM_ID_BYTES && i < piece.length; i++) this.#head.push(piece[i] ?? 0);
    if (this.#head.length === STREAM_ID_BYTES && offset < STREAM_ID_BYTES) this.#learn();
    if (this.id !== undefined && !this.#wrong) this.#compare(this.id, offset, piece);
  }

  #learn(): void {
    const id = this.#head.reduce((sum, byte) => sum * 256 + byte, 0);
    if (this.id !== undefined && this.id !== id) {
      this.#fail(`expected stream ${this.id}, got ${id}`);
      return;
    }
    this.id = id;
    this.#identified(id);
  }

  #compare(id: number, offset: number, piece: Uint8Array): void {
    const expected = streamBytes(id, offset, piece.length);
    if (Buffer.compare(expected, piece) === 0) return;
    const at = piece.findIndex((byte, i) => byte !== expected[i]);
    this.#fail(`stream ${id} differs at offset ${offset + at} (${piece[at]} instead of ${expected[at]})`);
  }

  /** Once is enough: what follows a wrong byte is wrong too. */
  #fail(what: string): void {
    this.#wrong = true;
    this.#violate(what);
  }
}
