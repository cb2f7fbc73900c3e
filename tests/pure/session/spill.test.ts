// The spill slab: a block belongs to one holder, the slab never gives more than it has, and after a predecessor's death exactly
// what nobody holds is free.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  adoptSpill,
  createSpillSlab,
  giveSpillBlock,
  hasSpillRoom,
  type SpillSlab,
  spillBlockAt,
  takeSpillBlock,
} from '../../../core/session/spill.ts';
import { holds } from '../../../testing/suite/property.ts';

const AT = 4096;
const BLOCK_BYTES = 1000;

function makeSlab(blocks: number): SpillSlab {
  return createSpillSlab(AT, blocks, BLOCK_BYTES);
}

function takeAll(slab: SpillSlab): number[] {
  const blocks: number[] = [];
  while (hasSpillRoom(slab)) blocks.push(takeSpillBlock(slab));
  return blocks;
}

test('as many blocks as there are, each once', () => {
  const slab = makeSlab(4);
  expect(takeAll(slab).sort()).toEqual([0, 1, 2, 3]);
  expect(hasSpillRoom(slab)).toBe(false);
  expect(() => takeSpillBlock(slab)).toThrow('no spill block left');
});

test('blocks lie one after the other from where the slab begins', () => {
  const slab = makeSlab(3);
  expect([0, 1, 2].map((block) => spillBlockAt(slab, block))).toEqual([AT, AT + BLOCK_BYTES, AT + 2 * BLOCK_BYTES]);
});

test('a block given back is taken before a new one: untouched memory stays untouched', () => {
  const slab = makeSlab(1000);
  for (let i = 0; i < 20; i++) giveSpillBlock(slab, takeSpillBlock(slab));
  expect(slab.used).toBe(1);
});

test('more given back than there are is our bug', () => {
  const slab = makeSlab(1);
  giveSpillBlock(slab, takeSpillBlock(slab));
  expect(() => giveSpillBlock(slab, 0)).toThrow('more spill blocks');
});

describe('after a predecessor', () => {
  test.for<[string, number[], number[]]>([
    ['nothing held: all free', [], [0, 1, 2, 3, 4]],
    ['the first held', [0], [1, 2, 3, 4]],
    ['the last held', [4], [0, 1, 2, 3]],
    ['some held', [1, 3], [0, 2, 4]],
    ['all held', [0, 1, 2, 3, 4], []],
  ])('%s', ([, held, free]) => {
    const slab = makeSlab(5);
    adoptSpill(slab, new Set(held));
    expect(takeAll(slab).sort()).toEqual(free);
  });

  test('what a slab knew before does not matter', () => {
    const slab = makeSlab(3);
    takeAll(slab);
    giveSpillBlock(slab, 1);
    adoptSpill(slab, new Set([2]));
    expect(takeAll(slab).sort()).toEqual([0, 1]);
  });
});

test('any mix of taking, giving and dying: no block has two holders, none is lost', () => {
  const step = fc.oneof(fc.constant('take' as const), fc.constant('die' as const), fc.nat(9));
  holds(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 80 }), (blocks, steps) => {
      let slab = makeSlab(blocks);
      const held: number[] = [];
      for (const one of steps) {
        if (one === 'take') {
          expect(hasSpillRoom(slab)).toBe(held.length < blocks);
          if (!hasSpillRoom(slab)) continue;
          const block = takeSpillBlock(slab);
          expect(held).not.toContain(block);
          expect(block).toBeLessThan(blocks);
          held.push(block);
        } else if (one === 'die') {
          slab = makeSlab(blocks);
          adoptSpill(slab, new Set(held));
        } else {
          const [block] = held.splice(one % Math.max(1, held.length), 1);
          if (block !== undefined) giveSpillBlock(slab, block);
        }
      }
      expect(takeAll(slab).length + held.length).toBe(blocks);
    }),
  );
});
