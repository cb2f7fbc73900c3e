// One end of a fuzzed session: carries its plan out on a raw socket, a step each turn, compares each byte that comes with what the
// other end's plan sends, and keeps how the other side's stream ended. It judges nothing.

import { Buffer } from 'node:buffer';
import { EAGAIN, ECONNRESET, EPIPE } from '../../../core/base/errno.ts';
import { isConnected, type RawSocket } from '../../../testing/raw-socket.ts';
import { piece } from '../data-path/byte-pool.ts';
import type { EndPlan } from './plan.ts';

/** `open`: not ended yet. `left`: this end has reset the connection, and sees nothing more. */
export type Seen = 'open' | 'fin' | 'rst' | 'left';

export class End {
  readonly plan: EndPlan;
  readonly socket: RawSocket;
  sent = 0;
  received = 0;
  seen: Seen = 'open';
  /** its own FIN, and whether the balancer's kernel has acknowledged all of the stream with it */
  hasFinished = false;
  isAcknowledged = false;
  hasReset = false;
  /** the first thing that is wrong with what came */
  problem: string | undefined;
  readonly #sendsFrom: number;
  readonly #receivesFrom: number;
  #turns = 0;
  #isWritable = true;
  /** A send has met the reset, and taken the error along: a later end of the stream is no FIN. */
  #wasReset = false;
  /** whether the other end is there: a client that leaves before that proves nothing */
  isPaired: boolean;

  /** @param sendsFrom where its stream begins in the pool @param receivesFrom where the other one's does */
  constructor(plan: EndPlan, socket: RawSocket, sendsFrom: number, receivesFrom: number, isPaired: boolean) {
    this.plan = plan;
    this.isPaired = isPaired;
    this.socket = socket;
    this.#sendsFrom = sendsFrom;
    this.#receivesFrom = receivesFrom;
  }

  /** Nothing more to do: the other's stream has ended and its own is out, or it has left. */
  get isDone(): boolean {
    if (this.hasReset) return true;
    if (this.seen === 'rst') return true;
    return this.seen === 'fin' && (this.hasFinished || !this.#isWritable) && this.plan.finish !== 'fin-then-reset';
  }

  /** @returns whether anything moved */
  turn(): boolean {
    this.#turns++;
    if (this.hasReset) return false;
    const moved = [this.#write(), this.#read(), this.#leave()];
    return moved.includes(true);
  }

  close(): void {
    this.socket.close();
  }

  #write(): boolean {
    const { bytes, pieceBytes, finish } = this.plan;
    if (!this.#isWritable || this.hasFinished) return false;
    if (this.sent === bytes) {
      if (finish === 'reset') return false;
      const result = this.socket.tryFin();
      this.hasFinished = result === 0;
      this.#isWritable = result === 0;
      return true;
    }
    const n = this.socket.send(piece(this.#sendsFrom, this.sent, Math.min(pieceBytes, bytes - this.sent)));
    if (n > 0) this.sent += n;
    else if (n === -ECONNRESET || n === -EPIPE) this.#isWritable = false;
    else if (n !== -EAGAIN) this.problem ??= `send: errno ${-n}`;
    if (n === -ECONNRESET) this.#wasReset = true;
    return n !== -EAGAIN;
  }

  #read(): boolean {
    if (this.seen !== 'open' || this.#turns <= this.plan.deafTurns) return false;
    const n = this.socket.recv(this.plan.readBytes);
    if (n === -EAGAIN) return false;
    if (n > 0) this.#compare(this.socket.received(n));
    else if (n === 0) this.seen = this.#wasReset ? 'rst' : 'fin';
    else if (n === -ECONNRESET) this.seen = 'rst';
    else this.problem ??= `recv: errno ${-n}`;
    return true;
  }

  #compare(bytes: Uint8Array): void {
    if (Buffer.compare(bytes, piece(this.#receivesFrom, this.received, bytes.length)) !== 0) {
      this.problem ??= `other bytes than were sent, within ${bytes.length} bytes behind ${this.received}`;
    }
    this.received += bytes.length;
  }

  /** A reset, once its time has come. */
  #leave(): boolean {
    const { finish, resetAfterSent, resetAfterReceived } = this.plan;
    if (finish === 'fin' || this.seen === 'rst' || !this.isPaired) return false;
    if (this.seen === 'open' && this.received < resetAfterReceived) return false;
    if (finish === 'reset' ? this.#isWritable && this.sent < resetAfterSent : !this.#everythingArrived()) return false;
    this.socket.rst();
    this.hasReset = true;
    if (this.seen === 'open') this.seen = 'left';
    return true;
  }

  /** A reset destroys what is still in the sender's own queue: that would be no promise broken by the balancer. */
  #everythingArrived(): boolean {
    if (!this.#isWritable && !this.hasFinished) return true;
    this.isAcknowledged = this.hasFinished && this.socket.unsent() === 0;
    // What the queue of one that was reset meanwhile has lost is counted for ever.
    return this.isAcknowledged || !isConnected(this.socket);
  }
}
