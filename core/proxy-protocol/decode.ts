// The strict receiver: tells an accepted header, a refused one and the beginning of one apart, for every prefix of what a peer
// sent. Pure: it may be called again with more bytes and keeps nothing in between; bytes after the header are never touched.
// Must not guess whether a header is there at all (section 2: a receiver is configured to expect one), and never throws for
// what a peer sent.

import { assert } from '../base/assert.ts';
import { type Decoded, type DecodeLimits, V1_MIN_BYTES, V2_SIGNATURE } from './header.ts';
import { reject } from './reject.ts';
import { decodeV1 } from './v1-decode.ts';
import { decodeV2 } from './v2-decode.ts';

const V1_FIRST_BYTE = 'P'.charCodeAt(0);

/** Decodes the header that starts at `bytes[start]`; `bytes[start..end)` is what has been received so far. */
export function decodeHeader(
  bytes: Uint8Array,
  limits: DecodeLimits = {},
  start = 0,
  end: number = bytes.length,
): Decoded {
  assert(start >= 0 && start <= end && end <= bytes.length, 'a range outside of the bytes');
  if (start === end) return { kind: 'incomplete', needAtLeast: V1_MIN_BYTES };
  const first = bytes[start];
  if (first === V1_FIRST_BYTE) return decodeV1(bytes, start, end);
  if (first === V2_SIGNATURE[0]) return decodeV2(bytes, limits, start, end);
  return reject('signature', `byte 0 is 0x${(first ?? 0).toString(16).padStart(2, '0')}: neither v1 nor v2`);
}
