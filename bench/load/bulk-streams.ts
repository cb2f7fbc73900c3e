// Big streams: fetched from `/big` (down) or sent to the sink (up), every byte counted. A stream that is not exactly as long as it
// should be, or does not end in order, ends the program: nothing here is counted as an error and lived with.
//
//     down: begin -> receiving --FIN, the answer is whole--> over
//     up:   begin -> sending --all taken--> asking --its count is right--> ending --FIN--> over

import { describeErrno, EAGAIN } from '../../core/base/errno.ts';
import { EPOLLIN, EPOLLOUT } from '../../core/linux/kernel.ts';
import { Answer } from './answer.ts';
import type { Engine } from './engine.ts';
import { LoadError } from './failure.ts';
import { LENGTH_BYTES } from './upload.ts';

export interface StreamOptions {
  engine: Engine;
  slot: number;
  addressAt: number;
  bytesPerStream: number;
  /** Where the bytes lie that it begins with: see `placeFetch` and `placeLength`. */
  firstAt: number;
  firstBytes: number;
}

type First = Pick<StreamOptions, 'firstAt' | 'firstBytes'>;

/** What a stream down begins with. */
export function placeFetch(engine: Engine): First {
  const request = Buffer.from('GET /big HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n');
  return { firstAt: engine.placeBytes(request), firstBytes: request.length };
}

/** What a stream up begins with. */
export function placeLength(engine: Engine, bytesPerStream: number): First {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64BE(BigInt(bytesPerStream));
  return { firstAt: engine.placeBytes(length), firstBytes: LENGTH_BYTES };
}

/** One slot, and one stream after the other in it. */
export abstract class Stream {
  /** Bytes of all streams that are over. */
  moved = 0;
  protected readonly options: StreamOptions;
  protected abstract readonly direction: string;

  constructor(options: StreamOptions) {
    this.options = options;
  }

  abstract begin(): void;

  /** Its socket has something for us. @returns true when the stream is over */
  abstract ready(mask: number): boolean;

  protected open(events: number): void {
    const { engine, slot, addressAt, firstAt, firstBytes } = this.options;
    this.must('connect', engine.open(slot, addressAt, events));
    this.must('connect', -engine.takeError(slot));
    // So few bytes always fit into a new connection's send buffer, and so few connections into a backlog.
    if (this.send(firstAt, firstBytes) < firstBytes) this.fail('not connected at once');
  }

  /** @returns how much was taken; 0 when it has to wait */
  protected send(at: number, bytes: number): number {
    const sent = this.options.engine.send(this.options.slot, at, bytes);
    return sent === -EAGAIN ? 0 : this.must('send', sent);
  }

  protected receive(): number {
    return this.must('recv', this.options.engine.receive(this.options.slot));
  }

  protected end(): true {
    this.options.engine.close(this.options.slot);
    this.moved += this.options.bytesPerStream;
    return true;
  }

  protected must(call: string, result: number): number {
    return result < 0 ? this.fail(`${call}: ${describeErrno(-result)}`) : result;
  }

  protected fail(what: string): never {
    throw new LoadError(`stream ${this.options.slot} ${this.direction}: ${what}`);
  }
}

export class DownStream extends Stream {
  protected readonly direction = 'to the client';
  readonly #answer = new Answer();

  override begin(): void {
    this.#answer.reset();
    this.open(EPOLLIN);
  }

  override ready(): boolean {
    const { bytesPerStream, engine } = this.options;
    const count = this.receive();
    const state = this.#answer.feed(engine.kernel.arena.bytes, engine.bufferAt, engine.bufferAt + count);
    const { bodyBytes } = this.#answer;
    if (state === 'bad')
      this.fail(`the answer is not 200, has no content-length, or more than that (${bodyBytes} bytes)`);
    if (count > 0) return false;
    if (state !== 'whole' || bodyBytes !== bytesPerStream)
      this.fail(`it ended after ${bodyBytes} of ${bytesPerStream} bytes`);
    return this.end();
  }
}

export class UpStream extends Stream {
  protected readonly direction = 'to the node';
  #state: 'sending' | 'asking' | 'ending' = 'sending';
  #sent = 0;
  #answerBytes = 0;
  #counted = 0;

  override begin(): void {
    this.#state = 'sending';
    this.#sent = 0;
    this.#answerBytes = 0;
    this.#counted = 0;
    this.open(EPOLLIN | EPOLLOUT);
  }

  override ready(mask: number): boolean {
    // Whatever is not only "writable" is something to be heard: an answer, an end, an error.
    if ((mask & ~EPOLLOUT) !== 0) return this.#hear();
    const { engine, slot, bytesPerStream } = this.options;
    this.#sent += this.send(engine.bufferAt, Math.min(engine.bufferBytes, bytesPerStream - this.#sent));
    if (this.#sent === bytesPerStream) {
      this.#state = 'asking';
      engine.rewatch(slot, EPOLLIN);
    }
    return false;
  }

  #hear(): boolean {
    const { bytesPerStream, engine, slot } = this.options;
    const count = this.receive();
    if (this.#state === 'ending' && count === 0) return this.end();
    if (this.#state !== 'asking' || count === 0) {
      this.fail(`unexpected ${count === 0 ? 'end' : 'bytes'} after ${this.#sent} of ${bytesPerStream} bytes`);
    }
    for (let i = 0; i < count; i++)
      this.#counted = this.#counted * 256 + (engine.kernel.arena.bytes[engine.bufferAt + i] ?? 0);
    this.#answerBytes += count;
    if (this.#answerBytes < LENGTH_BYTES) return false;
    if (this.#counted !== bytesPerStream) this.fail(`the sink got ${this.#counted} of ${bytesPerStream} bytes`);
    this.#state = 'ending';
    engine.kernel.shutdownWrite(engine.fd(slot));
    return false;
  }
}
