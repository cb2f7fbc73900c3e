import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIp, isIpv4 } from '../../../core/base/ip.ts';
import { decodeHeader } from '../../../core/proxy-protocol/decode.ts';
import { createHeaderTemplate } from '../../../core/proxy-protocol/template.ts';
import { holds } from '../../../testing/suite/property.ts';
import { accepted, anyEndpoints, anyTlvs, headerFrom } from './support.ts';

const LARGEST = { maxHeaderBytes: 16 + 65535 };

function expected(block: Buffer) {
  return {
    kind: 'accepted',
    command: 'proxy',
    family: isIpv4(block, 0) && isIpv4(block, 16) ? 'tcp4' : 'tcp6',
    source: { ip: formatIp(block, 0), port: block.readUInt16BE(32) },
    destination: { ip: formatIp(block, 16), port: block.readUInt16BE(34) },
  };
}

describe('property: what is sent is what is accepted', () => {
  test('v1', () => {
    const template = createHeaderTemplate('v1');
    holds(
      fc.property(anyEndpoints, (block) => {
        const header = headerFrom(template, block);
        expect(decodeHeader(header)).toEqual({ ...expected(block), version: 1, tlvs: [], headerBytes: header.length });
      }),
      { numRuns: 1000 },
    );
  });

  test('v2 with any TLVs and checksum', () => {
    holds(
      fc.property(anyEndpoints, anyTlvs, fc.boolean(), (block, tlvs, crc32c) => {
        const header = headerFrom(createHeaderTemplate('v2', { tlvs, crc32c }), block);
        const decoded = accepted(decodeHeader(header, LARGEST));
        expect(decoded).toMatchObject({ ...expected(block), version: 2, headerBytes: header.length });
        expect(decoded.tlvs.slice(crc32c ? 1 : 0)).toEqual(tlvs);
        if (crc32c) expect(decoded.tlvs[0]?.type).toBe('crc32c');
      }),
      { numRuns: 500 },
    );
  });

  test('bytes around the header change nothing and are kept', () => {
    holds(
      fc.property(anyEndpoints, fc.constantFrom('v1', 'v2'), fc.uint8Array(), fc.uint8Array(), (block, mode, a, b) => {
        const header = headerFrom(createHeaderTemplate(mode), block);
        const all = Buffer.concat([a, header, b]);
        const before = Buffer.from(all);
        expect(decodeHeader(all, {}, a.length)).toEqual(decodeHeader(header));
        expect(decodeHeader(all, {}, a.length, a.length + header.length)).toEqual(decodeHeader(header));
        expect(all).toEqual(before);
      }),
    );
  });
});

test('a decoded TLV does not share memory with the buffer it came from', () => {
  const value = Uint8Array.of(1, 2, 3);
  const template = createHeaderTemplate('v2', { tlvs: [{ type: 'raw', code: 0xe5, value }] });
  const header = headerFrom(template, Buffer.alloc(36));
  const decoded = accepted(decodeHeader(header));
  header.fill(0xff);
  expect(decoded.tlvs).toEqual([{ type: 'raw', code: 0xe5, value }]);
});
