// Sends version 1: one text line, written as bytes straight into the caller's buffer. Runs once per connection, so it makes
// no string, no array and no view; what a formatter would return, these functions write, and they return where they stopped.
// Which family the line names: both addresses IPv4 -> TCP4; otherwise TCP6 with the IPv4 side in its mapped form, because the
// specification has no mixed line and strict receivers drop one. UNKNOWN is never sent: several receivers refuse it.

import { DESTINATION_AT, DESTINATION_PORT_AT, IPV4_AT, isIpv4, portAt, SOURCE_PORT_AT } from '../base/ip.ts';

const TCP4 = Buffer.from('PROXY TCP4 ', 'latin1');
const TCP6 = Buffer.from('PROXY TCP6 ', 'latin1');
const MAPPED = Buffer.from('::ffff:', 'latin1');
const HEX_DIGITS = Buffer.from('0123456789abcdef', 'latin1');

const SPACE = 0x20;
const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const COLON = 0x3a;
const ZERO = 0x30;

const GROUPS = 8;

/** Writes `PROXY TCP4 192.0.2.0 203.0.113.0 56147 80` and CRLF (section 2.1), at most V1_SENT_MAX_BYTES.
 * @param ends an endpoints block at `endsAt`. @returns the length of the line */
export function writeV1(out: Uint8Array, at: number, ends: Uint8Array, endsAt: number): number {
  const sourceIsIpv4 = isIpv4(ends, endsAt);
  const destinationIsIpv4 = isIpv4(ends, endsAt + DESTINATION_AT);
  let end: number;
  if (sourceIsIpv4 && destinationIsIpv4) {
    end = writeText(out, at, TCP4);
    end = writeByte(out, writeIpv4(out, end, ends, endsAt), SPACE);
    end = writeIpv4(out, end, ends, endsAt + DESTINATION_AT);
  } else {
    end = writeText(out, at, TCP6);
    end = writeByte(out, writeTcp6Address(out, end, ends, endsAt, sourceIsIpv4), SPACE);
    end = writeTcp6Address(out, end, ends, endsAt + DESTINATION_AT, destinationIsIpv4);
  }
  end = writeByte(out, end, SPACE);
  end = writeDecimal(out, end, portAt(ends, endsAt + SOURCE_PORT_AT));
  end = writeByte(out, end, SPACE);
  end = writeDecimal(out, end, portAt(ends, endsAt + DESTINATION_PORT_AT));
  return writeByte(out, writeByte(out, end, CR), LF) - at;
}

function writeText(out: Uint8Array, at: number, text: Uint8Array): number {
  out.set(text, at);
  return at + text.length;
}

function writeByte(out: Uint8Array, at: number, byte: number): number {
  out[at] = byte;
  return at + 1;
}

function writeIpv4(out: Uint8Array, at: number, ip: Uint8Array, ipAt: number): number {
  let end = writeDecimal(out, at, ip[ipAt + IPV4_AT] ?? 0);
  for (let i = 1; i < 4; i++) end = writeDecimal(out, writeByte(out, end, DOT), ip[ipAt + IPV4_AT + i] ?? 0);
  return end;
}

/** @param value 0..65535 */
function writeDecimal(out: Uint8Array, at: number, value: number): number {
  const digits = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10000 ? 4 : 5;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const quotient = (rest / 10) | 0;
    out[i] = ZERO + rest - quotient * 10;
    rest = quotient;
  }
  return at + digits;
}

function writeTcp6Address(out: Uint8Array, at: number, ip: Uint8Array, ipAt: number, ipIsIpv4: boolean): number {
  return ipIsIpv4 ? writeIpv4(out, writeText(out, at, MAPPED), ip, ipAt) : writeIpv6(out, at, ip, ipAt);
}

/** Canonical text (RFC 5952 section 4): the longest run of two or more zero groups, the first of equals, becomes `::`. */
function writeIpv6(out: Uint8Array, at: number, ip: Uint8Array, ipAt: number): number {
  let runFrom = GROUPS;
  let runLength = 1;
  for (let i = 0; i < GROUPS; i++) {
    const length = zeroGroupsFrom(ip, ipAt, i);
    if (length > runLength) {
      runFrom = i;
      runLength = length;
    }
  }
  let end = writeGroups(out, at, ip, ipAt, 0, runFrom);
  if (runFrom === GROUPS) return end;
  end = writeByte(out, writeByte(out, end, COLON), COLON);
  return writeGroups(out, end, ip, ipAt, runFrom + runLength, GROUPS);
}

function groupAt(ip: Uint8Array, ipAt: number, index: number): number {
  return ((ip[ipAt + 2 * index] ?? 0) << 8) | (ip[ipAt + 2 * index + 1] ?? 0);
}

function zeroGroupsFrom(ip: Uint8Array, ipAt: number, first: number): number {
  let i = first;
  while (i < GROUPS && groupAt(ip, ipAt, i) === 0) i++;
  return i - first;
}

function writeGroups(out: Uint8Array, at: number, ip: Uint8Array, ipAt: number, from: number, to: number): number {
  let end = at;
  for (let i = from; i < to; i++) {
    if (i > from) end = writeByte(out, end, COLON);
    end = writeHex(out, end, groupAt(ip, ipAt, i));
  }
  return end;
}

/** @param value 0..65535 */
function writeHex(out: Uint8Array, at: number, value: number): number {
  const digits = value < 0x10 ? 1 : value < 0x100 ? 2 : value < 0x1000 ? 3 : 4;
  for (let i = 0; i < digits; i++) out[at + i] = HEX_DIGITS[(value >> (4 * (digits - 1 - i))) & 0xf] ?? 0;
  return at + digits;
}
