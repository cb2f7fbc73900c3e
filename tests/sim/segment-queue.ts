// A queue of bytes that remembers how they arrived: segment by segment. Copying ignores the borders; splicing does not, since
// every piece of a segment takes a slot of the pipe. The segments are never copied again nor changed once they are in here.

export class SegmentQueue {
  readonly #segments: Uint8Array[] = [];
  #first = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(segment: Uint8Array): void {
    if (segment.length === 0) return;
    this.#segments.push(segment);
    this.#bytes += segment.length;
  }

  /** Takes at most `bytes` from the first segment; empty when there is nothing. */
  takePiece(bytes: number): Uint8Array {
    const segment = this.#segments[this.#first];
    if (segment === undefined) return new Uint8Array(0);
    const piece = segment.subarray(0, bytes);
    if (piece.length < segment.length) {
      this.#segments[this.#first] = segment.subarray(piece.length);
    } else {
      this.#first++;
    }
    this.#bytes -= piece.length;
    this.#forgetTaken();
    return piece;
  }

  /** Takes exactly `bytes`, which must be there, and shows them piece by piece. */
  take(bytes: number, show: (piece: Uint8Array) => void): void {
    for (let left = bytes; left > 0; ) {
      const piece = this.takePiece(left);
      if (piece.length === 0) return;
      left -= piece.length;
      show(piece);
    }
  }

  /** Shows the first `bytes`, which must be there, and leaves them. */
  peek(bytes: number, show: (piece: Uint8Array) => void): void {
    let left = bytes;
    for (let i = this.#first; left > 0; i++) {
      const piece = this.#segments[i]?.subarray(0, left);
      if (piece === undefined) return;
      left -= piece.length;
      show(piece);
    }
  }

  clear(): void {
    this.#segments.length = 0;
    this.#first = 0;
    this.#bytes = 0;
  }

  #forgetTaken(): void {
    if (this.#first < 32) return;
    this.#segments.splice(0, this.#first);
    this.#first = 0;
  }
}
