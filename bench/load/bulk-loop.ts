// Streams over an engine's slots, the downward ones first. Each ends when it has moved its bytes, and begins anew while `repeats`
// is set. A stream that ends with fewer or more ends the program: what loses bytes has no figures.
//
//   down:  asking --writable: request--> head --blank line--> body --all bytes--> done
//   up:    telling --writable: length--> sending --all bytes--> hearing --8 bytes--> done

import { Buffer } from 'node:buffer';
import { describeErrno, EAGAIN } from '../../core/base/errno.ts';
import { EPOLLIN, EPOLLOUT, EPOLLRDHUP } from '../../core/linux/kernel.ts';
import type { BulkLoad } from './bulk.ts';
import type { Engine } from './engine.ts';
import { LoadError } from './failure.ts';
import { LENGTH_BYTES } from './sink-protocol.ts';

const READS = EPOLLIN | EPOLLRDHUP;
const REQUEST = 'GET /big HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n';
/** No answer's head is longer. */
const HEAD_BYTES_MAX = 4096;

export class BulkLoop {
  readonly down: number[];
  readonly up: number[];
  active = 0;
  repeats: boolean;
  microseconds = 0;
  readonly #engine: Engine;
  readonly #load: BulkLoad;
  readonly #httpAt: number;
  readonly #sinkAt: number;
  readonly #requestAt: number;
  readonly #lengthAt: number;
  /** By slot: bytes of this stream that are still to come or to go; the length itself has not gone out while it is more than all. */
  readonly #left: Float64Array;
  /** By slot: what came of an answer's head, or of the sink's count. */
  readonly #heard: string[];
  #startNs = 0n;

  constructor(engine: Engine, load: BulkLoad) {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeBigUInt64BE(BigInt(load.bytesPerStream));
    this.#engine = engine;
    this.#load = load;
    this.#httpAt = engine.placeAddress(load.httpPort);
    this.#sinkAt = engine.placeAddress(load.sinkPort);
    this.#requestAt = engine.placeBytes(Buffer.from(REQUEST));
    this.#lengthAt = engine.placeBytes(length);
    this.repeats = load.repeat === true;
    this.down = new Array<number>(load.downStreams).fill(0);
    this.up = new Array<number>(load.upStreams).fill(0);
    this.#left = new Float64Array(load.downStreams + load.upStreams);
    this.#heard = new Array<string>(this.#left.length).fill('');
  }

  begin(): void {
    this.#startNs = process.hrtime.bigint();
    for (let slot = 0; slot < this.#left.length; slot++) this.#open(slot);
  }

  /** An event of a stream. */
  readonly onEvent = (slot: number): void => {
    if (this.#isDown(slot)) this.#stepDown(slot);
    else this.#stepUp(slot);
  };

  #isDown(slot: number): boolean {
    return slot < this.#load.downStreams;
  }

  #open(slot: number): void {
    const address = this.#isDown(slot) ? this.#httpAt : this.#sinkAt;
    const opened = this.#engine.open(slot, address, EPOLLOUT);
    if (opened < 0) throw new LoadError(`a stream could not connect: ${describeErrno(-opened)}`);
    this.#heard[slot] = '';
    this.#left[slot] = this.#load.bytesPerStream + (this.#isDown(slot) ? 0 : LENGTH_BYTES);
    this.active++;
  }

  #stepDown(slot: number): void {
    if (this.#heard[slot] === '') {
      if (this.#send(slot, this.#requestAt, REQUEST.length) === 0) return;
      this.#heard[slot] = ' ';
      this.#engine.rewatch(slot, READS);
      return;
    }
    const bytes = this.#receive(slot);
    if (bytes === 0) return;
    this.#left[slot] = (this.#left[slot] ?? 0) - this.#bodyBytes(slot, bytes);
    this.#endIfDone(slot, this.down, slot);
  }

  /** How many of the bytes just received belong to the body. The head may come in pieces. */
  #bodyBytes(slot: number, bytes: number): number {
    const heard = this.#heard[slot] ?? '';
    if (heard.endsWith('\r\n\r\n')) return bytes;
    const text = heard + this.#received(Math.min(bytes, HEAD_BYTES_MAX)).toString('latin1');
    const end = text.indexOf('\r\n\r\n') + 4;
    if (!text.trimStart().startsWith('HTTP/1.1 200'))
      throw new LoadError(`the answer to a stream: ${text.slice(0, 80)}`);
    if (end < 4) {
      if (text.length > HEAD_BYTES_MAX) throw new LoadError('an answer whose head does not end');
      this.#heard[slot] = text;
      return 0;
    }
    this.#heard[slot] = text.slice(0, end);
    return bytes - (end - heard.length);
  }

  #stepUp(slot: number): void {
    const { bytesPerStream } = this.#load;
    const left = this.#left[slot] ?? 0;
    if (left > 0) {
      const ofLength = Math.max(0, left - bytesPerStream);
      const at = ofLength > 0 ? this.#lengthAt + LENGTH_BYTES - ofLength : this.#engine.bufferAt;
      const wanted = ofLength > 0 ? ofLength : Math.min(left, this.#engine.bufferBytes);
      this.#left[slot] = left - this.#send(slot, at, wanted);
      if (this.#left[slot] === 0) this.#engine.rewatch(slot, READS);
      return;
    }
    const bytes = this.#receive(slot);
    const heard = (this.#heard[slot] ?? '') + this.#received(bytes).toString('latin1');
    this.#heard[slot] = heard;
    if (heard.length < LENGTH_BYTES) return;
    const counted = Number(Buffer.from(heard, 'latin1').readBigUInt64BE());
    if (counted !== bytesPerStream) throw new LoadError(`the node got ${counted} bytes of ${bytesPerStream}`);
    this.#endIfDone(slot, this.up, slot - this.#load.downStreams);
  }

  #endIfDone(slot: number, moved: number[], index: number): void {
    const left = this.#left[slot] ?? 0;
    if (left < 0) throw new LoadError(`a stream brought ${-left} bytes more than ${this.#load.bytesPerStream}`);
    if (left > 0) return;
    moved[index] = (moved[index] ?? 0) + this.#load.bytesPerStream;
    this.#engine.close(slot);
    this.active--;
    if (this.repeats) this.#open(slot);
    else if (this.active === 0) this.microseconds = Number(process.hrtime.bigint() - this.#startNs) / 1000;
  }

  /** @returns bytes taken, 0 when there is no room */
  #send(slot: number, at: number, bytes: number): number {
    const { kernel } = this.#engine;
    const n = kernel.send(this.#engine.fd(slot), at, bytes);
    if (n >= 0) return n;
    if (n === -EAGAIN) return 0;
    throw new LoadError(`a stream broke while sending: ${describeErrno(-n)}`);
  }

  /** @returns bytes received, 0 when there are none now */
  #receive(slot: number): number {
    const n = this.#engine.receive(slot);
    if (n > 0) return n;
    if (n === -EAGAIN) return 0;
    throw new LoadError(n === 0 ? 'a stream ended before its time' : `a stream broke: ${describeErrno(-n)}`);
  }

  #received(bytes: number): Buffer {
    const { kernel, bufferAt } = this.#engine;
    return Buffer.from(kernel.arena.bytes.slice(bufferAt, bufferAt + bytes));
  }
}
