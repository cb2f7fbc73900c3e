// Program: a node for uploads, `sink.ts PORT`. Reads what upload.ts describes, answers with an 8-byte count of the bytes that it
// got, and closes when the client does. It says `ready` when it listens.

import { describeErrno } from '../../core/base/errno.ts';
import { parseIp } from '../../core/base/ip.ts';
import { EPOLLIN } from '../../core/linux/kernel.ts';
import { openListeners } from '../../core/linux/listen.ts';
import { portHolder } from '../../core/linux/port-holder.ts';
import { LOOPBACK_IPV4 } from '../../testing/ports.ts';
import { listen, say } from './control.ts';
import { Engine } from './engine.ts';
import { LoadError, orFail } from './failure.ts';
import { SlotQueue } from './slot-queue.ts';
import { LENGTH_BYTES, Upload } from './upload.ts';

const SLOTS = 4096;
const BUFFER_BYTES = 256 * 1024;
const BACKLOG = 4096;

class Sink {
  readonly #engine = new Engine(SLOTS, BUFFER_BYTES);
  readonly #uploads: readonly Upload[] = Array.from({ length: SLOTS }, () => new Upload());
  readonly #free = new SlotQueue(SLOTS);
  readonly #listenFd: number;
  readonly #answerAt: number;

  constructor(listenFd: number) {
    this.#listenFd = listenFd;
    this.#answerAt = this.#engine.placeBytes(new Uint8Array(LENGTH_BYTES));
    for (let slot = 0; slot < SLOTS; slot++) this.#free.give(slot);
    this.#engine.watchOther(listenFd, () => this.#accept());
    listen(this.#engine, () => {});
  }

  /** Until somebody stops it. */
  run(): never {
    const ready = (slot: number): void => this.#ready(slot);
    for (;;) this.#engine.poll(-1, ready);
  }

  #accept(): void {
    const slot = this.#free.take();
    // More uploads than any benchmark makes: a mistake somewhere, and nothing to wait for.
    if (slot < 0) throw new LoadError(`more than ${SLOTS} uploads at once`);
    this.#uploads[slot]?.reset();
    if (this.#engine.accept(slot, this.#listenFd, EPOLLIN) < 0) this.#free.give(slot);
  }

  #ready(slot: number): void {
    const { kernel, bufferAt } = this.#engine;
    const count = this.#engine.receive(slot);
    if (count <= 0) return this.#end(slot);
    const upload = this.#uploads[slot];
    if (upload === undefined) return;
    const wasWhole = upload.state === 'whole';
    const state = upload.feed(kernel.arena.bytes, bufferAt, bufferAt + count);
    if (state === 'bad') this.#abort(slot);
    else if (state === 'whole' && !wasWhole) this.#answer(slot, upload.got);
  }

  #answer(slot: number, got: number): void {
    this.#engine.kernel.arena.view.setBigUint64(this.#answerAt, BigInt(got));
    this.#engine.send(slot, this.#answerAt, LENGTH_BYTES);
  }

  /** A reset, so that whoever sent this does not take it for an end. */
  #abort(slot: number): void {
    this.#engine.kernel.resetOnClose(this.#engine.fd(slot));
    this.#end(slot);
  }

  #end(slot: number): void {
    this.#engine.close(slot);
    this.#free.give(slot);
  }
}

function openListener(port: number): number {
  const ip = parseIp(LOOPBACK_IPV4) ?? new Uint8Array(16);
  const options = { ip, port, sockets: 1, backlog: BACKLOG, keepaliveSeconds: 60 };
  const listening = openListeners({ ...options, besideOurOwn: false, congestion: undefined });
  if (!('errno' in listening)) return listening.fds[0] ?? -1;
  const holder = portHolder(port);
  const who = holder === undefined ? '' : `, ${holder} listens there`;
  throw new LoadError(`cannot listen on ${LOOPBACK_IPV4}:${port}: ${describeErrno(listening.errno)}${who}`);
}

orFail('sink', () => {
  const sink = new Sink(openListener(Number(process.argv[2])));
  say('ready');
  sink.run();
});
