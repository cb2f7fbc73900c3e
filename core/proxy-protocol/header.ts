// The shape of a PROXY header, shared by the files that send one and the one that accepts one: signatures, sizes, byte values
// and the type of what a decoder says. Section numbers are those of the specification (proxy-protocol.txt, HAProxy).
// Must not hold logic beyond a table look-up: reading and writing bytes live in v1-*.ts, v2-*.ts and tlv-*.ts.

import type { Rejected } from './reject.ts';
import type { Tlv } from './tlv.ts';

/** Section 2.1: with its CRLF, no v1 line is longer. */
export const V1_MAX_BYTES = 107;
/** `PROXY UNKNOWN` and CRLF, the shortest v1 line. */
export const V1_MIN_BYTES = 15;
/** The longest line that we send: TCP6 with two full addresses (section 2.1). */
export const V1_SENT_MAX_BYTES = 104;

/** Section 2.2: signature, version and command, family and transport, length. */
export const V2_FIXED_BYTES = 16;
/** The 16-bit length counts what follows the fixed bytes: addresses and TLVs. */
export const V2_MAX_LENGTH = 0xffff;
export const V2_VERSION_AT = 12;
export const V2_FAMILY_AT = 13;
export const V2_LENGTH_AT = 14;

/** A header may announce 64 KiB; nginx and go-proxyproto stop at this size too. */
export const DEFAULT_MAX_HEADER_BYTES = 4096;

/** The largest headers that widespread receivers take, measured; a larger one is refused or cut there. */
export const NGINX_STREAM_MAX_BYTES = 107;
export const APACHE_EXIM_MAX_BYTES = 232;
/** Section 2: what every IPv4 path carries in one segment (576 - 40), so that a header is never split. */
export const SPEC_MAX_BYTES = 536;

/** Bytes without a meaning in any text protocol, so that a receiver that does not expect them fails at once. */
export const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

export const VERSION_2 = 0x20;
export const COMMAND_LOCAL = 0x0;
export const COMMAND_PROXY = 0x1;
export const TCP_IPV4 = 0x11;
export const TCP_IPV6 = 0x21;
export const IPV4_BLOCK_BYTES = 12;
export const IPV6_BLOCK_BYTES = 36;
export const UNIX_BLOCK_BYTES = 216;

export type Family = 'tcp4' | 'tcp6' | 'udp4' | 'udp6' | 'unix-stream' | 'unix-dgram' | 'unknown';

/** `addressBytes`: of one address; a block holds two of them and, for IP, two ports of 2 bytes. */
export type FamilyLayout = { readonly family: Family; readonly blockBytes: number; readonly addressBytes: number };

/** Byte 13 -> layout. These seven are all the combinations that section 2.2 calls valid. */
export const FAMILIES: ReadonlyMap<number, FamilyLayout> = new Map([
  [0x00, { family: 'unknown', blockBytes: 0, addressBytes: 0 }],
  [TCP_IPV4, { family: 'tcp4', blockBytes: IPV4_BLOCK_BYTES, addressBytes: 4 }],
  [0x12, { family: 'udp4', blockBytes: IPV4_BLOCK_BYTES, addressBytes: 4 }],
  [TCP_IPV6, { family: 'tcp6', blockBytes: IPV6_BLOCK_BYTES, addressBytes: 16 }],
  [0x22, { family: 'udp6', blockBytes: IPV6_BLOCK_BYTES, addressBytes: 16 }],
  [0x31, { family: 'unix-stream', blockBytes: UNIX_BLOCK_BYTES, addressBytes: 108 }],
  [0x32, { family: 'unix-dgram', blockBytes: UNIX_BLOCK_BYTES, addressBytes: 108 }],
]);

/** `ip` is canonical text; an IPv4-mapped IPv6 address reads as IPv4. `port` 0..65535. */
export type Endpoint = { readonly ip: string; readonly port: number };

/** `source` and `destination` are set exactly when the command is `proxy` and the family is TCP or UDP over IP; otherwise
 * the connection's own endpoints count. `headerBytes`: where the payload starts, from the header's first byte. */
export type Accepted = {
  readonly kind: 'accepted';
  readonly version: 1 | 2;
  readonly command: 'local' | 'proxy';
  readonly family: Family;
  readonly source: Endpoint | undefined;
  readonly destination: Endpoint | undefined;
  readonly tlvs: readonly Tlv[];
  readonly headerBytes: number;
};

/** A prefix of a valid header. `needAtLeast`: bytes from the header's first on, always more than there were. */
export type Incomplete = { readonly kind: 'incomplete'; readonly needAtLeast: number };

export type Decoded = Accepted | Rejected | Incomplete;

/** `maxHeaderBytes` limits v2 (default 4096); v1 has the limit of its specification. */
export type DecodeLimits = { readonly maxHeaderBytes?: number };
