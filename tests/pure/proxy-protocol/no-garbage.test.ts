import { getHeapStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { createHeaderTemplate, type HeaderTemplate } from '../../../core/proxy-protocol/template.ts';
import { endpoints } from './support.ts';

const CALLS = 100_000;
const ROUNDS_MAX = 50;
const BLOCKS = [
  endpoints('203.0.113.200', 65535, '198.51.100.1', 443),
  endpoints('2001:db8::1', 1, '2001:db8:0:1:2:3:4:5', 443),
  endpoints('203.0.113.200', 65535, '2001:db8::2', 8080),
];

/** Counted by V8 itself, so that a collection in between hides nothing. */
function allocatedBytes(): number {
  return getHeapStatistics().total_allocated_bytes;
}

function writeMany(template: HeaderTemplate, out: Uint8Array): number {
  const before = allocatedBytes();
  for (let i = 0; i < CALLS; i++) for (const block of BLOCKS) template.write(out, 0, block, 0);
  return allocatedBytes() - before;
}

test.each([
  ['v1', createHeaderTemplate('v1')],
  ['v2', createHeaderTemplate('v2')],
  ['v2 with TLVs and checksum', createHeaderTemplate('v2', { tlvs: [{ type: 'alpn', text: 'h2' }], crc32c: true })],
])('%s: writing a header allocates nothing', (_, template) => {
  const out = new Uint8Array(template.maxBytes);
  // The first rounds pay for the compiler, which has a thread of its own and may be late. One object of the smallest size
  // per call would be 16 bytes, in each round; what the heap statistics cost is far below one byte per call.
  let bytesPerCall = Number.POSITIVE_INFINITY;
  for (let rounds = 0; rounds < ROUNDS_MAX && bytesPerCall >= 1; rounds++) {
    bytesPerCall = writeMany(template, out) / (CALLS * BLOCKS.length);
  }
  expect(bytesPerCall).toBeLessThan(1);
});
