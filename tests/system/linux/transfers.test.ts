// Reads that were handed to the kernel by a thread that died before it learned what came of them: the next one on the same memory
// learns it. What the calls themselves do is in tests/system/linux/kernel-contract.test.ts.

import { afterEach, expect, test } from 'vitest';
import { EAGAIN } from '../../../core/base/errno.ts';
import { NOT_DONE } from '../../../core/linux/kernel.ts';
import { createKernel } from '../../../core/linux/native.ts';
import { addressOf, systemCalls } from '../../../core/linux/system-calls.ts';
import { TRANSFERS_LAYOUT } from '../../../core/linux/transfers.ts';
import { DATA_AT, Loopback } from '../../../testing/loopback.ts';

const TRANSFERS_AT = 1 << 20;
const BYTES = 5;
const { CONTEXT, BATCH, COUNT, RESULTS_AT, POINTERS_AT } = TRANSFERS_LAYOUT;

const on = new Loopback();
afterEach(() => on.closeAll());

interface Scene {
  readonly memory: SharedArrayBuffer;
  readonly cells: Int32Array;
  readonly results: Int32Array;
}

/** Two reads of one socket are noted, for which there are bytes once. */
function noted(): Scene {
  const { kernel } = on;
  const { near, far } = on.pair();
  kernel.send(far, DATA_AT, BYTES);
  on.until('the bytes to arrive', () => kernel.unread(near) === BYTES);
  expect(kernel.openTransfers(TRANSFERS_AT)).toBe(0);
  for (const index of [0, 1]) kernel.noteRecv(index, near, DATA_AT + 100 * index, 64);
  const memory = kernel.arena.bytes.buffer;
  return {
    memory,
    cells: new Int32Array(memory, TRANSFERS_AT, 8),
    results: new Int32Array(memory, TRANSFERS_AT + RESULTS_AT, 2),
  };
}

/** The successor's kernel on that memory, and what it learns. */
function learned({ memory }: Scene): number[] {
  const successor = createKernel(memory);
  expect(successor.openTransfers(TRANSFERS_AT)).toBe(0);
  const results = [successor.transferred(0), successor.transferred(1)];
  // It goes on with other numbers: what is noted now has no results yet.
  successor.noteRecv(0, -1, DATA_AT, 64);
  successor.transfer(1);
  expect([successor.transferred(0), successor.transferred(1)]).toEqual([NOT_DONE, results[1]]);
  successor.closeTransfers();
  return results;
}

test('noted, and not carried out', () => {
  expect(learned(noted())).toEqual([NOT_DONE, NOT_DONE]);
});

test('carried out, and nobody asked what came of it', () => {
  const scene = noted();
  const { memory, cells } = scene;
  const context = ((cells[CONTEXT] ?? 0) >>> 0) + (cells[CONTEXT + 1] ?? 0) * 2 ** 32;
  cells[COUNT] = 2;
  expect(systemCalls.io_submit(context, 2, addressOf(memory) + TRANSFERS_AT + POINTERS_AT)).toBe(2);
  expect(learned(scene)).toEqual([BYTES, -EAGAIN]);
});

test('the kernel has said what came of it, and nobody has written it down', () => {
  const scene = noted();
  const { cells, results } = scene;
  on.kernel.transfer(2);
  expect([...results]).toEqual([BYTES, -EAGAIN]);
  results.fill(NOT_DONE);
  cells[BATCH] = (cells[BATCH] ?? 0) - 1;
  cells[COUNT] = 2;
  expect(learned(scene)).toEqual([BYTES, -EAGAIN]);
});
