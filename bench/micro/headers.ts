// PROXY headers: what a listener writes per connection, and what a receiver reads. Encoding goes into one preallocated place, as
// in a shard's arena.

import { Buffer } from 'node:buffer';
import type { Operation, Operations } from './catalogue.ts';
import { expectEqual, importPart } from './core.ts';
import {
  BLOCK_BYTES,
  type Connection,
  makeBlocks,
  makeConnections,
  VARIANT_MASK,
  v1HeaderOf,
  v2Crc32cHeaderOf,
  v2HeaderOf,
} from './inputs.ts';

type Template = typeof import('../../core/proxy-protocol/template.ts');
type HeaderTemplate = import('../../core/proxy-protocol/template.ts').HeaderTemplate;
type Decode = typeof import('../../core/proxy-protocol/decode.ts');

/** Not at the start: a header is written somewhere in an arena. */
const OUT_AT = 64;

export async function encodeOperations(root: string): Promise<Operations> {
  const { createHeaderTemplate }: Template = await importPart(root, 'core/proxy-protocol/template.ts', [
    'createHeaderTemplate',
  ]);
  const ipv4 = makeConnections(4);
  return {
    encodeV1Ipv4: encode(createHeaderTemplate('v1'), ipv4, v1HeaderOf),
    encodeV2Ipv4: encode(createHeaderTemplate('v2'), ipv4, v2HeaderOf),
    encodeV2Ipv6: encode(createHeaderTemplate('v2'), makeConnections(6), v2HeaderOf),
    encodeV2Crc32c: encode(createHeaderTemplate('v2', { crc32c: true }), ipv4, v2Crc32cHeaderOf),
  };
}

function encode(
  template: HeaderTemplate,
  connections: readonly Connection[],
  expected: (connection: Connection) => Buffer,
): Operation {
  const blocks = makeBlocks(connections);
  const out = Buffer.alloc(OUT_AT + template.maxBytes);
  return {
    check() {
      for (const [i, connection] of connections.entries()) {
        const length = template.write(out, OUT_AT, blocks, i * BLOCK_BYTES);
        const written = out.toString('hex', OUT_AT, OUT_AT + length);
        expectEqual(`header ${i}`, written, expected(connection).toString('hex'));
      }
    },
    batch(count) {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const length = template.write(out, OUT_AT, blocks, (i & VARIANT_MASK) * BLOCK_BYTES);
        sum = (sum + length + (out[OUT_AT + length - 1] ?? 0)) | 0;
      }
      return sum;
    },
  };
}

export async function decodeOperations(root: string): Promise<Operations> {
  const { decodeHeader }: Decode = await importPart(root, 'core/proxy-protocol/decode.ts', ['decodeHeader']);
  const ipv4 = makeConnections(4);
  return {
    decodeV1: decode(decodeHeader, ipv4, ipv4.map(v1HeaderOf)),
    decodeV2: decode(decodeHeader, ipv4, ipv4.map(v2HeaderOf)),
  };
}

function decode(
  decodeHeader: Decode['decodeHeader'],
  connections: readonly Connection[],
  headers: readonly Buffer[],
): Operation {
  const bytes = Buffer.concat(headers);
  const ends = new Int32Array(headers.length);
  let end = 0;
  for (const [i, header] of headers.entries()) {
    end += header.length;
    ends[i] = end;
  }
  const startOf = (i: number) => (i === 0 ? 0 : (ends[i - 1] ?? 0));
  return {
    check() {
      for (const [i, { source, destination, sourcePort, destinationPort }] of connections.entries()) {
        const decoded = decodeHeader(bytes, {}, startOf(i), ends[i]);
        if (decoded.kind !== 'accepted') throw new Error(`header ${i}: ${decoded.kind}`);
        expectEqual(`length of header ${i}`, decoded.headerBytes, headers[i]?.length);
        expectEqual(`source of header ${i}`, textOf(decoded.source), `${source.join('.')}:${sourcePort}`);
        const to = `${destination.join('.')}:${destinationPort}`;
        expectEqual(`destination of header ${i}`, textOf(decoded.destination), to);
      }
    },
    batch(count) {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const variant = i & VARIANT_MASK;
        const decoded = decodeHeader(bytes, {}, startOf(variant), ends[variant]);
        if (decoded.kind === 'accepted') sum = (sum + (decoded.source?.port ?? 0) + decoded.headerBytes) | 0;
      }
      return sum;
    },
  };
}

function textOf(endpoint: { ip: string; port: number } | undefined): string {
  return endpoint === undefined ? 'none' : `${endpoint.ip}:${endpoint.port}`;
}
