import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LeastConnections } from '../../../core/balance/least-connections.ts';
import { holds } from '../../../testing/suite/property.ts';
import { allBut, only } from './clients.ts';

/** Sessions that begin and, with `end`, finish: the counters of all shards in one array. */
function poolOf(weights: readonly number[]) {
  const loads = new Array<number>(weights.length).fill(0);
  const load = (index: number): number => loads[index] ?? 0;
  const policy = new LeastConnections(weights, 0, 1, load);
  const begin = (eligible = allBut(weights.length)): number => {
    const node = policy.choose(eligible);
    loads[node] = load(node) + 1;
    return node;
  };
  const end = (node: number): void => {
    loads[node] = load(node) - 1;
  };
  return { loads, policy, begin, end };
}

test('chooses the node with the fewest sessions for its weight', () => {
  const loads = [9, 4, 20];
  const policy = new LeastConnections([100, 50, 255], 0, 1, (i) => loads[i] ?? 0);
  // 10/100, 5/50, 21/255: the third is the lowest.
  expect(policy.choose(allBut(3))).toBe(2);
  expect([policy.choose(only(3, 0, 1)), policy.choose(only(3, 0, 1))].sort()).toEqual([0, 1]);
});

test('agrees with exact fractions', () => {
  const anyPool = fc.array(fc.tuple(fc.nat(100_000), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 20,
  });
  holds(
    fc.property(anyPool, (pool) => {
      const policy = new LeastConnections(
        pool.map(([, weight]) => weight),
        0,
        1,
        (i) => pool[i]?.[0] ?? 0,
      );
      const [load, weight] = pool[policy.choose(allBut(pool.length))] ?? [0, 1];
      for (const [otherLoad, otherWeight] of pool) {
        expect(BigInt(load + 1) * BigInt(otherWeight) <= BigInt(otherLoad + 1) * BigInt(weight)).toBe(true);
      }
    }),
  );
});

test('sessions that stay end up in proportion to the weights', () => {
  const { loads, begin } = poolOf([10, 20, 70]);
  for (let i = 0; i < 1000; i++) begin();
  expect(loads).toEqual([100, 200, 700]);
});

test('equal nodes take turns when sessions do not overlap', () => {
  const { begin, end } = poolOf([50, 50, 50]);
  const sequence = Array.from({ length: 6 }, () => {
    const node = begin();
    end(node);
    return node;
  });
  expect(sequence).toEqual([0, 1, 2, 0, 1, 2]);
});

test('a node that is not eligible does not pass its turns to its neighbour alone', () => {
  const { begin, end } = poolOf([50, 50, 50, 50]);
  const picks = [0, 0, 0, 0];
  for (let i = 0; i < 300; i++) {
    const node = begin(allBut(4, 1));
    end(node);
    picks[node] = (picks[node] ?? 0) + 1;
  }
  expect(picks).toEqual([100, 0, 100, 100]);
});

test('fills up a node that returns empty, and then goes on evenly', () => {
  const { loads, begin } = poolOf([1, 1, 1]);
  for (let i = 0; i < 100; i++) begin(allBut(3, 0));
  expect(loads).toEqual([0, 50, 50]);
  for (let i = 0; i < 50; i++) expect(begin()).toBe(0);
  for (let i = 0; i < 30; i++) begin();
  expect(loads).toEqual([60, 60, 60]);
});

test('shards start apart', () => {
  const first = [0, 1].map((shard) => new LeastConnections([1, 1, 1, 1], shard, 2, () => 0).choose(allBut(4)));
  expect(first).toEqual([0, 2]);
});

test('a count read while it is being written may be negative', () => {
  const policy = new LeastConnections([1, 200], 0, 1, (i) => (i === 0 ? -3 : 0));
  expect(policy.choose(allBut(2))).toBe(1);
});
