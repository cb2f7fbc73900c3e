// The session table: slots are given out once, come back clean with a new generation, and a table that a predecessor left is read
// by its successor exactly as it was written.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createSessionTable,
  giveSlot,
  HIGH_WATER,
  PHASE_CONNECTING,
  PHASE_FREE,
  rebuildFreeSlots,
  type SessionTable,
  sessionTableBytes,
  takeSlot,
} from '../../../core/session/table.ts';
import { holds } from '../../../testing/suite/property.ts';

function makeTable(capacity: number, memory = new SharedArrayBuffer(sessionTableBytes(capacity))): SessionTable {
  return createSessionTable(memory, capacity);
}

function take(table: SessionTable): number {
  const slot = takeSlot(table);
  if (slot >= 0) table.phase[slot] = PHASE_CONNECTING;
  return slot;
}

type Field = readonly [name: string, array: Uint8Array | Int32Array | Float64Array];

/** The shared arrays with an element per slot or more. */
function fieldsOf(table: SessionTable): Field[] {
  const isArray = (value: unknown) =>
    value instanceof Uint8Array || value instanceof Int32Array || value instanceof Float64Array;
  const entries: [string, unknown][] = Object.entries(table);
  return entries.flatMap(([name, value]): Field[] => {
    if (name === 'free' || name === 'shared' || !isArray(value)) return [];
    return value instanceof Uint8Array || value instanceof Int32Array || value instanceof Float64Array
      ? [[name, value]]
      : [];
  });
}

describe('layout', () => {
  test('every array is aligned, none overlaps another, and together they fill the memory', () => {
    holds(
      fc.property(fc.integer({ min: 1, max: 300 }), (capacity) => {
        const table = makeTable(capacity);
        const arrays = [table.shared, ...fieldsOf(table).map(([, array]) => array)];
        let end = 0;
        for (const array of arrays.sort((a, b) => a.byteOffset - b.byteOffset)) {
          expect(array.byteOffset % array.BYTES_PER_ELEMENT).toBe(0);
          expect(array.byteOffset).toBeGreaterThanOrEqual(end);
          expect(array.byteOffset - end).toBeLessThan(8);
          end = array.byteOffset + array.byteLength;
          expect(array.length % capacity === 0 || array === table.shared).toBe(true);
        }
        expect(sessionTableBytes(capacity) - end).toBeGreaterThanOrEqual(0);
        expect(sessionTableBytes(capacity) - end).toBeLessThan(8);
      }),
    );
  });

  test('memory of another size is refused', () => {
    const bytes = sessionTableBytes(10);
    expect(() => createSessionTable(new SharedArrayBuffer(bytes + 8), 10)).toThrow('does not fit');
    expect(() => createSessionTable(new SharedArrayBuffer(bytes), 9)).toThrow('does not fit');
  });

  test('a session costs less than half a kilobyte', () => {
    expect((sessionTableBytes(10_000) - sessionTableBytes(0)) / 10_000).toBeLessThan(512);
  });

  test('a second table on the same memory sees the same sessions', () => {
    const memory = new SharedArrayBuffer(sessionTableBytes(4));
    const before = makeTable(4, memory);
    const slot = take(before);
    for (const [, array] of fieldsOf(before)) array[(array.length / 4) * slot] = 77;
    const after = makeTable(4, memory);
    for (const [name, array] of fieldsOf(after)) expect(array[(array.length / 4) * slot], name).toBe(77);
    expect(after.shared[HIGH_WATER]).toBe(1);
  });
});

describe('slots', () => {
  test('as many as the capacity, each once, then none', () => {
    const table = makeTable(3);
    expect([take(table), take(table), take(table), take(table)]).toEqual([0, 1, 2, -1]);
    giveSlot(table, 1);
    expect([take(table), take(table)]).toEqual([1, -1]);
  });

  test('a used slot is taken before a new one: untouched memory stays untouched', () => {
    const table = makeTable(100);
    for (let i = 0; i < 50; i++) giveSlot(table, take(table));
    expect(table.shared[HIGH_WATER]).toBe(1);
  });

  test('given back twice is our bug', () => {
    const table = makeTable(2);
    const slot = take(table);
    giveSlot(table, slot);
    expect(() => giveSlot(table, slot)).toThrow(`slot ${slot} given back twice`);
  });

  test('the generation goes up by one each time, and over 2^31 without an end', () => {
    const table = makeTable(1);
    giveSlot(table, take(table));
    expect(table.generation[0]).toBe(1);
    table.generation[0] = 0x7fff_ffff;
    giveSlot(table, take(table));
    expect(table.generation[0]).toBe(-0x8000_0000);
    table.generation[0] = -1;
    giveSlot(table, take(table));
    expect(table.generation[0]).toBe(0);
  });

  test('a slot that was given back is all zero but for its generation and what the next accept writes whole', () => {
    const table = makeTable(3);
    for (let i = 0; i < 3; i++) take(table);
    for (const [, array] of fieldsOf(table)) array.fill(99);
    giveSlot(table, 1);
    const left = fieldsOf(table).flatMap(([name, array]) => {
      const perSlot = array.length / 3;
      expect(
        [...array.slice(0, perSlot), ...array.slice(2 * perSlot)].every((n) => n === 99),
        name,
      ).toBe(true);
      return array.slice(perSlot, 2 * perSlot).every((n) => n === 0) ? [] : [name];
    });
    // `tried` counts only up to triedCount; the others are set as a whole for each connection.
    expect(left.sort()).toEqual(['connection', 'endpoints', 'generation', 'tried']);
    expect(table.phase[1]).toBe(PHASE_FREE);
  });
});

describe('after a predecessor', () => {
  test('the free stack is what is free of the slots ever used', () => {
    const memory = new SharedArrayBuffer(sessionTableBytes(8));
    const before = makeTable(8, memory);
    for (let i = 0; i < 5; i++) take(before);
    giveSlot(before, 3);
    giveSlot(before, 0);
    const after = makeTable(8, memory);
    rebuildFreeSlots(after);
    expect(after.freeCount).toBe(2);
    const taken = Array.from({ length: 6 }, () => take(after));
    expect(taken.slice(0, 2).sort()).toEqual([0, 3]);
    expect(taken.slice(2)).toEqual([5, 6, 7, -1]);
  });

  test('rebuilt at any moment, it gives what the old one would have given', () => {
    const step = fc.oneof(fc.constant('take' as const), fc.constant('rebuild' as const), fc.nat(7));
    holds(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const memory = new SharedArrayBuffer(sessionTableBytes(6));
        let table = makeTable(6, memory);
        const live = new Set<number>();
        for (const one of steps) {
          if (one === 'take') {
            const slot = take(table);
            expect(slot === -1).toBe(live.size === 6);
            expect(live.has(slot)).toBe(false);
            if (slot >= 0) live.add(slot);
          } else if (one === 'rebuild') {
            table = makeTable(6, memory);
            rebuildFreeSlots(table);
          } else if (live.delete(one)) {
            giveSlot(table, one);
          }
          const used = table.shared[HIGH_WATER] ?? 0;
          expect(table.freeCount + live.size).toBe(used);
        }
      }),
    );
  });
});
