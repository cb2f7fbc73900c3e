// Calls in a row: results become arguments, the chain stops where a result is not what it must be, and says which that was.

import { expect, test } from 'vitest';
import { EBADF, EINPROGRESS } from '../../../core/base/errno.ts';
import { Chain } from '../../../core/linux/chain.ts';
import { addressOf, systemCalls } from '../../../core/linux/system-calls.ts';

const NOBODY = -1;
const DATA_AT = 8;
const memory = new SharedArrayBuffer(64);

function pipe(): [number, number] {
  expect(systemCalls.pipe2(addressOf(memory), 0)).toBe(0);
  const [readFd = NOBODY, writeFd = NOBODY] = new Int32Array(memory);
  return [readFd, writeFd];
}

test('what one call returns is an argument of the next', () => {
  const chain = new Chain(0);
  const [fd, written, bytes] = [chain.cell(), chain.cell(), chain.cell(8)];
  chain.add('eventfd2', [chain.cell(3)], fd);
  chain.add('write', [fd, chain.pointer(chain.cell(4)), bytes], written);
  chain.add('read', [fd, chain.pointer(chain.cell()), bytes], written);
  expect(chain.finished()()).toBe(8);
  expect(systemCalls.close(chain.take(fd))).toBe(0);
});

test('an error ends the chain, and is what it returns', () => {
  const chain = new Chain(0);
  const [fd, closed, never] = [chain.cell(), chain.cell(), chain.cell(7)];
  chain.add('eventfd2', [], fd);
  chain.add('close', [chain.cell(NOBODY)], closed);
  chain.add('close', [fd], never);
  expect(chain.finished()()).toBe(-EBADF);
  expect([chain.take(closed), chain.take(never)]).toEqual([-EBADF, 7]);
  expect(systemCalls.close(chain.take(fd))).toBe(0);
});

test('an error that is expected does not', () => {
  const chain = new Chain(0);
  const [first, second] = [chain.cell(), chain.cell()];
  chain.add('close', [chain.cell(NOBODY)], first, { or: -EBADF });
  chain.add('close', [chain.cell(NOBODY)], second, { or: -EINPROGRESS });
  chain.add('close', [chain.cell(NOBODY)], second);
  expect(chain.finished()()).toBe(-EBADF);
  expect(chain.take(first)).toBe(-EBADF);
});

test('less than was demanded ends it, as much does not', () => {
  const [readFd, writeFd] = pipe();
  const run = (demanded: number): number => {
    const chain = new Chain(addressOf(memory));
    const [at, result] = [chain.cell(), chain.cell()];
    chain.putAddress(at, DATA_AT);
    const write = chain.add('write', [chain.cell(writeFd), at, chain.cell(3)], result);
    chain.add('close', [chain.cell(NOBODY)], result);
    chain.demand(write, demanded);
    return chain.finished()();
  };
  expect([run(4), run(3), run(2)]).toEqual([3, -EBADF, -EBADF]);
  for (const fd of [readFd, writeFd]) expect(systemCalls.close(fd)).toBe(0);
});

test('addresses on both sides of 4 GiB, and numbers below 0', () => {
  const [readFd, writeFd] = pipe();
  const chain = new Chain(2 ** 40 + 2 ** 32 - 16);
  const [cell, result] = [chain.cell(), chain.cell()];
  chain.add('write', [chain.cell(writeFd), chain.pointer(cell), chain.cell(8)], result);
  const run = chain.finished();
  const written = (): bigint => {
    expect(run()).toBe(8);
    expect(systemCalls.read(readFd, addressOf(memory) + DATA_AT, 8)).toBe(8);
    return new BigInt64Array(memory, DATA_AT, 1)[0] ?? 0n;
  };
  for (const at of [0, 15, 16, 2 ** 31]) {
    chain.putAddress(cell, at);
    expect(written()).toBe(BigInt(2 ** 40 + 2 ** 32 - 16 + at));
  }
  for (const value of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    chain.put(cell, value);
    expect(written()).toBe(BigInt(value));
  }
  for (const fd of [readFd, writeFd]) expect(systemCalls.close(fd)).toBe(0);
});
