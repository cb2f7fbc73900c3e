// The extra fields ("TLVs") of a v2 header as values: section 2.2 of the specification with its updates up to 2026, and three
// vendors' uses of the custom range 0xE0-0xEF. Types and tables only; bytes are made in tlv-encode.ts, read in tlv-decode.ts.
// A type we do not know, or a known one whose value has another shape than expected, is a `raw` TLV and keeps every byte:
// values end where their length says, never at a NUL.

export const TLV_HEAD_BYTES = 3;

export const TLV_ALPN = 0x01;
export const TLV_AUTHORITY = 0x02;
export const TLV_CRC32C = 0x03;
export const TLV_NOOP = 0x04;
export const TLV_UNIQUE_ID = 0x05;
export const TLV_SSL = 0x20;
export const TLV_NETNS = 0x30;
export const TLV_GOOGLE = 0xe0;
export const TLV_AWS = 0xea;
export const TLV_AZURE = 0xee;

// These have their meaning only inside a TLV_SSL.
export const TLV_SSL_VERSION = 0x21;
export const TLV_SSL_CN = 0x22;
export const TLV_SSL_CIPHER = 0x23;
export const TLV_SSL_SIG_ALG = 0x24;
export const TLV_SSL_KEY_ALG = 0x25;
export const TLV_SSL_GROUP = 0x26;
export const TLV_SSL_SIG_SCHEME = 0x27;
export const TLV_SSL_CLIENT_CERT = 0x28;

export const CRC32C_BYTES = 4;
export const UNIQUE_ID_MAX_BYTES = 128;
/** `client` (1 byte) and `verify` (4 bytes, not aligned) in front of the nested TLVs. */
export const SSL_FIXED_BYTES = 5;

/** Bits of `client`. */
export const SSL_CLIENT_SSL = 0x01;
export const SSL_CLIENT_CERT_CONN = 0x02;
export const SSL_CLIENT_CERT_SESS = 0x04;

/** First value byte of the vendors' TLVs that we read. */
export const AWS_VPC_ENDPOINT_ID = 0x01;
export const AZURE_LINK_ID = 0x01;

export type TextType = 'alpn' | 'authority' | 'netns';
export type SslTextType =
  | 'ssl-version'
  | 'ssl-cn'
  | 'ssl-cipher'
  | 'ssl-sig-alg'
  | 'ssl-key-alg'
  | 'ssl-group'
  | 'ssl-sig-scheme';

/** `code` 0..255. What has a structure that receivers check (CRC32C, UNIQUE_ID, SSL) is never raw. */
export type RawTlv = { readonly type: 'raw'; readonly code: number; readonly value: Uint8Array };

export type SslTlv =
  | { readonly type: SslTextType; readonly text: string }
  | { readonly type: 'ssl-client-cert'; readonly der: Uint8Array }
  | RawTlv;

export type Tlv =
  | { readonly type: TextType; readonly text: string }
  /** 0..2^32-1. Only ever read: a template computes its own for each header. */
  | { readonly type: 'crc32c'; readonly value: number }
  /** Padding; the whole TLV takes 3 bytes more. What the padding holds means nothing. */
  | { readonly type: 'noop'; readonly paddingBytes: number }
  /** At most 128 bytes. */
  | { readonly type: 'unique-id'; readonly value: Uint8Array }
  /** `client` 0..255; `verify` 0..2^32-1, 0 = a certificate was presented and verified. */
  | { readonly type: 'ssl'; readonly client: number; readonly verify: number; readonly tlvs: readonly SslTlv[] }
  /** `vpce-...` */
  | { readonly type: 'aws-vpc-endpoint'; readonly id: string }
  /** 0..2^32-1, little endian on the wire, unlike everything else here. */
  | { readonly type: 'azure-private-link'; readonly linkId: number }
  /** Private Service Connect, 0..2^64-1 */
  | { readonly type: 'google-psc'; readonly connectionId: bigint }
  | RawTlv;

export const TEXT_CODES: Readonly<Record<TextType, number>> = {
  alpn: TLV_ALPN,
  authority: TLV_AUTHORITY,
  netns: TLV_NETNS,
};

export const SSL_TEXT_CODES: Readonly<Record<SslTextType, number>> = {
  'ssl-version': TLV_SSL_VERSION,
  'ssl-cn': TLV_SSL_CN,
  'ssl-cipher': TLV_SSL_CIPHER,
  'ssl-sig-alg': TLV_SSL_SIG_ALG,
  'ssl-key-alg': TLV_SSL_KEY_ALG,
  'ssl-group': TLV_SSL_GROUP,
  'ssl-sig-scheme': TLV_SSL_SIG_SCHEME,
};

const NAMES: ReadonlyMap<number, string> = new Map([
  [TLV_ALPN, 'ALPN'],
  [TLV_AUTHORITY, 'AUTHORITY'],
  [TLV_CRC32C, 'CRC32C'],
  [TLV_NOOP, 'NOOP'],
  [TLV_UNIQUE_ID, 'UNIQUE_ID'],
  [TLV_SSL, 'SSL'],
  [TLV_SSL_VERSION, 'SSL_VERSION'],
  [TLV_SSL_CN, 'SSL_CN'],
  [TLV_SSL_CIPHER, 'SSL_CIPHER'],
  [TLV_SSL_SIG_ALG, 'SSL_SIG_ALG'],
  [TLV_SSL_KEY_ALG, 'SSL_KEY_ALG'],
  [TLV_SSL_GROUP, 'SSL_GROUP'],
  [TLV_SSL_SIG_SCHEME, 'SSL_SIG_SCHEME'],
  [TLV_SSL_CLIENT_CERT, 'SSL_CLIENT_CERT'],
  [TLV_NETNS, 'NETNS'],
  [TLV_GOOGLE, 'GOOGLE'],
  [TLV_AWS, 'AWS'],
  [TLV_AZURE, 'AZURE'],
]);

/** `AUTHORITY`, or `type 0xe5` for a code without a name */
export function tlvName(code: number): string {
  return NAMES.get(code) ?? `type 0x${code.toString(16).padStart(2, '0')}`;
}
