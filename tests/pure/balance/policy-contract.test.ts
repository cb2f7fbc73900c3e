// What holds for every policy, whatever it prefers.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Algorithm, createPolicy } from '../../../core/balance/create.ts';
import type { Policy, PolicyNode } from '../../../core/balance/policy.ts';
import { holds } from '../../../testing/suite/property.ts';
import { clientOf, eachClient, only } from './clients.ts';

const ALGORITHMS: readonly Algorithm[] = ['roundrobin', 'leastconn', 'source'];

const anyNodes = fc
  .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 12 })
  .map((weights): PolicyNode[] => weights.map((weight, i) => ({ identity: `192.0.2.${i}:80`, weight })));
const anyClient = fc.uint8Array({ minLength: 16, maxLength: 16 });

function create(algorithm: Algorithm, nodes: readonly PolicyNode[], shard = 0, shards = 1): Policy {
  return createPolicy(algorithm, nodes, { shard, shards, load: () => 0 });
}

function equalNodes(count: number): PolicyNode[] {
  return Array.from({ length: count }, (_, i) => ({ identity: `192.0.2.${i}:80`, weight: 50 }));
}

describe.each(ALGORITHMS)('%s', (algorithm) => {
  test('chooses an eligible node, and -1 exactly when there is none', () => {
    holds(
      fc.property(
        anyNodes,
        fc.array(fc.tuple(fc.uint8Array({ minLength: 12, maxLength: 12 }), anyClient)),
        (nodes, calls) => {
          const policy = create(algorithm, nodes);
          for (const [bits, client] of calls) {
            const eligible = bits.slice(0, nodes.length).map((bit) => bit & 1);
            const node = policy.choose(eligible, client, 0);
            if (eligible.includes(1)) expect(eligible[node]).toBe(1);
            else expect(node).toBe(-1);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a list without nodes chooses -1', () => {
    expect(create(algorithm, []).choose(new Uint8Array(0), clientOf('192.0.2.1'), 0)).toBe(-1);
  });

  test('any byte but 0 means eligible', () => {
    expect(create(algorithm, equalNodes(3)).choose(Uint8Array.of(0, 255, 0), clientOf('192.0.2.1'), 0)).toBe(1);
  });

  test('finds the only eligible node, even the lightest of a large pool', () => {
    const nodes = equalNodes(300).map((node, i) => (i === 299 ? { ...node, weight: 1 } : { ...node, weight: 255 }));
    const policy = create(algorithm, nodes);
    eachClient(50, (client) => expect(policy.choose(only(300, 299), client, 0)).toBe(299));
  });

  test('gives every eligible node sessions', () => {
    const policy = create(algorithm, equalNodes(8));
    const chosen = new Set<number>();
    eachClient(400, (client) => chosen.add(policy.choose(only(8, 1, 2, 5, 7), client, 0)));
    expect([...chosen].sort()).toEqual([1, 2, 5, 7]);
  });

  test('changes neither the eligible set nor the address', () => {
    const eligible = only(5, 1, 3);
    const client = clientOf('2001:db8::17');
    create(algorithm, equalNodes(5)).choose(eligible, client, 0);
    expect(eligible).toEqual(only(5, 1, 3));
    expect(client).toEqual(clientOf('2001:db8::17'));
  });

  test('reads the address where it is told to, and nothing beside it', () => {
    holds(
      fc.property(anyClient, fc.uint8Array({ minLength: 40, maxLength: 40 }), fc.nat(24), (client, around, at) => {
        around.set(client, at);
        const eligible = new Uint8Array(7).fill(1);
        const there = create(algorithm, equalNodes(7)).choose(eligible, around, at);
        expect(there).toBe(create(algorithm, equalNodes(7)).choose(eligible, client, 0));
      }),
      { numRuns: 20 },
    );
  });

  test('is determined by its arguments: two of the same shard agree for ever', () => {
    holds(
      fc.property(anyNodes, fc.array(anyClient, { maxLength: 50 }), fc.nat(3), (nodes, clients, shard) => {
        const [one, two] = [create(algorithm, nodes, shard, 4), create(algorithm, nodes, shard, 4)];
        const eligible = new Uint8Array(nodes.length).fill(1);
        for (const client of clients) expect(one.choose(eligible, client, 0)).toBe(two.choose(eligible, client, 0));
      }),
      { numRuns: 20 },
    );
  });

  test('a weight that is no positive integer is refused', () => {
    for (const weight of [0, -1, 1.5, Number.NaN]) {
      expect(() => create(algorithm, [{ identity: 'a', weight }])).toThrow('weight');
    }
  });
});
