import { expect, test } from 'vitest';
import { createSlotRing, pushSlot, shiftSlot } from '../../../core/base/slot-ring.ts';

test('first in, first out, round and round, each slot once', () => {
  const ring = createSlotRing(3);
  const seen: number[] = [];
  for (let turn = 0; turn < 4; turn++) {
    for (const slot of [2, 0, 2, 1, 0]) pushSlot(ring, slot);
    expect(ring.count).toBe(3);
    seen.push(shiftSlot(ring), shiftSlot(ring));
    expect([...ring.isIn]).toEqual([0, 1, 0]);
    pushSlot(ring, 2);
    seen.push(shiftSlot(ring), shiftSlot(ring));
    expect(ring.count).toBe(0);
  }
  expect(seen).toEqual(Array.from({ length: 4 }, () => [2, 0, 1, 2]).flat());
});
