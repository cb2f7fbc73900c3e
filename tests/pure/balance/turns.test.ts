// Policies that go on where the one before them was: after any change of the list, under another algorithm, and after a death.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ListedNode } from '../../../core/balance/carry-over.ts';
import { type Algorithm, createPolicy, seatNodes } from '../../../core/balance/create.ts';
import type { Policy } from '../../../core/balance/policy.ts';
import { clearTurns, createTurns, type Turns, turnsBytes } from '../../../core/balance/turns.ts';
import { holds } from '../../../testing/suite/property.ts';
import { clientOf } from './clients.ts';

const FRONTENDS = 3;
const ROWS = 12;
const FRONTEND = 1;
const CLIENT = clientOf('192.0.2.1');
const TURN_TAKING = ['roundrobin', 'leastconn'] as const;

interface Place {
  readonly shard: number;
  readonly shards: number;
}

/** One shard's frontend whose list is replaced again and again. Sessions do not overlap: leastconn's are ties. */
class Changing {
  readonly memory = new SharedArrayBuffer(turnsBytes(FRONTENDS, ROWS));
  turns: Turns = createTurns(this.memory, FRONTENDS, ROWS);
  readonly #place: Place;
  #policy: Policy | undefined;
  #nodes: readonly ListedNode[] = [];

  constructor(place: Place = { shard: 0, shards: 1 }) {
    this.#place = place;
  }

  list(algorithm: Algorithm, nodes: readonly ListedNode[]): this {
    this.#nodes = seatNodes(algorithm, nodes, this.turns, FRONTEND);
    const rows = this.#nodes.map(({ row }) => row);
    const seats = { turns: this.turns, frontend: FRONTEND, rows };
    const named = this.#nodes.map(({ row, weight }) => ({ identity: `node ${row}`, weight }));
    this.#policy = createPolicy(algorithm, named, { ...this.#place, load: () => 0, seats });
    return this;
  }

  /** Another thread goes on with the memory. */
  succeed(): this {
    this.turns = createTurns(this.memory, FRONTENDS, ROWS);
    return this;
  }

  /** @param without nodes that may take nothing now @returns the row of who was chosen */
  choose(...without: number[]): number {
    const eligible = Uint8Array.from(this.#nodes, ({ row }) => (without.includes(row) ? 0 : 1));
    const index = this.#policy?.choose(eligible, CLIENT, 0) ?? -1;
    return this.#nodes[index]?.row ?? -1;
  }

  chooseMany(times: number): number[] {
    return Array.from({ length: times }, () => this.choose());
  }

  credits(): number[] {
    return this.#nodes.map(({ row }) => (this.turns.credit[row] ?? 0) / (this.turns.cursor[FRONTEND] ?? 1));
  }
}

const equal = (...rows: number[]): ListedNode[] => rows.map((row) => ({ row, weight: 50 }));

function countOf(chosen: readonly number[], row: number): number {
  return chosen.filter((other) => other === row).length;
}

const anyWeighted = fc
  .array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 })
  .map((weights) => weights.map((weight, row): ListedNode => ({ row, weight })));

describe.each(TURN_TAKING)('%s', (algorithm) => {
  test('a list with the same nodes, in whatever order, and a successor, change no choice', () => {
    const anySteps = fc.array(fc.constantFrom('choose', 'same', 'reversed', 'successor'), { maxLength: 60 });
    const anyPlace = fc.constantFrom({ shard: 0, shards: 1 }, { shard: 1, shards: 3 }, { shard: 2, shards: 3 });
    holds(
      fc.property(anyWeighted, anySteps, anyPlace, (nodes, steps, place) => {
        const changed = new Changing(place).list(algorithm, nodes);
        const untouched = new Changing(place).list(algorithm, nodes);
        for (const step of steps) {
          if (step === 'choose') expect(changed.choose()).toBe(untouched.choose());
          else if (step === 'successor') changed.succeed().list(algorithm, nodes);
          else changed.list(algorithm, step === 'same' ? nodes : nodes.toReversed());
        }
      }),
    );
  });

  test('two nodes take turns however often the list is replaced, whatever comes first in it', () => {
    const changing = new Changing();
    const chosen = Array.from({ length: 20 }, (_, i) => {
      // Two the one way, two the other.
      changing.list(algorithm, i & 2 ? equal(4, 7) : equal(7, 4));
      return changing.choose();
    });
    for (const [i, row] of chosen.entries()) expect(row, `${chosen}`).toBe(i % 2 === 0 ? 7 : 4);
  });

  test('a node in the place of another at each change: the one that stays has every second session', () => {
    const changing = new Changing();
    const chosen = Array.from({ length: 20 }, (_, i) => {
      changing.list(algorithm, equal(0, 1 + (i % (ROWS - 1))));
      return changing.choose();
    });
    expect(countOf(chosen, 0), `${chosen}`).toBe(10);
  });

  test('a node that is there at every second change only has its share of the sessions then', () => {
    const changing = new Changing();
    const chosen = Array.from({ length: 60 }, (_, i) => {
      changing.list(algorithm, i % 2 === 0 ? equal(0, 1) : equal(0, 1, 2));
      return changing.choose();
    });
    // A third of 30, and half of 30 and a third of 30.
    expect(Math.abs(countOf(chosen, 2) - 10), `${chosen}`).toBeLessThanOrEqual(2);
    expect(Math.abs(countOf(chosen, 0) - countOf(chosen, 1)), `${chosen}`).toBeLessThanOrEqual(2);
  });

  test('a node that is taken out and put back between two sessions does not lose its turn', () => {
    const changing = new Changing().list(algorithm, equal(0, 1));
    const chosen = Array.from({ length: 20 }, () => {
      changing.list(algorithm, equal(0)).list(algorithm, equal(0, 1));
      return changing.choose();
    });
    expect(chosen).toEqual(Array.from({ length: 20 }, (_, i) => i % 2));
  });

  test('two nodes of the same weight that are always there have the same number of sessions', () => {
    const anyOthers = fc.array(fc.tuple(fc.uniqueArray(fc.integer({ min: 2, max: 7 })), fc.nat(3)), {
      minLength: 1,
      maxLength: 12,
    });
    holds(
      fc.property(anyOthers, (steps) => {
        const changing = new Changing();
        const chosen: number[] = [];
        for (let k = 0; k < 300; k++) {
          const [others = [], times = 0] = steps[k % steps.length] ?? [];
          chosen.push(...changing.list(algorithm, equal(0, 1, ...others)).chooseMany(times));
        }
        expect(Math.abs(countOf(chosen, 0) - countOf(chosen, 1))).toBeLessThanOrEqual(2);
      }),
      { numRuns: 50 },
    );
  });

  test('a list without nodes for a while changes nothing', () => {
    const changing = new Changing().list(algorithm, equal(0, 1, 2));
    expect(changing.choose()).toBe(0);
    changing.list(algorithm, []).list(algorithm, equal(0, 1, 2));
    expect(changing.chooseMany(5)).toEqual([1, 2, 0, 1, 2]);
  });

  test('each shard goes on in its own place', () => {
    const shards = [0, 1].map((shard) => new Changing({ shard, shards: 2 }).list(algorithm, equal(0, 1)));
    const chosen = shards.map((shard) => Array.from({ length: 6 }, () => shard.list(algorithm, equal(0, 1)).choose()));
    expect(chosen).toEqual([[0, 1, 0, 1, 0, 1], [1, 0, 1, 0, 1, 0]]); // biome-ignore format: a line per shard
  });

  test('nodes that are all new begin where the shard begins', () => {
    const changing = new Changing({ shard: 1, shards: 2 }).list(algorithm, equal(0, 1, 2, 3));
    expect(changing.choose()).toBe(2);
    expect(changing.list(algorithm, equal(4, 5, 6, 7)).choose()).toBe(6);
  });

  test('a row’s next owner is owed nothing', () => {
    const changing = new Changing().list(algorithm, equal(0, 1));
    expect(changing.choose()).toBe(0);
    changing.list(algorithm, equal(0));
    expect(changing.turns.credit[1]).toBeGreaterThan(0);
    clearTurns(changing.turns, new Set([1]));
    expect([changing.turns.credit[1], changing.turns.holder[1]]).toEqual([0, 0]);
  });
});

describe('under another algorithm', () => {
  test('two nodes take turns, whoever chooses', () => {
    const changing = new Changing();
    const chosen = Array.from({ length: 20 }, (_, i) => {
      changing.list(TURN_TAKING[i % 2] ?? 'roundrobin', equal(0, 1));
      return changing.choose();
    });
    expect(chosen).toEqual(Array.from({ length: 20 }, (_, i) => i % 2));
  });

  test('five nodes too, at any number of choices by each', () => {
    const anyRuns = fc.array(fc.tuple(fc.constantFrom(...TURN_TAKING), fc.integer({ min: 1, max: 7 })), {
      maxLength: 20,
    });
    holds(
      fc.property(anyRuns, (runs) => {
        const changing = new Changing();
        const chosen = runs.flatMap(([algorithm, times]) =>
          changing.list(algorithm, equal(0, 1, 2, 3, 4)).chooseMany(times),
        );
        for (const [i, row] of chosen.entries()) expect(row, `${chosen}`).toBe(i % 5);
      }),
    );
  });

  test('source keeps for the next one what it has no use for', () => {
    const changing = new Changing();
    const turns = Array.from({ length: 10 }, () => {
      changing.list('source', equal(0, 1)).choose();
      return changing.list('roundrobin', equal(0, 1)).choose();
    });
    expect(turns).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    expect(changing.list('source', equal(0, 1)).list('leastconn', equal(0, 1)).chooseMany(2)).toEqual([0, 1]);
  });
});

describe('round robin over lists that change at will', () => {
  const anyList = fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 6 });
  const anySteps = fc.array(fc.tuple(anyList, fc.nat(3), fc.uint8Array({ minLength: 6, maxLength: 6, max: 1 })), {
    minLength: 1,
    maxLength: 12,
  });
  const sixWeights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 6, maxLength: 6 });

  test('credits sum to 0, and nobody is ever far ahead or behind', () => {
    holds(
      fc.property(sixWeights, anySteps, (weights, steps) => {
        const changing = new Changing();
        for (let k = 0; k < 300; k++) {
          const [rows = [], times = 0, away = new Uint8Array(6)] = steps[k % steps.length] ?? [];
          changing.list(
            'roundrobin',
            rows.map((row) => ({ row, weight: weights[row] ?? 1 })),
          );
          for (let i = 0; i < times; i++) changing.choose(...[0, 1, 2, 3, 4, 5].filter((row) => away[row] === 1));
          const credits = changing.credits();
          expect(credits.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 6);
          for (const credit of credits) expect(Math.abs(credit)).toBeLessThan(4);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('weights that change are heeded from the next session on', () => {
    const changing = new Changing();
    const heavy = (weight: number) => [{ row: 0, weight }, ...equal(1)];
    expect(countOf(changing.list('roundrobin', heavy(50)).chooseMany(10), 0)).toBe(5);
    expect(countOf(changing.list('roundrobin', heavy(200)).chooseMany(10), 0)).toBe(8);
    expect(countOf(changing.list('roundrobin', heavy(50)).chooseMany(10), 0)).toBe(5);
  });
});

describe('a thread that dies in the middle', () => {
  test('of a choice has given some nodes their weight: nobody is far from its due', () => {
    holds(
      fc.property(anyWeighted, fc.nat(40), fc.nat(5), (nodes, choices, given) => {
        const changing = new Changing().list('roundrobin', nodes);
        changing.chooseMany(choices);
        for (const { row, weight } of nodes.slice(0, given)) {
          changing.turns.credit[row] = (changing.turns.credit[row] ?? 0) + weight;
        }
        changing.succeed().list('roundrobin', nodes);
        const credits = changing.credits();
        expect(credits.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 6);
        for (const credit of credits) expect(Math.abs(credit)).toBeLessThan(4);
      }),
    );
  });

  test('of filling the cells: the successor begins from the beginning', () => {
    const changing = new Changing().list('roundrobin', equal(0, 1));
    changing.choose();
    changing.turns.form.fill(0);
    expect(changing.succeed().list('roundrobin', equal(0, 1)).chooseMany(3)).toEqual([0, 1, 0]);
  });
});

test('frontends do not touch each other', () => {
  const turns = createTurns(new SharedArrayBuffer(turnsBytes(FRONTENDS, ROWS)), FRONTENDS, ROWS);
  const policyOf = (frontend: number, nodes: readonly ListedNode[]) => {
    const rows = seatNodes('roundrobin', nodes, turns, frontend).map(({ row }) => row);
    const named = rows.map((row) => ({ identity: `node ${row}`, weight: 1 }));
    return createPolicy('roundrobin', named, { shard: 0, shards: 1, load: () => 0, seats: { turns, frontend, rows } });
  };
  const eligible = Uint8Array.of(1, 1);
  const one = policyOf(0, equal(0, 1));
  let other = policyOf(2, equal(2, 3));
  const chosen = Array.from({ length: 4 }, () => {
    other.choose(eligible, CLIENT, 0);
    other = policyOf(2, equal(2, 3));
    return one.choose(eligible, CLIENT, 0);
  });
  expect(chosen).toEqual([0, 1, 0, 1]);
});
