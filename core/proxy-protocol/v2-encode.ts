// Sends version 2: a prototype per address family, made once, copied into the caller's buffer and patched per connection.
// Runs once per connection: no view, no array, no string there. Sends only PROXY with 0x11 or 0x21, and LOCAL, always of 16
// bytes: every v2 receiver that was tried takes these, and each other form is refused by some.

import { DESTINATION_AT, IPV4_AT, isIpv4, SOURCE_PORT_AT } from '../base/ip.ts';
import { crc32cUpdate } from './crc32c.ts';
import {
  COMMAND_LOCAL,
  COMMAND_PROXY,
  IPV4_BLOCK_BYTES,
  IPV6_BLOCK_BYTES,
  TCP_IPV4,
  TCP_IPV6,
  V2_FIXED_BYTES,
  V2_LENGTH_AT,
  V2_MAX_LENGTH,
  V2_SIGNATURE,
  VERSION_2,
} from './header.ts';
import { CRC32C_BYTES, TLV_CRC32C, TLV_HEAD_BYTES } from './tlv.ts';

/** What a health check sends: "this connection is mine" (section 2.2). Family 0 and length 0, because DNS servers refuse more. */
export const LOCAL_HEADER: Uint8Array = headerOf(VERSION_2 | COMMAND_LOCAL, 0x00, new Uint8Array(0));

const IPV4_BYTES = 4;
const PORTS_BYTES = 4;

function headerOf(versionAndCommand: number, family: number, rest: Uint8Array): Uint8Array {
  const header = Buffer.concat([V2_SIGNATURE, Buffer.of(versionAndCommand, family, 0, 0), rest]);
  header.writeUInt16BE(rest.length, V2_LENGTH_AT);
  return header;
}

/** Writes the v2 headers of one listener. */
export class V2Writer {
  readonly maxBytes: number;
  readonly #ipv4: Uint8Array;
  readonly #ipv6: Uint8Array;
  readonly #crc32c: boolean;

  /** @param tlvs encoded. @param crc32c a CRC32C TLV goes in front of them, at a place that depends on the family alone
   * @throws RangeError when addresses, checksum and TLVs together exceed the 16-bit length */
  constructor(tlvs: Uint8Array, crc32c: boolean) {
    const checksum = crc32c ? Buffer.of(TLV_CRC32C, 0, CRC32C_BYTES, 0, 0, 0, 0) : new Uint8Array(0);
    const length = IPV6_BLOCK_BYTES + checksum.length + tlvs.length;
    if (length > V2_MAX_LENGTH) {
      throw new RangeError(
        `addresses and TLVs take ${length} bytes; a PROXY v2 header carries at most ${V2_MAX_LENGTH}`,
      );
    }
    this.#ipv4 = prototypeOf(TCP_IPV4, IPV4_BLOCK_BYTES, checksum, tlvs);
    this.#ipv6 = prototypeOf(TCP_IPV6, IPV6_BLOCK_BYTES, checksum, tlvs);
    this.#crc32c = crc32c;
    this.maxBytes = this.#ipv6.length;
  }

  /** Both addresses IPv4 -> 0x11; otherwise 0x21, for which an endpoints block is the address block as it stands: its IPv4
   * side is in the mapped form already. @returns the length of the header */
  write(out: Uint8Array, at: number, ends: Uint8Array, endsAt: number): number {
    const bothIpv4 = isIpv4(ends, endsAt) && isIpv4(ends, endsAt + DESTINATION_AT);
    const prototype = bothIpv4 ? this.#ipv4 : this.#ipv6;
    const blockAt = at + V2_FIXED_BYTES;
    out.set(prototype, at);
    if (bothIpv4) {
      copy(out, blockAt, ends, endsAt + IPV4_AT, IPV4_BYTES);
      copy(out, blockAt + IPV4_BYTES, ends, endsAt + DESTINATION_AT + IPV4_AT, IPV4_BYTES);
      copy(out, blockAt + 2 * IPV4_BYTES, ends, endsAt + SOURCE_PORT_AT, PORTS_BYTES);
    } else {
      copy(out, blockAt, ends, endsAt, IPV6_BLOCK_BYTES);
    }
    if (this.#crc32c) {
      const blockBytes = bothIpv4 ? IPV4_BLOCK_BYTES : IPV6_BLOCK_BYTES;
      seal(out, at, at + prototype.length, blockAt + blockBytes + TLV_HEAD_BYTES);
    }
    return prototype.length;
  }
}

function prototypeOf(family: number, blockBytes: number, checksum: Uint8Array, tlvs: Uint8Array): Uint8Array {
  return headerOf(VERSION_2 | COMMAND_PROXY, family, Buffer.concat([Buffer.alloc(blockBytes), checksum, tlvs]));
}

// A loop, because copyWithin and set need a view of the source, and a view is an object.
function copy(out: Uint8Array, at: number, from: Uint8Array, fromAt: number, length: number): void {
  for (let i = 0; i < length; i++) out[at + i] = from[fromAt + i] ?? 0;
}

/** Section 2.2.3: the sum is over the whole header with the field zero, as it still is from the prototype. */
function seal(out: Uint8Array, from: number, to: number, fieldAt: number): void {
  const crc = crc32cUpdate(0, out, from, to);
  out[fieldAt] = crc >>> 24;
  out[fieldAt + 1] = crc >>> 16;
  out[fieldAt + 2] = crc >>> 8;
  out[fieldAt + 3] = crc;
}
