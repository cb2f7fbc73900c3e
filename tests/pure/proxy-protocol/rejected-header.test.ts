import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32cWithZeroedField } from '../../../core/proxy-protocol/crc32c.ts';
import { decodeHeader } from '../../../core/proxy-protocol/decode.ts';
import { describeReject, type RejectReason, rejectReasons } from '../../../core/proxy-protocol/reject.ts';
import { createHeaderTemplate } from '../../../core/proxy-protocol/template.ts';
import { holds } from '../../../testing/suite/property.ts';
import { accepted, anyEndpoints, anyTlvs, endpoints, headerFrom, latin1, v2, v2With, verdict } from './support.ts';

const ADDRESSES = 'c0000201 c0000202 0001 0002';
const IPV4 = Buffer.from(ADDRESSES.replaceAll(' ', ''), 'hex');

function withTlvs(hex: string): Buffer {
  return v2With('2111', Buffer.concat([IPV4, Buffer.from(hex.replaceAll(' ', ''), 'hex')]));
}

const V1: readonly (readonly [what: string, line: string, reason: RejectReason])[] = [
  ['another protocol', 'GET / HTTP/1.1\r\n', 'signature'],
  ['an SSH client', 'SSH-2.0-OpenSSH_9.2\r\n', 'signature'],
  ['lower case proxy', 'proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n', 'signature'],
  ['lower case roxy', 'Proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n', 'signature'],
  ['a tab after PROXY', 'PROXY\tTCP4 192.0.2.1 192.0.2.2 1 2\r\n', 'v1-separator'],
  ['lower case family', 'PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n', 'v1-family'],
  ['lower case unknown', 'PROXY unknown\r\n', 'v1-family'],
  ['UDP4', 'PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n', 'v1-family'],
  ['TCP5', 'PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n', 'v1-family'],
  ['UNKNOWN glued to junk', 'PROXY UNKNOWNX\r\n', 'v1-family'],
  ['UNKNOWN and LF', 'PROXY UNKNOWN\n', 'v1-family'],
  ['no family', 'PROXY \r\n', 'v1-family'],
  ['two spaces before the family', 'PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n', 'v1-family'],
  ['two spaces before an address', 'PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n', 'v1-address'],
  ['two spaces before a port', 'PROXY TCP4 192.0.2.1 192.0.2.2  1 2\r\n', 'v1-port'],
  ['a space before CRLF', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n', 'v1-line-end'],
  ['TCP4 with IPv6 text', 'PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n', 'v1-address'],
  ['TCP6 with IPv4 text', 'PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n', 'v1-address'],
  ['TCP6 with an IPv4 destination', 'PROXY TCP6 2001:db8::1 192.0.2.2 1 2\r\n', 'v1-address'],
  ['an octet of 256', 'PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n', 'v1-address'],
  ['an octet with a leading zero', 'PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n', 'v1-address'],
  ['three octets', 'PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n', 'v1-address'],
  ['five octets', 'PROXY TCP4 192.0.2.1.1 192.0.2.2 1 2\r\n', 'v1-separator'],
  ['an IPv6 zone', 'PROXY TCP6 fe80::1%eth0 ::2 1 2\r\n', 'v1-address'],
  ['IPv6 in brackets', 'PROXY TCP6 [::1] ::2 1 2\r\n', 'v1-address'],
  ['two ::', 'PROXY TCP6 1::2::3 ::2 1 2\r\n', 'v1-address'],
  ['seven groups', 'PROXY TCP6 1:2:3:4:5:6:7 ::2 1 2\r\n', 'v1-address'],
  ['nine groups', 'PROXY TCP6 1:2:3:4:5:6:7:8:9 ::2 1 2\r\n', 'v1-address'],
  ['a group of five digits', 'PROXY TCP6 12345::1 ::2 1 2\r\n', 'v1-address'],
  ['an empty address', 'PROXY TCP6  ::2 1 2\r\n', 'v1-address'],
  ['port 65536', 'PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n', 'v1-port'],
  ['destination port 65536', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n', 'v1-port'],
  ['port -1', 'PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n', 'v1-port'],
  ['port +1', 'PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n', 'v1-port'],
  ['port 00', 'PROXY TCP4 192.0.2.1 192.0.2.2 00 2\r\n', 'v1-port'],
  ['port 080', 'PROXY TCP4 192.0.2.1 192.0.2.2 080 2\r\n', 'v1-port'],
  ['port 0x50', 'PROXY TCP4 192.0.2.1 192.0.2.2 0x50 2\r\n', 'v1-separator'],
  ['no destination port', 'PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n', 'v1-separator'],
  ['LF alone', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n', 'v1-line-end'],
  ['CR alone', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rGET', 'v1-line-end'],
  ['no CRLF in 107 bytes', `PROXY UNKNOWN ${'x'.repeat(93)}`, 'v1-too-long'],
  ['CRLF that ends at byte 108', `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`, 'v1-too-long'],
  ['10 MB without a line feed', `PROXY UNKNOWN ${'x'.repeat(10_000_000)}`, 'v1-too-long'],
];

const V2: readonly (readonly [what: string, header: Buffer, reason: RejectReason])[] = [
  ['version 3', v2(`31 11 000c ${ADDRESSES}`), 'v2-version'],
  ['version 1', v2(`11 11 000c ${ADDRESSES}`), 'v2-version'],
  ['version 3, as soon as it is seen', v2('31'), 'v2-version'],
  ['command 2', v2(`22 11 000c ${ADDRESSES}`), 'v2-command'],
  ['command 15, as soon as it is seen', v2('2f'), 'v2-command'],
  ['family 4', v2(`21 41 000c ${ADDRESSES}`), 'v2-family'],
  ['family 15, as soon as it is seen', v2('21 f1'), 'v2-family'],
  ['transport 3', v2(`21 13 000c ${ADDRESSES}`), 'v2-transport'],
  ['IPv4 without a transport', v2(`21 10 000c ${ADDRESSES}`), 'v2-transport'],
  ['stream without a family', v2('21 01 0000'), 'v2-transport'],
  ['length 11 for IPv4', v2(`21 11 000b ${ADDRESSES}`), 'v2-length'],
  ['length 0 for IPv4', v2('21 11 0000'), 'v2-length'],
  ['length 35 for IPv6', v2('21 21 0023'), 'v2-length'],
  ['length 215 for UNIX', v2('21 31 00d7'), 'v2-length'],
  ['length 65535, without waiting for it', v2('21 11 ffff'), 'header-too-large'],
  ['LOCAL of length 65535', v2('20 00 ffff'), 'header-too-large'],
  ['one byte above the limit', v2('21 11 0ff1'), 'header-too-large'],
  ['a lone byte after the addresses', withTlvs('04'), 'tlv-overrun'],
  ['two bytes after the addresses', withTlvs('04 00'), 'tlv-overrun'],
  ['a TLV one byte past the end', withTlvs('e5 0003 0102'), 'tlv-overrun'],
  ['a second TLV past the end', withTlvs('04 0000 02 ffff'), 'tlv-overrun'],
  ['an SSL TLV past the end', withTlvs('20 0006 01 00000000'), 'tlv-overrun'],
  ['an SSL TLV without its fixed part', withTlvs('20 0004 01 000000'), 'tlv-value'],
  [
    'a nested TLV past its parent, inside the header',
    withTlvs('20 0009 01 00000000 21 0005 41 04 0001 00'),
    'ssl-overrun',
  ],
  ['a nested TLV without a length', withTlvs('20 0006 01 00000000 21'), 'ssl-overrun'],
  ['a CRC32C of 3 bytes', withTlvs('03 0003 000000'), 'tlv-value'],
  ['a UNIQUE_ID of 129 bytes', withTlvs(`05 0081 ${'ab'.repeat(129)}`), 'tlv-value'],
  ['a wrong CRC32C', withTlvs('03 0004 deadbeef'), 'crc32c-mismatch'],
  ['a CRC32C of zero', withTlvs('03 0004 00000000'), 'crc32c-mismatch'],
  ['two CRC32C', withTlvs('03 0004 00000000 03 0004 00000000'), 'crc32c-repeated'],
];

describe('rejected v1', () => {
  test.each(V1)('%s', (_, line, reason) => expect(verdict(latin1(line))).toBe(`rejected: ${reason}`));
});

describe('rejected v2', () => {
  test.each(V2)('%s', (_, header, reason) => expect(verdict(header)).toBe(`rejected: ${reason}`));

  test('a signature with any one bit changed, at the byte that differs', () => {
    const header = v2(`21 11 000c ${ADDRESSES}`);
    for (let bit = 0; bit < 96; bit++) {
      const at = bit >> 3;
      const broken = Buffer.from(header);
      broken[at] = (broken[at] ?? 0) ^ (1 << (bit & 7));
      expect(verdict(broken.subarray(0, at))).toBe('incomplete');
      expect(verdict(broken.subarray(0, at + 1))).toBe('rejected: signature');
    }
  });

  test('any one bit changed under a CRC32C', () => {
    const template = createHeaderTemplate('v2', { tlvs: [{ type: 'authority', text: 'example.org' }], crc32c: true });
    const header = headerFrom(template, endpoints('192.0.2.1', 1, '192.0.2.2', 2));
    // From the addresses on: before them a changed bit may make another, still incomplete header.
    for (let bit = 16 * 8; bit < header.length * 8; bit++) {
      const broken = Buffer.from(header);
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      // A changed type byte can hide the checksum, as any header without one.
      if (bit >> 3 === 28) continue;
      expect(verdict(broken)).toMatch(/^rejected/);
    }
  });
});

test('every reason occurs in these tables and has a description of its own', () => {
  const tested = new Set<string>([...V1.map(([, , reason]) => reason), ...V2.map(([, , reason]) => reason)]);
  expect([...tested].sort()).toEqual(
    rejectReasons()
      .map(([reason]) => reason)
      .sort(),
  );
  expect(new Set(rejectReasons().map(([, description]) => description)).size).toBe(tested.size);
  expect(describeReject('v1-too-long')).toMatch(/107/);
});

test('the detail names the byte', () => {
  expect(decodeHeader(latin1('PROXY TCP4 192.0.2.1 192.0.2.2 1x2\r\n'))).toEqual({
    kind: 'rejected',
    reason: 'v1-separator',
    detail: 'byte 32 is 0x78: expected " "',
  });
  expect(decodeHeader(v2('23'), {}, 0)).toMatchObject({ detail: 'byte 12 is 0x23: command 3' });
});

describe('accepted, though other receivers stumble', () => {
  test.each([
    ['UNKNOWN short', latin1('PROXY UNKNOWN\r\n')],
    ['UNKNOWN with addresses', latin1('PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n')],
    ['UNKNOWN with junk', latin1('PROXY UNKNOWN \0\xff\r \n junk\r\n')],
    ['UNKNOWN of exactly 107 bytes', latin1(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`)],
    ['PROXY UNSPEC', v2('21 00 0000')],
    ['PROXY UNSPEC with a block', v2('21 00 0003 ffffff')],
  ])('%s: without endpoints', (_, header) => {
    expect(accepted(decodeHeader(header))).toMatchObject({
      command: 'proxy',
      family: 'unknown',
      source: undefined,
      destination: undefined,
      tlvs: [],
      headerBytes: header.length,
    });
  });

  test.each([
    ['with addresses', v2(`20 11 000c ${ADDRESSES}`)],
    ['with addresses and TLVs', v2(`20 11 0010 ${ADDRESSES} 04 0001 00`)],
    ['with what would be a broken TLV', v2('20 11 0003 ffffff')],
    ['with a family that nobody knows', v2('20 99 0001 00')],
    ['with less than an address block', v2('20 21 0002 0000')],
  ])('LOCAL %s: skipped by its length', (_, header) => {
    const decoded = accepted(decodeHeader(Buffer.concat([header, latin1('payload')])));
    expect(decoded).toMatchObject({ command: 'local', family: 'unknown', source: undefined, tlvs: [] });
    expect(decoded.headerBytes).toBe(header.length);
  });

  test('IPv6 text in upper case, long form and dotted; mapped addresses read as IPv4', () => {
    const line = 'PROXY TCP6 2001:0DB8:0000:0000:0000:0000:0000:0001 ::FFFF:192.0.2.7 1 2\r\n';
    const { source, destination, family } = accepted(decodeHeader(latin1(line)));
    expect([family, source?.ip, destination?.ip]).toEqual(['tcp6', '2001:db8::1', '192.0.2.7']);
  });

  test('UDP and UNIX', () => {
    expect(accepted(decodeHeader(v2(`21 12 000c ${ADDRESSES}`)))).toMatchObject({
      family: 'udp4',
      source: { ip: '192.0.2.1', port: 1 },
    });
    expect(accepted(decodeHeader(v2With('2122', Buffer.alloc(36))))).toMatchObject({
      family: 'udp6',
      source: { ip: '::' },
    });
    for (const [byte, family] of [
      ['31', 'unix-stream'],
      ['32', 'unix-dgram'],
    ]) {
      const decoded = accepted(decodeHeader(v2With(`21${byte}`, Buffer.alloc(216, 0x61))));
      expect(decoded).toMatchObject({ family, source: undefined, destination: undefined, headerBytes: 232 });
    }
  });

  test('a CRC32C anywhere among the TLVs', () => {
    const header = withTlvs('04 0002 0303 03 0004 00000000 02 0001 61');
    header.writeUInt32BE(crc32cWithZeroedField(header, 0, header.length, 36), 36);
    expect(accepted(decodeHeader(header)).tlvs.map((tlv) => tlv.type)).toEqual(['noop', 'crc32c', 'authority']);
  });

  test('a header of exactly the limit', () => {
    const header = v2With('2111', Buffer.concat([IPV4, Buffer.from('040fe1', 'hex'), Buffer.alloc(4065)]));
    expect(header).toHaveLength(4096);
    expect(accepted(decodeHeader(header)).headerBytes).toBe(4096);
    expect(verdict(Buffer.concat([header, Buffer.alloc(1)]))).toBe('accepted');
    expect(decodeHeader(header, { maxHeaderBytes: 4095 })).toMatchObject({ reason: 'header-too-large' });
  });
});

describe('property: no bytes make the decoder throw', () => {
  const headers = fc.oneof(
    fc.tuple(anyEndpoints).map(([block]) => headerFrom(createHeaderTemplate('v1'), block)),
    fc
      .tuple(anyEndpoints, anyTlvs, fc.boolean())
      .map(([block, tlvs, crc32c]) => headerFrom(createHeaderTemplate('v2', { tlvs, crc32c }), block)),
  );
  const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));

  test('valid headers with some bytes changed', () => {
    holds(
      fc.property(headers, fc.array(change, { minLength: 1, maxLength: 4 }), (header, changes) => {
        for (const [at, byte] of changes) header[at % header.length] = byte;
        const decoded = decodeHeader(header);
        if (decoded.kind === 'accepted') expect(decoded.headerBytes).toBeLessThanOrEqual(header.length);
        if (decoded.kind === 'incomplete') expect(decoded.needAtLeast).toBeGreaterThan(header.length);
      }),
      { numRuns: 3000 },
    );
  });

  test('random bytes after a valid beginning', () => {
    const beginning = fc.constantFrom(latin1('PROXY '), latin1('PROXY TCP6 '), v2(''), v2('2111'), v2('2121 0040'));
    holds(
      fc.property(beginning, fc.uint8Array({ maxLength: 200 }), (head, tail) => {
        expect(['accepted', 'rejected', 'incomplete']).toContain(decodeHeader(Buffer.concat([head, tail])).kind);
      }),
      { numRuns: 3000 },
    );
  });
});
