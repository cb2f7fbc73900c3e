// What the tests of the real kernel share: a kernel of their own, a listener on the loopback, connections to it, and a list of
// every descriptor, so that each test closes what it opened. Nothing here sleeps: what is awaited is asked for again and again
// until the deadline.

import { assert } from '../core/base/assert.ts';
import { EINPROGRESS } from '../core/base/errno.ts';
import { parseIp, portAt } from '../core/base/ip.ts';
import { AF_INET, AF_INET6, type Kernel } from '../core/linux/kernel.ts';
import { type Listening, openListeners } from '../core/linux/listen.ts';
import { createKernel } from '../core/linux/native.ts';
import { readSockaddr, writeSockaddr } from '../core/linux/sockaddr.ts';
import { addressOf, systemCalls } from '../core/linux/system-calls.ts';
import { DEADLINE_MS } from './deadline.ts';

export const MEMORY_BYTES = 2 << 20;
export const ADDRESS_AT = 64;
export const FDS_AT = 128;
export const EVENTS_AT = 256;
export const DATA_AT = 4096;

const cells = new SharedArrayBuffer(16);
const cellsView = new DataView(cells);

/** An integer option of a socket, as the kernel has it. */
export function readOption(fd: number, level: number, name: number): number {
  cellsView.setInt32(8, 4, true);
  const at = addressOf(cells);
  assert(systemCalls.getsockopt(fd, level, name, at, at + 8) === 0, `getsockopt of ${fd}`);
  return cellsView.getInt32(0, true);
}

export function ipOf(text: string): Uint8Array {
  const ip = parseIp(text);
  assert(ip !== undefined, `an address: ${text}`);
  return ip;
}

export function listenOn(
  text: string,
  port: number,
  sockets = 1,
  more: { besideOurOwn?: boolean; freeBind?: boolean } = {},
): Listening {
  return openListeners({
    ip: ipOf(text),
    port,
    sockets,
    backlog: 64,
    keepaliveSeconds: 60,
    besideOurOwn: false,
    congestion: undefined,
    ...more,
  });
}

export class Loopback {
  readonly kernel: Kernel = createKernel(new SharedArrayBuffer(MEMORY_BYTES));
  readonly #fds: number[] = [];
  readonly #quiet = this.keep(this.kernel.openEpoll());

  /** Remembers a descriptor that the test itself will not close. */
  keep(fd: number): number {
    assert(fd >= 0, `a descriptor, not ${fd}`);
    this.#fds.push(fd);
    return fd;
  }

  close(fd: number): void {
    const index = this.#fds.indexOf(fd);
    assert(index >= 0, `a descriptor of this test, not ${fd}`);
    this.#fds.splice(index, 1);
    this.kernel.close(fd);
  }

  closeAll(): void {
    for (const fd of this.#fds.splice(0)) this.kernel.close(fd);
  }

  /** A listener on a port that the kernel picks. */
  listen(ip = '127.0.0.1'): { fd: number; port: number } {
    const listening = listenOn(ip, 0);
    assert('fds' in listening, 'a free port');
    const fd = this.keep(listening.fds[0] ?? -1);
    return { fd, port: this.addressOf(fd).port };
  }

  addressOf(fd: number): { ip: Uint8Array; port: number } {
    assert(this.kernel.localAddress(fd, ADDRESS_AT) === 0, 'a local address');
    return this.readAddress();
  }

  /** The sockaddr that the last call left. */
  readAddress(): { ip: Uint8Array; port: number } {
    const bytes = new Uint8Array(18);
    readSockaddr(this.kernel.arena, ADDRESS_AT, bytes, 0, 16);
    return { ip: bytes.slice(0, 16), port: portAt(bytes, 16) };
  }

  /** @returns the socket and what connect(2) answered */
  connectTo(ip: string, port: number): { fd: number; result: number } {
    const fd = this.keep(this.kernel.openSocket(ip.includes(':') ? AF_INET6 : AF_INET));
    writeSockaddr(this.kernel.arena, ADDRESS_AT, ipOf(ip), 0, port);
    return { fd, result: this.kernel.connect(fd, ADDRESS_AT) };
  }

  accept(listenFd: number): number {
    let fd = -1;
    this.until('a connection', () => {
      fd = this.kernel.accept(listenFd, ADDRESS_AT);
      return fd >= 0;
    });
    return this.keep(fd);
  }

  /** Two ends of one connection. */
  pair(ip = '127.0.0.1'): { near: number; far: number } {
    const { fd: listenFd, port } = this.listen(ip);
    const { fd: far, result } = this.connectTo(ip, port);
    assert(result === -EINPROGRESS, `connect: ${result}`);
    const near = this.accept(listenFd);
    this.close(listenFd);
    return { near, far };
  }

  pipe(): { readFd: number; writeFd: number } {
    assert(this.kernel.openPipe(FDS_AT) === 0, 'a pipe');
    const { view } = this.kernel.arena;
    const [readFd, writeFd] = [view.getInt32(FDS_AT, true), view.getInt32(FDS_AT + 4, true)];
    return { readFd: this.keep(readFd), writeFd: this.keep(writeFd) };
  }

  /** Puts text where `send`, `write` and `recv` find it. @returns its length */
  put(text: string, at = DATA_AT): number {
    return new TextEncoder().encode(text).reduce((count, byte, i) => {
      this.kernel.arena.bytes[at + i] = byte;
      return count + 1;
    }, 0);
  }

  taken(bytes: number, at = DATA_AT): string {
    return new TextDecoder().decode(this.kernel.arena.bytes.slice(at, at + bytes));
  }

  until(what: string, condition: () => boolean): void {
    const end = performance.now() + DEADLINE_MS;
    while (!condition()) {
      assert(performance.now() < end, `not within ${DEADLINE_MS} ms: ${what}`);
      this.kernel.wait(this.#quiet, EVENTS_AT, 1, 1);
    }
  }
}
