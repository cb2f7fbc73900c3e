import { expect, test } from 'vitest';
import { describeHeader } from '../../../core/proxy-protocol/describe.ts';
import { createHeaderTemplate } from '../../../core/proxy-protocol/template.ts';
import { LOCAL_HEADER } from '../../../core/proxy-protocol/v2-encode.ts';
import { endpoints, headerFrom, latin1, v2, v2With } from './support.ts';

function rows(...lines: readonly (readonly [hex: string, meaning: string])[]): string[] {
  return lines.map(([hex, meaning]) => (meaning === '' ? hex : `${hex.padEnd(47)}  ${meaning}`));
}

test('v1 is shown as its text, with its line end', () => {
  expect(describeHeader(latin1('PROXY TCP4 192.0.2.0 203.0.113.0 56147 80\r\nGET /')).split('\n')).toEqual([
    'PROXY TCP4 192.0.2.0 203.0.113.0 56147 80\\r\\n',
    '192.0.2.0:56147 -> 203.0.113.0:80',
    '5 bytes follow the header',
  ]);
});

test('v2 is shown field by field', () => {
  const header = headerFrom(createHeaderTemplate('v2'), endpoints('172.104.17.5', 65054, '207.192.68.56', 1234));
  expect(describeHeader(header).split('\n')).toEqual(
    rows(
      ['0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a', 'signature'],
      ['21', 'version 2, PROXY'],
      ['11', 'TCP over IPv4'],
      ['00 0c', '12 bytes follow'],
      ['ac 68 11 05', 'source 172.104.17.5'],
      ['cf c0 44 38', 'destination 207.192.68.56'],
      ['fe 1e', 'source port 65054'],
      ['04 d2', 'destination port 1234'],
    ),
  );
});

test('TLVs are named, nested ones with their parent', () => {
  const template = createHeaderTemplate('v2', {
    crc32c: true,
    tlvs: [
      { type: 'authority', text: 'www.example.org.test' },
      { type: 'ssl', client: 1, verify: 0, tlvs: [{ type: 'ssl-version', text: 'TLSv1.3' }] },
      { type: 'raw', code: 0xe5, value: Uint8Array.of(0x1b, 0x5c) },
    ],
  });
  const lines = describeHeader(headerFrom(template, endpoints('2001:db8::1', 1, '::2', 2))).split('\n');
  expect(lines).toContain('20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01  source 2001:db8::1');
  expect(lines.slice(8)).toEqual(
    rows(
      ['03 00 04', 'TLV CRC32C, 4 bytes'],
      [expect.anything(), ''],
      ['02 00 14', 'TLV AUTHORITY, 20 bytes'],
      ['77 77 77 2e 65 78 61 6d 70 6c 65 2e 6f 72 67 2e', '"www.example.org.test"'],
      ['74 65 73 74', ''],
      ['20 00 0f', 'TLV SSL, 15 bytes'],
      ['01', 'SSL client flags'],
      ['00 00 00 00', 'SSL verify: ok'],
      ['21 00 07', 'TLV SSL / SSL_VERSION, 7 bytes'],
      ['54 4c 53 76 31 2e 33', '"TLSv1.3"'],
      ['e5 00 02', 'TLV type 0xe5, 2 bytes'],
      ['1b 5c', '"\\x1b\\\\"'],
    ),
  );
});

test('a checksum is only one at the top level', () => {
  const ssl = Buffer.from('20000c00000000000300047a7a7a7a', 'hex');
  expect(describeHeader(v2With('2111', Buffer.concat([Buffer.alloc(12), ssl])))).toMatch(/7a 7a 7a 7a +"zzzz"$/);
});

test('LOCAL says that what it carries is ignored', () => {
  expect(describeHeader(LOCAL_HEADER)).toMatch(/20 +version 2, LOCAL\n00 +unspecified\n00 00 +0 bytes follow$/);
  expect(describeHeader(v2('20 11 0002 0102'))).toMatch(/11 +family, ignored with LOCAL\n00 02 .*\n01 02 +ignored$/);
});

test('UNIX paths are shown up to their padding', () => {
  const paths = Buffer.alloc(216);
  paths.write('/run/a');
  paths.write('/run/b', 108);
  const text = describeHeader(v2With('2131', paths));
  expect(text).toContain('source "/run/a"');
  expect(text).toContain('destination "/run/b"');
});

test('refused and unfinished bytes come with the reason', () => {
  expect(describeHeader(latin1('GET'))).toBe(
    '47 45 54\nrejected: does not start like a PROXY header (byte 0 is 0x47: neither v1 nor v2)',
  );
  expect(describeHeader(latin1('PROXY'))).toBe('50 52 4f 58 59\nincomplete: 5 bytes, at least 15 needed');
  expect(describeHeader(Buffer.alloc(1000)).split('\n').slice(-2)).toEqual([
    '... 872 bytes more',
    expect.stringMatching(/^rejected/),
  ]);
});

test('nothing but printable ASCII comes out', () => {
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const header = v2With('2111', Buffer.concat([Buffer.alloc(12), Buffer.of(0x02, 1, 0), every]));
  expect(describeHeader(header)).toMatch(/^[\x20-\x7e\n]*$/);
  expect(describeHeader(latin1('PROXY UNKNOWN \x1b[2J\x9b\r\n'))).toBe('PROXY UNKNOWN \\x1b[2J\\x9b\\r\\n');
});
