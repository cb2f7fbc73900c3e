// Lets a request loop run for a moment against a little server in this same process, before anything is measured. Without it V8
// compiles the loop while the first requests are under way: for 300 ms an open loop was up to 50 times slower
// than later (p90 of 0.5-1.8 ms instead of 0.04), and the contender would have been blamed for it. It must be the same loop on the same
// engine: tried with others of the same kind, and V8 threw the code away at the first difference.

import { describeErrno } from '../../core/base/errno.ts';
import { parseIp } from '../../core/base/ip.ts';
import { EPOLLIN } from '../../core/linux/kernel.ts';
import { closeListener, openListeners } from '../../core/linux/listen.ts';
import { LOOPBACK_IPV4 } from '../../testing/ports.ts';
import type { Engine } from './engine.ts';
import { LoadError } from './failure.ts';
import type { RequestLoop } from './request-loop.ts';
import { SlotQueue } from './slot-queue.ts';

/** First at leisure, with waiting in between, which teaches how a run ends too: whatever the second has not seen yet when it is
 * compiled would throw the code away later. Then as fast as it goes. */
const RUNS = [
  { seconds: 0.03, ratePerSecond: 3000 },
  { seconds: 0.15, ratePerSecond: 25_000 },
];
const SOCKADDR_PORT_AT = 2;
const BODY = 'x'.repeat(64);
const ANSWER = Buffer.from(`HTTP/1.1 200 OK\r\nServer: rehearsal\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`);

/** Slots of the engine behind the loop's own that the little server gets. */
export function rehearsalSlots(slots: number, newConnections: boolean): number {
  // Kept connections all live at once; of the others so many are served, and the rest wait in the backlog.
  return newConnections ? Math.min(slots, 64) : slots;
}

/** @param isOpenLoop as the run to come will be, so that the same paths get compiled */
export function rehearse(engine: Engine, loop: RequestLoop, isOpenLoop: boolean): void {
  const listenFd = listenAnywhere();
  const server = new RehearsalServer(engine, loop, listenFd);
  loop.elsewhere = (slot) => server.ready(slot);
  const addressAt = engine.placeAddress(portOf(engine, listenFd));
  for (const { seconds, ratePerSecond } of RUNS) {
    loop.reset(addressAt);
    loop.run({ seconds, ratePerSecond: isOpenLoop ? ratePerSecond : 0 });
    if (loop.errors > 0) throw new LoadError(`the rehearsal failed: ${loop.firstError}`);
  }
  server.close();
}

/** Answers whatever comes. */
class RehearsalServer {
  readonly #engine: Engine;
  readonly #listenFd: number;
  readonly #closes: boolean;
  readonly #slots: SlotQueue;
  readonly #first: number;
  readonly #answerAt: number;

  constructor(engine: Engine, loop: RequestLoop, listenFd: number) {
    this.#engine = engine;
    this.#listenFd = listenFd;
    this.#closes = loop.newConnections;
    this.#first = loop.slots;
    this.#slots = new SlotQueue(engine.slots - loop.slots);
    for (let slot = loop.slots; slot < engine.slots; slot++) this.#slots.give(slot);
    this.#answerAt = engine.placeBytes(ANSWER);
    engine.watchOther(listenFd, () => this.#accept());
  }

  /** Whoever finds no slot waits in the backlog: the event comes again as long as somebody is there. */
  #accept(): void {
    const slot = this.#slots.take();
    if (slot < 0) return;
    if (this.#engine.accept(slot, this.#listenFd, EPOLLIN) < 0) this.#slots.give(slot);
  }

  ready(slot: number): void {
    const isOver = this.#engine.receive(slot) <= 0;
    if (!isOver) this.#engine.send(slot, this.#answerAt, ANSWER.length);
    if (isOver || this.#closes) this.#end(slot);
  }

  close(): void {
    closeListener(this.#listenFd);
    for (let slot = this.#first; slot < this.#engine.slots; slot++) if (this.#engine.isOpen(slot)) this.#end(slot);
  }

  #end(slot: number): void {
    this.#engine.close(slot);
    this.#slots.give(slot);
  }
}

function listenAnywhere(): number {
  const ip = parseIp(LOOPBACK_IPV4) ?? new Uint8Array(16);
  const options = { ip, port: 0, sockets: 1, backlog: 4096, keepaliveSeconds: 60 };
  const listening = openListeners({ ...options, besideOurOwn: false, congestion: undefined });
  if ('errno' in listening) throw new LoadError(`${listening.call} failed: ${describeErrno(listening.errno)}`);
  return listening.fds[0] ?? -1;
}

function portOf({ kernel, bufferAt }: Engine, fd: number): number {
  kernel.localAddress(fd, bufferAt);
  return kernel.arena.view.getUint16(bufferAt + SOCKADDR_PORT_AT, false);
}
