// Clients' addresses for the tests of policies.

import { assert } from '../../../core/base/assert.ts';
import { parseIp } from '../../../core/base/ip.ts';

export function clientOf(text: string): Uint8Array {
  const bytes = parseIp(text);
  assert(bytes !== undefined, `${text} is an address`);
  return bytes;
}

/** The n-th address of 10.0.0.0/8, written over the same 16 bytes each time. */
export function eachClient(count: number, visit: (client: Uint8Array, n: number) => void): void {
  const client = clientOf('10.0.0.0');
  for (let n = 0; n < count; n++) {
    client[13] = n >> 16;
    client[14] = n >> 8;
    client[15] = n;
    visit(client, n);
  }
}

/** 1 for each index listed, of `count` nodes. */
export function only(count: number, ...indexes: number[]): Uint8Array {
  const eligible = new Uint8Array(count);
  for (const index of indexes) eligible[index] = 1;
  return eligible;
}

export function allBut(count: number, ...indexes: number[]): Uint8Array {
  const eligible = new Uint8Array(count).fill(1);
  for (const index of indexes) eligible[index] = 0;
  return eligible;
}
