// What a listener sends in front of each connection: made once from its configuration, written once per connection. The only
// door to v1-encode.ts and v2-encode.ts for the data path. A header is always made from the endpoints that we saw: nothing that
// a client sent is ever copied into it. Whether and when to send is the session's affair.

import { assert, assertNever } from '../base/assert.ts';
import { APACHE_EXIM_MAX_BYTES, NGINX_STREAM_MAX_BYTES, SPEC_MAX_BYTES, V1_SENT_MAX_BYTES } from './header.ts';
import type { Tlv } from './tlv.ts';
import { encodeTlvs } from './tlv-encode.ts';
import { writeV1 } from './v1-encode.ts';
import { V2Writer } from './v2-encode.ts';

export type HeaderMode = 'none' | 'v1' | 'v2';

/** Both need v2. `crc32c` adds a checksum TLV, computed for each header. */
export type HeaderOptions = { readonly tlvs?: readonly Tlv[]; readonly crc32c?: boolean };

export type HeaderTemplate = {
  readonly mode: HeaderMode;
  /** The longest header that write() makes; `out` must have this much room. */
  readonly maxBytes: number;
  /** Writes the header for one connection to `out[at..]`, without allocating.
   * @param endpoints an endpoints block (core/base/ip.ts) at `endpointsAt`
   * @returns the header's length; 0 for mode `none` */
  write(out: Uint8Array, at: number, endpoints: Uint8Array, endpointsAt: number): number;
};

/** @throws RangeError when the options cannot be sent: TLVs without v2, values out of range, more than 65535 bytes */
export function createHeaderTemplate(mode: HeaderMode, options: HeaderOptions = {}): HeaderTemplate {
  const { tlvs = [], crc32c = false } = options;
  if (mode !== 'v2' && (tlvs.length > 0 || crc32c)) throw new RangeError(`TLVs need PROXY v2, not ${mode}`);
  switch (mode) {
    case 'none':
      return { mode, maxBytes: 0, write: writeNothing };
    case 'v1':
      return { mode, maxBytes: V1_SENT_MAX_BYTES, write: writeV1Checked };
    case 'v2':
      return createV2Template(tlvs, crc32c);
    default:
      return assertNever(mode);
  }
}

function createV2Template(tlvs: readonly Tlv[], crc32c: boolean): HeaderTemplate {
  if (tlvs.some((tlv) => tlv.type === 'crc32c')) {
    throw new RangeError('a CRC32C differs from header to header: set the option crc32c instead of giving the TLV');
  }
  const writer = new V2Writer(encodeTlvs(tlvs), crc32c);
  return {
    mode: 'v2',
    maxBytes: writer.maxBytes,
    write(out, at, endpoints, endpointsAt) {
      assertRoom(out, at, writer.maxBytes);
      return writer.write(out, at, endpoints, endpointsAt);
    },
  };
}

function writeNothing(): number {
  return 0;
}

function writeV1Checked(out: Uint8Array, at: number, endpoints: Uint8Array, endpointsAt: number): number {
  assertRoom(out, at, V1_SENT_MAX_BYTES);
  return writeV1(out, at, endpoints, endpointsAt);
}

// A typed array swallows what is written past its end: the header would go out cut, with the right length.
function assertRoom(out: Uint8Array, at: number, maxBytes: number): void {
  assert(at >= 0 && out.length - at >= maxBytes, 'no room for a PROXY header');
}

/** For the operator, at configuration time, about a template's `maxBytes`. @returns undefined when every receiver that was
 * tried takes a header of this size */
export function headerSizeWarning(bytes: number): string | undefined {
  if (bytes <= NGINX_STREAM_MAX_BYTES) return undefined;
  const refusing = [`nginx 1.22 takes ${NGINX_STREAM_MAX_BYTES} on stream and TLS listeners`];
  if (bytes > APACHE_EXIM_MAX_BYTES) refusing.push(`Apache 2.4 and Exim 4.96 take ${APACHE_EXIM_MAX_BYTES}`);
  if (bytes > SPEC_MAX_BYTES) refusing.push(`the specification expects at most ${SPEC_MAX_BYTES}`);
  return `PROXY headers can reach ${bytes} bytes: ${refusing.join(', ')}`;
}
