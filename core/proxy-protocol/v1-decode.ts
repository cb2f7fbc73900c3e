// Accepts version 1: reads the line byte by byte and stops at the first byte that no valid line has there, so that a peer that
// speaks something else is refused at once instead of after a time-out. Reads at most 107 bytes, whatever follows.
// A step returns undefined (or false) when it cannot finish: the line is refused if `scan.stopped` is set, else too short yet.

import { formatIp, IP_BYTES, IPV4_AT, parseIp } from '../base/ip.ts';
import { type Accepted, type Decoded, type Endpoint, type Incomplete, V1_MAX_BYTES, V1_MIN_BYTES } from './header.ts';
import { type Rejected, type RejectReason, reject } from './reject.ts';

const SPACE = 0x20;
const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;

/** `at` moves from `start` to at most `end`; `stopped` is set exactly when the byte at `at` fits no valid line. */
type Scan = {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  at: number;
  stopped: Rejected | undefined;
};

/** Section 2.1. @param start of `PROXY`; decodeHeader() has seen its first byte */
export function decodeV1(bytes: Uint8Array, start: number, end: number): Decoded {
  const scan: Scan = { bytes, start, end: Math.min(end, start + V1_MAX_BYTES), at: start, stopped: undefined };
  const accepted = scanLine(scan);
  return accepted ?? scan.stopped ?? incomplete(scan);
}

function scanLine(scan: Scan): Accepted | undefined {
  if (!scanText(scan, 'PROXY', 'signature')) return undefined;
  if (!scanText(scan, ' ', 'v1-separator')) return undefined;
  if (peek(scan) === 'U'.charCodeAt(0)) return scanUnknown(scan);
  if (!scanText(scan, 'TCP', 'v1-family')) return undefined;
  const digit = peek(scan);
  if (digit === '4'.charCodeAt(0)) return scanTcp(scan, '4', scanIpv4);
  return scanTcp(scan, '6', scanIpv6);
}

function scanTcp(scan: Scan, version: '4' | '6', scanIp: (scan: Scan) => string | undefined): Accepted | undefined {
  if (!scanText(scan, version, 'v1-family') || !scanText(scan, ' ', 'v1-separator')) return undefined;
  const sourceIp = scanIp(scan);
  if (sourceIp === undefined || !scanText(scan, ' ', 'v1-separator')) return undefined;
  const destinationIp = scanIp(scan);
  if (destinationIp === undefined || !scanText(scan, ' ', 'v1-separator')) return undefined;
  const sourcePort = scanPort(scan);
  if (sourcePort === undefined || !scanText(scan, ' ', 'v1-separator')) return undefined;
  const destinationPort = scanPort(scan);
  if (destinationPort === undefined || !scanText(scan, '\r\n', 'v1-line-end')) return undefined;
  const source = { ip: sourceIp, port: sourcePort };
  return accept(scan, `tcp${version}`, source, { ip: destinationIp, port: destinationPort });
}

/** The receiver must ignore what stands between UNKNOWN and CRLF, a lone CR or LF included. */
function scanUnknown(scan: Scan): Accepted | undefined {
  if (!scanText(scan, 'UNKNOWN', 'v1-family')) return undefined;
  if (peek(scan) !== SPACE) {
    const ended = scanText(scan, '\r\n', 'v1-family');
    return ended ? accept(scan, 'unknown', undefined, undefined) : undefined;
  }
  while (scan.at < scan.end) {
    scan.at++;
    if (scan.bytes[scan.at - 1] === LF && scan.bytes[scan.at - 2] === CR) {
      return accept(scan, 'unknown', undefined, undefined);
    }
  }
  return undefined;
}

function accept(
  scan: Scan,
  family: Accepted['family'],
  source: Endpoint | undefined,
  destination: Endpoint | undefined,
): Accepted {
  const headerBytes = scan.at - scan.start;
  return { kind: 'accepted', version: 1, command: 'proxy', family, source, destination, tlvs: [], headerBytes };
}

function scanText(scan: Scan, text: string, reason: RejectReason): boolean {
  for (let i = 0; i < text.length; i++) {
    const byte = peek(scan);
    if (byte === undefined) return false;
    if (byte !== text.charCodeAt(i)) return stop(scan, reason, `expected ${JSON.stringify(text)}`);
    scan.at++;
  }
  return true;
}

function scanIpv4(scan: Scan): string | undefined {
  const ip = new Uint8Array(IP_BYTES).fill(0xff, IPV4_AT - 2, IPV4_AT);
  for (let i = 0; i < 4; i++) {
    if (i > 0 && !scanText(scan, '.', 'v1-address')) return undefined;
    const octet = scanDecimal(scan, 255, 'v1-address');
    if (octet === undefined) return undefined;
    ip[IPV4_AT + i] = octet;
  }
  return formatIp(ip, 0);
}

function scanPort(scan: Scan): number | undefined {
  return scanDecimal(scan, 0xffff, 'v1-port');
}

/** A number without leading zeroes, refused at the digit that makes it too large. Complete only when a non-digit follows. */
function scanDecimal(scan: Scan, max: number, reason: RejectReason): number | undefined {
  const from = scan.at;
  let value = 0;
  for (let byte = peek(scan); byte !== undefined; byte = peek(scan)) {
    const isDigit = byte >= ZERO && byte <= NINE;
    if (!isDigit && scan.at > from) return value;
    if (!isDigit) return fail(scan, reason, 'expected a digit');
    if (scan.at > from && value === 0) return fail(scan, reason, 'a leading zero');
    value = value * 10 + byte - ZERO;
    if (value > max) return fail(scan, reason, `a number above ${max}`);
    scan.at++;
  }
  return undefined;
}

function scanIpv6(scan: Scan): string | undefined {
  const from = scan.at;
  let to = from;
  while (to < scan.end && scan.bytes[to] !== SPACE) to++;
  const text = String.fromCharCode(...scan.bytes.subarray(from, to));
  const unfinished = to === scan.end;
  const ip = unfinished ? undefined : parseIpv6(text);
  const possible = unfinished ? isIpv6Start(text) : ip !== undefined;
  if (!possible) return fail(scan, 'v1-address', 'no IPv6 address from here');
  scan.at = to;
  return ip === undefined ? undefined : formatIp(ip, 0);
}

// The first way to go on that gives an address proves that it can be one. Refused: a second parser that knows about prefixes;
// the one in core/base stays the only judge of what an address is.
const IPV6_ENDINGS = ['', '0', ':', '::', '0.0.0', '.0.0.0', '0.0', '.0.0', '.0'];

function isIpv6Start(text: string): boolean {
  return IPV6_ENDINGS.some((ending) => parseIpv6(text + ending) !== undefined);
}

function parseIpv6(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIp(text) : undefined;
}

function peek(scan: Scan): number | undefined {
  return scan.at < scan.end ? scan.bytes[scan.at] : undefined;
}

function fail(scan: Scan, reason: RejectReason, expectation: string): undefined {
  stop(scan, reason, expectation);
  return undefined;
}

function stop(scan: Scan, reason: RejectReason, expectation: string): false {
  const byte = (scan.bytes[scan.at] ?? 0).toString(16).padStart(2, '0');
  scan.stopped = reject(reason, `byte ${scan.at - scan.start} is 0x${byte}: ${expectation}`);
  return false;
}

/** The scan ran out of bytes. At least a CRLF is still to come, or its second half. */
function incomplete(scan: Scan): Incomplete | Rejected {
  const have = scan.end - scan.start;
  const missing = scan.bytes[scan.end - 1] === CR && have > 0 ? 1 : 2;
  const needAtLeast = Math.max(V1_MIN_BYTES, have + missing);
  if (needAtLeast > V1_MAX_BYTES) return reject('v1-too-long', `no CRLF in the first ${V1_MAX_BYTES} bytes`);
  return { kind: 'incomplete', needAtLeast };
}
