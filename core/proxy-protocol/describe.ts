// A header for people: the text of v1, annotated hex lines of v2. For the demo, the log and the page; never on the data path.
// Works on anything, also on refused and unfinished bytes, and prints only ASCII: what a peer sent must not steer a terminal
// or a page. Must not judge by itself: what is valid is decode.ts's word.

import { formatEndpoint, portAt } from '../base/ip.ts';
import { decodeHeader } from './decode.ts';
import {
  type Accepted,
  type Endpoint,
  FAMILIES,
  V2_FAMILY_AT,
  V2_FIXED_BYTES,
  V2_LENGTH_AT,
  V2_MAX_LENGTH,
  V2_SIGNATURE,
  V2_VERSION_AT,
} from './header.ts';
import { describeReject } from './reject.ts';
import { SSL_FIXED_BYTES, TLV_CRC32C, TLV_HEAD_BYTES, TLV_NOOP, TLV_SSL, tlvName } from './tlv.ts';
import { endOfTlv } from './tlv-decode.ts';
import { ipOf } from './v2-decode.ts';

const ROW_BYTES = 16;
const HEX_COLUMNS = ROW_BYTES * 3 - 1;
const EVERYTHING = { maxHeaderBytes: V2_FIXED_BYTES + V2_MAX_LENGTH };

/** Some lines of text without a final line feed. For v2, one row per field and 16 bytes: hex, two spaces, meaning. */
export function describeHeader(bytes: Uint8Array): string {
  const decoded = decodeHeader(bytes, EVERYTHING);
  switch (decoded.kind) {
    case 'accepted':
      return describeAccepted(bytes, decoded).join('\n');
    case 'incomplete':
      return [...dump(bytes), `incomplete: ${bytes.length} bytes, at least ${decoded.needAtLeast} needed`].join('\n');
    case 'rejected':
      return [...dump(bytes), `rejected: ${describeReject(decoded.reason)} (${decoded.detail})`].join('\n');
  }
}

function dump(bytes: Uint8Array): string[] {
  const shown = bytes.subarray(0, 8 * ROW_BYTES);
  const rows = describeField(shown, 0, shown.length, '');
  if (bytes.length > shown.length) rows.push(`... ${bytes.length - shown.length} bytes more`);
  return rows;
}

function describeAccepted(bytes: Uint8Array, header: Accepted): string[] {
  const rows = header.version === 1 ? describeV1(bytes, header) : describeV2(bytes, header);
  const payloadBytes = bytes.length - header.headerBytes;
  if (payloadBytes > 0) rows.push(`${payloadBytes} bytes follow the header`);
  return rows;
}

function describeV1(bytes: Uint8Array, header: Accepted): string[] {
  const rows = [printable(bytes.subarray(0, header.headerBytes))];
  if (header.source !== undefined && header.destination !== undefined) {
    rows.push(`${endpointText(header.source)} -> ${endpointText(header.destination)}`);
  }
  return rows;
}

function endpointText(endpoint: Endpoint): string {
  return formatEndpoint(endpoint.ip, endpoint.port);
}

function describeV2(bytes: Uint8Array, header: Accepted): string[] {
  const rows = [
    ...describeField(bytes, 0, V2_SIGNATURE.length, 'signature'),
    ...describeField(bytes, V2_VERSION_AT, V2_FAMILY_AT, `version 2, ${header.command.toUpperCase()}`),
    ...describeField(bytes, V2_FAMILY_AT, V2_LENGTH_AT, familyText(bytes, header)),
    ...describeField(bytes, V2_LENGTH_AT, V2_FIXED_BYTES, `${header.headerBytes - V2_FIXED_BYTES} bytes follow`),
  ];
  if (header.family === 'unknown') {
    return [...rows, ...describeField(bytes, V2_FIXED_BYTES, header.headerBytes, 'ignored')];
  }
  const tlvsAt = V2_FIXED_BYTES + (FAMILIES.get(bytes[V2_FAMILY_AT] ?? 0)?.blockBytes ?? 0);
  return [...rows, ...describeAddresses(bytes), ...describeTlvs(bytes, tlvsAt, header.headerBytes)];
}

const FAMILY_TEXTS: Readonly<Record<Accepted['family'], string>> = {
  tcp4: 'TCP over IPv4',
  udp4: 'UDP over IPv4',
  tcp6: 'TCP over IPv6',
  udp6: 'UDP over IPv6',
  'unix-stream': 'UNIX stream',
  'unix-dgram': 'UNIX datagram',
  unknown: 'unspecified',
};

function familyText(bytes: Uint8Array, header: Accepted): string {
  const ignored = header.command === 'local' && bytes[V2_FAMILY_AT] !== 0;
  return ignored ? 'family, ignored with LOCAL' : FAMILY_TEXTS[header.family];
}

function describeAddresses(bytes: Uint8Array): string[] {
  const size = FAMILIES.get(bytes[V2_FAMILY_AT] ?? 0)?.addressBytes ?? 0;
  const destinationAt = V2_FIXED_BYTES + size;
  const portsAt = destinationAt + size;
  const rows = [
    ...describeField(bytes, V2_FIXED_BYTES, destinationAt, `source ${addressText(bytes, V2_FIXED_BYTES, size)}`),
    ...describeField(bytes, destinationAt, portsAt, `destination ${addressText(bytes, destinationAt, size)}`),
  ];
  if (size > ROW_BYTES) return rows;
  return [
    ...rows,
    ...describeField(bytes, portsAt, portsAt + 2, `source port ${portAt(bytes, portsAt)}`),
    ...describeField(bytes, portsAt + 2, portsAt + 4, `destination port ${portAt(bytes, portsAt + 2)}`),
  ];
}

function addressText(bytes: Uint8Array, at: number, size: number): string {
  if (size <= ROW_BYTES) return ipOf(bytes, at, size);
  const path = bytes.subarray(at, at + size);
  const end = path.findLastIndex((byte) => byte !== 0) + 1;
  return `"${printable(path.subarray(0, end))}"`;
}

/** One row for type and length, then the value's; the TLVs inside an SSL are named `SSL / ...`. */
function describeTlvs(bytes: Uint8Array, from: number, to: number, inside = ''): string[] {
  const rows: string[] = [];
  for (let at = from, next: number | undefined; at < to; at = next) {
    next = endOfTlv(bytes, at, to);
    if (next === undefined) break;
    const name = inside + tlvName(bytes[at] ?? 0);
    const valueAt = at + TLV_HEAD_BYTES;
    rows.push(...describeField(bytes, at, valueAt, `TLV ${name}, ${next - valueAt} bytes`));
    // Inside an SSL the other types have no meaning: a 0x03 there is no checksum.
    const code = inside === '' ? bytes[at] : undefined;
    if (code === TLV_SSL) rows.push(...describeSsl(bytes, valueAt, next));
    else rows.push(...describeField(bytes, valueAt, next, valueText(code, bytes.subarray(valueAt, next))));
  }
  return rows;
}

function describeSsl(bytes: Uint8Array, at: number, end: number): string[] {
  const verified = bytes.subarray(at + 1, at + SSL_FIXED_BYTES).every((byte) => byte === 0);
  return [
    ...describeField(bytes, at, at + 1, 'SSL client flags'),
    ...describeField(bytes, at + 1, at + SSL_FIXED_BYTES, verified ? 'SSL verify: ok' : 'SSL verify: not verified'),
    ...describeTlvs(bytes, at + SSL_FIXED_BYTES, end, 'SSL / '),
  ];
}

function valueText(code: number | undefined, value: Uint8Array): string {
  if (code === TLV_NOOP) return 'padding';
  if (code === TLV_CRC32C) return 'matches';
  return `"${printable(value)}"`;
}

/** Rows of at most 16 bytes, the meaning beside the first. An empty field has no row. */
function describeField(bytes: Uint8Array, from: number, to: number, meaning: string): string[] {
  const rows: string[] = [];
  for (let at = from; at < to; at += ROW_BYTES) {
    const row = bytes.subarray(at, Math.min(at + ROW_BYTES, to));
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    rows.push(at === from && meaning !== '' ? `${hex.padEnd(HEX_COLUMNS)}  ${meaning}` : hex);
  }
  return rows;
}

/** ASCII as it is, everything else and the backslash escaped. */
function printable(bytes: Uint8Array): string {
  return Array.from(bytes, escapeByte).join('');
}

function escapeByte(byte: number): string {
  if (byte === 0x0d) return '\\r';
  if (byte === 0x0a) return '\\n';
  if (byte === 0x5c) return '\\\\';
  const isPrintable = byte >= 0x20 && byte < 0x7f;
  return isPrintable ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
}
