// Opens listening sockets: one per shard and address, sharing the port by SO_REUSEPORT (socket(7)). It belongs to the process,
// not to a shard: a socket outlives the thread that accepts from it. It accepts nothing.

import { isIpv4 } from '../base/ip.ts';
import {
  bind,
  CLOEXEC,
  close,
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SO_OOBINLINE,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  setsockopt,
  socket,
  TCP_CONGESTION,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
  TCP_USER_TIMEOUT,
} from './abi.ts';
import { userTimeoutMs } from './keepalive.ts';
import { AF_INET, AF_INET6, type Arena, createArena } from './kernel.ts';
import { addressOf, declare, lastError } from './libc.ts';
import { sockaddrBytes, writeSockaddr } from './sockaddr.ts';

const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const SO_BINDTOIFINDEX = 62;
const NO_DEVICE = 0x7fff_ffff;

const listen = declare('listen', 'int', ['int', 'int']);

export interface ListenOptions {
  /** 16 bytes, see core/base/ip.ts */
  ip: Uint8Array;
  port: number;
  /** how many sockets share the port */
  sockets: number;
  backlog: number;
  keepaliveSeconds: number;
  /** the port is already ours at an overlapping address that is about to go: bind beside it */
  besideOurOwn: boolean;
  /** TCP congestion control of accepted connections; undefined leaves the system's */
  congestion: string | undefined;
}

export type Listening = { fds: number[] } | { errno: number; call: 'socket' | 'setsockopt' | 'bind' | 'listen' };

/**
 * Binds and listens. The first socket of the address binds *before* it sets SO_REUSEPORT: with the option set, a second
 * process of the same user would bind beside us unnoticed and take half of the connections; so it fails with EADDRINUSE.
 */
export function openListeners(options: ListenOptions): Listening {
  const memory = new SharedArrayBuffer(64);
  const arena = createArena(memory);
  const base = addressOf(memory);
  const fds: number[] = [];
  for (let i = 0; i < options.sockets; i++) {
    const result = openOne(arena, base, options, i === 0 && !options.besideOurOwn);
    if ('call' in result) {
      for (const fd of fds) close(fd);
      return result;
    }
    fds.push(result.fd);
  }
  // Only now: a socket that listens takes connections, and nobody accepts from a half-opened set.
  for (const fd of fds) {
    if (listen(fd, options.backlog) === 0) continue;
    const errno = -lastError();
    for (const opened of fds) close(opened);
    return { errno, call: 'listen' };
  }
  return { fds };
}

/**
 * Makes a listening socket invisible to new handshakes, while those begun or queued still arrive: it is bound to a network device
 * that does not exist. Without this, whoever connects between the last accept and the close is reset (19 of some thousand, tried).
 */
export function hideListener(fd: number): void {
  const memory = new SharedArrayBuffer(4);
  new DataView(memory).setInt32(0, NO_DEVICE, true);
  setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, addressOf(memory), 4);
}

export function closeListener(fd: number): void {
  close(fd);
}

type Opened = { fd: number } | { errno: number; call: 'socket' | 'setsockopt' | 'bind' };

function openOne(arena: Arena, base: number, options: ListenOptions, mustBeAlone: boolean): Opened {
  const family = isIpv4(options.ip, 0) ? AF_INET : AF_INET6;
  const fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return { errno: -lastError(), call: 'socket' };
  const fail = (errno: number, call: 'setsockopt' | 'bind'): Opened => {
    close(fd);
    return { errno, call };
  };
  const set = setter(arena, base, fd);
  if (set(SOL_SOCKET, SO_REUSEADDR, 1) < 0) return fail(-lastError(), 'setsockopt');
  if (family === AF_INET6) set(IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (!mustBeAlone) set(SOL_SOCKET, SO_REUSEPORT, 1);
  writeSockaddr(arena, 0, options.ip, 0, options.port);
  if (bind(fd, base, sockaddrBytes(arena, 0)) !== 0) return fail(-lastError(), 'bind');
  if (mustBeAlone) set(SOL_SOCKET, SO_REUSEPORT, 1);
  // Linux copies these to every socket accepted from this one: none is set per connection.
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(SOL_SOCKET, SO_OOBINLINE, 1);
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, options.keepaliveSeconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, options.keepaliveSeconds);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, userTimeoutMs(options.keepaliveSeconds));
  if (options.congestion !== undefined && setCongestion(arena, base, fd, options.congestion) < 0) {
    return fail(-lastError(), 'setsockopt');
  }
  return { fd };
}

function setter(arena: Arena, base: number, fd: number) {
  return (level: number, name: number, value: number): number => {
    arena.view.setInt32(32, value, true);
    return setsockopt(fd, level, name, base + 32, 4);
  };
}

function setCongestion(arena: Arena, base: number, fd: number, name: string): number {
  const { written } = new TextEncoder().encodeInto(name, new Uint8Array(16));
  for (let i = 0; i < written; i++) arena.bytes[32 + i] = name.charCodeAt(i);
  return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, base + 32, written);
}
