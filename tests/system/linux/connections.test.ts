// What one go of several calls leaves behind: a socket's options as the kernel has them, and no FIN behind a part. What the calls answer
// is in tests/system/linux/kernel-contract.test.ts.

import { afterEach, expect, test } from 'vitest';
import { EPOLLOUT, NOWHERE } from '../../../core/linux/kernel.ts';
import { writeSockaddr } from '../../../core/linux/sockaddr.ts';
import { addressOf, systemCalls } from '../../../core/linux/system-calls.ts';
import { ADDRESS_AT, DATA_AT, ipOf, Loopback, MEMORY_BYTES, readOption } from '../../../testing/loopback.ts';

const SOURCE_AT = ADDRESS_AT + 32;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_OOBINLINE = 10;
const IPPROTO_IP = 0;
const IP_BIND_ADDRESS_NO_PORT = 24;
const IPPROTO_TCP = 6;
const TCP_CONGESTION = 13;
const RENO = Buffer.from('reno');

const on = new Loopback();
afterEach(() => on.closeAll());

function opened(congestion: string, source?: string): number {
  const { kernel } = on;
  const { port } = on.listen();
  kernel.prepareConnections(on.keep(kernel.openEpoll()), EPOLLOUT, DATA_AT, on.put(congestion));
  writeSockaddr(kernel.arena, ADDRESS_AT, ipOf('127.0.0.1'), 0, port);
  if (source !== undefined) writeSockaddr(kernel.arena, SOURCE_AT, ipOf(source), 0, 0);
  const fd = on.keep(kernel.openConnection(ADDRESS_AT, source === undefined ? NOWHERE : SOURCE_AT, 1, 1));
  expect(kernel.restOfConnection()).toBe(0);
  return fd;
}

test('urgent data stays in its place', () => {
  expect(readOption(opened(''), SOL_SOCKET, SO_OOBINLINE)).toBe(1);
});

test('a source address takes its port only where the node is known', () => {
  expect(readOption(opened('', '127.0.0.9'), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT)).toBe(1);
  expect(readOption(opened(''), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT)).toBe(0);
});

test('the congestion control asked for, or the system’s where there is none of that name', () => {
  const name = (fd: number) => readOption(fd, IPPROTO_TCP, TCP_CONGESTION);
  const usual = name(opened(''));
  expect(name(opened('reno'))).toBe(RENO.readInt32LE());
  expect(name(opened('no-such-one'))).toBe(usual);
});

test('where only a part was taken, more can follow', () => {
  const { kernel } = on;
  const { near, far } = on.pair();
  const least = new SharedArrayBuffer(4);
  expect(systemCalls.setsockopt(near, SOL_SOCKET, SO_SNDBUF, addressOf(least), 4)).toBe(0);
  const all = MEMORY_BYTES / 2;
  const part = kernel.sendLast(near, DATA_AT, all);
  expect([part > 0, part < all]).toEqual([true, true]);
  let received = 0;
  const receive = (bytes: number) =>
    on.until(`${bytes} bytes`, () => {
      const n = kernel.recv(far, DATA_AT, all);
      expect(n).not.toBe(0);
      received += Math.max(n, 0);
      return received === bytes;
    });
  receive(part);
  expect(kernel.sendLast(near, DATA_AT, 1)).toBe(1);
  receive(part + 1);
  on.until('the FIN', () => kernel.recv(far, DATA_AT, 1) === 0);
});
