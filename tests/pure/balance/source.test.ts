import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { murmur3 } from '../../../core/balance/hash.ts';
import { buildMaglev, MAGLEV_SLOTS } from '../../../core/balance/maglev.ts';
import type { PolicyNode } from '../../../core/balance/policy.ts';
import { Source } from '../../../core/balance/source.ts';
import { holds } from '../../../testing/suite/property.ts';
import { allBut, clientOf, eachClient, only } from './clients.ts';

const CLIENTS = 100_000;

function nodesOf(...weights: number[]): PolicyNode[] {
  return weights.map((weight, i) => ({ identity: `192.0.2.${i}:8080`, weight }));
}

function equalNodes(count: number): PolicyNode[] {
  return nodesOf(...new Array<number>(count).fill(50));
}

/** The node of each client. */
function map(policy: Source, eligible: Uint8Array, clients = CLIENTS): Int16Array {
  const chosen = new Int16Array(clients);
  eachClient(clients, (client, n) => {
    chosen[n] = policy.choose(eligible, client, 0);
  });
  return chosen;
}

function shares(chosen: Iterable<number>, count: number): number[] {
  const counts = new Array<number>(count).fill(0);
  let total = 0;
  for (const node of chosen) {
    counts[node] = (counts[node] ?? 0) + 1;
    total++;
  }
  return counts.map((n) => n / total);
}

describe('the hash', () => {
  test.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['aa', 0x9747b28c, 0x5d211726],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['test', 0, 0xba6bd213],
    ['Hello, world!', 0, 0xc0363e43],
    ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
  ])('of %j with seed %d is the published one', (text, seed, expected) => {
    const bytes = new TextEncoder().encode(`..${text}..`);
    expect(murmur3(bytes, 2, bytes.length - 4, seed) >>> 0).toBe(expected);
  });

  test('each bit of an address changes half of the bits', () => {
    for (let bit = 0; bit < 128; bit++) {
      let changed = 0;
      eachClient(500, (client) => {
        const before = murmur3(client, 0, 16, 7);
        const byte = bit >> 3;
        client[byte] = (client[byte] ?? 0) ^ (1 << (bit & 7));
        const differing = before ^ murmur3(client, 0, 16, 7);
        for (let i = 0; i < 32; i++) changed += (differing >>> i) & 1;
        client.set(clientOf('10.0.0.0'));
      });
      expect(Math.abs(changed / 500 - 16), `bit ${bit}`).toBeLessThan(1);
    }
  });
});

describe('the table', () => {
  test('does not depend on the order of the list', () => {
    const anyPool = fc.uniqueArray(fc.tuple(fc.nat(1e6), fc.integer({ min: 1, max: 255 })), {
      selector: ([id]) => id,
      minLength: 1,
      maxLength: 12,
    });
    holds(
      fc.property(anyPool, fc.nat(), (pool, rotation) => {
        const nodes = pool.map(([id, weight]) => ({ identity: `node-${id}`, weight }));
        const from = rotation % nodes.length;
        const rotated = [...nodes.slice(from), ...nodes.slice(0, from)];
        const one = buildMaglev(nodes);
        const two = buildMaglev(rotated).map((index) => (index + from) % nodes.length);
        expect(Buffer.compare(Buffer.from(one.buffer), Buffer.from(two.buffer))).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  test('gives each node its weight within a slot or two, and at least one slot', () => {
    const anyWeights = fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 60 });
    holds(
      fc.property(anyWeights, (weights) => {
        const slots = shares(buildMaglev(nodesOf(...weights)), weights.length).map((share) => share * MAGLEV_SLOTS);
        const total = weights.reduce((a, b) => a + b, 0);
        for (const [i, weight] of weights.entries()) {
          const due = (MAGLEV_SLOTS * weight) / total;
          expect(slots[i]).toBeGreaterThanOrEqual(1);
          expect(Math.abs((slots[i] ?? 0) - due)).toBeLessThanOrEqual(Math.max(2, due * 0.01));
        }
      }),
      { numRuns: 25 },
    );
  });

  test('a node that leaves the list moves its own share and little more', () => {
    const nodes = equalNodes(10);
    const before = buildMaglev(nodes);
    const after = buildMaglev(nodes.filter((_, i) => i !== 4)).map((index) => (index >= 4 ? index + 1 : index));
    let moved = 0;
    for (const [slot, node] of before.entries()) if (after[slot] !== node) moved++;
    expect(moved / MAGLEV_SLOTS).toBeGreaterThanOrEqual(0.0999);
    expect(moved / MAGLEV_SLOTS).toBeLessThan(0.12);
  });

  test('its size is prime', () => {
    for (let divisor = 2; divisor * divisor <= MAGLEV_SLOTS; divisor++) expect(MAGLEV_SLOTS % divisor).not.toBe(0);
  });
});

describe('clients', () => {
  // A change of these values moves the clients of everyone who upgrades, and of fleets that run two versions at once.
  test('reach the nodes they have always reached', () => {
    const policy = new Source(equalNodes(10));
    const reached = ['192.0.2.1', '192.0.2.2', '203.0.113.77', '2001:db8::1', '2001:db8::2', '::1'].map((text) => [
      policy.choose(allBut(10), clientOf(text), 0),
      policy.choose(only(10, 3, 8), clientOf(text), 0),
    ]);
    expect(reached).toEqual(GOLDEN);
  });

  test('spread over the nodes by weight', () => {
    const weights = [10, 20, 30, 40, 100];
    const found = shares(map(new Source(nodesOf(...weights)), allBut(5)), 5);
    for (const [i, weight] of weights.entries())
      expect(Math.abs((found[i] ?? 0) / (weight / 200) - 1)).toBeLessThan(0.04);
  });

  test('stay, all but those of a node that is lost: these spread over the others by weight, and come back', () => {
    const policy = new Source(nodesOf(50, 50, 50, 50, 50, 50, 50, 50, 100, 100));
    const before = map(policy, allBut(10));
    const after = map(policy, allBut(10, 4));
    const moved = after.filter((node, n) => node !== before[n]);
    expect(moved.length).toBe(before.filter((node) => node === 4).length);
    const found = shares(moved, 10);
    for (const i of [0, 1, 2, 3, 5, 6, 7]) expect(Math.abs((found[i] ?? 0) - 50 / 550)).toBeLessThan(0.015);
    for (const i of [8, 9]) expect(Math.abs((found[i] ?? 0) - 100 / 550)).toBeLessThan(0.015);
    expect(map(policy, allBut(10))).toEqual(before);
  });

  test('spread by weight however few nodes are left', () => {
    const weights = Array.from({ length: 200 }, (_, i) => 1 + (i % 100));
    const found = shares(map(new Source(nodesOf(...weights)), only(200, 39, 79, 99), 30_000), 200);
    const total = 40 + 80 + 100;
    for (const i of [39, 79, 99]) {
      expect(Math.abs((found[i] ?? 0) / ((weights[i] ?? 0) / total) - 1)).toBeLessThan(0.06);
    }
  });

  test('that retried elsewhere stay there when their node is then marked down', () => {
    const policy = new Source(equalNodes(10));
    eachClient(2000, (client) => {
      const tried = policy.choose(allBut(10, 7), client, 0);
      const retried = policy.choose(allBut(10, 7, tried), client, 0);
      expect(retried).not.toBe(tried);
      // One session's mask leaves no trace; the same set as a change of health means the same.
      expect(policy.choose(allBut(10, 7), client, 0)).toBe(tried);
      expect(policy.choose(allBut(10, 7, tried), client, 0)).toBe(retried);
    });
  });

  test('neighbouring IPv6 addresses spread too', () => {
    const policy = new Source(equalNodes(4));
    const client = clientOf('2001:db8::');
    const chosen = Array.from({ length: 20_000 }, (_, n) => {
      client[14] = n >> 8;
      client[15] = n;
      return policy.choose(allBut(4), client, 0);
    });
    for (const share of shares(chosen, 4)) expect(Math.abs(share - 0.25)).toBeLessThan(0.015);
  });
});

const GOLDEN = [
  [4, 3],
  [0, 3],
  [6, 3],
  [5, 3],
  [6, 3],
  [9, 3],
];
