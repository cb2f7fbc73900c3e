// The smallest relay that is right, copying only, no header, no timeouts beyond the kernel's: it tests the harness, not the
// product. If it fails a seed, the simulated kernel or an invariant is wrong. Its `sabotage` breaks it in one known way each:
// if the harness lets such a run pass, it is blind there.

import { EAGAIN, EINPROGRESS, EPIPE } from '../../core/base/errno.ts';
import {
  AF_INET,
  AF_INET6,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  EVENT_BYTES,
  eventGeneration,
  eventMask,
  eventTag,
  type Kernel,
  type SocketOption,
} from '../../core/linux/kernel.ts';
import { writeSockaddr } from '../../core/linux/sockaddr.ts';
import type { ShardCounts } from './invariants.ts';
import type { Address } from './network.ts';
import type { ShardUnderTest } from './runner.ts';

export type Sabotage =
  | 'none'
  | 'loses-a-byte'
  | 'sends-twice'
  | 'mixes-sessions'
  | 'closes-twice'
  | 'leaks'
  | 'ends-on-hup'
  | 'fin-for-reset'
  | 'reset-for-fin'
  | 'forgets-writable'
  | 'trusts-short-read'
  | 'keeps-stale-events';

const EVENTS_AT = 0;
const EVENTS = 16;
const ADDRESS_AT = EVENTS * EVENT_BYTES;
const SCRATCH_AT = ADDRESS_AT + 64;
const SCRATCH_BYTES = 4096;
const INTEREST = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET;
const LISTENER_GENERATION = 0;
const TRIES = 4;
const CONNECT_MS = 500;
const OPTIONS: readonly (readonly [SocketOption, number])[] = [
  ['oob-inline', 1],
  ['keepalive', 1],
  ['keepalive-idle-s', 10],
  ['user-timeout-ms', 20_000],
];

interface Side {
  fd: number;
  /** What was read from the other side and is not sent here yet. */
  pending: Uint8Array;
  /** No more bytes will be read from this side. */
  readOver: boolean;
  /** Nothing more can or need be sent to this side. */
  writeOver: boolean;
}

interface Session {
  readonly generation: number;
  readonly front: Side;
  readonly back: Side;
  connecting: boolean;
  tries: number;
  connectUntilMs: number;
}

const newSide = (fd: number): Side => ({ fd, pending: new Uint8Array(0), readOver: false, writeOver: false });

export class ToyRelay implements ShardUnderTest {
  readonly #kernel: Kernel;
  readonly #nodes: readonly Address[];
  readonly #sabotage: Sabotage;
  readonly #epollFd: number;
  readonly #listenFds: readonly number[];
  /** By descriptor, which is the event's tag. */
  readonly #sessions = new Map<number, Session>();
  #generation = LISTENER_GENERATION;
  #reads = 0;
  #counts = { accepted: 0, ended: 0, bytesFromFront: 0, bytesToFront: 0, bytesFromBack: 0, bytesToBack: 0 };

  constructor(kernel: Kernel, listenFds: readonly number[], nodes: readonly Address[], sabotage: Sabotage = 'none') {
    this.#kernel = kernel;
    this.#nodes = nodes;
    this.#sabotage = sabotage;
    this.#listenFds = listenFds;
    this.#epollFd = kernel.openEpoll();
    for (const fd of listenFds) kernel.watch(this.#epollFd, fd, EPOLLIN, fd, LISTENER_GENERATION);
  }

  turn(): void {
    const { arena } = this.#kernel;
    const count = this.#kernel.wait(this.#epollFd, EVENTS_AT, EVENTS, 100);
    for (let i = 0; i < count; i++) {
      const fd = eventTag(arena, EVENTS_AT, i);
      const generation = eventGeneration(arena, EVENTS_AT, i);
      if (generation === LISTENER_GENERATION) this.#accept(fd);
      else this.#handle(fd, generation, eventMask(arena, EVENTS_AT, i));
    }
    for (const session of new Set(this.#sessions.values())) {
      if (session.connecting && this.#kernel.nowMs() > session.connectUntilMs) this.#connectNext(session);
    }
  }

  stop(): void {
    for (const fd of this.#listenFds) this.#kernel.unwatch(this.#epollFd, fd);
  }

  close(): void {
    for (const session of new Set(this.#sessions.values())) this.#end(session, true);
    this.#kernel.close(this.#epollFd);
  }

  counts(): ShardCounts {
    const active = this.#counts.accepted - this.#counts.ended;
    return { ...this.#counts, active, headerBytes: 0, deniedByFlags: 0 };
  }

  #accept(listenFd: number): void {
    const fd = this.#kernel.accept(listenFd, ADDRESS_AT);
    if (fd < 0) return;
    this.#counts.accepted++;
    const session: Session = {
      generation: ++this.#generation,
      front: newSide(fd),
      back: newSide(-1),
      connecting: true,
      tries: 0,
      connectUntilMs: 0,
    };
    this.#adopt(session, fd);
    this.#connectNext(session);
  }

  #adopt(session: Session, fd: number): void {
    for (const [option, value] of OPTIONS) this.#kernel.setOption(fd, option, value);
    this.#sessions.set(fd, session);
    this.#kernel.watch(this.#epollFd, fd, INTEREST, fd, session.generation);
  }

  #connectNext(session: Session): void {
    this.#closeSide(session.back, false);
    const node = this.#nodes[(session.generation + session.tries) % this.#nodes.length];
    if (session.tries++ === TRIES || node === undefined) {
      this.#end(session, true);
      return;
    }
    const family = writeSockaddr(this.#kernel.arena, ADDRESS_AT, node.ip, 0, node.port);
    const fd = this.#kernel.openSocket(family === AF_INET ? AF_INET : AF_INET6);
    if (fd < 0) {
      this.#connectNext(session);
      return;
    }
    this.#kernel.setOption(fd, 'no-delay', 1);
    session.back.fd = fd;
    session.connectUntilMs = this.#kernel.nowMs() + CONNECT_MS;
    this.#adopt(session, fd);
    const result = this.#kernel.connect(fd, ADDRESS_AT);
    if (result === 0) this.#connected(session);
    else if (result !== -EINPROGRESS) this.#connectNext(session);
  }

  #handle(fd: number, generation: number, mask: number): void {
    const session = this.#sessions.get(fd);
    if (session === undefined && this.#sabotage === 'keeps-stale-events') this.#kernel.recv(fd, SCRATCH_AT, 1);
    if (session === undefined || session.generation !== generation) return;
    if (!session.connecting) {
      if (this.#sabotage === 'ends-on-hup' && (mask & (EPOLLHUP | EPOLLERR)) !== 0) this.#end(session, false);
      else this.#pumpBoth(session, fd, mask);
    } else if (fd === session.back.fd && (mask & (EPOLLOUT | EPOLLERR | EPOLLHUP)) !== 0) {
      if (this.#kernel.takeError(fd) !== 0) this.#connectNext(session);
      else this.#connected(session);
    }
  }

  #connected(session: Session): void {
    const { back } = session;
    this.#kernel.localAddress(back.fd, ADDRESS_AT);
    const local = this.#kernel.arena.bytes.slice(ADDRESS_AT, ADDRESS_AT + 28);
    const named = this.#kernel.peerAddress(back.fd, ADDRESS_AT);
    const isSelf = Buffer.compare(local, this.#kernel.arena.bytes.subarray(ADDRESS_AT, ADDRESS_AT + 28)) === 0;
    if (named < 0 || isSelf) {
      this.#connectNext(session);
      return;
    }
    session.connecting = false;
    this.#pumpBoth(session, back.fd, EPOLLIN | EPOLLHUP);
  }

  #pumpBoth(session: Session, fd: number, mask: number): void {
    const { front, back } = session;
    const skipsWrites = this.#sabotage === 'forgets-writable' && (mask & EPOLLIN) === 0;
    const ok =
      skipsWrites ||
      (this.#pump(front, back, 'bytesFromFront', 'bytesToBack', fd === front.fd ? mask : EPOLLHUP) &&
        this.#pump(back, front, 'bytesFromBack', 'bytesToFront', fd === back.fd ? mask : EPOLLHUP));
    if (!ok) this.#end(session, this.#sabotage !== 'fin-for-reset');
    else if (front.readOver && back.readOver && front.writeOver && back.writeOver) {
      this.#end(session, this.#sabotage === 'reset-for-fin');
    }
  }

  /** @returns false when the connection was reset */
  #pump(from: Side, to: Side, read: keyof ByteCounts, written: keyof ByteCounts, mask: number): boolean {
    for (;;) {
      while (to.pending.length > 0) {
        const count = this.#send(to);
        if (count === -EAGAIN) return true;
        // The other end had ended its own stream before it reset: what it sent still counts, so only this direction stops.
        if (count === -EPIPE) to.writeOver = true;
        else if (count < 0) return false;
        if (to.writeOver) to.pending = new Uint8Array(0);
        else this.#counts[written] += count;
      }
      if (from.readOver) {
        if (!to.writeOver) this.#kernel.shutdownWrite(to.fd);
        to.writeOver = true;
        return true;
      }
      const count = this.#kernel.recv(from.fd, SCRATCH_AT, SCRATCH_BYTES);
      if (count === -EAGAIN) return true;
      if (count < 0) return false;
      this.#counts[read] += count;
      if (count === 0) from.readOver = true;
      else if (!to.writeOver) to.pending = this.#taken(count);
      const trusting = this.#sabotage === 'trusts-short-read' && count > 0 && count < SCRATCH_BYTES;
      if (trusting && (mask & EPOLLHUP) === 0) {
        this.#send(to);
        return true;
      }
    }
  }

  #send(to: Side): number {
    const { bytes } = this.#kernel.arena;
    bytes.set(to.pending, SCRATCH_AT);
    const count = this.#kernel.send(to.fd, SCRATCH_AT, to.pending.length);
    const again = this.#sabotage === 'sends-twice' && count > 0 && count < to.pending.length;
    if (count > 0) to.pending = to.pending.subarray(again ? count - 1 : count);
    return count;
  }

  #taken(count: number): Uint8Array {
    const taken = this.#kernel.arena.bytes.slice(SCRATCH_AT, SCRATCH_AT + count);
    this.#reads++;
    if (this.#sabotage === 'loses-a-byte' && this.#reads % 5 === 0) return taken.subarray(1);
    // As if the scratch buffer had been used again before these bytes were sent.
    if (this.#sabotage === 'mixes-sessions' && this.#reads % 5 === 0) taken[0] = (taken[0] ?? 0) ^ 0xff;
    return taken;
  }

  #end(session: Session, reset: boolean): void {
    this.#closeSide(session.front, reset);
    if (this.#sabotage !== 'leaks') this.#closeSide(session.back, reset);
    this.#counts.ended++;
  }

  #closeSide(side: Side, reset: boolean): void {
    if (side.fd === -1) return;
    if (reset) this.#kernel.resetOnClose(side.fd);
    this.#sessions.delete(side.fd);
    this.#kernel.close(side.fd);
    if (this.#sabotage === 'closes-twice') this.#kernel.close(side.fd);
    side.fd = -1;
  }
}

interface ByteCounts {
  bytesFromFront: number;
  bytesToFront: number;
  bytesFromBack: number;
  bytesToBack: number;
}
