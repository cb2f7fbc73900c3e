// struct sockaddr_in and sockaddr_in6: what is written is what Linux understands, and what comes back is the same address.

import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { portAt } from '../../../core/base/ip.ts';
import { AF_INET, AF_INET6, createArena, SOCKADDR_BYTES } from '../../../core/linux/kernel.ts';
import { readSockaddr, sockaddrBytes, sockaddrFamily, writeSockaddr } from '../../../core/linux/sockaddr.ts';
import { ADDRESS_AT, ipOf, Loopback } from '../../../testing/loopback.ts';
import { holds } from '../../../testing/suite/property.ts';

const arena = createArena(new SharedArrayBuffer(256));

let net = new Loopback();
afterEach(() => {
  net.closeAll();
  net = new Loopback();
});

const anyIpv4 = fc
  .uint8Array({ minLength: 4, maxLength: 4 })
  .map((tail) => Uint8Array.from([...new Array(10).fill(0), 0xff, 0xff, ...tail]));
const anyIpv6 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const anyPort = fc.integer({ min: 0, max: 65535 });

describe('layout (ip(7), ipv6(7))', () => {
  test('IPv4', () => {
    expect(writeSockaddr(arena, 8, ipOf('192.0.2.1'), 0, 0x1f90)).toBe(AF_INET);
    const bytes = [...arena.bytes.slice(8, 8 + SOCKADDR_BYTES)];
    expect(bytes).toEqual([2, 0, 0x1f, 0x90, 192, 0, 2, 1, ...new Array(20).fill(0)]);
    expect(sockaddrBytes(arena, 8)).toBe(16);
  });

  test('IPv6', () => {
    expect(writeSockaddr(arena, 8, ipOf('2001:db8::a'), 0, 443)).toBe(AF_INET6);
    const bytes = [...arena.bytes.slice(8, 8 + SOCKADDR_BYTES)];
    const address = [0x20, 0x01, 0x0d, 0xb8, ...new Array(11).fill(0), 0x0a];
    expect(bytes).toEqual([10, 0, 0x01, 0xbb, 0, 0, 0, 0, ...address, 0, 0, 0, 0]);
    expect(sockaddrBytes(arena, 8)).toBe(28);
  });
});

test('write, then read: the same address, port and family, whatever was there before', () => {
  holds(
    fc.property(
      fc.oneof(anyIpv4, anyIpv6),
      anyPort,
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 20 }),
      (ip, port, addressAt, ipAt) => {
        arena.bytes.fill(0xaa);
        const source = new Uint8Array(64).fill(0xbb);
        source.set(ip, ipAt);
        const family = writeSockaddr(arena, addressAt, source, ipAt, port);
        expect(sockaddrFamily(arena, addressAt)).toBe(family);
        expect([...arena.bytes.slice(addressAt + SOCKADDR_BYTES)].every((byte) => byte === 0xaa)).toBe(true);
        const out = new Uint8Array(64).fill(0xcc);
        readSockaddr(arena, addressAt, out, ipAt, 50);
        expect(out.slice(ipAt, ipAt + 16)).toEqual(ip);
        expect(portAt(out, 50)).toBe(port);
        // Nothing else was touched.
        const rest = [...out.slice(0, ipAt), ...out.slice(ipAt + 16, 50), ...out.slice(52)];
        expect(rest.every((byte) => byte === 0xcc)).toBe(true);
      },
    ),
  );
});

test('Linux reads the same address as we wrote: every loopback address binds and comes back', () => {
  const tail = fc.integer({ min: 1, max: 254 });
  holds(
    fc.property(tail, tail, tail, (a, b, c) => {
      const fd = net.kernel.openSocket(AF_INET);
      const ip = ipOf(`127.${a}.${b}.${c}`);
      writeSockaddr(net.kernel.arena, ADDRESS_AT, ip, 0, 0);
      const bound = net.kernel.bind(fd, ADDRESS_AT);
      const found = net.addressOf(fd);
      net.kernel.close(fd);
      expect(bound).toBe(0);
      expect(found.ip).toEqual(ip);
      expect(found.port).toBeGreaterThan(0);
    }),
    { numRuns: 30 },
  );
});
