// struct sockaddr_in and sockaddr_in6 in the arena (ip(7), ipv6(7)) <-> the 16 address bytes and 2 port bytes that the rest of
// the balancer uses. No I/O, no allocation.

import { IP_BYTES, IPV4_AT, isIpv4 } from '../base/ip.ts';
import { AF_INET, AF_INET6, type Arena } from './kernel.ts';

const PORT_AT = 2;
const IN_ADDRESS_AT = 4;
const IN6_ADDRESS_AT = 8;
const IN_BYTES = 16;
const IN6_BYTES = 28;

export function sockaddrFamily(arena: Arena, addressAt: number): number {
  return arena.view.getUint16(addressAt, true);
}

/** The length that belongs to the family found at `addressAt`. */
export function sockaddrBytes(arena: Arena, addressAt: number): number {
  return sockaddrFamily(arena, addressAt) === AF_INET ? IN_BYTES : IN6_BYTES;
}

/** Copies address and port out of a sockaddr: 16 bytes to `ip[ipAt]`, 2 to `ip[portAt]`, both in network order. */
export function readSockaddr(arena: Arena, addressAt: number, ip: Uint8Array, ipAt: number, portAt: number): void {
  const { bytes } = arena;
  if (sockaddrFamily(arena, addressAt) === AF_INET) {
    ip.fill(0, ipAt, ipAt + 10);
    ip[ipAt + 10] = 0xff;
    ip[ipAt + 11] = 0xff;
    for (let i = 0; i < 4; i++) ip[ipAt + IPV4_AT + i] = bytes[addressAt + IN_ADDRESS_AT + i] ?? 0;
  } else {
    for (let i = 0; i < IP_BYTES; i++) ip[ipAt + i] = bytes[addressAt + IN6_ADDRESS_AT + i] ?? 0;
  }
  ip[portAt] = bytes[addressAt + PORT_AT] ?? 0;
  ip[portAt + 1] = bytes[addressAt + PORT_AT + 1] ?? 0;
}

/** Writes the sockaddr of an address (16 bytes; IPv4 when mapped) and port. @returns its family */
export function writeSockaddr(arena: Arena, addressAt: number, ip: Uint8Array, ipAt: number, port: number): number {
  const { bytes, view } = arena;
  const family = isIpv4(ip, ipAt) ? AF_INET : AF_INET6;
  bytes.fill(0, addressAt, addressAt + IN6_BYTES);
  view.setUint16(addressAt, family, true);
  view.setUint16(addressAt + PORT_AT, port, false);
  const from = family === AF_INET ? ipAt + IPV4_AT : ipAt;
  const to = addressAt + (family === AF_INET ? IN_ADDRESS_AT : IN6_ADDRESS_AT);
  const length = family === AF_INET ? 4 : IP_BYTES;
  for (let i = 0; i < length; i++) bytes[to + i] = ip[from + i] ?? 0;
  return family;
}
