// Program: a node for uploads, `sink.ts PORT`. Takes connections with a PROXY header of either version or none (sink-protocol.ts),
// counts their bytes, and says how many there were.

import { Buffer } from 'node:buffer';
import { describeErrno, EAGAIN } from '../../core/base/errno.ts';
import { parseIp } from '../../core/base/ip.ts';
import { EPOLLIN, EPOLLRDHUP } from '../../core/linux/kernel.ts';
import { openListeners } from '../../core/linux/listen.ts';
import { LOOPBACK_IPV4 } from '../../tests/support/ports.ts';
import { say } from './control.ts';
import { Engine } from './engine.ts';
import { LoadError, orFail } from './failure.ts';
import { LENGTH_BYTES, readUpload } from './sink-protocol.ts';
import { SlotQueue } from './slot-queue.ts';

const UPLOADS_MAX = 1024;
const BUFFER_BYTES = 1 << 20;
const BACKLOG = 4096;

interface Progress {
  /** Until the head is whole. */
  head: Buffer | undefined;
  wanted: number;
  got: number;
}

class Sink {
  readonly #engine = new Engine(UPLOADS_MAX, BUFFER_BYTES);
  readonly #free = new SlotQueue(UPLOADS_MAX);
  readonly #answerAt: number;
  readonly #uploads: (Progress | undefined)[] = [];

  constructor(port: number) {
    for (let slot = 0; slot < UPLOADS_MAX; slot++) this.#free.give(slot);
    this.#answerAt = this.#engine.placeBytes(Buffer.alloc(LENGTH_BYTES));
    const listening = openListeners({
      ip: parseIp(LOOPBACK_IPV4) ?? new Uint8Array(16),
      port,
      sockets: 1,
      backlog: BACKLOG,
      keepaliveSeconds: 60,
      besideOurOwn: false,
      congestion: undefined,
    });
    if ('call' in listening) throw new LoadError(`${listening.call} port ${port}: ${describeErrno(listening.errno)}`);
    const [listenFd = -1] = listening.fds;
    this.#engine.watchOther(listenFd, () => this.#accept(listenFd));
  }

  run(): never {
    for (;;) this.#engine.poll(-1, (slot) => this.#take(slot));
  }

  #accept(listenFd: number): void {
    const slot = this.#free.take();
    if (slot < 0) return;
    if (this.#engine.accept(slot, listenFd, EPOLLIN | EPOLLRDHUP) < 0) this.#free.give(slot);
    else this.#uploads[slot] = { head: Buffer.alloc(0), wanted: 0, got: 0 };
  }

  #take(slot: number): void {
    const upload = this.#uploads[slot];
    const bytes = this.#engine.receive(slot);
    if (bytes === -EAGAIN) return;
    // The end of the stream, or of the connection: a client that went before its time hears nothing.
    if (bytes <= 0 || upload === undefined) return this.#close(slot);
    upload.got += bytes;
    if (upload.head !== undefined && !this.#readHead(upload, bytes)) return;
    if (upload.got >= upload.wanted) this.#answer(slot, upload);
  }

  /** @returns false while it is incomplete */
  #readHead(upload: Progress, bytes: number): boolean {
    const { kernel, bufferAt } = this.#engine;
    const piece = kernel.arena.bytes.slice(bufferAt, bufferAt + Math.min(bytes, BUFFER_BYTES));
    const head = Buffer.concat([upload.head ?? Buffer.alloc(0), piece]);
    const found = readUpload(head);
    upload.head = found === undefined ? head : undefined;
    if (found === undefined) return false;
    upload.wanted = found.bytes;
    upload.got -= found.headBytes;
    return true;
  }

  /** The client closes when it has heard. */
  #answer(slot: number, { got }: Progress): void {
    const { kernel } = this.#engine;
    kernel.arena.view.setBigUint64(this.#answerAt, BigInt(got));
    kernel.send(this.#engine.fd(slot), this.#answerAt, LENGTH_BYTES);
  }

  #close(slot: number): void {
    this.#engine.close(slot);
    this.#free.give(slot);
    this.#uploads[slot] = undefined;
  }
}

orFail('sink', () => {
  const sink = new Sink(Number(process.argv[2]));
  say('ready');
  sink.run();
});
