// The pool of pipes: never more than its cap, the warmest first, no descriptor lost on any way, and what a dead predecessor left
// is found again. Against a kernel that keeps books of its descriptors, and once against the real one.

import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMFILE, EPERM } from '../../../core/base/errno.ts';
import { createArena, type Kernel } from '../../../core/linux/kernel.ts';
import { createKernel } from '../../../core/linux/native.ts';
import { PIPE_BYTES_MIN, PipePool, pipePoolBytes } from '../../../core/linux/pipe-pool.ts';
import { fakeKernel } from '../../../testing/fake-kernel.ts';
import { holds } from '../../../testing/suite/property.ts';

const FDS_AT = 64;

/** Pipes as numbers: 2n reads, 2n + 1 writes. */
class Books {
  readonly open = new Set<number>();
  readonly fills = new Map<number, number>();
  readonly asked: number[] = [];
  /** What the next pipes get, whatever was asked for. */
  sizeGiven: number | undefined;
  refusesToOpen = false;
  refusesToResize = false;
  diesAfterClose = false;
  #next = 10;
  readonly #sizes = new Map<number, number>();
  readonly kernel: Kernel;

  constructor() {
    const arena = createArena(new SharedArrayBuffer(4096));
    this.kernel = fakeKernel({
      arena,
      openPipe: (fdsAt) => {
        if (this.refusesToOpen) return -EMFILE;
        const readFd = this.#next;
        this.#next += 2;
        arena.view.setInt32(fdsAt, readFd, true);
        arena.view.setInt32(fdsAt + 4, readFd + 1, true);
        this.open.add(readFd).add(readFd + 1);
        this.#sizes.set(readFd, this.sizeGiven ?? 65536);
        return 0;
      },
      resizePipe: (fd, bytes) => {
        this.asked.push(bytes);
        if (this.refusesToResize || this.sizeGiven !== undefined) return -EPERM;
        this.#sizes.set(fd & ~1, bytes);
        return bytes;
      },
      pipeSize: (fd) => this.#sizes.get(fd & ~1) ?? -9,
      unread: (fd) => (this.open.has(fd) ? (this.fills.get(fd) ?? 0) : -9),
      close: (fd) => {
        if (!this.open.delete(fd)) throw new Error(`${fd} closed, which is not open`);
        if (this.diesAfterClose) throw new Error('died');
        return 0;
      },
    });
  }

  pool(pipes: number, memory = new SharedArrayBuffer(pipePoolBytes(pipes))): PipePool {
    return new PipePool(this.kernel, { memory, pipes, pipeBytes: 1 << 20, fdsAt: FDS_AT });
  }
}

describe('taking', () => {
  test('opens a pipe only when none is free, and the last one given is the first one taken', () => {
    const books = new Books();
    const pool = books.pool(4);
    const [a, b, c] = [pool.take(0), pool.take(0), pool.take(0)];
    expect([books.open.size, books.asked]).toEqual([6, [1 << 20, 1 << 20, 1 << 20]]);
    pool.give(a);
    pool.give(c);
    expect([pool.take(0), pool.take(0)]).toEqual([c, a]);
    expect(books.open.size).toBe(6);
    pool.give(b);
    expect(pool.take(0)).toBe(b);
  });

  test('ends at the cap, quietly: that is no refusal of the system', () => {
    const books = new Books();
    const pool = books.pool(2);
    const first = pool.take(0);
    pool.take(0);
    expect([pool.take(0), pool.take(0), pool.refusals]).toEqual([-1, -1, 0]);
    pool.discard(first);
    expect(pool.take(0)).toBeGreaterThanOrEqual(0);
    expect(books.open.size).toBe(4);
  });

  test('a pool of none has none', () => {
    expect(new Books().pool(0).take(0)).toBe(-1);
  });

  test('a pipe knows its ends and the size it really has', () => {
    const books = new Books();
    books.refusesToResize = true;
    const pool = books.pool(2);
    const pipe = pool.take(0);
    expect([pool.readFd(pipe), pool.writeFd(pipe), pool.size(pipe)]).toEqual([10, 11, 65536]);
    pool.discard(pipe);
    expect([pool.readFd(pipe), pool.writeFd(pipe)]).toEqual([-1, -1]);
  });
});

describe('refusals', () => {
  test.for<[string, { refusesToOpen?: boolean; sizeGiven?: number }]>([
    ['no descriptors', { refusesToOpen: true }],
    ['a pipe that is too small', { sizeGiven: 8192 }],
    ['a pipe one byte too small', { sizeGiven: PIPE_BYTES_MIN - 1 }],
  ])('%s: counted once, and nobody asks again for a second', ([, spoilt]) => {
    const books = new Books();
    Object.assign(books, spoilt);
    const pool = books.pool(8);
    expect([pool.take(5000), pool.take(5000), pool.take(5999.9)]).toEqual([-1, -1, -1]);
    expect([pool.refusals, books.open.size]).toEqual([1, 0]);
    expect([pool.take(6000), pool.refusals]).toEqual([-1, 2]);
    books.refusesToOpen = false;
    books.sizeGiven = undefined;
    expect([pool.take(6500), pool.take(7000), pool.refusals]).toEqual([-1, 0, 2]);
  });

  test('the smallest useful pipe is taken', () => {
    const books = new Books();
    books.sizeGiven = PIPE_BYTES_MIN;
    expect(books.pool(1).take(0)).toBe(0);
  });

  test('pipes that were given back are there meanwhile', () => {
    const books = new Books();
    const pool = books.pool(8);
    const pipe = pool.take(0);
    books.refusesToOpen = true;
    expect(pool.take(0)).toBe(-1);
    pool.give(pipe);
    expect(pool.take(0)).toBe(pipe);
  });
});

test('nothing goes back twice', () => {
  const pool = new Books().pool(2);
  const pipe = pool.take(0);
  pool.give(pipe);
  expect(() => pool.give(pipe)).toThrow('twice');
  expect(() => pool.discard(pipe)).toThrow('twice');
  expect(pool.take(0)).toBe(pipe);
  pool.discard(pipe);
  expect(() => pool.discard(pipe)).toThrow('twice');
  expect(() => pool.give(pipe)).toThrow('twice');
});

describe('adopting a predecessor', () => {
  test('one of which only one end had been closed is closed, and its other end not twice', () => {
    const books = new Books();
    const memory = new SharedArrayBuffer(pipePoolBytes(1));
    const before = books.pool(1, memory);
    const pipe = before.take(0);
    books.diesAfterClose = true;
    expect(() => before.discard(pipe)).toThrow('died');
    expect(books.open.size).toBe(1);

    books.diesAfterClose = false;
    const after = books.pool(1, memory);
    after.adopt(() => false);
    expect(books.open.size).toBe(0);
    expect(after.take(0)).toBe(pipe);
  });

  test('held pipes stay taken, empty ones are free, full ones and those without an answer are closed', () => {
    const books = new Books();
    const memory = new SharedArrayBuffer(pipePoolBytes(5));
    const before = books.pool(5, memory);
    const [held, free, forgotten, full] = [before.take(0), before.take(0), before.take(0), before.take(0)];
    before.give(free);
    books.fills.set(before.readFd(full), 100);
    books.fills.set(before.readFd(held), 7);
    const heldFds = [before.readFd(held), before.writeFd(held)];

    const after = books.pool(5, memory);
    after.adopt((pipe) => pipe === held);
    expect(books.open.size).toBe(6);
    expect([after.readFd(held), after.writeFd(held)]).toEqual(heldFds);
    expect([after.take(0), after.take(0)].sort()).toEqual([free, forgotten].sort());
    expect(after.take(0)).not.toBe(held);
    after.give(held);
    after.closeAll();
    expect(books.open.size).toBe(0);
  });
});

test('over any sequence of takes, gives and discards: books balance, no pipe has two holders', () => {
  const step = fc.constantFrom('take', 'give', 'discard', 'die');
  holds(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), (cap, steps) => {
      const books = new Books();
      const memory = new SharedArrayBuffer(pipePoolBytes(cap));
      let pool = books.pool(cap, memory);
      const held: number[] = [];
      for (const [i, name] of steps.entries()) {
        const last = held.at(-1);
        if (name === 'take') {
          const pipe = pool.take(i);
          expect(pipe === -1).toBe(held.length === cap);
          expect(held).not.toContain(pipe);
          if (pipe >= 0) held.push(pipe);
        } else if (name === 'die') {
          pool = books.pool(cap, memory);
          pool.adopt((pipe) => held.includes(pipe));
        } else if (last !== undefined) {
          held.pop();
          pool[name](last);
        }
        expect(new Set(held.map((pipe) => pool.readFd(pipe))).size).toBe(held.length);
        for (const pipe of held)
          expect(books.open.has(pool.readFd(pipe)) && books.open.has(pool.writeFd(pipe))).toBe(true);
        expect(books.open.size).toBeLessThanOrEqual(2 * cap);
      }
      pool.closeAll();
      expect(books.open.size).toBe(0);
    }),
  );
});

test('on the real kernel: descriptors come and go, sizes are what Linux says', () => {
  const count = () => readdirSync('/proc/self/fd').length;
  const before = count();
  const kernel = createKernel(new SharedArrayBuffer(4096));
  const memory = new SharedArrayBuffer(pipePoolBytes(4));
  const pool = new PipePool(kernel, { memory, pipes: 4, pipeBytes: 65536, fdsAt: FDS_AT });
  const pipes = Array.from({ length: 4 }, () => pool.take(0));
  expect(count()).toBe(before + 8);
  for (const pipe of pipes) expect(kernel.pipeSize(pool.readFd(pipe))).toBe(pool.size(pipe));
  for (const [i, pipe] of pipes.entries()) i % 2 === 0 ? pool.give(pipe) : pool.discard(pipe);
  expect(count()).toBe(before + 4);
  pool.closeAll();
  expect(count()).toBe(before);
});
