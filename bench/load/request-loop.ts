// Requests over many connections, and how long each took: in a closed loop (so many at a time, the next when one is answered) or
// an open one (one every so often, whatever happens). It knows HTTP only through Answer, and no process, no argv.
//
//     free --begin--> waiting --first byte--> reading --whole--> free                 (kept)
//            |           ^                       `----whole--> ending --FIN--> free   (new: one connection each)
//            `-EAGAIN-> connecting --writable--'           any of them --error, FIN too early--> free, counted
//
// An open loop's latency runs from the moment the request was INTENDED to go out. Were it to run from the send, a server that stalls
// would also hold back the requests that its stall should have hit, and one slow answer would stand for hundreds: the
// "coordinated omission" that makes closed loops flatter whoever stalls.

import { describeErrno, EAGAIN } from '../../core/base/errno.ts';
import { EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from '../../core/linux/kernel.ts';
import { createLatency } from '../latency.ts';
import { Answer } from './answer.ts';
import type { Engine, SlotHandler } from './engine.ts';
import { LoadError } from './failure.ts';
import { Pace, type Schedule } from './pace.ts';
import { SlotQueue } from './slot-queue.ts';

const READS = EPOLLIN | EPOLLRDHUP;
const ENDED = EPOLLRDHUP | EPOLLHUP;
/** What is under way when the time is over is awaited this long, and is an error then. */
const DRAIN_MS = 5000;

const FREE = 0;
const CONNECTING = 1;
const WAITING = 2;
const READING = 3;
const ENDING = 4;

export interface RequestLoopOptions {
  path: string;
  /** How many may be under way at once: the engine's slots from 0 on. */
  slots: number;
  newConnections: boolean;
}

export class RequestLoop {
  /** What came of the last run: `requests` have been answered whole, and `latency` has one value for each of them. */
  readonly latency = createLatency();
  connections = 0;
  requests = 0;
  bytes = 0;
  errors = 0;
  firstError = '';
  microseconds = 0;
  /** Gets the events of slots that are not the loop's. */
  elsewhere: SlotHandler = () => {};

  readonly #engine: Engine;
  readonly slots: number;
  readonly newConnections: boolean;
  readonly #requestAt: number;
  readonly #requestBytes: number;
  readonly #pace = new Pace();
  /** Slots on which a request may begin. */
  readonly #idle: SlotQueue;
  readonly #phases: Uint8Array;
  readonly #sinceMs: Float64Array;
  readonly #latenciesMs: Float64Array;
  readonly #answers: readonly Answer[];
  readonly #onEvent: SlotHandler;
  #addressAt = 0;
  #lastMs = 0;

  constructor(engine: Engine, { path, slots, newConnections }: RequestLoopOptions) {
    const close = newConnections ? 'Connection: close\r\n' : '';
    const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: bench\r\n${close}\r\n`);
    this.#engine = engine;
    this.slots = slots;
    this.newConnections = newConnections;
    this.#requestAt = engine.placeBytes(request);
    this.#requestBytes = request.length;
    this.#idle = new SlotQueue(slots);
    this.#phases = new Uint8Array(slots);
    this.#sinceMs = new Float64Array(slots);
    this.#latenciesMs = new Float64Array(slots);
    this.#answers = Array.from({ length: slots }, () => new Answer());
    this.#onEvent = (slot, mask) => (slot < slots ? this.#ready(slot, mask) : this.elsewhere(slot, mask));
    for (let slot = 0; slot < slots; slot++) this.#idle.give(slot);
  }

  /** Forgets what came of the last run, and its connections. */
  reset(addressAt: number): void {
    for (let slot = 0; slot < this.slots; slot++) if (this.#engine.isOpen(slot)) this.#engine.close(slot);
    this.#addressAt = addressAt;
    this.latency.reset();
    this.connections = 0;
    this.requests = 0;
    this.bytes = 0;
    this.errors = 0;
    this.firstError = '';
  }

  /** Opens all connections that are to be kept, so that the run begins with requests. */
  connect(): void {
    for (let slot = 0; slot < this.slots; slot++) {
      const result = this.#engine.open(slot, this.#addressAt, READS);
      if (result < 0) throw cannotConnect(-result);
      const errno = this.#engine.takeError(slot);
      if (errno !== 0) throw cannotConnect(errno);
      this.connections++;
    }
  }

  run(schedule: Schedule): void {
    const startMs = this.#engine.kernel.nowMs();
    this.#lastMs = startMs;
    this.#pace.start(startMs, schedule);
    while (this.#turn());
    this.microseconds = (this.#lastMs - startMs) * 1000;
  }

  /** @returns false when all is over */
  #turn(): boolean {
    this.#beginDue();
    const nowMs = this.#engine.kernel.nowMs();
    const underWay = this.slots - this.#idle.size;
    if (underWay === 0 && this.#pace.nextMs(nowMs) === Number.POSITIVE_INFINITY) return false;
    if (nowMs > this.#pace.endMs + DRAIN_MS) {
      this.#giveUp(underWay);
      return false;
    }
    this.#engine.poll(this.#pace.waitMs(nowMs, this.#idle.size === 0), this.#onEvent);
    return true;
  }

  /** Begins what is due, as far as there are slots for it: what finds none waits in line, its clock running. */
  #beginDue(): void {
    // Not "until none is idle": those that fail at once would keep everybody else from being heard.
    for (let count = this.#idle.size; count > 0; count--) {
      const nowMs = this.#engine.kernel.nowMs();
      const dueMs = this.#pace.nextMs(nowMs);
      if (dueMs > nowMs) return;
      this.#pace.advance();
      this.#begin(this.#idle.take(), dueMs);
    }
  }

  /** @param sinceMs from when on its latency counts; in a closed loop that is now, just before connect(2) or the send */
  #begin(slot: number, sinceMs: number): void {
    this.#sinceMs[slot] = sinceMs;
    this.#answers[slot]?.reset();
    if (this.#engine.isOpen(slot)) return this.#send(slot);
    const result = this.#engine.open(slot, this.#addressAt, READS);
    this.connections++;
    this.#phases[slot] = CONNECTING;
    if (result < 0) this.#connectFailed(slot, -result);
    else this.#send(slot);
  }

  #send(slot: number): void {
    const isConnecting = this.#phases[slot] === CONNECTING;
    const sent = this.#engine.send(slot, this.#requestAt, this.#requestBytes);
    // Whatever comes now, it is no longer free.
    this.#phases[slot] = sent === -EAGAIN ? CONNECTING : WAITING;
    if (sent === this.#requestBytes) return;
    if (sent === -EAGAIN) this.#engine.rewatch(slot, READS | EPOLLOUT);
    else if (isConnecting && sent < 0) this.#connectFailed(slot, -sent);
    else this.#fail(slot, sent < 0 ? `send: ${describeErrno(-sent)}` : 'send: only a part was taken');
  }

  #ready(slot: number, mask: number): void {
    if (this.#phases[slot] === CONNECTING) this.#connected(slot);
    else if (this.#receive(slot) && (mask & ENDED) !== 0) this.#receive(slot);
    this.#beginDue();
  }

  #connected(slot: number): void {
    const errno = this.#engine.takeError(slot);
    if (errno !== 0) return this.#connectFailed(slot, errno);
    this.#engine.rewatch(slot, READS);
    this.#send(slot);
  }

  /** @returns whether only the end of the stream is still to come */
  #receive(slot: number): boolean {
    const count = this.#engine.receive(slot);
    if (count === 0) this.#streamEnded(slot);
    else if (count > 0) this.#received(slot, count);
    else if (count !== -EAGAIN) this.#fail(slot, `recv: ${describeErrno(-count)}`);
    return this.#phases[slot] === ENDING;
  }

  #received(slot: number, count: number): void {
    const { bufferAt, kernel } = this.#engine;
    this.bytes += count;
    if (this.#phases[slot] === WAITING) {
      this.#latenciesMs[slot] = kernel.nowMs() - (this.#sinceMs[slot] ?? 0);
      this.#phases[slot] = READING;
    }
    const state = this.#answers[slot]?.feed(kernel.arena.bytes, bufferAt, bufferAt + count);
    if (state === 'bad') this.#fail(slot, 'an answer is not 200, has no content-length, or more bytes than that');
    else if (state !== 'whole') return;
    else if (this.newConnections) this.#phases[slot] = ENDING;
    else this.#succeed(slot);
  }

  #streamEnded(slot: number): void {
    const phase = this.#phases[slot];
    if (phase !== FREE && phase !== ENDING) return this.#fail(slot, 'a connection ended before its answer was whole');
    this.#engine.close(slot);
    // A kept connection that ends while nothing was asked of it is opened anew when it is needed, and `connections` tells.
    if (phase === ENDING) this.#succeed(slot);
  }

  #succeed(slot: number): void {
    this.requests++;
    this.latency.recordValue(Math.round((this.#latenciesMs[slot] ?? 0) * 1000));
    this.#lastMs = this.#engine.kernel.nowMs();
    this.#phases[slot] = FREE;
    this.#idle.give(slot);
  }

  /** A port where nobody has ever answered is a mistake in the call, and not so many errors. */
  #connectFailed(slot: number, errno: number): void {
    this.connections--;
    if (this.connections === 0) throw cannotConnect(errno);
    this.#fail(slot, `connect: ${describeErrno(errno)}`);
  }

  #fail(slot: number, what: string): void {
    this.errors++;
    if (this.firstError === '') this.firstError = what;
    if (this.#engine.isOpen(slot)) this.#engine.close(slot);
    // Unasked bytes on an idle connection are an error too, but its slot is in the queue already.
    if (this.#phases[slot] === FREE) return;
    this.#phases[slot] = FREE;
    this.#idle.give(slot);
  }

  /** Every request that was intended is answered or an error, also those that never left the line. */
  #giveUp(underWay: number): void {
    this.errors += underWay + this.#pace.unbegun;
    if (this.firstError === '') this.firstError = `no answer within ${DRAIN_MS / 1000} s after the end`;
  }
}

function cannotConnect(errno: number): LoadError {
  return new LoadError(`cannot connect: ${describeErrno(errno)}`);
}
