// What the operations are fed: many different connections, the same in every run, and the headers that belong to them, written
// from the specification and not with core/proxy-protocol, whose work they judge.

import { Buffer } from 'node:buffer';

/** A power of two: an index is cut to it with a mask, which costs the loops nothing. */
export const VARIANTS = 1024;
export const VARIANT_MASK = VARIANTS - 1;

/** Source address, destination address (16 bytes each, IPv4 mapped), source port, destination port. */
export const BLOCK_BYTES = 36;

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');
const V2_SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const CRC32C_POLYNOMIAL = 0x82f63b78;
const CRC32C_TLV_BYTES = 7;

export interface Connection {
  family: 4 | 6;
  /** 4 or 16 bytes */
  source: Buffer;
  destination: Buffer;
  sourcePort: number;
  destinationPort: number;
}

/** Numbers that look random and are the same in every run: mulberry32. @returns 0 <= x < 1 */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function makeConnections(family: 4 | 6): Connection[] {
  const random = createRandom(family);
  const prefix = Buffer.from(family === 4 ? [] : [0x20, 0x01, 0x0d, 0xb8]);
  const length = family === 4 ? 4 : 12;
  const address = () => {
    const rest = Buffer.from(Array.from({ length }, () => 1 + Math.floor(random() * 254)));
    return Buffer.concat([prefix, rest]);
  };
  const port = () => 1 + Math.floor(random() * 65_535);
  return Array.from({ length: VARIANTS }, () => ({
    family,
    source: address(),
    destination: address(),
    sourcePort: port(),
    destinationPort: port(),
  }));
}

/** All endpoints blocks, one behind the other. */
export function makeBlocks(connections: readonly Connection[]): Uint8Array {
  return Buffer.concat(connections.map(blockOf));
}

function blockOf({ source, destination, sourcePort, destinationPort }: Connection): Buffer {
  const wide = (address: Buffer) => (address.length === 4 ? Buffer.concat([MAPPED, address]) : address);
  return Buffer.concat([wide(source), wide(destination), portsOf(sourcePort, destinationPort)]);
}

function portsOf(source: number, destination: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE(source, 0);
  bytes.writeUInt16BE(destination, 2);
  return bytes;
}

/** Section 2.1, IPv4. */
export function v1HeaderOf({ source, destination, sourcePort, destinationPort }: Connection): Buffer {
  const addresses = `${source.join('.')} ${destination.join('.')}`;
  return Buffer.from(`PROXY TCP4 ${addresses} ${sourcePort} ${destinationPort}\r\n`, 'latin1');
}

/** Section 2.2. */
export function v2HeaderOf(connection: Connection): Buffer {
  return v2Header(connection, Buffer.alloc(0));
}

/** Section 2.2.3: the checksum is that of the whole header with zeroes in its own place. */
export function v2Crc32cHeaderOf(connection: Connection): Buffer {
  const tlv = Buffer.alloc(CRC32C_TLV_BYTES);
  tlv[0] = 0x03;
  tlv.writeUInt16BE(4, 1);
  const header = v2Header(connection, tlv);
  header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

function v2Header({ family, source, destination, sourcePort, destinationPort }: Connection, tlvs: Buffer): Buffer {
  const rest = Buffer.concat([source, destination, portsOf(sourcePort, destinationPort), tlvs]);
  const fixed = Buffer.from([0x21, family === 4 ? 0x11 : 0x21, rest.length >> 8, rest.length & 0xff]);
  return Buffer.concat([V2_SIGNATURE, fixed, rest]);
}

/** Bit by bit: slow, and too plain to share a mistake with a table. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
