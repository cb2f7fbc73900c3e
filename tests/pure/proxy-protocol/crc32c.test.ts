import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c, crc32cUpdate, crc32cWithZeroedField } from '../../../core/proxy-protocol/crc32c.ts';
import { decodeHeader } from '../../../core/proxy-protocol/decode.ts';
import { holds } from '../../../testing/suite/property.ts';
import { accepted, latin1, v2 } from './support.ts';

// The last four are the iSCSI examples of RFC 3720 appendix B.4.
test.each([
  ['nothing', latin1(''), 0x00000000],
  ['the check value "123456789"', latin1('123456789'), 0xe3069283],
  ['32 bytes of zero', Buffer.alloc(32), 0x8a9136aa],
  ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['32 incrementing bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ['32 decrementing bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
])('%s', (_, bytes, sum) => {
  expect(crc32c(bytes)).toBe(sum);
});

test('property: a sum may be taken in pieces', () => {
  holds(
    fc.property(fc.uint8Array(), fc.nat(), (bytes, n) => {
      const cut = n % (bytes.length + 1);
      const pieces = crc32cUpdate(crc32cUpdate(0, bytes, 0, cut), bytes, cut, bytes.length);
      expect(pieces >>> 0).toBe(crc32c(bytes));
    }),
  );
});

test('property: a zeroed field changes the sum, not the bytes', () => {
  holds(
    fc.property(fc.uint8Array({ minLength: 4 }), fc.nat(), (bytes, n) => {
      const at = n % (bytes.length - 3);
      const before = Buffer.from(bytes);
      const zeroed = Buffer.from(bytes).fill(0, at, at + 4);
      expect(crc32cWithZeroedField(bytes, 0, bytes.length, at)).toBe(crc32c(zeroed));
      expect(Buffer.from(bytes)).toEqual(before);
    }),
  );
});

test('the health check of an AWS NLB: LOCAL, family 0x11 without addresses, length 84, CRC32C and padding', () => {
  const header = Buffer.concat([v2('20 11 0054 03 0004 bce5951f 04 004a'), Buffer.alloc(74)]);
  expect(crc32cWithZeroedField(header, 0, header.length, 19)).toBe(0xbce5951f);
  expect(accepted(decodeHeader(header))).toMatchObject({ command: 'local', family: 'unknown', headerBytes: 100 });
});
