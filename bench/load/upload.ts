// What a client sends to the sink: a PROXY header of either version or none at all, an 8-byte length, so many bytes. Reads it as it
// comes in, in pieces of any size. Values in, a state out; no I/O.

/**
 * The first byte tells which header it is: 0x0d v2, `P` v1, and a length, which no upload makes that large, starts with 0.
 *
 *     start -> v2 -> skip -> length -> body -> whole
 *       |-> v1 -----------------^                           any of them -> bad
 *       `-----------------------'
 */
export type UploadState = 'start' | 'v1' | 'v2' | 'skip' | 'length' | 'body' | 'whole' | 'bad';

export const LENGTH_BYTES = 8;
const V1_BYTES_MAX = 107;
const V2_FIXED_BYTES = 16;
const V2_LENGTH_AT = 14;
const V2_SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const LETTER_P = 0x50;
const LF = 0x0a;

export class Upload {
  state: UploadState = 'start';
  /** Bytes of the body so far. */
  got = 0;
  /** Known from `body` on. */
  wanted = 0;
  readonly #held = new DataView(new ArrayBuffer(V2_FIXED_BYTES));
  #heldBytes = 0;
  #skip = 0;

  reset(): void {
    this.state = 'start';
    this.got = 0;
    this.wanted = 0;
    this.#heldBytes = 0;
    this.#skip = 0;
  }

  /** Takes `bytes[at..end)`. */
  feed(bytes: Uint8Array, at: number, end: number): UploadState {
    let i = at;
    while (i < end && this.state !== 'body' && this.state !== 'whole') {
      if (this.state === 'bad') return 'bad';
      i = this.#feedHead(bytes, i, end);
    }
    this.got += end - i;
    // More than announced is not held against the client here: it finds out from the count that it gets.
    if (this.state === 'body' && this.got >= this.wanted) this.state = 'whole';
    return this.state;
  }

  /** @returns where the next state's bytes start */
  #feedHead(bytes: Uint8Array, at: number, end: number): number {
    switch (this.state) {
      case 'start':
        this.state = bytes[at] === V2_SIGNATURE[0] ? 'v2' : bytes[at] === LETTER_P ? 'v1' : 'length';
        return at;
      case 'v1':
        return this.#feedV1(bytes, at, end);
      case 'v2':
        return this.#hold(bytes, at, end, V2_FIXED_BYTES, () => this.#endV2());
      case 'length':
        return this.#hold(bytes, at, end, LENGTH_BYTES, () => this.#endLength());
      default:
        return this.#feedSkip(at, end);
    }
  }

  #feedV1(bytes: Uint8Array, at: number, end: number): number {
    let i = at;
    while (i < end && this.state === 'v1') {
      if (bytes[i++] === LF) this.state = 'length';
      else if (++this.#skip >= V1_BYTES_MAX) this.state = 'bad';
    }
    return i;
  }

  /** Collects so many bytes before they are looked at. */
  #hold(bytes: Uint8Array, at: number, end: number, count: number, then: () => void): number {
    let i = at;
    while (i < end && this.#heldBytes < count) this.#held.setUint8(this.#heldBytes++, bytes[i++] ?? 0);
    if (this.#heldBytes === count) {
      this.#heldBytes = 0;
      then();
    }
    return i;
  }

  #endV2(): void {
    const isSignature = V2_SIGNATURE.every((byte, i) => byte === this.#held.getUint8(i));
    this.#skip = this.#held.getUint16(V2_LENGTH_AT);
    this.state = !isSignature ? 'bad' : this.#skip === 0 ? 'length' : 'skip';
  }

  #feedSkip(at: number, end: number): number {
    const count = Math.min(end - at, this.#skip);
    this.#skip -= count;
    if (this.#skip === 0) this.state = 'length';
    return at + count;
  }

  #endLength(): void {
    this.wanted = Number(this.#held.getBigUint64(0));
    this.state = 'body';
  }
}
