// Reads one HTTP answer as its bytes come in, in pieces of any size: status 200, content-length, that many bytes of body, no more.
// Values in, a state out; no I/O and no strings, because it runs for every answer. It knows only what the node sends: a chunked
// body is "bad".

/** `head` -> `body` -> `whole`; from each of them to `bad`, which it never leaves. */
export type AnswerState = 'head' | 'body' | 'whole' | 'bad';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const LOWER_CASE = 0x20;
const STATUS = bytesOf('HTTP/1.1 200');
const LENGTH_NAME = bytesOf('content-length:');
const UNKNOWN = -1;

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export class Answer {
  state: AnswerState = 'head';
  /** Bytes of body so far. */
  bodyBytes = 0;
  #contentLength = UNKNOWN;
  #line = 0;
  #column = 0;
  /** Whether the line so far is, or may yet become, the content-length. */
  #isLength = false;

  reset(): void {
    this.state = 'head';
    this.bodyBytes = 0;
    this.#contentLength = UNKNOWN;
    this.#line = 0;
    this.#column = 0;
    this.#isLength = false;
  }

  /** Takes `bytes[at..end)`. */
  feed(bytes: Uint8Array, at: number, end: number): AnswerState {
    const bodyAt = this.state === 'head' ? this.#feedHead(bytes, at, end) : at;
    if (this.state === 'body') this.#feedBody(end - bodyAt);
    else if (this.state === 'whole' && bodyAt < end) this.state = 'bad';
    return this.state;
  }

  #feedBody(count: number): void {
    this.bodyBytes += count;
    if (this.bodyBytes === this.#contentLength) this.state = 'whole';
    else if (this.bodyBytes > this.#contentLength) this.state = 'bad';
  }

  #feedHead(bytes: Uint8Array, at: number, end: number): number {
    let i = at;
    while (i < end && this.state === 'head') {
      const byte = bytes[i++] ?? 0;
      if (byte === LF) this.#endLine();
      else if (byte !== CR) this.#feedByte(byte);
      // Most of the head is of no interest, and it is read for every answer.
      if (this.#line > 0 && !this.#isLength) while (i < end && bytes[i] !== LF) i++;
    }
    return i;
  }

  #feedByte(byte: number): void {
    const column = this.#column++;
    if (this.#line === 0) {
      if (column < STATUS.length && byte !== STATUS[column]) this.state = 'bad';
    } else if (!this.#isLength) {
      return;
    } else if (column < LENGTH_NAME.length) {
      if ((byte | LOWER_CASE) !== LENGTH_NAME[column]) this.#isLength = false;
    } else {
      this.#feedLength(byte);
    }
  }

  #feedLength(byte: number): void {
    const digit = byte - DIGIT_0;
    if (digit >= 0 && digit <= 9) this.#contentLength = Math.max(this.#contentLength, 0) * 10 + digit;
    else if (byte !== SPACE) this.state = 'bad';
  }

  #endLine(): void {
    if (this.#line === 0 && this.#column < STATUS.length) this.state = 'bad';
    else if (this.#line > 0 && this.#column === 0) this.#endHead();
    this.#line++;
    this.#column = 0;
    this.#isLength = true;
  }

  #endHead(): void {
    if (this.#contentLength === UNKNOWN) this.state = 'bad';
    else this.state = this.#contentLength === 0 ? 'whole' : 'body';
  }
}
