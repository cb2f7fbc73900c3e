// Accepts version 2: the fixed 16 bytes, then addresses and TLVs as far as the length says, never further. Refuses as soon as a
// byte allows it: a length above the limit is refused when it is read, not waited for. LOCAL is skipped by its length whatever
// it holds, and UNSPEC likewise: their family says nothing about what follows, so neither addresses nor TLVs can be told apart.

import { formatIp, IP_BYTES, IPV4_AT, portAt } from '../base/ip.ts';
import { crc32cWithZeroedField } from './crc32c.ts';
import {
  type Accepted,
  COMMAND_LOCAL,
  COMMAND_PROXY,
  DEFAULT_MAX_HEADER_BYTES,
  type Decoded,
  type DecodeLimits,
  type Endpoint,
  FAMILIES,
  type FamilyLayout,
  V2_FAMILY_AT,
  V2_FIXED_BYTES,
  V2_LENGTH_AT,
  V2_SIGNATURE,
  V2_VERSION_AT,
  VERSION_2,
} from './header.ts';
import { isRejected, type Rejected, reject } from './reject.ts';
import { TLV_CRC32C, type Tlv } from './tlv.ts';
import { decodeTlvs, findTlvValue } from './tlv-decode.ts';

const LAST_FAMILY = 3;
const LAST_TRANSPORT = 2;
const IPV4_BYTES = 4;

/** Section 2.2. @param start of the signature */
export function decodeV2(bytes: Uint8Array, limits: DecodeLimits, start: number, end: number): Decoded {
  const refused = checkSignature(bytes, start, end) ?? checkFixedBytes(bytes, start, end);
  if (refused !== undefined) return refused;
  if (end - start < V2_FIXED_BYTES) return { kind: 'incomplete', needAtLeast: V2_FIXED_BYTES };
  const headerBytes = V2_FIXED_BYTES + portAt(bytes, start + V2_LENGTH_AT);
  const layout = layoutOf(bytes, start);
  const tooLongOrShort = checkLength(headerBytes, layout, limits);
  if (tooLongOrShort !== undefined) return tooLongOrShort;
  if (end - start < headerBytes) return { kind: 'incomplete', needAtLeast: headerBytes };
  return decodeBlock(bytes, start, start + headerBytes, layout);
}

function checkSignature(bytes: Uint8Array, start: number, end: number): Rejected | undefined {
  const known = Math.min(end - start, V2_SIGNATURE.length);
  for (let i = 0; i < known; i++) {
    if (bytes[start + i] !== V2_SIGNATURE[i]) return refuse('signature', bytes, start, i, 'not the v2 signature');
  }
  return undefined;
}

/** Version, command, family and transport, each as soon as it is there. */
function checkFixedBytes(bytes: Uint8Array, start: number, end: number): Rejected | undefined {
  if (end - start <= V2_VERSION_AT) return undefined;
  const versionAndCommand = bytes[start + V2_VERSION_AT] ?? 0;
  const command = versionAndCommand & 0x0f;
  if ((versionAndCommand & 0xf0) !== VERSION_2) {
    return refuse('v2-version', bytes, start, V2_VERSION_AT, `version ${versionAndCommand >> 4}`);
  }
  if (command !== COMMAND_LOCAL && command !== COMMAND_PROXY) {
    return refuse('v2-command', bytes, start, V2_VERSION_AT, `command ${command}`);
  }
  if (command === COMMAND_LOCAL || end - start <= V2_FAMILY_AT) return undefined;
  return checkFamily(bytes, start);
}

function checkFamily(bytes: Uint8Array, start: number): Rejected | undefined {
  const byte = bytes[start + V2_FAMILY_AT] ?? 0;
  if (FAMILIES.has(byte)) return undefined;
  if (byte >> 4 > LAST_FAMILY) return refuse('v2-family', bytes, start, V2_FAMILY_AT, `family ${byte >> 4}`);
  const assigned = (byte & 0x0f) <= LAST_TRANSPORT;
  const fault = assigned ? `transport ${byte & 0x0f} with family ${byte >> 4}` : `transport ${byte & 0x0f}`;
  return refuse('v2-transport', bytes, start, V2_FAMILY_AT, fault);
}

/** @returns undefined for LOCAL and UNSPEC, whose block is skipped */
function layoutOf(bytes: Uint8Array, start: number): FamilyLayout | undefined {
  if (isLocal(bytes, start)) return undefined;
  const layout = FAMILIES.get(bytes[start + V2_FAMILY_AT] ?? 0);
  return layout?.family === 'unknown' ? undefined : layout;
}

function isLocal(bytes: Uint8Array, start: number): boolean {
  return ((bytes[start + V2_VERSION_AT] ?? 0) & 0x0f) === COMMAND_LOCAL;
}

function checkLength(
  headerBytes: number,
  layout: FamilyLayout | undefined,
  limits: DecodeLimits,
): Rejected | undefined {
  const { maxHeaderBytes = DEFAULT_MAX_HEADER_BYTES } = limits;
  if (headerBytes > maxHeaderBytes) {
    return reject('header-too-large', `${headerBytes} bytes announced, ${maxHeaderBytes} allowed`);
  }
  const length = headerBytes - V2_FIXED_BYTES;
  if (layout !== undefined && length < layout.blockBytes) {
    return reject('v2-length', `length ${length}, but ${layout.family} addresses take ${layout.blockBytes}`);
  }
  return undefined;
}

function decodeBlock(bytes: Uint8Array, start: number, end: number, layout: FamilyLayout | undefined): Decoded {
  if (layout === undefined) return accept(start, end, isLocal(bytes, start) ? 'local' : 'proxy', undefined, []);
  const blockAt = start + V2_FIXED_BYTES;
  const tlvsAt = blockAt + layout.blockBytes;
  const tlvs = decodeTlvs(bytes, tlvsAt, end);
  if (isRejected(tlvs)) return tlvs;
  const mismatch = checkCrc32c(bytes, start, end, tlvsAt, tlvs);
  if (mismatch !== undefined) return mismatch;
  return accept(start, end, 'proxy', layout, tlvs, endpointsOf(bytes, blockAt, layout.addressBytes));
}

function accept(
  start: number,
  end: number,
  command: Accepted['command'],
  layout: FamilyLayout | undefined,
  tlvs: readonly Tlv[],
  ends?: readonly [source: Endpoint, destination: Endpoint],
): Accepted {
  return {
    kind: 'accepted',
    version: 2,
    command,
    family: layout?.family ?? 'unknown',
    source: ends?.[0],
    destination: ends?.[1],
    tlvs,
    headerBytes: end - start,
  };
}

/** @returns undefined for UNIX paths: no IP endpoints, and a path must never be taken for "the client is local" */
function endpointsOf(bytes: Uint8Array, at: number, addressBytes: number): [Endpoint, Endpoint] | undefined {
  if (addressBytes > IP_BYTES) return undefined;
  const portsAt = at + 2 * addressBytes;
  const source = { ip: ipOf(bytes, at, addressBytes), port: portAt(bytes, portsAt) };
  const destination = { ip: ipOf(bytes, at + addressBytes, addressBytes), port: portAt(bytes, portsAt + 2) };
  return [source, destination];
}

/** Canonical text of the address at `at`. @param addressBytes 4 or 16 */
export function ipOf(bytes: Uint8Array, at: number, addressBytes: number): string {
  if (addressBytes === IP_BYTES) return formatIp(bytes, at);
  const mapped = new Uint8Array(IP_BYTES).fill(0xff, IPV4_AT - 2, IPV4_AT);
  mapped.set(bytes.subarray(at, at + IPV4_BYTES), IPV4_AT);
  return formatIp(mapped, 0);
}

/** Section 2.2.3: a receiver that knows the checksum must verify it. Two of them could not both be zero while summing. */
function checkCrc32c(
  bytes: Uint8Array,
  start: number,
  end: number,
  tlvsAt: number,
  tlvs: readonly Tlv[],
): Rejected | undefined {
  const sums = tlvs.filter((tlv) => tlv.type === 'crc32c');
  const [sum] = sums;
  if (sum === undefined) return undefined;
  if (sums.length > 1) return reject('crc32c-repeated', `${sums.length} CRC32C TLVs`);
  const fieldAt = findTlvValue(bytes, tlvsAt, end, TLV_CRC32C) ?? end;
  const computed = crc32cWithZeroedField(bytes, start, end, fieldAt);
  if (computed === sum.value) return undefined;
  return reject('crc32c-mismatch', `the header says ${hex32(sum.value)}, its bytes give ${hex32(computed)}`);
}

function hex32(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

function refuse(reason: Rejected['reason'], bytes: Uint8Array, start: number, at: number, fault: string): Rejected {
  const byte = (bytes[start + at] ?? 0).toString(16).padStart(2, '0');
  return reject(reason, `byte ${at} is 0x${byte}: ${fault}`);
}
