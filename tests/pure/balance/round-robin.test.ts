import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cycleLength, RoundRobin } from '../../../core/balance/round-robin.ts';
import { holds } from '../../../testing/suite/property.ts';
import { allBut, only } from './clients.ts';

const anyWeights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 });

function countPicks(policy: RoundRobin, eligible: Uint8Array, choices: number): number[] {
  const picks = new Array<number>(eligible.length).fill(0);
  for (let i = 0; i < choices; i++) {
    const node = policy.choose(eligible);
    picks[node] = (picks[node] ?? 0) + 1;
  }
  return picks;
}

describe('all nodes eligible', () => {
  test('weights 5, 1, 1 give the published sequence', () => {
    const policy = new RoundRobin([5, 1, 1], 0, 1);
    const sequence = Array.from({ length: 14 }, () => 'abc'[policy.choose(only(3, 0, 1, 2))]);
    expect(sequence.join('')).toBe('aabacaaaabacaa');
  });

  test('one cycle gives each node exactly its weight, from any shard', () => {
    holds(
      fc.property(anyWeights, fc.nat(3), (weights, shard) => {
        const policy = new RoundRobin(weights, shard, 4);
        const cycle = cycleLength(weights);
        const factor = weights.reduce((a, b) => a + b, 0) / cycle;
        const picks = countPicks(policy, allBut(weights.length), cycle);
        expect(picks.map((count) => count * factor)).toEqual(weights);
      }),
    );
  });

  test('at every moment of the cycle no node is ahead or behind by more than half the number of nodes', () => {
    holds(
      fc.property(anyWeights, (weights) => {
        const policy = new RoundRobin(weights, 0, 1);
        const total = weights.reduce((a, b) => a + b, 0);
        const picks = new Array<number>(weights.length).fill(0);
        for (let k = 1; k <= 2 * total; k++) {
          const node = policy.choose(allBut(weights.length));
          picks[node] = (picks[node] ?? 0) + 1;
          for (const [i, weight] of weights.entries()) {
            expect(Math.abs((picks[i] ?? 0) - (k * weight) / total)).toBeLessThanOrEqual(
              Math.max(1, weights.length / 2),
            );
          }
        }
      }),
    );
  });

  test('a weight in common factors changes nothing', () => {
    expect(cycleLength([50, 100, 150])).toBe(6);
    expect(cycleLength([])).toBe(0);
  });
});

describe('shards', () => {
  test('start at different points of the cycle', () => {
    const first = [0, 1, 2, 3].map((shard) => new RoundRobin([50, 50, 50, 50], shard, 4).choose(allBut(4)));
    expect([...first].sort()).toEqual([0, 1, 2, 3]);
  });

  test('more shards than nodes still begin evenly', () => {
    const first = [0, 1, 2, 3].map((shard) => new RoundRobin([50, 50], shard, 4).choose(allBut(2)));
    expect([...first].sort()).toEqual([0, 0, 1, 1]);
  });

  test('a pool with a cycle of hundreds of thousands is ready at once', () => {
    const weights = Array.from({ length: 1000 }, (_, i) => 1 + (i % 255));
    const policies = [0, 1, 2].map((shard) => new RoundRobin(weights, shard, 3));
    expect(new Set(policies.map((policy) => policy.choose(allBut(1000)))).size).toBe(3);
  });
});

describe('nodes that come and go', () => {
  test('a node that was away for long comes back with its share, not with a burst', () => {
    const policy = new RoundRobin([1, 1, 1, 1], 0, 1);
    countPicks(policy, allBut(4), 5);
    expect(countPicks(policy, allBut(4, 2), 30_000)[2]).toBe(0);
    const back = countPicks(policy, allBut(4), 8);
    for (const count of back) expect(Math.abs(count - 2)).toBeLessThanOrEqual(1);
  });

  test('the nodes that stay share what is left by weight', () => {
    const policy = new RoundRobin([3, 2, 1], 0, 1);
    expect(countPicks(policy, allBut(3, 0), 300)).toEqual([0, 200, 100]);
  });

  // The carpool problem (Fagin and Williams, 1983): what a node should have had is the sum of its shares of the choices
  // it was eligible for. Any order of comings and goings must keep everyone near that.
  test('however the eligible set changes, each node stays near its due', () => {
    const anySets = fc.array(fc.uint8Array({ minLength: 6, maxLength: 6, max: 1 }), { minLength: 1, maxLength: 12 });
    const sixWeights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 6, maxLength: 6 });
    holds(
      fc.property(sixWeights, anySets, (weights, sets) => {
        const policy = new RoundRobin(weights, 0, 1);
        const ahead = new Float64Array(6);
        for (let k = 0; k < 2000; k++) {
          const eligible = sets[k % sets.length] ?? new Uint8Array(6);
          const node = policy.choose(eligible);
          if (node === -1) continue;
          ahead[node] = (ahead[node] ?? 0) + 1;
          const total = weights.reduce((sum, weight, i) => sum + weight * (eligible[i] ?? 0), 0);
          for (const [i, weight] of weights.entries())
            ahead[i] = (ahead[i] ?? 0) - (weight * (eligible[i] ?? 0)) / total;
        }
        for (const [i, value] of ahead.entries()) expect(Math.abs(value), `node ${i}`).toBeLessThanOrEqual(3);
      }),
      { numRuns: 150 },
    );
  });

  test('masking the node just tried at every other choice starves nobody', () => {
    const policy = new RoundRobin([1, 1, 1], 0, 1);
    const picks = [0, 0, 0];
    for (let i = 0; i < 3000; i++) {
      const tried = policy.choose(allBut(3));
      const retried = policy.choose(allBut(3, tried));
      expect(retried).not.toBe(tried);
      picks[tried] = (picks[tried] ?? 0) + 1;
      picks[retried] = (picks[retried] ?? 0) + 1;
    }
    for (const count of picks) expect(Math.abs(count - 2000)).toBeLessThanOrEqual(2);
  });
});
