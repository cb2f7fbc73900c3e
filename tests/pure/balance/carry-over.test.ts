import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { carryOver, type ListedNode, type Standing } from '../../../core/balance/carry-over.ts';
import { holds } from '../../../testing/suite/property.ts';

const ROWS = 8;
/** Credits are rounded to some 1e-7 of them. */
const DIGITS = 6;
const nothing = () => 0;

const anyList = fc
  .uniqueArray(fc.nat(ROWS - 1), { maxLength: ROWS })
  .chain((rows) =>
    fc
      .array(fc.integer({ min: 1, max: 255 }), { minLength: rows.length, maxLength: rows.length })
      .map((weights) => rows.map((row, i): ListedNode => ({ row, weight: weights[i] ?? 1 }))),
  );
/** Credits of up to a session each, that sum to 0, in any unit. */
const anyStanding = fc
  .tuple(anyList, fc.integer({ min: 1, max: 100_000 }), fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })))
  .map(([nodes, unit, stream]): Standing => {
    const drawn = nodes.map(() => (stream.next().value ?? 0) * unit);
    const mean = sum(drawn) / Math.max(1, drawn.length);
    return { unit, credits: new Map(nodes.map(({ row }, i) => [row, (drawn[i] ?? 0) - mean])) };
  });
const anyOwed = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: ROWS, maxLength: ROWS });

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

function inSessions({ unit, credits }: Standing): Map<number, number> {
  return new Map([...credits].map(([row, credit]) => [row, credit / unit]));
}

const equal = (...rows: number[]): ListedNode[] => rows.map((row) => ({ row, weight: 1 }));

describe('whatever the lists', () => {
  test('the credits of the new one sum to 0, and each of its nodes has one', () => {
    holds(
      fc.property(anyStanding, anyList, anyOwed, (before, nodes, owed) => {
        const { standing } = carryOver(before, nodes, (row) => owed[row] ?? 0);
        if (standing === undefined) return;
        expect([...standing.credits.keys()].sort()).toEqual(nodes.map(({ row }) => row).sort());
        expect(sum(inSessions(standing).values())).toBeCloseTo(0, DIGITS);
      }),
    );
  });

  test('the same nodes keep the very same credits, whatever their order and their weights', () => {
    holds(
      fc.property(anyStanding, fc.nat(), fc.integer({ min: 1, max: 255 }), (before, rotation, weight) => {
        const rows = [...before.credits.keys()];
        const from = rotation % Math.max(1, rows.length);
        const nodes = [...rows.slice(from), ...rows.slice(0, from)].map((row) => ({ row, weight }));
        const { standing, left } = carryOver(before, nodes, nothing);
        expect(left.size).toBe(0);
        if (rows.length > 0) expect(standing?.unit).toBe(before.unit);
        for (const row of rows) expect(standing?.credits.get(row)).toBe(before.credits.get(row));
      }),
    );
  });

  test('two nodes of the same weight that stay keep what one is owed more than the other', () => {
    holds(
      fc.property(anyStanding, anyList, anyOwed, (before, strangers, owed) => {
        const [a, b] = before.credits.keys();
        if (a === undefined || b === undefined) return;
        const nodes = [...equal(a, b), ...strangers.filter(({ row }) => row !== a && row !== b)];
        const { standing } = carryOver(before, nodes, (row) => owed[row] ?? 0);
        const ahead = ({ credits }: Standing) => (credits.get(a) ?? 0) - (credits.get(b) ?? 0);
        expect(ahead(standing ?? before) / before.unit).toBeCloseTo(ahead(before) / before.unit, DIGITS);
      }),
    );
  });

  test('who leaves and comes back before anybody was chosen is still owed, or still owes, but for what the others have', () => {
    holds(
      fc.property(anyStanding, (before) => {
        const all = equal(...before.credits.keys());
        const [{ row } = { row: -1 }] = all;
        const without = carryOver(before, all.slice(1), nothing);
        const { standing } = carryOver(without.standing, all, (other) => without.left.get(other) ?? 0);
        const owed = Math.max(-1, Math.min((before.credits.get(row) ?? 0) / before.unit, 1));
        const now = (standing?.credits.get(row) ?? 0) / (standing?.unit ?? 1);
        expect(now).toBeCloseTo(all.length > 1 ? owed * (1 - 1 / all.length) : 0, DIGITS);
      }),
    );
  });
});

describe('newcomers', () => {
  test('are owed nothing, and owe nothing', () => {
    const before = { unit: 2, credits: new Map([[0, -1], [1, 1]]) }; // biome-ignore format: a pair per node
    expect(carryOver(before, equal(0, 1, 2), nothing).standing?.credits).toEqual(new Map([[0, -1], [1, 1], [2, 0]])); // biome-ignore format: a pair per node
  });

  test('alone: there is nothing to carry over', () => {
    const before = { unit: 2, credits: new Map([[0, -1], [1, 1]]) }; // biome-ignore format: a pair per node
    const { standing, left } = carryOver(before, equal(2, 3), nothing);
    expect(standing).toBe(undefined);
    expect(left).toEqual(new Map([[0, -0.5], [1, 0.5]])); // biome-ignore format: a pair per node
    expect(carryOver(undefined, equal(2, 3), nothing).standing).toBe(undefined);
  });
});

test('who leaves takes what it is owed along; the others owe it to each other by weight', () => {
  const before = { unit: 6, credits: new Map([[0, -4], [1, 1], [2, 3]]) }; // biome-ignore format: a pair per node
  const nodes = [
    { row: 0, weight: 1 },
    { row: 1, weight: 2 },
  ];
  const { standing, left } = carryOver(before, nodes, nothing);
  expect(left).toEqual(new Map([[2, 0.5]]));
  expect(standing).toEqual({ unit: 6, credits: new Map([[0, -3], [1, 3]]) }); // biome-ignore format: a pair per node
});

test('who comes back gets a session at most before its turn, however much is told of it', () => {
  const before = { unit: 10, credits: new Map([[0, 0]]) };
  const { standing } = carryOver(before, equal(0, 1), () => 1000);
  expect(standing?.credits).toEqual(new Map([[0, -5], [1, 5]])); // biome-ignore format: a pair per node
});

test('nothing is changed: neither what was nor the list', () => {
  const before = { unit: 2, credits: new Map([[0, -1], [1, 1]]) }; // biome-ignore format: a pair per node
  const nodes = equal(1, 2);
  carryOver(before, nodes, nothing);
  expect(before.credits).toEqual(new Map([[0, -1], [1, 1]])); // biome-ignore format: a pair per node
  expect(nodes).toEqual(equal(1, 2));
});
