import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeHeader } from '../../../core/proxy-protocol/decode.ts';
import { createHeaderTemplate } from '../../../core/proxy-protocol/template.ts';
import { holds } from '../../../testing/suite/property.ts';
import { anyEndpoints, anyTlvs, headerFrom, latin1, v2, v2With, verdict } from './support.ts';

const LARGEST = { maxHeaderBytes: 16 + 65535 };

function expectEveryPrefixIncomplete(header: Uint8Array): void {
  for (let have = 0; have < header.length; have++) {
    const decoded = decodeHeader(header.subarray(0, have), LARGEST);
    if (decoded.kind !== 'incomplete') throw new Error(`${have} of ${header.length} bytes: ${JSON.stringify(decoded)}`);
    expect(decoded.needAtLeast).toBeGreaterThan(have);
    expect(decoded.needAtLeast).toBeLessThanOrEqual(header.length);
  }
  expect(decodeHeader(header, LARGEST).kind).toBe('accepted');
}

test('property: every prefix of a v1 line is incomplete', () => {
  const template = createHeaderTemplate('v1');
  holds(fc.property(anyEndpoints, (block) => expectEveryPrefixIncomplete(headerFrom(template, block))));
});

test('property: every prefix of a v2 header is incomplete', () => {
  holds(
    fc.property(anyEndpoints, anyTlvs, fc.boolean(), (block, tlvs, crc32c) =>
      expectEveryPrefixIncomplete(headerFrom(createHeaderTemplate('v2', { tlvs, crc32c }), block)),
    ),
  );
});

test.each([
  ['UNKNOWN short', latin1('PROXY UNKNOWN\r\n')],
  ['UNKNOWN with a lone CR and LF', latin1('PROXY UNKNOWN a\rb\nc\r\r\n')],
  ['UNKNOWN of 107 bytes', latin1(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`)],
  ['TCP6 in long form', latin1('PROXY TCP6 0000:0000:0000:0000:0000:0000:0000:0001 FFFF:0:0:0:0:0:0:1 0 0\r\n')],
  ['TCP6 with a dotted tail', latin1('PROXY TCP6 ::ffff:192.0.2.1 1:2:3:4:5:6:192.0.2.1 0 0\r\n')],
  ['TCP6 with :: at the end', latin1('PROXY TCP6 1:2:3:4:5:6:7:: :: 0 0\r\n')],
  ['LOCAL', v2('20 00 0000')],
  ['LOCAL with a block', v2With('20 ff', Buffer.alloc(40, 0xee))],
  ['UDP', v2With('21 12', Buffer.alloc(12))],
  ['UNIX', v2With('21 31', Buffer.alloc(216))],
])('every prefix of %s is incomplete', (_, header) => {
  expectEveryPrefixIncomplete(header);
});

test('needAtLeast names the exact size of a v2 header once its length is there', () => {
  expect(decodeHeader(v2('21 11 000c'))).toEqual({ kind: 'incomplete', needAtLeast: 28 });
  expect(decodeHeader(v2('21 11 000c').subarray(0, 15))).toEqual({ kind: 'incomplete', needAtLeast: 16 });
});

test('a prefix that no header has is rejected at its first impossible byte', () => {
  const hopeless = [
    'G',
    'PU',
    'PROXY_',
    'PROXY  ',
    'PROXY X',
    'PROXY TCP5',
    'PROXY TCP4\t',
    'PROXY TCP4 x',
    'PROXY TCP4 256',
    'PROXY TCP4 01',
    'PROXY TCP4 1..',
    'PROXY TCP4 1.2.3.4.',
    'PROXY TCP4 1.2.3.4 :',
    'PROXY TCP4 1.2.3.4 5.6.7.8 -',
    'PROXY TCP4 1.2.3.4 5.6.7.8 65536',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2 ',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\rX',
    'PROXY TCP6 g',
    'PROXY TCP6 12345',
    'PROXY TCP6 1::2::',
    'PROXY TCP6 :::',
    'PROXY TCP6 1:2:3:4:5:6:7:8:',
    'PROXY TCP6 ::1.2.3.256',
    'PROXY TCP6 1.',
    'PROXY TCP6 fe80::1%',
    'PROXY TCP6 [',
    'PROXY UNKNOWN\rX',
    'PROXY UNKNOWNX',
  ];
  for (const text of hopeless) {
    expect([text, verdict(latin1(text.slice(0, -1)))]).toEqual([text, 'incomplete']);
    expect([text, verdict(latin1(text))]).toEqual([text, expect.stringMatching(/^rejected/)]);
  }
});

test('property: whatever follows a rejected prefix, it stays rejected for the same reason', () => {
  const start = fc.constantFrom('PROXY ', 'PROXY TCP4 ', 'PROXY TCP6 ', 'PROXY TCP4 1.2.3.4 ');
  const junk = fc.string({ unit: fc.constantFrom(...' :.0129afFPROXYTCP46\r\n'), maxLength: 30 });
  holds(
    fc.property(start, junk, (head, tail) => {
      const bytes = latin1(head + tail);
      let first: string | undefined;
      for (let have = 0; have <= bytes.length; have++) {
        const seen = verdict(bytes.subarray(0, have));
        if (first !== undefined) expect(seen).toBe(first);
        if (seen !== 'incomplete') first ??= seen;
      }
    }),
    { numRuns: 1000 },
  );
});
