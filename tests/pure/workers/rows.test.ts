// Rows of the counters: one owner at a time, the same for as long as it lives, and never a row that a session still refers to.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holds } from '../../../testing/suite/property.ts';
import { Rows } from '../../../workers/rows.ts';

function make(max: number, busy: ReadonlySet<number> = new Set()) {
  const cleared: number[] = [];
  const clears: number[][] = [];
  const rows = new Rows(
    max,
    (retired) => retired.filter((row) => !busy.has(row)),
    (inherited) => {
      clears.push([...inherited]);
      cleared.push(...inherited);
    },
  );
  const assign = (...keys: string[]): Record<string, number> | undefined => {
    const assigned = rows.propose(keys);
    if (assigned === undefined) return undefined;
    rows.commit(assigned);
    return Object.fromEntries(assigned);
  };
  return { assign, cleared, clears };
}

test('each key gets a row of its own, the same one again and again', () => {
  const { assign } = make(10);
  expect(assign('a', 'b')).toEqual({ a: 0, b: 1 });
  expect(assign('b', 'c', 'a')).toEqual({ a: 0, b: 1, c: 2 });
  expect(assign('c')).toEqual({ c: 2 });
});

test('a key that is named twice has one row', () => {
  expect(make(1).assign('a', 'a')).toEqual({ a: 0 });
});

test('rows never used come before rows used before, whose counters are worth keeping for a while', () => {
  const { assign, cleared } = make(3);
  assign('a', 'b');
  assign('b');
  expect(assign('b', 'c')).toEqual({ b: 1, c: 2 });
  expect(cleared).toEqual([]);
});

describe('a row whose owner is gone', () => {
  test('goes to another owner, cleared, when no session refers to it', () => {
    const { assign, cleared } = make(2);
    assign('a', 'b');
    assign('b');
    expect(assign('b', 'c')).toEqual({ b: 1, c: 0 });
    expect(cleared).toEqual([0]);
  });

  test('goes to nobody while a session refers to it', () => {
    const busy = new Set([0]);
    const { assign, cleared } = make(3, busy);
    assign('a', 'b', 'c');
    assign('c');
    expect(assign('c', 'd')).toEqual({ c: 2, d: 1 });
    expect(assign('c', 'd', 'e')).toBeUndefined();
    expect(cleared).toEqual([1]);
    busy.clear();
    expect(assign('c', 'd', 'e')).toEqual({ c: 2, d: 1, e: 0 });
  });

  test('goes back to its owner, as it was left, busy or idle', () => {
    for (const busy of [new Set([0]), new Set<number>()]) {
      const { assign, cleared } = make(3, busy);
      assign('a', 'b');
      assign('b');
      assign('b', 'c');
      expect(assign('a', 'b')).toEqual({ a: 0, b: 1 });
      expect(cleared).toEqual([]);
    }
  });

  test('goes to its owner rather than to another who comes with it', () => {
    const { assign, cleared } = make(2);
    assign('a', 'b');
    assign();
    expect(assign('c', 'a')).toEqual({ a: 0, c: 1 });
    expect(cleared).toEqual([1]);
  });

  test('is lost to its owner once another has it', () => {
    const { assign, cleared } = make(2);
    assign('a', 'b');
    assign('b');
    assign('b', 'c');
    expect(assign('b', 'a')).toBeUndefined();
    assign('b');
    expect(assign('b', 'a')).toEqual({ a: 0, b: 1 });
    expect(cleared).toEqual([0, 0]);
  });

  test('is cleared with all others of the change in one go', () => {
    const { assign, clears } = make(4);
    assign('a', 'b', 'c', 'd');
    assign('d');
    assign('d', 'x', 'y', 'z');
    expect(clears).toEqual([[0, 1, 2]]);
  });
});

test('one key more than rows is too many', () => {
  const { assign } = make(2);
  expect(assign('a', 'b', 'c')).toBeUndefined();
  expect(make(0).assign('a')).toBeUndefined();
  expect(make(0).assign()).toEqual({});
});

// A refused change leaves the old configuration in force, with its rows: the shards go on using them.
test('a change that is refused takes no row from anybody', () => {
  const { assign } = make(3);
  assign('a', 'b');
  expect(assign('b', 'x', 'y', 'z')).toBeUndefined();
  expect(assign('a', 'b')).toEqual({ a: 0, b: 1 });
});

// Shards take new frontends in before they let listeners of old ones go, so for a moment both are there: a row that changes hands
// within one change would send the old one's clients to the new one's nodes.
test('within one change no row changes hands', () => {
  const { assign } = make(2);
  assign('a', 'b');
  const assigned = assign('b', 'c');
  expect(assigned === undefined || assigned.c !== 0).toBe(true);
});

test('over any history: no row has two owners, none that is busy changes hands, and owners keep theirs', () => {
  const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 6 });
  const change = fc.record({ keys, busy: fc.uniqueArray(fc.nat(4)) });
  holds(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(change, { maxLength: 15 }), (max, changes) => {
      const busy = new Set<number>();
      const { assign, cleared } = make(max, busy);
      let before: Record<string, number> = {};
      const lastOwner = new Map<number, string>();
      for (const next of changes) {
        // Sessions come only to rows with an owner; a row without one can only become idle.
        const owned = Object.values(before);
        for (const row of [...busy]) if (!next.busy.includes(row)) busy.delete(row);
        for (const row of next.busy) if (owned.includes(row)) busy.add(row);
        const clearedBefore = cleared.length;
        const after = assign(...next.keys);
        // What follows a refusal is the subject of another test.
        if (after === undefined) return;
        expect(Object.keys(after).sort()).toEqual([...next.keys].sort());
        const rows = Object.values(after);
        expect(new Set(rows).size).toBe(rows.length);
        for (const [key, row] of Object.entries(after)) {
          expect(row >= 0 && row < max).toBe(true);
          if (before[key] !== undefined) expect(row).toBe(before[key]);
          const former = lastOwner.get(row);
          const isInherited = former !== undefined && former !== key;
          if (isInherited) expect(busy.has(row)).toBe(false);
          expect(cleared.slice(clearedBefore).includes(row)).toBe(isInherited);
          // Whose row nobody else has got comes back to it.
          const own = [...lastOwner].find(([, owner]) => owner === key);
          if (own !== undefined) expect(row).toBe(own[0]);
        }
        for (const [key, row] of Object.entries(after)) lastOwner.set(row, key);
        before = after;
      }
    }),
    { numRuns: 300 },
  );
});
