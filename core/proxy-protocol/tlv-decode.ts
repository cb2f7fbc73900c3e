// Bytes -> TLV values, strictly: a length that reaches past its container is a refusal, nested ones included. Values are copied
// out, because a receive buffer is used again. Nesting is one level by construction (only SSL holds TLVs), and the number of
// TLVs is bounded by the header's size, so that no input costs more than one pass. Must not throw for any bytes.

import { isRejected, type Rejected, reject } from './reject.ts';
import {
  AWS_VPC_ENDPOINT_ID,
  AZURE_LINK_ID,
  CRC32C_BYTES,
  type RawTlv,
  SSL_FIXED_BYTES,
  SSL_TEXT_CODES,
  type SslTextType,
  type SslTlv,
  TEXT_CODES,
  type TextType,
  TLV_AWS,
  TLV_AZURE,
  TLV_CRC32C,
  TLV_GOOGLE,
  TLV_HEAD_BYTES,
  TLV_NOOP,
  TLV_SSL,
  TLV_SSL_CLIENT_CERT,
  TLV_UNIQUE_ID,
  type Tlv,
  tlvName,
  UNIQUE_ID_MAX_BYTES,
} from './tlv.ts';

type TextValue<Type> = { readonly type: Type; readonly text: string };

// A byte order mark is a part of the value like any other character: without `ignoreBOM` it would be swallowed.
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const TEXT_TYPES = byCode<TextType>(TEXT_CODES);
const SSL_TEXT_TYPES = byCode<SslTextType>(SSL_TEXT_CODES);

function byCode<Type extends string>(codes: Readonly<Record<Type, number>>): ReadonlyMap<number, Type> {
  const types = new Map<number, Type>();
  for (const type in codes) types.set(codes[type], type);
  return types;
}

/** Reads `bytes[from..to)` as TLVs up to the last byte. */
export function decodeTlvs(bytes: Uint8Array, from = 0, to = bytes.length): readonly Tlv[] | Rejected {
  const tlvs: Tlv[] = [];
  let at = from;
  while (at < to) {
    const next = endOfTlv(bytes, at, to);
    if (next === undefined) return reject('tlv-overrun', describeOverrun(bytes, at, from, to));
    const tlv = decodeTlv(bytes[at] ?? 0, copyOf(bytes, at + TLV_HEAD_BYTES, next));
    if (isRejected(tlv)) return tlv;
    tlvs.push(tlv);
    at = next;
  }
  return tlvs;
}

/** Where the value of the first TLV of this type starts. @param from a range that decodeTlvs() has accepted */
export function findTlvValue(bytes: Uint8Array, from: number, to: number, code: number): number | undefined {
  let at: number | undefined = from;
  while (at !== undefined && at < to) {
    if (bytes[at] === code) return at + TLV_HEAD_BYTES;
    at = endOfTlv(bytes, at, to);
  }
  return undefined;
}

/** @returns undefined when the TLV at `at` does not end before or at `to` */
export function endOfTlv(bytes: Uint8Array, at: number, to: number): number | undefined {
  if (to - at < TLV_HEAD_BYTES) return undefined;
  const end = at + TLV_HEAD_BYTES + (((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0));
  return end > to ? undefined : end;
}

/** Not `slice`: a Buffer's would share the memory. */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.subarray(from, to));
}

function describeOverrun(bytes: Uint8Array, at: number, from: number, to: number): string {
  return `${tlvName(bytes[at] ?? 0)} starts ${at - from} bytes into the TLVs, of which there are ${to - from}`;
}

function decodeTlv(code: number, value: Uint8Array): Tlv | Rejected {
  switch (code) {
    case TLV_CRC32C:
      return value.length === CRC32C_BYTES
        ? { type: 'crc32c', value: view(value).getUint32(0) }
        : reject('tlv-value', `CRC32C of ${value.length} bytes, not ${CRC32C_BYTES}`);
    case TLV_NOOP:
      return { type: 'noop', paddingBytes: value.length };
    case TLV_UNIQUE_ID:
      return value.length <= UNIQUE_ID_MAX_BYTES
        ? { type: 'unique-id', value }
        : reject('tlv-value', `UNIQUE_ID of ${value.length} bytes, more than ${UNIQUE_ID_MAX_BYTES}`);
    case TLV_SSL:
      return decodeSsl(value);
    default:
      return decodeText(TEXT_TYPES, code, value) ?? decodeVendor(code, value) ?? { type: 'raw', code, value };
  }
}

function decodeSsl(value: Uint8Array): Tlv | Rejected {
  if (value.length < SSL_FIXED_BYTES) {
    return reject('tlv-value', `SSL of ${value.length} bytes, fewer than ${SSL_FIXED_BYTES}`);
  }
  const tlvs: SslTlv[] = [];
  let at = SSL_FIXED_BYTES;
  while (at < value.length) {
    const next = endOfTlv(value, at, value.length);
    if (next === undefined) return reject('ssl-overrun', describeOverrun(value, at, SSL_FIXED_BYTES, value.length));
    tlvs.push(decodeSslTlv(value[at] ?? 0, copyOf(value, at + TLV_HEAD_BYTES, next)));
    at = next;
  }
  return { type: 'ssl', client: value[0] ?? 0, verify: view(value).getUint32(1), tlvs };
}

function decodeSslTlv(code: number, value: Uint8Array): SslTlv {
  if (code === TLV_SSL_CLIENT_CERT) return { type: 'ssl-client-cert', der: value };
  return decodeText(SSL_TEXT_TYPES, code, value) ?? { type: 'raw', code, value };
}

/** Text that is not UTF-8 stays raw: a certificate's odd name is no reason to turn its owner away. */
function decodeText<Type extends string>(
  types: ReadonlyMap<number, Type>,
  code: number,
  value: Uint8Array,
): TextValue<Type> | undefined {
  const type = types.get(code);
  const text = type === undefined ? undefined : textOf(value);
  return type === undefined || text === undefined ? undefined : { type, text };
}

function textOf(value: Uint8Array): string | undefined {
  try {
    return STRICT_UTF8.decode(value);
  } catch {
    return undefined;
  }
}

/** The custom range belongs to everyone: a value of another shape is someone else's, and stays raw. */
function decodeVendor(code: number, value: Uint8Array): Exclude<Tlv, RawTlv> | undefined {
  if (code === TLV_AWS && value[0] === AWS_VPC_ENDPOINT_ID) {
    const id = textOf(value.subarray(1));
    return id === undefined ? undefined : { type: 'aws-vpc-endpoint', id };
  }
  if (code === TLV_AZURE && value[0] === AZURE_LINK_ID && value.length === 5) {
    return { type: 'azure-private-link', linkId: view(value).getUint32(1, true) };
  }
  if (code === TLV_GOOGLE && value.length === 8) {
    return { type: 'google-psc', connectionId: view(value).getBigUint64(0) };
  }
  return undefined;
}

function view(value: Uint8Array): DataView {
  return new DataView(value.buffer, value.byteOffset, value.byteLength);
}
