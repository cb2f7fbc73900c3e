import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIp, isIpv4 } from '../../../core/base/ip.ts';
import { crc32cWithZeroedField } from '../../../core/proxy-protocol/crc32c.ts';
import { createHeaderTemplate, type HeaderMode, headerSizeWarning } from '../../../core/proxy-protocol/template.ts';
import { encodeTlvs } from '../../../core/proxy-protocol/tlv-encode.ts';
import { LOCAL_HEADER } from '../../../core/proxy-protocol/v2-encode.ts';
import { holds } from '../../../testing/suite/property.ts';
import { anyEndpoints, anyTlvs, endpoints, headerFrom, v2 } from './support.ts';

const none = createHeaderTemplate('none');
const v1Template = createHeaderTemplate('v1');
const v2Template = createHeaderTemplate('v2');

function line(sourceIp: string, sourcePort: number, destinationIp: string, destinationPort: number): string {
  return headerFrom(v1Template, endpoints(sourceIp, sourcePort, destinationIp, destinationPort)).toString('latin1');
}

describe('the two examples of the NodeBalancer documentation, byte for byte', () => {
  test('v1', () => {
    expect(line('192.0.2.0', 56147, '203.0.113.0', 80)).toBe('PROXY TCP4 192.0.2.0 203.0.113.0 56147 80\r\n');
  });

  test('v2', () => {
    const header = headerFrom(v2Template, endpoints('172.104.17.5', 65054, '207.192.68.56', 1234));
    expect(header.toString('hex')).toBe('0d0a0d0a000d0a515549540a2111000cac681105cfc04438fe1e04d2');
  });
});

describe('none', () => {
  test('writes nothing', () => {
    expect(none.maxBytes).toBe(0);
    expect(headerFrom(none, endpoints('192.0.2.1', 1, '192.0.2.2', 2))).toHaveLength(0);
  });
});

describe('v1', () => {
  test('the longest TCP6 line is exactly maxBytes long', () => {
    const ip = '1111:2222:3333:4444:5555:6666:7777:8888';
    expect(line(ip, 65535, ip, 65535)).toHaveLength(v1Template.maxBytes);
    expect(v1Template.maxBytes).toBe(104);
  });

  test('the longest TCP4 line has 56 bytes', () => {
    expect(line('255.255.255.255', 65535, '255.255.255.255', 65535)).toHaveLength(56);
  });

  test.each([
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['0:1:2:3:4:5:0:0', '0:1:2:3:4:5::'],
    ['FE80::00AB:CDEF', 'fe80::ab:cdef'],
  ])('%s is written as %s (RFC 5952)', (ip, canonical) => {
    expect(line(ip, 1, '::2', 2)).toBe(`PROXY TCP6 ${canonical} ::2 1 2\r\n`);
  });

  test('an IPv4 side of a mixed pair is mapped', () => {
    expect(line('192.0.2.1', 1, '2001:db8::1', 2)).toBe('PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1 2\r\n');
    expect(line('2001:db8::1', 1, '192.0.2.1', 2)).toBe('PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 1 2\r\n');
  });

  test('two mapped addresses are TCP4', () => {
    expect(line('::ffff:192.0.2.1', 1, '::ffff:192.0.2.2', 2)).toBe('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n');
  });

  test('property: the line is what a formatter of text would make', () => {
    holds(
      fc.property(anyEndpoints, (block) => {
        const tcp4 = isIpv4(block, 0) && isIpv4(block, 16);
        const ip = (at: number) => (!tcp4 && isIpv4(block, at) ? '::ffff:' : '') + formatIp(block, at);
        const ports = `${block.readUInt16BE(32)} ${block.readUInt16BE(34)}`;
        const expected = `PROXY ${tcp4 ? 'TCP4' : 'TCP6'} ${ip(0)} ${ip(16)} ${ports}\r\n`;
        expect(headerFrom(v1Template, block).toString('latin1')).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('v2', () => {
  test('TCP over IPv6', () => {
    const header = headerFrom(v2Template, endpoints('2001:db8::1', 0x1234, '2001:db8::2', 443));
    expect(header).toEqual(
      v2('21 21 0024 20010db8000000000000000000000001 20010db8000000000000000000000002 1234 01bb'),
    );
    expect(header).toHaveLength(v2Template.maxBytes);
  });

  test('an IPv4 side of a mixed pair is mapped', () => {
    const header = headerFrom(v2Template, endpoints('192.0.2.1', 1, '2001:db8::2', 2));
    expect(header).toEqual(
      v2('21 21 0024 00000000000000000000ffffc0000201 20010db8000000000000000000000002 0001 0002'),
    );
  });

  test('two mapped addresses are 0x11', () => {
    const header = headerFrom(v2Template, endpoints('::ffff:192.0.2.1', 1, '::ffff:192.0.2.2', 2));
    expect(header).toEqual(v2('21 11 000c c0000201 c0000202 0001 0002'));
  });

  test('LOCAL is 16 bytes: family 0, length 0', () => {
    expect(Buffer.from(LOCAL_HEADER)).toEqual(v2('20 00 0000'));
  });

  test('property: fixed part, address block, checksum, TLVs', () => {
    holds(
      fc.property(anyEndpoints, anyTlvs, fc.boolean(), (block, tlvs, crc32c) => {
        const header = headerFrom(createHeaderTemplate('v2', { tlvs, crc32c }), block);
        const ipv4 = isIpv4(block, 0) && isIpv4(block, 16);
        const addresses = ipv4
          ? Buffer.concat([block.subarray(12, 16), block.subarray(28, 32), block.subarray(32)])
          : block;
        const tlvsAt = 16 + addresses.length + (crc32c ? 7 : 0);
        expect(header.subarray(0, 14)).toEqual(v2(ipv4 ? '2111' : '2121'));
        expect(header.readUInt16BE(14)).toBe(header.length - 16);
        expect(header.subarray(16, 16 + addresses.length)).toEqual(addresses);
        expect(header.subarray(tlvsAt)).toEqual(Buffer.from(encodeTlvs(tlvs)));
        if (!crc32c) return;
        expect(header.subarray(tlvsAt - 7, tlvsAt - 4).toString('hex')).toBe('030004');
        expect(header.readUInt32BE(tlvsAt - 4)).toBe(crc32cWithZeroedField(header, 0, header.length, tlvsAt - 4));
      }),
    );
  });

  test('a template carries nothing from one connection to the next', () => {
    const template = createHeaderTemplate('v2', { crc32c: true });
    const first = endpoints('192.0.2.1', 1, '192.0.2.2', 2);
    const before = headerFrom(template, first);
    headerFrom(template, endpoints('2001:db8::1', 3, '198.51.100.1', 4));
    headerFrom(template, endpoints('203.0.113.1', 5, '203.0.113.2', 6));
    expect(headerFrom(template, first)).toEqual(before);
  });
});

describe('configuration', () => {
  test.each<HeaderMode>(['none', 'v1'])('TLVs and a checksum are refused for %s', (mode) => {
    expect(() => createHeaderTemplate(mode, { crc32c: true })).toThrow(RangeError);
    expect(() => createHeaderTemplate(mode, { tlvs: [{ type: 'alpn', text: 'h2' }] })).toThrow(RangeError);
  });

  test('a checksum cannot be given as a TLV', () => {
    expect(() => createHeaderTemplate('v2', { tlvs: [{ type: 'crc32c', value: 1 }] })).toThrow(RangeError);
  });

  test('addresses, checksum and TLVs fill the 16-bit length exactly, and one byte more is refused', () => {
    const padding = (paddingBytes: number) => ({ tlvs: [{ type: 'noop', paddingBytes } as const], crc32c: true });
    const most = 65535 - 36 - 7 - 3;
    expect(createHeaderTemplate('v2', padding(most)).maxBytes).toBe(16 + 65535);
    expect(() => createHeaderTemplate('v2', padding(most + 1))).toThrow(/65536 bytes; .* at most 65535/);
  });

  test('a buffer without room for the longest header is a bug of the caller', () => {
    const block = endpoints('192.0.2.1', 1, '192.0.2.2', 2);
    for (const template of [v1Template, v2Template]) {
      expect(() => template.write(new Uint8Array(template.maxBytes), 1, block, 0)).toThrow('no room');
    }
  });

  test('sizes that receivers refuse are warned about', () => {
    expect(headerSizeWarning(v1Template.maxBytes)).toBeUndefined();
    expect(headerSizeWarning(107)).toBeUndefined();
    expect(headerSizeWarning(108)).toMatch(/108 bytes: nginx 1\.22 takes 107[^,]*$/);
    expect(headerSizeWarning(232)).not.toMatch(/Apache/);
    expect(headerSizeWarning(233)).toMatch(/Apache.*232/);
    expect(headerSizeWarning(536)).not.toMatch(/specification/);
    expect(headerSizeWarning(537)).toMatch(/specification.*536/);
  });
});
