import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isRejected } from '../../../core/proxy-protocol/reject.ts';
import type { Tlv } from '../../../core/proxy-protocol/tlv.ts';
import { decodeTlvs } from '../../../core/proxy-protocol/tlv-decode.ts';
import { encodeTlv, encodeTlvs } from '../../../core/proxy-protocol/tlv-encode.ts';
import { holds } from '../../../testing/suite/property.ts';
import { anyTlv, anyTlvs } from './support.ts';

function hex(tlv: Tlv): string {
  return Buffer.from(encodeTlv(tlv)).toString('hex');
}

function bytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

describe('on the wire', () => {
  const cases: readonly (readonly [string, Tlv, string])[] = [
    ['ALPN', { type: 'alpn', text: 'h2' }, '010002 6832'],
    ['AUTHORITY', { type: 'authority', text: 'é.org' }, '020006 c3a92e6f7267'],
    ['CRC32C', { type: 'crc32c', value: 0x89abcdef }, '030004 89abcdef'],
    ['NOOP', { type: 'noop', paddingBytes: 2 }, '040002 0000'],
    ['UNIQUE_ID', { type: 'unique-id', value: Uint8Array.of(0, 1, 0) }, '050003 000100'],
    ['NETNS', { type: 'netns', text: 'blue' }, '300004 626c7565'],
    [
      'SSL',
      {
        type: 'ssl',
        client: 7,
        verify: 1,
        tlvs: [
          { type: 'ssl-version', text: 'TLSv1.3' },
          { type: 'ssl-cn', text: 'a' },
          { type: 'ssl-cipher', text: 'b' },
          { type: 'ssl-sig-alg', text: 'c' },
          { type: 'ssl-key-alg', text: 'd' },
          { type: 'ssl-group', text: 'e' },
          { type: 'ssl-sig-scheme', text: 'f' },
          { type: 'ssl-client-cert', der: Uint8Array.of(0x30, 0x00) },
        ],
      },
      '20002c 07 00000001 210007 544c5376312e33 220001 61 230001 62 240001 63 250001 64 260001 65 270001 66 280002 3000',
    ],
    ['AWS', { type: 'aws-vpc-endpoint', id: 'vpce-1' }, 'ea0007 01 767063652d31'],
    ['Azure, little endian', { type: 'azure-private-link', linkId: 0x01020304 }, 'ee0005 01 04030201'],
    ['Google', { type: 'google-psc', connectionId: 0x0102030405060708n }, 'e00008 0102030405060708'],
    ['any other', { type: 'raw', code: 0xef, value: Uint8Array.of(1, 0, 2) }, 'ef0003 010002'],
  ];

  test.each(cases)('%s', (_, tlv, wire) => {
    expect(hex(tlv)).toBe(wire.replaceAll(' ', ''));
    expect(decodeTlvs(bytes(wire))).toEqual([tlv]);
  });
});

describe('a value of another shape than its type suggests stays raw, with every byte', () => {
  test.each([
    ['text that is not UTF-8', '02', 'fffe00'],
    ['a name inside a cut UTF-8 sequence', '01', '68c3'],
    ['another AWS subtype', 'ea', '02616263'],
    ['an empty AWS value', 'ea', ''],
    ['an Azure value of 4 bytes', 'ee', '01020304'],
    ['a Google value of 9 bytes', 'e0', '010203040506070809'],
    ['NUL bytes', 'e7', '00610000'],
    ['an SSL type outside of an SSL', '21', '544c53'],
  ])('%s', (_, code, value) => {
    const head = bytes(`${code}0000`);
    head.writeUInt16BE(value.length / 2, 1);
    const decoded = decodeTlvs(Buffer.concat([head, bytes(value)]));
    expect(decoded).toEqual([{ type: 'raw', code: Number.parseInt(code, 16), value: new Uint8Array(bytes(value)) }]);
  });

  test('text keeps NUL and byte order mark', () => {
    expect(decodeTlvs(bytes('020005 efbbbf6100'))).toEqual([{ type: 'authority', text: '\ufeffa\0' }]);
  });
});

describe('properties', () => {
  test('decode(encode(tlvs)) = tlvs', () => {
    holds(
      fc.property(anyTlvs, (tlvs) => {
        expect(decodeTlvs(encodeTlvs(tlvs))).toEqual(tlvs);
      }),
      { numRuns: 500 },
    );
  });

  test('a TLV that lost or gained a byte at its end is refused; a cut between TLVs is not', () => {
    holds(
      fc.property(anyTlvs, anyTlv, fc.integer({ min: 0, max: 255 }), (before, last, extra) => {
        const whole = encodeTlvs([...before, last]);
        const kept = encodeTlvs(before).length;
        for (let to = kept + 1; to < whole.length; to++) expect(decodeTlvs(whole, 0, to)).toMatchObject(OVERRUN);
        expect(decodeTlvs(whole, 0, kept)).toEqual(before);
        expect(decodeTlvs(Buffer.concat([whole, Buffer.of(extra)]))).toMatchObject(OVERRUN);
      }),
    );
  });

  test('an SSL whose length lost or gained some bytes is refused or ends between its TLVs', () => {
    const nested = bytes('20 000d 00 00000000 230002 4142 220000');
    const outcomes = Array.from({ length: 17 }, (_, length) => {
      const changed = Buffer.from(nested);
      changed.writeUInt16BE(length, 1);
      const decoded = decodeTlvs(changed.subarray(0, 3 + length));
      return isRejected(decoded) ? decoded.reason : decoded.length;
    });
    const tooShort = Array<string>(5).fill('tlv-value');
    const inside = Array<string>(4).fill('ssl-overrun');
    expect(outcomes).toEqual([
      ...tooShort,
      1,
      ...inside,
      1,
      'ssl-overrun',
      'ssl-overrun',
      1,
      'tlv-overrun',
      'tlv-overrun',
      'tlv-overrun',
    ]);
  });

  test('no bytes make it throw', () => {
    holds(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        decodeTlvs(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});

const OVERRUN = { kind: 'rejected', reason: 'tlv-overrun' };

describe('refused when configured', () => {
  const cases: readonly (readonly [string, Tlv])[] = [
    ['a UNIQUE_ID of 129 bytes', { type: 'unique-id', value: new Uint8Array(129) }],
    ['a fraction of a padding byte', { type: 'noop', paddingBytes: 1.5 }],
    ['a padding of NaN', { type: 'noop', paddingBytes: Number.NaN }],
    ['a checksum above 32 bits', { type: 'crc32c', value: 2 ** 32 }],
    ['a negative link id', { type: 'azure-private-link', linkId: -1 }],
    ['a connection id above 64 bits', { type: 'google-psc', connectionId: 2n ** 64n }],
    ['a negative connection id', { type: 'google-psc', connectionId: -1n }],
    ['a type of 256', { type: 'raw', code: 256, value: new Uint8Array(0) }],
    ['a raw CRC32C', { type: 'raw', code: 0x03, value: new Uint8Array(4) }],
    ['a raw UNIQUE_ID', { type: 'raw', code: 0x05, value: new Uint8Array(4) }],
    ['a raw SSL', { type: 'raw', code: 0x20, value: new Uint8Array(4) }],
    ['half a surrogate pair', { type: 'authority', text: '\ud800' }],
    ['SSL without its version', { type: 'ssl', client: 1, verify: 0, tlvs: [] }],
    ['client flags above a byte', { type: 'ssl', client: 256, verify: 0, tlvs: [] }],
    ['one value of 65536 bytes', { type: 'raw', code: 0xe5, value: new Uint8Array(65536) }],
  ];

  test.each(cases)('%s', (_, tlv) => expect(() => encodeTlv(tlv)).toThrow(RangeError));

  test('more than 65535 bytes in all, and not one fewer', () => {
    const half: Tlv = { type: 'raw', code: 0xe5, value: new Uint8Array(32764) };
    const most: Tlv = { type: 'raw', code: 0xe5, value: new Uint8Array(32765) };
    const over: Tlv = { type: 'raw', code: 0xe5, value: new Uint8Array(32766) };
    expect(encodeTlvs([half, most])).toHaveLength(65535);
    expect(() => encodeTlvs([half, over])).toThrow('65536 bytes; a PROXY v2 header carries at most 65535');
  });
});
