// TCP sockets below Node.js, for peers that misbehave in ways it does not offer: tiny buffers and segments, a full backlog,
// urgent data, reading nothing at all, closing with input unread. They go through the project's own system-call table.
// A raw socket never blocks; `toPeer` hands it to Node.js for everything ordinary.

import { Socket } from 'node:net';
import { EINPROGRESS } from '../core/base/errno.ts';
import { formatIp, isIpv4, parseIp, portAt } from '../core/base/ip.ts';
import { AF_INET, AF_INET6 } from '../core/linux/kernel.ts';
import { createKernel, KERNEL_CELL_BYTES } from '../core/linux/native.ts';
import { readSockaddr, writeSockaddr } from '../core/linux/sockaddr.ts';
import { addressOf, systemCalls as linux } from '../core/linux/system-calls.ts';
import { Peer } from './peer.ts';
import { eventually } from './process.ts';

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const IPPROTO_TCP = 6;
const TCP_MAXSEG = 2;
const TCP_REPAIR = 19;
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCSIFADDR = 0x8916;
const IFF_UP = 1;
const IFREQ_NAME_BYTES = 16;
/** the first interface of every network namespace */
const LOOPBACK_INDEX = 1;
const MSG_OOB = 1;
const MSG_NOSIGNAL = 0x4000;

// One small arena for all: nothing here waits with a call half done.
const ADDRESS_AT = 0;
const INTEGER_AT = 64;
const DATA_AT = 128;
const DATA_BYTES = 65536;
const memory = new SharedArrayBuffer(DATA_AT + DATA_BYTES + KERNEL_CELL_BYTES);
const kernel = createKernel(memory);
const base = addressOf(memory);

export interface RawOptions {
  /** SO_RCVBUF; Linux doubles it, and takes at least 2,304 bytes */
  receiveBytes?: number;
  /** SO_SNDBUF */
  sendBytes?: number;
  /** TCP_MAXSEG: what the other end may put into one segment. Small segments also keep its send buffer small. */
  segmentBytes?: number;
}

/** @returns the result of a call; throws on -errno */
function must(call: string, result: number): number {
  if (result < 0) throw new Error(`${call}: errno ${-result}`);
  return result;
}

function setInteger(fd: number, level: number, name: number, value: number): void {
  kernel.arena.view.setInt32(INTEGER_AT, value, true);
  must(`setsockopt ${name}`, linux.setsockopt(fd, level, name, base + INTEGER_AT, 4));
}

function setOptions(fd: number, { receiveBytes, sendBytes, segmentBytes }: RawOptions): void {
  if (receiveBytes !== undefined) setInteger(fd, SOL_SOCKET, SO_RCVBUF, receiveBytes);
  if (sendBytes !== undefined) setInteger(fd, SOL_SOCKET, SO_SNDBUF, sendBytes);
  if (segmentBytes !== undefined) setInteger(fd, IPPROTO_TCP, TCP_MAXSEG, segmentBytes);
}

function writeAddress(host: string, port: number): void {
  const ip = parseIp(host);
  if (ip === undefined) throw new Error(`${host} is no IP address`);
  writeSockaddr(kernel.arena, ADDRESS_AT, ip, 0, port);
}

function openFor(host: string): number {
  const ip = parseIp(host);
  return must('socket', kernel.openSocket(ip !== undefined && isIpv4(ip, 0) ? AF_INET : AF_INET6));
}

function readAddress(): { address: string; port: number } {
  const bytes = new Uint8Array(18);
  readSockaddr(kernel.arena, ADDRESS_AT, bytes, 0, 16);
  return { address: formatIp(bytes, 0), port: portAt(bytes, 16) };
}

/** One connected TCP socket. */
export class RawSocket {
  readonly fd: number;
  #isOpen = true;

  constructor(fd: number) {
    this.fd = fd;
  }

  get local(): { address: string; port: number } {
    must('getsockname', kernel.localAddress(this.fd, ADDRESS_AT));
    return readAddress();
  }

  /** As much as the kernel takes now, at most 64 KiB. @returns how much, or -errno */
  send(data: Uint8Array): number {
    const bytes = Math.min(data.length, DATA_BYTES);
    kernel.arena.bytes.set(data.subarray(0, bytes), DATA_AT);
    return kernel.send(this.fd, DATA_AT, bytes);
  }

  /** The last byte of `data`, at most 64 KiB, becomes the urgent one. @returns how much the kernel took, or -errno */
  sendUrgent(data: Uint8Array): number {
    kernel.arena.bytes.set(data, DATA_AT);
    return linux.sendto(this.fd, base + DATA_AT, data.length, MSG_OOB | MSG_NOSIGNAL);
  }

  /** What is there now, at most so much and 64 KiB. @returns how much, 0 at the end of the stream, or -errno */
  recv(bytes = DATA_BYTES): number {
    return kernel.recv(this.fd, DATA_AT, Math.min(bytes, DATA_BYTES));
  }

  /** The first `count` bytes of the last `recv`; good until anything else is called here. */
  received(count: number): Uint8Array {
    return kernel.arena.bytes.subarray(DATA_AT, DATA_AT + count);
  }

  /** Bytes that arrived and were not read. */
  unread(): number {
    return must('FIONREAD', kernel.unread(this.fd));
  }

  /** Bytes that the other end's kernel has not acknowledged. */
  unsent(): number {
    return must('SIOCOUTQ', kernel.unsent(this.fd));
  }

  fin(): void {
    must('shutdown', this.tryFin());
  }

  /** @returns 0, or -ENOTCONN where the other end has reset the connection */
  tryFin(): number {
    return kernel.shutdownWrite(this.fd);
  }

  rst(): void {
    must('SO_LINGER', kernel.resetOnClose(this.fd));
    this.close();
  }

  /** A FIN; but where input is unread, Linux sends a reset instead. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    kernel.close(this.fd);
  }

  /** Node.js takes the descriptor over and closes it. */
  toPeer(): Peer {
    this.#isOpen = false;
    return new Peer(
      new Socket({ fd: this.fd, allowHalfOpen: true, manualStart: true } as ConstructorParameters<typeof Socket>[0]),
    );
  }
}

/** Closes without telling the other end, as a host does that loses its power (TCP_REPAIR; needs CAP_NET_ADMIN). */
export function closeSilently(socket: RawSocket): void {
  setInteger(socket.fd, IPPROTO_TCP, TCP_REPAIR, 1);
  socket.close();
}

/** Begins a connect, which may stay pending. */
export function beginConnect(host: string, port: number, options: RawOptions = {}): RawSocket {
  const fd = openFor(host);
  setOptions(fd, options);
  writeAddress(host, port);
  const result = kernel.connect(fd, ADDRESS_AT);
  if (result < 0 && result !== -EINPROGRESS) {
    kernel.close(fd);
    must('connect', result);
  }
  return new RawSocket(fd);
}

export function isConnected(socket: RawSocket): boolean {
  return kernel.peerAddress(socket.fd, ADDRESS_AT) === 0;
}

export async function connectRaw(host: string, port: number, options: RawOptions = {}): Promise<RawSocket> {
  const socket = beginConnect(host, port, options);
  await eventually(`a connection to ${host}:${port}`, () => isConnected(socket));
  return socket;
}

/** Listens and accepts nothing until told to. */
export class RawListener {
  readonly host: string;
  readonly port: number;
  readonly #fd: number;
  #isOpen = true;

  constructor(host: string, port: number, options: RawOptions & { backlog?: number } = {}) {
    this.host = host;
    this.port = port;
    this.#fd = openFor(host);
    setInteger(this.#fd, SOL_SOCKET, SO_REUSEADDR, 1);
    setOptions(this.#fd, options);
    writeAddress(host, port);
    must('bind', kernel.bind(this.#fd, ADDRESS_AT));
    must('listen', linux.listen(this.#fd, options.backlog ?? 4096));
  }

  async accept(deadlineMs?: number): Promise<RawSocket> {
    let fd = -1;
    await eventually(
      `somebody to connect to ${this.host}:${this.port}`,
      () => {
        fd = kernel.accept(this.#fd, ADDRESS_AT);
        return fd >= 0;
      },
      deadlineMs,
    );
    return new RawSocket(fd);
  }

  /** How many may wait from now on. */
  setBacklog(backlog: number): void {
    must('listen', linux.listen(this.#fd, backlog));
  }

  /** @returns undefined when nobody waits */
  tryAccept(): RawSocket | undefined {
    const fd = kernel.accept(this.#fd, ADDRESS_AT);
    return fd >= 0 ? new RawSocket(fd) : undefined;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    kernel.close(this.#fd);
  }
}

/**
 * A port that answers nobody: its backlog of 0 holds one connection (listen(2)), which is made here, and Linux drops every
 * SYN after it. @returns the listener and the connection that fills it
 */
export async function openBlackHole(host: string, port: number): Promise<{ listener: RawListener; filler: RawSocket }> {
  const listener = new RawListener(host, port, { backlog: 0 });
  return { listener, filler: await connectRaw(host, port) };
}

/** Brings `lo` up, which is down in a new network namespace (netdevice(7)). */
export function setLoopbackUp(): void {
  const fd = must('socket', kernel.openSocket(AF_INET));
  const { bytes, view } = kernel.arena;
  const flagsAt = DATA_AT + IFREQ_NAME_BYTES;
  bytes.fill(0, DATA_AT, DATA_AT + 2 * IFREQ_NAME_BYTES + 8);
  bytes.set([0x6c, 0x6f], DATA_AT);
  must('SIOCGIFFLAGS', linux.ioctl(fd, SIOCGIFFLAGS, base + DATA_AT));
  view.setInt16(flagsAt, view.getInt16(flagsAt, true) | IFF_UP, true);
  must('SIOCSIFFLAGS', linux.ioctl(fd, SIOCSIFFLAGS, base + DATA_AT));
  kernel.close(fd);
}

/** Gives `lo` one more IPv6 address (`struct in6_ifreq` of linux/ipv6.h; needs CAP_NET_ADMIN). */
export function addLoopbackIpv6(host: string): void {
  const ip = parseIp(host);
  if (ip === undefined || isIpv4(ip, 0)) throw new Error(`${host} is no IPv6 address`);
  const fd = must('socket', kernel.openSocket(AF_INET6));
  const { bytes, view } = kernel.arena;
  bytes.set(ip, DATA_AT);
  view.setUint32(DATA_AT + 16, 128, true);
  view.setInt32(DATA_AT + 20, LOOPBACK_INDEX, true);
  must('SIOCSIFADDR', linux.ioctl(fd, SIOCSIFADDR, base + DATA_AT));
  kernel.close(fd);
}
