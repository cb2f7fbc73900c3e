// Addresses between text and bytes: what is taken, what is refused, and that canonical text and bytes are two forms of one thing.

import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatEndpoint, formatIp, isIpv4, parseIp, portAt } from '../../../core/base/ip.ts';
import { holds } from '../../../testing/suite/property.ts';

const anyIpv4 = fc.ipV4();
const anyBytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
/** Addresses with runs of zeroes, where the shortening happens. */
const sparse = fc
  .array(fc.constantFrom(0, 0, 0, 1, 0x10, 0xabcd), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])));

describe('IPv4', () => {
  test('is kept in its mapped form', () => {
    expect([...(parseIp('192.0.2.1') ?? [])]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1]);
  });

  test('text, bytes, text', () => {
    holds(
      fc.property(anyIpv4, (text) => {
        const bytes = parseIp(text) ?? new Uint8Array(16);
        expect([formatIp(bytes, 0), isIpv4(bytes, 0)]).toEqual([text, true]);
      }),
    );
  });

  test.for([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.',
    '0x1.2.3.4',
    '1.2.3.-4',
  ])('%j is none', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });
});

describe('IPv6', () => {
  test.for([
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8::A', '2001:db8::a'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:1:0:0:0:0', '0:0:0:1::'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['0001:0020:0300:4000::', '1:20:300:4000::'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::192.0.2.1', '::c000:201'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ] as const)('%s is %s', ([text, canonical]) => {
    const bytes = parseIp(text);
    expect(bytes === undefined ? undefined : formatIp(bytes, 0)).toBe(canonical);
  });

  test.for([
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '[::1]',
    '::1 ',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1.2.3.4::',
    '::1.2.3',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
  ])('%j is none', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  test('bytes, text, bytes; and the text is an address to everybody else', () => {
    holds(
      fc.property(fc.oneof(anyBytes, sparse), (bytes) => {
        const text = formatIp(bytes, 0);
        expect(parseIp(text)).toEqual(bytes);
        expect(isIpv4(bytes, 0)).toBe(isIPv4(text));
        expect(isIPv4(text) || isIPv6(text)).toBe(true);
        // Canonical: what a URL makes of it (RFC 5952).
        if (!isIpv4(bytes, 0)) expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      }),
    );
  });
});

test('any text is taken as everybody else takes it, or refused', () => {
  const piece = fc.constantFrom(':', '::', '.', '0', '1', '255', '256', 'ffff', 'g', '%', '[', ' ', '1.2.3.4');
  holds(
    fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
      const text = pieces.join('');
      const known = isIPv4(text) || (isIPv6(text) && !text.includes('%'));
      expect(parseIp(text) !== undefined, text).toBe(known);
    }),
    { numRuns: 2000 },
  );
});

test('an address is found where it lies', () => {
  const bytes = new Uint8Array(40).fill(0xee);
  bytes.set(parseIp('192.0.2.1') ?? [], 3);
  bytes.set(parseIp('2001:db8::1') ?? [], 21);
  expect([formatIp(bytes, 3), formatIp(bytes, 21), isIpv4(bytes, 3), isIpv4(bytes, 21)]).toEqual([
    '192.0.2.1',
    '2001:db8::1',
    true,
    false,
  ]);
});

test('ports are in network order, endpoints have brackets where they are needed', () => {
  expect(portAt(Uint8Array.from([9, 0x1f, 0x90, 9]), 1)).toBe(8080);
  expect(formatEndpoint('192.0.2.1', 80)).toBe('192.0.2.1:80');
  expect(formatEndpoint('2001:db8::1', 80)).toBe('[2001:db8::1]:80');
});
