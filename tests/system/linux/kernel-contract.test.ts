// The same scripts on the simulated kernel and on the real one, over loopback sockets, with the same expectations: what the
// simulation claims about Linux, Linux is asked here. Only what two sockets and a pipe can show is here; everything about
// timing, faults and urgent data is in sim-kernel.test.ts.

import { afterAll, describe, expect, test } from 'vitest';
import { assert } from '../../../core/base/assert.ts';
import { EADDRNOTAVAIL, ECONNREFUSED, ECONNRESET, EINPROGRESS } from '../../../core/base/errno.ts';
import { portAt } from '../../../core/base/ip.ts';
import {
  AF_INET,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  eventMask,
  eventTag,
  type Kernel,
  NOT_DONE,
  NOWHERE,
} from '../../../core/linux/kernel.ts';
import { closeListener, openListeners } from '../../../core/linux/listen.ts';
import { createKernel } from '../../../core/linux/native.ts';
import { readSockaddr, writeSockaddr } from '../../../core/linux/sockaddr.ts';
import { CALM, describeEvents } from '../../sim/lab.ts';
import { type Address, addressOf } from '../../sim/network.ts';
import { Random } from '../../sim/random.ts';
import { SimKernel } from '../../sim/sim-kernel.ts';

interface Bench {
  readonly kernel: Kernel;
  readonly listenFd: number;
  readonly address: Address;
  /** Nobody listens here. */
  readonly unused: Address;
}

const MEMORY_BYTES = 1 << 20;
const EVENTS_MAX = 8;
const ADDRESS_AT = 256;
const LOCAL_AT = 288;
const PEER_AT = 320;
const FDS_AT = 384;
const DATA_AT = 4096;
const TRANSFERS_AT = MEMORY_BYTES / 2;
const ALL = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET;
const ALL_READY = 'IN|OUT|ERR|HUP|RDHUP';
/** As much as fits neither a loopback connection's queues nor the arena: the rest of the arena. */
const A_LOT = MEMORY_BYTES - DATA_AT - 4096;

/** No machine’s own. */
const FOREIGN = addressOf('192.0.2.1', 0);

function simBench(): Bench {
  const kernel = new SimKernel({ random: new Random(1), arenaBytes: MEMORY_BYTES, limits: () => CALM });
  const address = addressOf('127.0.0.1', 80);
  const listenFd = kernel.lendListener(address);
  const listener = kernel.listenerAt(listenFd);
  kernel.network.refuseBind(FOREIGN, EADDRNOTAVAIL);
  kernel.network.addNode(address, () => ({
    outcome: 'accept',
    afterMs: 0.1,
    limits: CALM,
    onAccept: (end) => {
      listener.queue.push(end);
      listener.notify(EPOLLIN);
    },
  }));
  return { kernel, listenFd, address, unused: addressOf('127.0.0.1', 81) };
}

function openReal(kernel: Kernel): { fd: number; address: Address } {
  const { ip } = addressOf('127.0.0.1', 0);
  const listening = openListeners({
    ip,
    port: 0,
    sockets: 1,
    backlog: 16,
    keepaliveSeconds: 60,
    besideOurOwn: false,
    congestion: undefined,
  });
  assert('fds' in listening, 'a free port');
  const fd = listening.fds[0] ?? -1;
  assert(kernel.localAddress(fd, ADDRESS_AT) === 0, 'the name of a listener');
  return { fd, address: addressIn(kernel, ADDRESS_AT) };
}

/** What the sockaddr at this place of the arena says. */
function addressIn(kernel: Kernel, at: number): Address {
  const bytes = new Uint8Array(18);
  readSockaddr(kernel.arena, at, bytes, 0, 16);
  return { ip: bytes.slice(0, 16), port: portAt(bytes, 16) };
}

const realListeners: number[] = [];
afterAll(() => {
  for (const fd of realListeners) closeListener(fd);
});

function realBench(): Bench {
  const kernel = createKernel(new SharedArrayBuffer(MEMORY_BYTES));
  const { fd: listenFd, address } = openReal(kernel);
  realListeners.push(listenFd);
  const { fd, address: unused } = openReal(kernel);
  closeListener(fd);
  return { kernel, listenFd, address, unused };
}

/** What a script does with a bench, in one place so that both kernels get exactly the same calls. */
class Script {
  readonly #bench: Bench;
  readonly kernel: Kernel;
  readonly #quietFd: number;

  constructor(bench: Bench) {
    this.#bench = bench;
    this.kernel = bench.kernel;
    this.#quietFd = bench.kernel.openEpoll();
  }

  get listenFd(): number {
    return this.#bench.listenFd;
  }

  get address(): Address {
    return this.#bench.address;
  }

  /** Loopback delivers within the call, the simulation within these milliseconds of its own clock. */
  settle(): void {
    this.kernel.wait(this.#quietFd, 0, EVENTS_MAX, 2);
  }

  connect(address = this.#bench.address): { fd: number; result: number } {
    const fd = this.kernel.openSocket(AF_INET);
    writeSockaddr(this.kernel.arena, ADDRESS_AT, address.ip, 0, address.port);
    const result = this.kernel.connect(fd, ADDRESS_AT);
    this.settle();
    return { fd, result };
  }

  refused(): { fd: number; result: number } {
    return this.connect(this.#bench.unused);
  }

  accept(): number {
    const fd = this.kernel.accept(this.#bench.listenFd, ADDRESS_AT);
    assert(fd > 0, `accept: ${fd}`);
    return fd;
  }

  pair(): { near: number; far: number; epollFd: number } {
    const { fd: far } = this.connect();
    const near = this.accept();
    return { near, far, epollFd: this.watch(near) };
  }

  watch(fd: number): number {
    const epollFd = this.kernel.openEpoll();
    assert(this.kernel.watch(epollFd, fd, ALL, 1, 2) === 0, 'watched');
    return epollFd;
  }

  events(epollFd: number): string[] {
    this.settle();
    const count = this.kernel.wait(epollFd, 0, EVENTS_MAX, 0);
    const { arena } = this.kernel;
    return Array.from(
      { length: count },
      (_, i) => `${eventTag(arena, 0, i)}: ${describeEvents(eventMask(arena, 0, i))}`,
    );
  }

  addressAt(at: number): Address {
    return addressIn(this.kernel, at);
  }

  /** What has arrived once everything on the way has. */
  recvLater(fd: number, bytes = 4096): number {
    this.settle();
    return this.recv(fd, bytes);
  }

  recv(fd: number, bytes = 4096): number {
    return this.kernel.recv(fd, DATA_AT, bytes);
  }

  send(fd: number, bytes: number): number {
    return this.kernel.send(fd, DATA_AT, bytes);
  }

  reset(fd: number): void {
    this.kernel.resetOnClose(fd);
    this.kernel.close(fd);
    this.settle();
  }

  pipe(): { readFd: number; writeFd: number } {
    assert(this.kernel.openPipe(FDS_AT) === 0, 'a pipe');
    return {
      readFd: this.kernel.arena.view.getInt32(FDS_AT, true),
      writeFd: this.kernel.arena.view.getInt32(FDS_AT + 4, true),
    };
  }
}

const EBADF = -9;
const EAGAIN = -11;
const EPIPE = -32;
const ENOTCONN = -107;

const BENCHES: [name: string, make: () => Bench][] = [
  ['simulated', simBench],
  ['real', realBench],
];

describe.for(BENCHES)('%s kernel', ([, make]) => {
  test('edges: on ADD, once, again with new bytes, and on own shutdown', () => {
    const on = new Script(make());
    const { near, far, epollFd } = on.pair();
    expect(on.events(epollFd)).toEqual(['1: OUT']);
    expect(on.events(epollFd)).toEqual([]);
    on.send(far, 3);
    expect(on.events(epollFd)).toEqual(['1: IN|OUT']);
    on.send(far, 3);
    expect(on.events(epollFd)).toEqual(['1: IN|OUT']);
    expect(on.recv(near)).toBe(6);
    on.kernel.shutdownWrite(near);
    expect(on.events(epollFd)).toEqual(['1: OUT']);
    expect(on.send(near, 1)).toBe(EPIPE);
    on.kernel.close(far);
    expect(on.events(epollFd)).toEqual(['1: IN|OUT|HUP|RDHUP']);
    expect([on.recv(near), on.kernel.takeError(near), on.kernel.unsent(near)]).toEqual([0, 0, 0]);
  });

  test('bytes and a reset in one event', () => {
    const on = new Script(make());
    const { near, far, epollFd } = on.pair();
    on.send(far, 5);
    on.settle();
    on.reset(far);
    expect(on.events(epollFd)).toEqual([`1: ${ALL_READY}`]);
    expect([on.recv(near, 3), on.recv(near), on.recv(near), on.recv(near)]).toEqual([3, 2, -ECONNRESET, 0]);
    expect([on.send(near, 1), on.kernel.shutdownWrite(near)]).toEqual([EPIPE, ENOTCONN]);
    expect(on.kernel.peerAddress(near, ADDRESS_AT)).toBe(ENOTCONN);
    expect(on.kernel.localAddress(near, ADDRESS_AT)).toBe(0);
    expect(on.kernel.setOption(near, 'no-delay', 1)).toBe(0);
  });

  test('below a low-water mark bytes make no event, and can be read; at the mark, or with the end behind them, they do', () => {
    const on = new Script(make());
    const { near, far, epollFd } = on.pair();
    expect(on.events(epollFd)).toEqual(['1: OUT']);
    expect(on.kernel.setOption(near, 'receive-low-water', 1000)).toBe(0);
    on.send(far, 999);
    on.settle();
    expect(on.events(epollFd)).toEqual([]);
    on.send(far, 1);
    on.settle();
    expect(on.events(epollFd)).toEqual(['1: IN|OUT']);
    expect([on.recv(near, 990), on.recv(near, 100), on.recv(near)]).toEqual([990, 10, EAGAIN]);
    on.send(far, 5);
    on.settle();
    expect([on.events(epollFd), on.recv(near, 2)]).toEqual([[], 2]);
    on.kernel.shutdownWrite(far);
    on.settle();
    expect([on.events(epollFd), on.recv(near)]).toEqual([['1: IN|OUT|RDHUP'], 3]);
  });

  test('where a low-water mark is lowered, what lies there already is read without an event', () => {
    const on = new Script(make());
    const { near, far, epollFd } = on.pair();
    on.kernel.setOption(near, 'receive-low-water', 1000);
    on.send(far, 7);
    on.settle();
    on.events(epollFd);
    expect(on.kernel.setOption(near, 'receive-low-water', 1)).toBe(0);
    expect(on.recv(near)).toBe(7);
    on.send(far, 1);
    on.settle();
    expect(on.events(epollFd)).toEqual(['1: IN|OUT']);
  });

  test('peek leaves the bytes, discard takes them unseen, and both tell the end', () => {
    const on = new Script(make());
    const { near, far } = on.pair();
    const { bytes } = on.kernel.arena;
    expect(on.kernel.peek(near, DATA_AT, 9)).toBe(EAGAIN);
    bytes.set([1, 2, 3, 4, 5], DATA_AT);
    on.send(far, 5);
    on.kernel.shutdownWrite(far);
    on.settle();
    bytes.fill(9, DATA_AT, DATA_AT + 5);
    expect([on.kernel.peek(near, DATA_AT, 9), on.kernel.unread(near)]).toEqual([5, 5]);
    expect([...bytes.slice(DATA_AT, DATA_AT + 5)]).toEqual([1, 2, 3, 4, 5]);
    bytes.fill(9, DATA_AT, DATA_AT + 5);
    expect([on.kernel.discard(near, 3), bytes[DATA_AT], on.kernel.unread(near)]).toEqual([3, 9, 2]);
    expect(on.recv(near)).toBe(2);
    expect([...bytes.slice(DATA_AT, DATA_AT + 3)]).toEqual([4, 5, 9]);
    expect([on.kernel.peek(near, DATA_AT, 9), on.recv(near)]).toEqual([0, 0]);
  });

  test('held bytes come with the FIN, as one edge, and a short read has met both', () => {
    const on = new Script(make());
    const { near, far, epollFd } = on.pair();
    on.events(epollFd);
    expect([on.kernel.sendMore(far, DATA_AT, 5), on.kernel.unsent(far)]).toEqual([5, 5]);
    expect(on.events(epollFd)).toEqual([]);
    on.kernel.shutdownWrite(far);
    expect(on.events(epollFd)).toEqual(['1: IN|OUT|RDHUP']);
    expect([on.recv(near), on.events(epollFd), on.recv(near)]).toEqual([5, [], 0]);
  });

  test('a connection is accepted, named and watched in one go, and so is one opened', () => {
    const on = new Script(make());
    const { kernel, listenFd, address } = on;
    const epollFd = kernel.openEpoll();
    kernel.prepareConnections(epollFd, ALL, DATA_AT, 0);
    writeSockaddr(kernel.arena, ADDRESS_AT, address.ip, 0, address.port);
    const far = kernel.openConnection(ADDRESS_AT, NOWHERE, 6, 8);
    expect([far > 0, kernel.restOfConnection()]).toEqual([true, 0]);
    on.settle();
    const near = kernel.acceptConnection(listenFd, PEER_AT, LOCAL_AT, 7, 9);
    expect([near > 0, kernel.restOfConnection()]).toEqual([true, 0]);
    expect(on.addressAt(LOCAL_AT)).toEqual(address);
    expect(kernel.localAddress(far, LOCAL_AT)).toBe(0);
    expect(on.addressAt(PEER_AT)).toEqual(on.addressAt(LOCAL_AT));
    expect(on.events(epollFd).sort()).toEqual(['6: OUT', '7: OUT']);
    expect([on.send(far, 5), on.recvLater(near)]).toEqual([5, 5]);
    expect(kernel.acceptConnection(listenFd, PEER_AT, NOWHERE, 7, 9)).toBe(EAGAIN);
  });

  test('what is asked for behind the descriptor may fail, and the descriptor is there', () => {
    const on = new Script(make());
    const { kernel, listenFd, address } = on;
    const epollFd = kernel.openEpoll();
    kernel.prepareConnections(epollFd, ALL, DATA_AT, 0);
    writeSockaddr(kernel.arena, ADDRESS_AT, address.ip, 0, address.port);
    writeSockaddr(kernel.arena, LOCAL_AT, FOREIGN.ip, 0, 0);
    const fd = kernel.openConnection(ADDRESS_AT, LOCAL_AT, 6, 8);
    expect([fd > 0, kernel.restOfConnection()]).toEqual([true, -EADDRNOTAVAIL]);
    expect([on.events(epollFd), kernel.peerAddress(fd, PEER_AT)]).toEqual([[], ENOTCONN]);
    expect(kernel.acceptConnection(listenFd, PEER_AT, NOWHERE, 1, 1)).toBe(EAGAIN);
    on.connect();
    kernel.prepareConnections(-1, ALL, DATA_AT, 0);
    const accepted = kernel.acceptConnection(listenFd, PEER_AT, NOWHERE, 1, 1);
    expect([accepted > 0, kernel.restOfConnection()]).toEqual([true, EBADF]);
  });

  test('a connection from an address of its own', () => {
    const on = new Script(make());
    const { kernel, address } = on;
    kernel.prepareConnections(kernel.openEpoll(), ALL, DATA_AT, 0);
    writeSockaddr(kernel.arena, ADDRESS_AT, address.ip, 0, address.port);
    const source = addressOf('127.0.0.9', 0);
    writeSockaddr(kernel.arena, LOCAL_AT, source.ip, 0, 0);
    const fd = kernel.openConnection(ADDRESS_AT, LOCAL_AT, 6, 8);
    expect(kernel.restOfConnection()).toBe(0);
    on.settle();
    expect(kernel.localAddress(fd, PEER_AT)).toBe(0);
    expect(on.addressAt(PEER_AT).ip).toEqual(source.ip);
    expect(on.addressAt(PEER_AT).port).toBeGreaterThan(0);
  });

  test('last bytes take the FIN with them, but only where they are taken as a whole', () => {
    const on = new Script(make());
    const { near, far, epollFd } = on.pair();
    on.events(epollFd);
    expect(on.kernel.sendLast(far, DATA_AT, 5)).toBe(5);
    expect(on.events(epollFd)).toEqual(['1: IN|OUT|RDHUP']);
    expect([on.recv(near), on.recv(near), on.send(far, 1)]).toEqual([5, 0, EPIPE]);
    let queued = 0;
    for (let n = 0; n >= 0; queued += Math.max(n, 0)) n = on.send(near, 65_536);
    expect(on.kernel.sendLast(near, DATA_AT, 5)).toBe(EAGAIN);
    for (let n = 1; n > 0; n = on.recvLater(far, 65_536)) queued -= n === 1 ? 0 : n;
    expect([queued, on.recv(far), on.send(near, 1)]).toEqual([0, EAGAIN, 1]);
    expect(on.kernel.sendLast(-1, DATA_AT, 5)).toBe(EBADF);
  });

  test('held bytes go out with the next send, and with the close', () => {
    const on = new Script(make());
    const { near, far } = on.pair();
    on.kernel.sendMore(far, DATA_AT, 5);
    on.settle();
    expect(on.recv(near)).toBe(EAGAIN);
    on.send(far, 3);
    on.settle();
    expect(on.recv(near)).toBe(8);
    on.kernel.sendMore(far, DATA_AT, 2);
    on.kernel.close(far);
    on.settle();
    expect([on.recv(near), on.recv(near)]).toEqual([2, 0]);
  });

  test('several reads and writes with one call answer as each would alone, in their order', () => {
    const on = new Script(make());
    const { kernel } = on;
    expect(kernel.openTransfers(TRANSFERS_AT)).toBe(0);
    const { near, far } = on.pair();
    const other = on.pair();
    const ended = on.pair();
    const reset = on.pair();
    kernel.arena.bytes.set([1, 2, 3, 4, 5], DATA_AT);
    on.send(far, 5);
    kernel.shutdownWrite(ended.far);
    on.reset(reset.far);
    on.settle();
    const reads = [near, near, other.near, ended.near, reset.near];
    for (const [index, fd] of reads.entries()) kernel.noteRecv(index, fd, DATA_AT + 100 * (index + 1), 3);
    expect(reads.map((_, index) => kernel.transferred(index))).toEqual(reads.map(() => NOT_DONE));
    kernel.transfer(reads.length);
    expect(reads.map((_, index) => kernel.transferred(index))).toEqual([3, 2, EAGAIN, 0, -ECONNRESET]);
    expect([...kernel.arena.bytes.slice(DATA_AT + 100, DATA_AT + 103)]).toEqual([1, 2, 3]);
    expect([...kernel.arena.bytes.slice(DATA_AT + 200, DATA_AT + 203)]).toEqual([4, 5, 0]);
    kernel.noteSend(0, near, DATA_AT + 100, 3);
    kernel.noteSend(1, near, DATA_AT + 200, 2);
    kernel.noteSend(2, reset.near, DATA_AT, 1);
    kernel.noteRecv(3, far, DATA_AT + 600, 9);
    kernel.transfer(3);
    on.settle();
    expect([0, 1, 2, 3].map((index) => kernel.transferred(index))).toEqual([3, 2, EPIPE, NOT_DONE]);
    expect(on.recv(far)).toBe(5);
    expect([...kernel.arena.bytes.slice(DATA_AT, DATA_AT + 5)]).toEqual([1, 2, 3, 4, 5]);
    kernel.closeTransfers();
  });

  test('what several reads and writes came to is there for another kernel object on the same memory', () => {
    const on = new Script(make());
    const { kernel } = on;
    kernel.openTransfers(TRANSFERS_AT);
    const { near, far } = on.pair();
    on.send(far, 5);
    on.settle();
    kernel.noteRecv(0, near, DATA_AT, 9);
    kernel.noteRecv(1, near, DATA_AT, 9);
    kernel.transfer(2);
    expect(kernel.openTransfers(TRANSFERS_AT)).toBe(0);
    expect([kernel.transferred(0), kernel.transferred(1)]).toEqual([5, EAGAIN]);
    kernel.closeTransfers();
  });

  test('a reset is reported to a send, once', () => {
    const on = new Script(make());
    const { near, far } = on.pair();
    on.reset(far);
    expect([on.send(near, 1), on.send(near, 1), on.recv(near)]).toEqual([-ECONNRESET, EPIPE, 0]);
  });

  test('a reset after FIN leaves an end of stream', () => {
    const on = new Script(make());
    const { near, far, epollFd } = on.pair();
    on.send(far, 5);
    on.kernel.shutdownWrite(far);
    expect(on.events(epollFd)).toEqual(['1: IN|OUT|RDHUP']);
    on.reset(far);
    expect(on.events(epollFd)).toEqual([`1: ${ALL_READY}`]);
    expect([on.recv(near), on.recv(near), on.kernel.takeError(near)]).toEqual([5, 0, 32]);
    expect([on.recv(near), on.send(near, 1)]).toEqual([0, EPIPE]);
  });

  test('a reset after own FIN is a reset', () => {
    const on = new Script(make());
    const { near, far } = on.pair();
    on.kernel.shutdownWrite(near);
    on.settle();
    on.reset(far);
    expect([on.recv(near), on.recv(near)]).toEqual([-ECONNRESET, 0]);
  });

  test('bytes for a closed peer come back as a reset', () => {
    const on = new Script(make());
    const { near, far, epollFd } = on.pair();
    on.kernel.close(far);
    expect(on.events(epollFd)).toEqual(['1: IN|OUT|RDHUP']);
    expect(on.send(near, 4)).toBe(4);
    expect(on.events(epollFd)).toEqual([`1: ${ALL_READY}`]);
    expect([on.recv(near), on.send(near, 1)]).toEqual([0, EPIPE]);
  });

  test('a close with unread input resets', () => {
    const on = new Script(make());
    const { near, far, epollFd } = on.pair();
    on.send(near, 5);
    on.settle();
    on.kernel.close(far);
    expect(on.events(epollFd)).toEqual([`1: ${ALL_READY}`]);
    expect([on.recv(near), on.recv(near)]).toEqual([-ECONNRESET, 0]);
  });

  test('a linger of 0 resets nothing once both FINs are out and all is delivered', () => {
    const on = new Script(make());
    const { near, far } = on.pair();
    on.kernel.shutdownWrite(far);
    on.settle();
    on.send(near, 3);
    on.settle();
    on.kernel.shutdownWrite(near);
    on.reset(near);
    expect([on.recv(far), on.recv(far), on.kernel.takeError(far)]).toEqual([3, 0, 0]);
  });

  test('what was received counts an FIN as one byte, which nobody reads, and a reset as none', () => {
    const on = new Script(make());
    const { kernel } = on;
    const { readFd, writeFd } = on.pipe();
    for (const [hasFin, error, received] of [
      [false, -ECONNRESET, 9],
      [true, EPIPE, 10],
    ] as const) {
      const { near, far } = on.pair();
      expect(kernel.received(near)).toBe(0);
      on.send(far, 9);
      on.settle();
      expect([kernel.received(near), kernel.unread(near)]).toEqual([9, 9]);
      // By every way in which bytes leave a socket.
      expect([on.recv(near, 2), kernel.discard(near, 3), kernel.splice(near, writeFd, 1)]).toEqual([2, 3, 1]);
      expect([kernel.received(near), kernel.unread(near)]).toEqual([9, 3]);
      if (hasFin) kernel.shutdownWrite(far);
      on.settle();
      on.reset(far);
      // The error is gone with the first write, and both look alike from then on.
      expect([on.send(near, 1), on.send(near, 1)]).toEqual([error, EPIPE]);
      expect([kernel.received(near), kernel.unread(near)]).toEqual([received, 3]);
      expect([on.recv(near), on.recv(near)]).toEqual([3, 0]);
      expect([kernel.received(near), kernel.unread(near)]).toEqual([received, 0]);
    }
    expect([kernel.received(-1), kernel.received(readFd) < 0]).toEqual([EBADF, true]);
  });

  test('what a reset threw away is still counted as unsent', () => {
    const on = new Script(make());
    const { near, far } = on.pair();
    // Until the other end's queue is full too.
    do {
      while (on.send(near, A_LOT) > 0);
      on.settle();
    } while (on.kernel.unsent(near) === 0);
    const before = on.kernel.unsent(near);
    on.reset(far);
    expect(before).toBeGreaterThan(0);
    expect(on.kernel.unsent(near)).toBeGreaterThan(0);
    expect(on.recv(near)).toBe(-ECONNRESET);
  });

  test('a queued connection that was reset is accepted', () => {
    const on = new Script(make());
    const { fd: far } = on.connect();
    on.send(far, 3);
    on.settle();
    on.reset(far);
    const near = on.accept();
    expect([on.recv(near), on.recv(near), on.recv(near)]).toEqual([3, -ECONNRESET, 0]);
  });

  test('a new socket', () => {
    const on = new Script(make());
    const fd = on.kernel.openSocket(AF_INET);
    expect(on.events(on.watch(fd))).toEqual(['1: OUT|HUP']);
    expect([on.recv(fd), on.send(fd, 1), on.kernel.shutdownWrite(fd)]).toEqual([ENOTCONN, EPIPE, ENOTCONN]);
  });

  test('a refused connect', () => {
    const on = new Script(make());
    const { fd, result } = on.refused();
    expect(result).toBe(-EINPROGRESS);
    expect(on.events(on.watch(fd))).toEqual([`1: ${ALL_READY}`]);
    expect([on.kernel.takeError(fd), on.kernel.takeError(fd)]).toEqual([ECONNREFUSED, 0]);
    expect([on.recv(fd), on.send(fd, 1)]).toEqual([0, EPIPE]);
  });

  test('splice: empty, end of stream, and a full pipe that hides it', () => {
    const on = new Script(make());
    const { near, far } = on.pair();
    const { readFd, writeFd } = on.pipe();
    expect(on.kernel.splice(near, writeFd, 100)).toBe(EAGAIN);
    expect(on.kernel.splice(readFd, near, 100)).toBe(EAGAIN);
    on.send(far, 5);
    on.settle();
    expect([on.kernel.splice(near, writeFd, 100), on.kernel.unread(readFd)]).toEqual([5, 5]);
    expect([on.kernel.splice(readFd, near, 100), on.kernel.unread(readFd)]).toEqual([5, 0]);
    expect(on.kernel.write(writeFd, DATA_AT, 65_536)).toBe(65_536);
    on.kernel.shutdownWrite(far);
    on.settle();
    expect(on.kernel.splice(near, writeFd, 100)).toBe(EAGAIN);
    expect(on.kernel.splice(readFd, near, 4096)).toBe(4096);
    expect(on.kernel.splice(near, writeFd, 100)).toBe(0);
  });

  test('splice and a reset: the pipe keeps its bytes', () => {
    const on = new Script(make());
    const { near, far } = on.pair();
    const { readFd, writeFd } = on.pipe();
    on.kernel.write(writeFd, DATA_AT, 3);
    on.reset(far);
    expect([on.kernel.splice(readFd, near, 9), on.kernel.splice(readFd, near, 9)]).toEqual([-ECONNRESET, EPIPE]);
    expect([on.kernel.unread(readFd), on.kernel.splice(near, writeFd, 9)]).toEqual([3, 0]);
  });

  test('a pipe is full when its slots are', () => {
    const on = new Script(make());
    const { near, far } = on.pair();
    const { readFd, writeFd } = on.pipe();
    expect(on.kernel.resizePipe(writeFd, 8192)).toBe(8192);
    on.kernel.setOption(far, 'no-delay', 1);
    let spliced = 0;
    for (let i = 0; i < 2; i++) {
      on.send(far, 7);
      on.settle();
      spliced += on.kernel.splice(near, writeFd, 100);
    }
    on.send(far, 7);
    on.settle();
    expect([spliced, on.kernel.splice(near, writeFd, 100), on.kernel.unread(readFd)]).toEqual([14, EAGAIN, 14]);
  });

  test('write fills a page per slot and the last page with odd bytes', () => {
    const on = new Script(make());
    const { readFd, writeFd } = on.pipe();
    expect([on.kernel.pipeSize(readFd), on.kernel.resizePipe(writeFd, 5000)]).toEqual([65_536, 8192]);
    const written = [4000, 96, 5000, 1].map((bytes) => on.kernel.write(writeFd, DATA_AT, bytes));
    expect(written).toEqual([4000, 96, 4096, EAGAIN]);
    expect([on.kernel.resizePipe(writeFd, 4096), on.kernel.unread(readFd)]).toEqual([-16, 8192]);
  });

  test('an eventfd is level-triggered until it is taken', () => {
    const on = new Script(make());
    const epollFd = on.kernel.openEpoll();
    const wakeFd = on.kernel.openWake();
    expect(on.kernel.watch(epollFd, wakeFd, EPOLLIN, 4, 0)).toBe(0);
    expect(on.kernel.watch(epollFd, wakeFd, EPOLLIN, 4, 0)).toBe(-17);
    on.kernel.wake(wakeFd);
    expect([on.events(epollFd), on.events(epollFd)]).toEqual([['4: IN'], ['4: IN']]);
    on.kernel.takeWake(wakeFd);
    expect(on.events(epollFd)).toEqual([]);
    expect([on.kernel.unwatch(epollFd, wakeFd), on.kernel.unwatch(epollFd, wakeFd)]).toEqual([0, -2]);
  });
});
