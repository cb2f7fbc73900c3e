// What the codec's tests share: endpoints blocks from text, and random values for properties.

import fc from 'fast-check';
import { ENDPOINTS_BYTES, IP_BYTES, parseIp } from '../../../core/base/ip.ts';
import { decodeHeader } from '../../../core/proxy-protocol/decode.ts';
import type { Accepted, Decoded } from '../../../core/proxy-protocol/header.ts';
import type { HeaderTemplate } from '../../../core/proxy-protocol/template.ts';
import { SSL_CLIENT_SSL, type SslTlv, type Tlv } from '../../../core/proxy-protocol/tlv.ts';

/** An endpoints block. */
export function endpoints(
  sourceIp: string,
  sourcePort: number,
  destinationIp: string,
  destinationPort: number,
): Buffer {
  const block = Buffer.alloc(ENDPOINTS_BYTES);
  block.set(ipBytes(sourceIp), 0);
  block.set(ipBytes(destinationIp), IP_BYTES);
  block.writeUInt16BE(sourcePort, 32);
  block.writeUInt16BE(destinationPort, 34);
  return block;
}

function ipBytes(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === undefined) throw new Error(`not an address: ${text}`);
  return bytes;
}

/** One header, out of a larger buffer with other bytes around it, which must stay as they are. */
export function headerFrom(template: HeaderTemplate, block: Uint8Array): Buffer {
  const at = 5;
  const out = Buffer.alloc(at + template.maxBytes + 5, 0xaa);
  const around = Buffer.concat([Buffer.alloc(3, 0xbb), block, Buffer.alloc(3, 0xbb)]);
  const length = template.write(out, at, around, 3);
  const untouched = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
  if (untouched.some((byte) => byte !== 0xaa)) throw new Error('wrote outside of the header');
  return Buffer.from(out.subarray(at, at + length));
}

export const V2_SIGNATURE_HEX = '0d0a0d0a000d0a515549540a';

/** A v2 header from the hex digits after the signature; blanks are for the reader. */
export function v2(hex: string): Buffer {
  return Buffer.from((V2_SIGNATURE_HEX + hex).replaceAll(' ', ''), 'hex');
}

/** The same with the length filled in. @param versionCommandFamily two bytes of hex */
export function v2With(versionCommandFamily: string, rest: Uint8Array): Buffer {
  const head = v2(`${versionCommandFamily} 0000`);
  head.writeUInt16BE(rest.length, 14);
  return Buffer.concat([head, rest]);
}

export function accepted(decoded: Decoded): Accepted {
  if (decoded.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(decoded)}`);
  return decoded;
}

/** The kind, with the reason of a refusal: `accepted`, `incomplete`, `rejected: v1-port`. */
export function verdict(bytes: Uint8Array): string {
  const decoded = decodeHeader(bytes);
  return decoded.kind === 'rejected' ? `rejected: ${decoded.reason}` : decoded.kind;
}

export function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export const anyPort = fc.oneof(
  fc.constantFrom(0, 9, 10, 99, 100, 999, 1000, 9999, 10000, 65535),
  fc.integer({ min: 0, max: 65535 }),
);

/** 16 bytes of IPv4, mapped. */
const ipv4Bytes = fc
  .uint8Array({ minLength: 4, maxLength: 4 })
  .map((ip) => Buffer.concat([Buffer.from('00000000000000000000ffff', 'hex'), ip]));

/** 16 bytes of IPv6, rich in zero groups, so that every place of `::` occurs. */
const ipv6Bytes = fc
  .array(fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  })
  .map((groups) => Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff])));

export const anyIpBytes = fc.oneof(ipv4Bytes, ipv6Bytes);

export const anyEndpoints = fc
  .tuple(anyIpBytes, anyIpBytes, anyPort, anyPort)
  .map(([source, destination, from, to]) => {
    const block = Buffer.concat([source, destination, Buffer.alloc(4)]);
    block.writeUInt16BE(from, 32);
    block.writeUInt16BE(to, 34);
    return block;
  });

const anyText = fc.string({ unit: 'binary', maxLength: 20 });
const anyUint32 = fc.integer({ min: 0, max: 0xffffffff });
const anyValue = fc.uint8Array({ maxLength: 40 });

/** Codes that mean nothing to us, at the top level and inside an SSL. */
const anyRaw = fc.record({
  type: fc.constant('raw' as const),
  code: fc.constantFrom(0x00, 0x06, 0x1f, 0x29, 0x31, 0xe1, 0xef, 0xf0, 0xf8, 0xff),
  value: anyValue,
});

const anySslTlv: fc.Arbitrary<SslTlv> = fc.oneof(
  fc.record({
    type: fc.constantFrom(
      'ssl-version',
      'ssl-cn',
      'ssl-cipher',
      'ssl-sig-alg',
      'ssl-key-alg',
      'ssl-group',
      'ssl-sig-scheme',
    ),
    text: anyText,
  }),
  fc.record({ type: fc.constant('ssl-client-cert' as const), der: anyValue }),
  anyRaw,
);

const anySsl: fc.Arbitrary<Tlv> = fc
  .record({ client: fc.integer({ min: 0, max: 0xff }), verify: anyUint32, tlvs: fc.array(anySslTlv, { maxLength: 4 }) })
  .map(({ client, verify, tlvs }) => ({
    type: 'ssl',
    client: tlvs.some((tlv) => tlv.type === 'ssl-version') ? client : client & ~SSL_CLIENT_SSL,
    verify,
    tlvs,
  }));

/** All that can be configured: everything but the CRC32C, which a template computes. */
export const anyTlv: fc.Arbitrary<Tlv> = fc.oneof(
  fc.record({ type: fc.constantFrom('alpn', 'authority', 'netns'), text: anyText }),
  fc.record({ type: fc.constant('noop' as const), paddingBytes: fc.integer({ min: 0, max: 40 }) }),
  fc.record({ type: fc.constant('unique-id' as const), value: fc.uint8Array({ maxLength: 128 }) }),
  anySsl,
  fc.record({ type: fc.constant('aws-vpc-endpoint' as const), id: anyText }),
  fc.record({ type: fc.constant('azure-private-link' as const), linkId: anyUint32 }),
  fc.record({ type: fc.constant('google-psc' as const), connectionId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  anyRaw,
);

export const anyTlvs = fc.array(anyTlv, { maxLength: 5 });
