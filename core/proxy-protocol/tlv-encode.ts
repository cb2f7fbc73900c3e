// TLV values -> bytes, once per listener when a template is made. What cannot be said on the wire is refused here with a
// RangeError that names the field, so that a bad configuration never becomes a header that receivers drop.

import { assertNever } from '../base/assert.ts';
import { V2_MAX_LENGTH } from './header.ts';
import {
  AWS_VPC_ENDPOINT_ID,
  AZURE_LINK_ID,
  type RawTlv,
  SSL_CLIENT_SSL,
  SSL_FIXED_BYTES,
  SSL_TEXT_CODES,
  type SslTlv,
  TEXT_CODES,
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

const STRUCTURED_CODES: readonly number[] = [TLV_CRC32C, TLV_UNIQUE_ID, TLV_SSL];

/** @returns the TLVs one after another. @throws RangeError for a value out of range or more than 65535 bytes in all */
export function encodeTlvs(tlvs: readonly Tlv[]): Uint8Array {
  const bytes = Buffer.concat(tlvs.map(encodeTlv));
  if (bytes.length > V2_MAX_LENGTH) {
    throw new RangeError(`the TLVs take ${bytes.length} bytes; a PROXY v2 header carries at most ${V2_MAX_LENGTH}`);
  }
  return bytes;
}

/** @throws RangeError */
export function encodeTlv(tlv: Tlv): Uint8Array {
  switch (tlv.type) {
    case 'alpn':
    case 'authority':
    case 'netns':
      return frame(TEXT_CODES[tlv.type], utf8(tlv.type, tlv.text));
    case 'crc32c':
      return frame(TLV_CRC32C, uint32(tlv.type, tlv.value));
    case 'noop':
      return frame(TLV_NOOP, Buffer.alloc(integer('noop paddingBytes', tlv.paddingBytes, V2_MAX_LENGTH)));
    case 'unique-id':
      return frame(TLV_UNIQUE_ID, uniqueId(tlv.value));
    case 'ssl':
      return frame(TLV_SSL, ssl(tlv.client, tlv.verify, tlv.tlvs));
    case 'aws-vpc-endpoint':
      return frame(TLV_AWS, Buffer.concat([Buffer.of(AWS_VPC_ENDPOINT_ID), utf8(tlv.type, tlv.id)]));
    case 'azure-private-link':
      return frame(TLV_AZURE, Buffer.concat([Buffer.of(AZURE_LINK_ID), uint32(tlv.type, tlv.linkId).reverse()]));
    case 'google-psc':
      return frame(TLV_GOOGLE, uint64(tlv.type, tlv.connectionId));
    case 'raw':
      return raw(tlv);
    default:
      return assertNever(tlv);
  }
}

function encodeSslTlv(tlv: SslTlv): Uint8Array {
  switch (tlv.type) {
    case 'ssl-client-cert':
      return frame(TLV_SSL_CLIENT_CERT, tlv.der);
    case 'raw':
      return frame(integer('TLV code', tlv.code, 0xff), tlv.value);
    default:
      return frame(SSL_TEXT_CODES[tlv.type], utf8(tlv.type, tlv.text));
  }
}

function frame(code: number, value: Uint8Array): Uint8Array {
  if (value.length > V2_MAX_LENGTH) {
    throw new RangeError(`${tlvName(code)}: ${value.length} bytes; a TLV carries at most ${V2_MAX_LENGTH}`);
  }
  const bytes = Buffer.alloc(TLV_HEAD_BYTES + value.length);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt16BE(value.length, 1);
  bytes.set(value, TLV_HEAD_BYTES);
  return bytes;
}

function ssl(client: number, verify: number, tlvs: readonly SslTlv[]): Uint8Array {
  // Section 2.2.6: whoever says that the client came over TLS must also say which version.
  if ((client & SSL_CLIENT_SSL) !== 0 && !tlvs.some((tlv) => tlv.type === 'ssl-version')) {
    throw new RangeError('ssl: with the client bit 0x01 an ssl-version is mandatory');
  }
  const fixed = Buffer.alloc(SSL_FIXED_BYTES);
  fixed.writeUInt8(integer('ssl client', client, 0xff), 0);
  fixed.set(uint32('ssl verify', verify), 1);
  return Buffer.concat([fixed, ...tlvs.map(encodeSslTlv)]);
}

function uniqueId(value: Uint8Array): Uint8Array {
  if (value.length > UNIQUE_ID_MAX_BYTES) {
    throw new RangeError(`unique-id: ${value.length} bytes; at most ${UNIQUE_ID_MAX_BYTES} are allowed`);
  }
  return value;
}

function raw(tlv: RawTlv): Uint8Array {
  const code = integer('TLV code', tlv.code, 0xff);
  if (STRUCTURED_CODES.includes(code)) throw new RangeError(`${tlvName(code)} cannot be given as raw bytes`);
  return frame(code, tlv.value);
}

function utf8(name: string, text: string): Uint8Array {
  // A lone surrogate would silently become U+FFFD.
  if (!text.isWellFormed()) throw new RangeError(`${name}: the text is not well-formed Unicode`);
  return Buffer.from(text);
}

function integer(name: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${name}: ${value} is not an integer from 0 to ${max}`);
  }
  return value;
}

function uint32(name: string, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(integer(name, value, 0xffffffff));
  return bytes;
}

function uint64(name: string, value: bigint): Buffer {
  if (BigInt.asUintN(64, value) !== value) throw new RangeError(`${name}: ${value} is not an integer from 0 to 2^64-1`);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
