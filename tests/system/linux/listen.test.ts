// Listening sockets: they share a port among themselves and with nobody else, accepted connections have their options from the
// start, and of a set that cannot be opened as a whole nothing stays.

import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { assert } from '../../../core/base/assert.ts';
import { EACCES, EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EMFILE } from '../../../core/base/errno.ts';
import { userTimeoutMs } from '../../../core/linux/keepalive.ts';
import { closeListener, type Listening, openListeners } from '../../../core/linux/listen.ts';
import { addressOf, systemCalls } from '../../../core/linux/system-calls.ts';
import { ADDRESS_AT, ipOf, Loopback, listenOn, readOption } from '../../../testing/loopback.ts';
import { freePort, hasIpv6 } from '../../../testing/ports.ts';
import { type ForeignListener, listenElsewhere } from './foreign-listener.ts';

const SOL_SOCKET = 1;
const IPPROTO_TCP = 6;
const IPPROTO_IPV6 = 41;
const ENOENT = 2;
const RLIMIT_NOFILE = 7;

const getrlimit = (at: number) => systemCalls.prlimit64(0, RLIMIT_NOFILE, 0, at);
const setrlimit = (at: number) => systemCalls.prlimit64(0, RLIMIT_NOFILE, at, 0);

let net = new Loopback();
let foreign: ForeignListener | undefined;
afterEach(async () => {
  net.closeAll();
  net = new Loopback();
  await foreign?.stop();
  foreign = undefined;
});

function opened(listening: Listening): number[] {
  assert('fds' in listening, `opened: ${JSON.stringify(listening)}`);
  for (const fd of listening.fds) net.keep(fd);
  return listening.fds;
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Runs with a soft limit of open files that leaves at least this many, and one or two more at most. */
function withFreeDescriptors<T>(count: number, run: () => T): T {
  const used = new Set(readdirSync('/proc/self/fd').map(Number));
  let limit = 0;
  for (let free = 0; free < count; limit++) if (!used.has(limit)) free++;
  const memory = new SharedArrayBuffer(32);
  const limits = new BigUint64Array(memory);
  const at = addressOf(memory);
  assert(getrlimit(at) === 0 && getrlimit(at + 16) === 0, 'the limit can be read');
  limits[0] = BigInt(limit);
  assert(setrlimit(at) === 0, 'the limit can be lowered');
  try {
    return run();
  } finally {
    assert(setrlimit(at + 16) === 0, 'the limit can be raised again');
  }
}

describe('one port, several sockets', () => {
  test('each takes a part of the connections, and none is lost', async () => {
    const port = await freePort();
    const fds = opened(listenOn('127.0.0.1', port, 4));
    expect(fds).toHaveLength(4);
    expect(fds.map((fd) => net.addressOf(fd).port)).toEqual([port, port, port, port]);
    const clients = 60;
    for (let i = 0; i < clients; i++) net.connectTo('127.0.0.1', port);
    const taken = fds.map(() => 0);
    net.until('all connections', () => {
      for (const [i, fd] of fds.entries()) {
        for (let got = net.kernel.accept(fd, ADDRESS_AT); got >= 0; got = net.kernel.accept(fd, ADDRESS_AT)) {
          net.keep(got);
          taken[i] = (taken[i] ?? 0) + 1;
        }
      }
      return taken.reduce((sum, n) => sum + n, 0) === clients;
    });
    // The odds that 60 hashed connections miss one of four sockets: 1 in 8 million.
    expect(taken.every((n) => n > 0)).toBe(true);
  });

  test('all of them listen once openListeners returns', async () => {
    const port = await freePort();
    for (const fd of opened(listenOn('127.0.0.1', port, 3))) {
      expect(readOption(fd, SOL_SOCKET, 30)).toBe(1);
      expect(net.kernel.accept(fd, ADDRESS_AT)).toBe(-EAGAIN);
    }
  });

  test('IPv4 and IPv6 have the port side by side', async () => {
    if (!(await hasIpv6())) return;
    const port = await freePort();
    const v6 = opened(listenOn('::', port, 2));
    opened(listenOn('0.0.0.0', port, 2));
    expect(v6.map((fd) => readOption(fd, IPPROTO_IPV6, 26))).toEqual([1, 1]);
  });
});

describe('somebody else has the port', () => {
  test('another process of the same user that shares it willingly: EADDRINUSE', async () => {
    foreign = await listenElsewhere('127.0.0.1');
    expect(listenOn('127.0.0.1', foreign.port, 2)).toEqual({ errno: EADDRINUSE, call: 'bind' });
  });

  test('on every address, where we want one', async () => {
    foreign = await listenElsewhere('0.0.0.0');
    expect(listenOn('127.0.0.1', foreign.port, 1)).toEqual({ errno: EADDRINUSE, call: 'bind' });
  });

  test('we ourselves: a second set is refused, unless it is said that it may be', async () => {
    const port = await freePort();
    opened(listenOn('127.0.0.1', port, 2));
    expect(listenOn('0.0.0.0', port, 2)).toEqual({ errno: EADDRINUSE, call: 'bind' });
    expect(opened(listenOn('0.0.0.0', port, 2, { besideOurOwn: true }))).toHaveLength(2);
  });

  test('the port is free again as soon as the sockets are closed', async () => {
    const port = await freePort();
    const listening = listenOn('127.0.0.1', port, 3);
    assert('fds' in listening, 'listening');
    for (const fd of listening.fds) closeListener(fd);
    expect(opened(listenOn('127.0.0.1', port, 1))).toHaveLength(1);
  });
});

describe('all or nothing', () => {
  test('a failure closes what it opened', async () => {
    foreign = await listenElsewhere('127.0.0.1');
    const before = openDescriptors();
    listenOn('127.0.0.1', foreign.port, 4);
    const options = { ip: ipOf('127.0.0.1'), port: 0, sockets: 3, backlog: 1, keepaliveSeconds: 60 };
    const result = openListeners({ ...options, besideOurOwn: false, congestion: 'no-such-one' });
    expect(result).toEqual({ errno: ENOENT, call: 'setsockopt' });
    expect(openDescriptors()).toBe(before);
  });

  test('descriptors that run out at the third socket: the first two are closed', async () => {
    const port = await freePort();
    const before = openDescriptors();
    const result = withFreeDescriptors(2, () => listenOn('127.0.0.1', port, 8));
    expect(result).toEqual({ errno: EMFILE, call: 'socket' });
    expect(openDescriptors()).toBe(before);
  });

  test.for([
    ['an address of another machine', '192.0.2.1', 0, EADDRNOTAVAIL],
    ['an IPv6 address of another machine', '2001:db8::1', 0, EADDRNOTAVAIL],
  ] as const)('%s', ([, ip, port, errno]) => {
    expect(listenOn(ip, port)).toEqual({ errno, call: 'bind' });
  });

  test.for(['192.0.2.1', '2001:db8::1'])('but not where it may be missing: %s', (ip) => {
    expect(opened(listenOn(ip, 0, 2, { freeBind: true }))).toHaveLength(2);
    expect(listenOn(ip, 0, 1, { freeBind: false })).toEqual({ errno: EADDRNOTAVAIL, call: 'bind' });
  });

  test('a port below 1024 without the right to it', () => {
    // Root may; then there is nothing to see.
    if (process.getuid?.() === 0) return;
    expect(listenOn('127.0.0.1', 1)).toEqual({ errno: EACCES, call: 'bind' });
  });
});

test('a connection has its options the moment it is accepted', () => {
  const options = { ip: ipOf('127.0.0.1'), port: 0, sockets: 1, backlog: 8, keepaliveSeconds: 41 };
  const [listenFd = -1] = opened(openListeners({ ...options, besideOurOwn: false, congestion: 'reno' }));
  const { port } = net.addressOf(listenFd);
  net.connectTo('127.0.0.1', port);
  const fd = net.accept(listenFd);
  const found = {
    TCP_NODELAY: readOption(fd, IPPROTO_TCP, 1),
    TCP_KEEPIDLE: readOption(fd, IPPROTO_TCP, 4),
    TCP_KEEPINTVL: readOption(fd, IPPROTO_TCP, 5),
    TCP_USER_TIMEOUT: readOption(fd, IPPROTO_TCP, 18),
    SO_KEEPALIVE: readOption(fd, SOL_SOCKET, 9),
    SO_OOBINLINE: readOption(fd, SOL_SOCKET, 10),
    // The first four letters of the name, as a number.
    TCP_CONGESTION: readOption(fd, IPPROTO_TCP, 13),
  };
  expect(found).toEqual({
    TCP_NODELAY: 1,
    TCP_KEEPIDLE: 41,
    TCP_KEEPINTVL: 41,
    TCP_USER_TIMEOUT: userTimeoutMs(41),
    SO_KEEPALIVE: 1,
    SO_OOBINLINE: 1,
    TCP_CONGESTION: new DataView(new TextEncoder().encode('reno').buffer).getInt32(0, true),
  });
});
