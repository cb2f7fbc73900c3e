// A bench for one connection at a time: a kernel without faults and without haste, and shorthand for what a test of single
// system calls does over and over.

import { assert } from '../../core/base/assert.ts';
import {
  AF_INET,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  EVENT_BYTES,
  eventMask,
  eventTag,
} from '../../core/linux/kernel.ts';
import { readSockaddr, writeSockaddr } from '../../core/linux/sockaddr.ts';
import { type Faults, NO_FAULTS } from './faults.ts';
import { addressOf, type ConnectPlan, formatAddress } from './network.ts';
import { Random } from './random.ts';
import { SimKernel } from './sim-kernel.ts';
import { type EndLimits, TcpEnd } from './tcp-end.ts';

export const CALM: EndLimits = {
  receiveLimit: 65_536,
  sendLimit: 65_536,
  delayMinMs: 0.1,
  delayMaxMs: 0.2,
  segmentMax: 65_536,
};
const EVERYTHING = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET;
const EVENTS_MAX = 16;
const NODE = addressOf('10.0.1.1', 8080);

export function fill(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(0x61);
}

export function describeEvents(mask: number): string {
  const names: [number, string][] = [
    [EPOLLIN, 'IN'],
    [EPOLLPRI, 'PRI'],
    [EPOLLOUT, 'OUT'],
    [EPOLLERR, 'ERR'],
    [EPOLLHUP, 'HUP'],
    [EPOLLRDHUP, 'RDHUP'],
  ];
  return names
    .filter(([bit]) => (mask & bit) !== 0)
    .map(([, name]) => name)
    .join('|');
}

export class Lab {
  readonly kernel: SimKernel;
  readonly eventsAt = 0;
  readonly addressAt = EVENTS_MAX * EVENT_BYTES;
  readonly dataAt = 1024;
  readonly limits: EndLimits;

  constructor(faults: Partial<Faults> = {}, limits: EndLimits = CALM) {
    this.limits = limits;
    this.kernel = new SimKernel({ random: new Random(1), faults: { ...NO_FAULTS, ...faults }, limits: () => limits });
  }

  /** A listener and a client that waits in its queue. */
  knock(): { client: TcpEnd; listenFd: number } {
    const at = addressOf('198.51.100.1', 80);
    const listenFd = this.kernel.lendListener(at);
    const client = new TcpEnd(this.kernel.network.wire, this.limits);
    const listener = this.kernel.listenerAt(listenFd);
    this.kernel.network.connectTo(listener, client, addressOf('192.0.2.1', 40_000), at, this.limits);
    this.kernel.passMs(1);
    return { client, listenFd };
  }

  /** A socket whose connect meets `plan`, already watched with tag 1. */
  connect(plan: ConnectPlan, userTimeoutMs = 0): { fd: number; epollFd: number; result: number } {
    this.kernel.network.addNode(NODE, () => plan);
    const fd = this.kernel.openSocket(AF_INET);
    if (userTimeoutMs > 0) this.kernel.setOption(fd, 'user-timeout-ms', userTimeoutMs);
    writeSockaddr(this.kernel.arena, this.addressAt, NODE.ip, 0, NODE.port);
    const result = this.kernel.connect(fd, this.addressAt);
    return { fd, epollFd: this.watch(fd), result };
  }

  bind(ip: string): number {
    const { ip: bytes, port } = addressOf(ip, 0);
    writeSockaddr(this.kernel.arena, this.addressAt, bytes, 0, port);
    return this.kernel.bind(this.kernel.openSocket(AF_INET), this.addressAt);
  }

  watch(fd: number): number {
    const epollFd = this.kernel.openEpoll();
    assert(this.kernel.watch(epollFd, fd, EVERYTHING, 1, 1) === 0, 'watched');
    return epollFd;
  }

  /** What is ready now, as `tag: IN|OUT`. */
  events(epollFd: number): string[] {
    const { arena } = this.kernel;
    const count = this.kernel.wait(epollFd, this.eventsAt, EVENTS_MAX, 0);
    return Array.from({ length: count }, (_, i) => {
      return `${eventTag(arena, this.eventsAt, i)}: ${describeEvents(eventMask(arena, this.eventsAt, i))}`;
    });
  }

  eventsAfter(epollFd: number, ms: number): string[] {
    this.kernel.passMs(ms);
    return this.events(epollFd);
  }

  recv(fd: number, bytes: number): number {
    return this.kernel.recv(fd, this.dataAt, bytes);
  }

  send(fd: number, bytes: number): number {
    return this.kernel.send(fd, this.dataAt, bytes);
  }

  pipe(): { readFd: number; writeFd: number } {
    assert(this.kernel.openPipe(this.dataAt) === 0, 'a pipe');
    const { view } = this.kernel.arena;
    return { readFd: view.getInt32(this.dataAt, true), writeFd: view.getInt32(this.dataAt + 4, true) };
  }

  /** The peer resets, and the reset arrives. */
  reset(peer: TcpEnd): void {
    peer.lingerZero = true;
    peer.close();
    this.kernel.passMs(5);
  }

  addressName(ask: (addressAt: number) => number): string {
    assert(ask(this.addressAt) === 0, 'an address');
    const bytes = new Uint8Array(18);
    readSockaddr(this.kernel.arena, this.addressAt, bytes, 0, 16);
    return formatAddress({ ip: bytes.subarray(0, 16), port: ((bytes[16] ?? 0) << 8) | (bytes[17] ?? 0) });
  }
}

/** A client's connection that the shard has accepted, watched with tag 1. */
export function connectedFront(lab: Lab): { client: TcpEnd; fd: number; epollFd: number } {
  const { client, listenFd } = lab.knock();
  const fd = lab.kernel.accept(listenFd, lab.addressAt);
  assert(fd > 0, 'accepted');
  return { client, fd, epollFd: lab.watch(fd) };
}
