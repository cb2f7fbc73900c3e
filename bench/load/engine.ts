// The sockets of a load program: connections in slots, one epoll, one arena, straight on the system calls that the balancer itself
// uses. A generator on node:net needs more CPU than what it is to measure, and its own queues show up in the latencies.
// It opens, closes and waits; what is said over a connection is the business of the file on top of it. Nothing is allocated per
// event. Everything is level-triggered: the balancer saves calls with edges, here it is simplicity that pays.

import { describeErrno, EINPROGRESS } from '../../core/base/errno.ts';
import { parseIp } from '../../core/base/ip.ts';
import {
  AF_INET,
  EPOLLIN,
  EVENT_BYTES,
  eventGeneration,
  eventMask,
  eventTag,
  type Kernel,
  SOCKADDR_BYTES,
} from '../../core/linux/kernel.ts';
import { createKernel, KERNEL_CELL_BYTES } from '../../core/linux/native.ts';
import { raiseDescriptorLimit } from '../../core/linux/process.ts';
import { writeSockaddr } from '../../core/linux/sockaddr.ts';
import { systemCalls as linux } from '../../core/linux/system-calls.ts';
import { LOOPBACK_IPV4 } from '../../testing/ports.ts';
import { LoadError } from './failure.ts';

const EVENTS_PER_WAIT = 512;
/** Room for addresses and requests, which are written once. */
const CONSTANT_BYTES = 4096;
const ACCEPTED_AT = 0;
const EVENTS_AT = 32;
const CONSTANTS_AT = EVENTS_AT + EVENTS_PER_WAIT * EVENT_BYTES;
const BUFFER_AT = CONSTANTS_AT + CONSTANT_BYTES;

/** Tags from here on are no slots but descriptors watched by `watchOther`. */
const OTHER = 0x8000_0000;
const NO_FD = -1;
/** Standard streams, epoll, and what Node.js has open itself. */
const SPARE_DESCRIPTORS = 64;

export type SlotHandler = (slot: number, mask: number) => void;

/** How many connections a program may hold, after raising its own limit to what the system allows. */
export function connectionsMax(): number {
  return raiseDescriptorLimit() - SPARE_DESCRIPTORS;
}

export class Engine {
  readonly kernel: Kernel;
  /** One buffer for all connections: what was received is looked at before the next call. */
  readonly bufferAt = BUFFER_AT;
  readonly bufferBytes: number;
  readonly slots: number;
  readonly #fds: Int32Array;
  /** Counts the connections of a slot: an event of the one before it is recognised and dropped. */
  readonly #generations: Uint32Array;
  readonly #others: (() => void)[] = [];
  readonly #epollFd: number;
  #constantsEnd = CONSTANTS_AT;
  #sourceAt = 0;
  #sources = 0;
  #nextSource = 0;

  constructor(slots: number, bufferBytes: number) {
    this.kernel = createKernel(new SharedArrayBuffer(BUFFER_AT + bufferBytes + KERNEL_CELL_BYTES));
    this.bufferBytes = bufferBytes;
    this.slots = slots;
    this.#fds = new Int32Array(slots).fill(NO_FD);
    this.#generations = new Uint32Array(slots);
    this.#epollFd = this.#must('epoll_create1', this.kernel.openEpoll());
  }

  /** @returns where the sockaddr of that loopback port lies */
  placeAddress(port: number): number {
    const at = this.#place(SOCKADDR_BYTES);
    writeSockaddr(this.kernel.arena, at, parseIp(LOOPBACK_IPV4) ?? new Uint8Array(16), 0, port);
    return at;
  }

  /** Connects from so many addresses in turn from now on: 127.64.0.1 and the ones behind it. All of 127.0.0.0/8 is this machine. */
  useSources(count: number): void {
    this.#sourceAt = this.#place(SOCKADDR_BYTES);
    this.#sources = count;
  }

  /** @returns where these bytes lie now */
  placeBytes(bytes: Uint8Array): number {
    const at = this.#place(bytes.length);
    this.kernel.arena.bytes.set(bytes, at);
    return at;
  }

  /** Begins to connect. On loopback the handshake is over when this returns, unless the other side's backlog is full. */
  open(slot: number, addressAt: number, events: number): number {
    const { kernel } = this;
    const fd = kernel.openSocket(AF_INET);
    if (fd < 0) return fd;
    if (this.#sources > 0) this.#bindSource(fd);
    const result = kernel.connect(fd, addressAt);
    if (result < 0 && result !== -EINPROGRESS) {
      kernel.close(fd);
      return result;
    }
    return this.#adopt(slot, fd, events);
  }

  #bindSource(fd: number): void {
    const { kernel } = this;
    const host = 1 + (this.#nextSource++ % this.#sources);
    const { bytes, view } = kernel.arena;
    view.setUint16(this.#sourceAt, AF_INET, true);
    view.setUint16(this.#sourceAt + 2, 0);
    bytes[this.#sourceAt + 4] = 127;
    bytes[this.#sourceAt + 5] = 64;
    view.setUint16(this.#sourceAt + 6, host);
    kernel.setOption(fd, 'bind-address-no-port', 1);
    this.#must('bind', kernel.bind(fd, this.#sourceAt));
  }

  /** @returns 0, or -errno; -EAGAIN when nobody waits to be accepted */
  accept(slot: number, listenFd: number, events: number): number {
    const fd = this.kernel.accept(listenFd, ACCEPTED_AT);
    return fd < 0 ? fd : this.#adopt(slot, fd, events);
  }

  /** Other events from now on. Two calls, because the system-call table has no EPOLL_CTL_MOD; it is rare. */
  rewatch(slot: number, events: number): void {
    const fd = this.fd(slot);
    this.kernel.unwatch(this.#epollFd, fd);
    this.#watch(fd, events, slot, this.#generations[slot] ?? 0);
  }

  close(slot: number): void {
    this.kernel.close(this.fd(slot));
    this.#fds[slot] = NO_FD;
  }

  isOpen(slot: number): boolean {
    return this.fd(slot) !== NO_FD;
  }

  fd(slot: number): number {
    return this.#fds[slot] ?? NO_FD;
  }

  /** Into the common buffer. @returns bytes, 0 at the end of the stream, or -errno */
  receive(slot: number): number {
    return this.kernel.recv(this.fd(slot), this.bufferAt, this.bufferBytes);
  }

  /** @returns bytes taken, or -errno; -EAGAIN also while the connection is not established */
  send(slot: number, at: number, bytes: number): number {
    return this.kernel.send(this.fd(slot), at, bytes);
  }

  /** @returns what the connection failed of, as a positive errno; 0 for nothing */
  takeError(slot: number): number {
    return this.kernel.takeError(this.fd(slot));
  }

  /** Calls `ready` while the descriptor, which is none of the slots', has something to read. */
  watchOther(fd: number, ready: () => void): void {
    this.#watch(fd, EPOLLIN, (OTHER | this.#others.length) >>> 0, 0);
    this.#others.push(ready);
  }

  /** Waits for events and hands them out. */
  poll(timeoutMs: number, handler: SlotHandler): void {
    const { kernel } = this;
    const { arena } = kernel;
    const count = this.#must('epoll_wait', kernel.wait(this.#epollFd, EVENTS_AT, EVENTS_PER_WAIT, timeoutMs));
    // Whoever asks without waiting does so in a loop. The node shares this CPU, and the scheduler would let it wait for milliseconds
    // (tried: p99 of an open loop 5 ms instead of 2). epoll_pwait2, which could sleep for less than 1 ms, was 50 us late.
    if (count === 0 && timeoutMs === 0) linux.sched_yield();
    for (let i = 0; i < count; i++) {
      const tag = eventTag(arena, EVENTS_AT, i);
      if (tag >= OTHER) this.#others[tag - OTHER]?.();
      else if (this.isOpen(tag) && eventGeneration(arena, EVENTS_AT, i) === this.#generations[tag]) {
        handler(tag, eventMask(arena, EVENTS_AT, i));
      }
    }
  }

  #adopt(slot: number, fd: number, events: number): number {
    const generation = ((this.#generations[slot] ?? 0) + 1) >>> 0;
    this.#generations[slot] = generation;
    this.#fds[slot] = fd;
    this.#watch(fd, events, slot, generation);
    return 0;
  }

  #watch(fd: number, events: number, tag: number, generation: number): void {
    this.#must('epoll_ctl', this.kernel.watch(this.#epollFd, fd, events, tag, generation));
  }

  #place(bytes: number): number {
    const at = this.#constantsEnd;
    if (at + bytes > BUFFER_AT) throw new LoadError(`no room for ${bytes} more bytes of requests`);
    this.#constantsEnd += bytes;
    return at;
  }

  /** What fails here fails because of us or the machine, never because of the other side. */
  #must(call: string, result: number): number {
    if (result < 0) throw new LoadError(`${call} failed: ${describeErrno(-result)}`);
    return result;
  }
}
