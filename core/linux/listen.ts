// Opens listening sockets: one per shard and address, sharing the port by SO_REUSEPORT (socket(7)). It belongs to the process,
// not to a shard: a socket outlives the thread that accepts from it. It accepts nothing.

import { isIpv4 } from '../base/ip.ts';
import { userTimeoutMs } from './keepalive.ts';
import { AF_INET, AF_INET6, SOCKADDR_BYTES, type SocketOption } from './kernel.ts';
import { createKernel, KERNEL_CELL_BYTES } from './native.ts';
import { writeSockaddr } from './sockaddr.ts';
import { systemCalls as linux } from './system-calls.ts';

const NO_DEVICE = 0x7fff_ffff;

/** Room for the name of a congestion control: TCP_CA_NAME_MAX (net/tcp.h). */
const CONGESTION_BYTES = 16;

/** Where a call's arguments lie in the arena. */
const ADDRESS_AT = 0;
const CONGESTION_AT = SOCKADDR_BYTES;
const kernel = createKernel(new SharedArrayBuffer(CONGESTION_AT + CONGESTION_BYTES + KERNEL_CELL_BYTES));

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
  /** the machine need not have the address now (IP_FREEBIND, ip(7)); who comes for it is accepted once it has */
  freeBind?: boolean;
}

export type Listening = { fds: number[] } | { errno: number; call: 'socket' | 'setsockopt' | 'bind' | 'listen' };

/**
 * Binds and listens. The first socket of the address binds *before* it sets SO_REUSEPORT: with the option set, a second
 * process of the same user would bind beside us unnoticed and take half of the connections; so it fails with EADDRINUSE.
 */
export function openListeners(options: ListenOptions): Listening {
  const fds: number[] = [];
  for (let i = 0; i < options.sockets; i++) {
    const result = openOne(options, i === 0 && !options.besideOurOwn);
    if ('call' in result) {
      for (const fd of fds) kernel.close(fd);
      return result;
    }
    fds.push(result.fd);
  }
  // Only now: a socket that listens takes connections, and nobody accepts from a half-opened set.
  for (const fd of fds) {
    const result = linux.listen(fd, options.backlog);
    if (result === 0) continue;
    for (const opened of fds) kernel.close(opened);
    return { errno: -result, call: 'listen' };
  }
  return { fds };
}

/**
 * Makes a listening socket invisible to new handshakes, while those begun or queued still arrive: it is bound to a network device
 * that does not exist. Without this, whoever connects between the last accept and the close is reset (19 of some thousand, tried).
 */
export function hideListener(fd: number): void {
  kernel.setOption(fd, 'bind-to-device', NO_DEVICE);
}

export function closeListener(fd: number): void {
  kernel.close(fd);
}

type Opened = { fd: number } | { errno: number; call: 'socket' | 'setsockopt' | 'bind' };

function openOne(options: ListenOptions, mustBeAlone: boolean): Opened {
  const family = isIpv4(options.ip, 0) ? AF_INET : AF_INET6;
  const fd = kernel.openSocket(family);
  if (fd < 0) return { errno: -fd, call: 'socket' };
  const set = (option: SocketOption, value: number) => kernel.setOption(fd, option, value);
  const fail = (error: number, call: 'setsockopt' | 'bind'): Opened => {
    kernel.close(fd);
    return { errno: -error, call };
  };
  const reused = set('reuse-address', 1);
  if (reused < 0) return fail(reused, 'setsockopt');
  if (family === AF_INET6) set('v6-only', 1);
  if (!mustBeAlone) set('reuse-port', 1);
  if (options.freeBind === true) set('free-bind', 1);
  writeSockaddr(kernel.arena, ADDRESS_AT, options.ip, 0, options.port);
  const bound = kernel.bind(fd, ADDRESS_AT);
  if (bound < 0) return fail(bound, 'bind');
  if (mustBeAlone) set('reuse-port', 1);
  // Linux copies these to every socket accepted from this one: none is set per connection.
  set('keepalive', 1);
  set('oob-inline', 1);
  set('no-delay', 1);
  set('keepalive-idle-s', options.keepaliveSeconds);
  set('keepalive-interval-s', options.keepaliveSeconds);
  set('user-timeout-ms', userTimeoutMs(options.keepaliveSeconds));
  const congested = options.congestion === undefined ? 0 : setCongestion(fd, options.congestion);
  return congested < 0 ? fail(congested, 'setsockopt') : { fd };
}

function setCongestion(fd: number, name: string): number {
  const bytes = Math.min(name.length, CONGESTION_BYTES);
  for (let i = 0; i < bytes; i++) kernel.arena.bytes[CONGESTION_AT + i] = name.charCodeAt(i);
  return kernel.setCongestion(fd, CONGESTION_AT, bytes);
}
