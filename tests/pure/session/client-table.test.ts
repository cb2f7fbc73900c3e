// The table of client addresses: exact below its capacity, the oldest of a set goes above it, scopes and addresses do
// not mix, and a lock that a dead thread left costs its set's entries and nobody's time.

import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  type ClientTable,
  clientCount,
  clientTableBytes,
  clientTableMisses,
  countClient,
  createClientTable,
  findClient,
  findOrAddClient,
  MISS,
  releaseClientLocks,
  removeClientScopes,
  removeClientValues,
  replaceClient,
  seedClientTable,
} from '../../../core/session/client-table.ts';
import { ipOf } from '../../../testing/loopback.ts';
import { holds } from '../../../testing/suite/property.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** slots of one set */
const WAYS = 64;
/** as many as one set is made for: the table then has no second one */
const ONE_SET = 32;
const DEAD = 7;
const EVER = 0;

function makeMemory(entries: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(clientTableBytes(entries));
  seedClientTable(memory);
  return memory;
}

function makeTable(entries = ONE_SET, owner = 1): ClientTable {
  return createClientTable(makeMemory(entries), entries, owner);
}

/** The address of client number `index`. */
function client(index: number): Uint8Array {
  const address = ipOf('2001:db8::');
  new DataView(address.buffer).setUint32(12, index);
  return address;
}

function find(table: ClientTable, scope: number, index: number, sinceMs = EVER): number {
  return findClient(table, scope, client(index), 0, sinceMs);
}

function add(table: ClientTable, scope: number, index: number, value: number, nowMs = 1, sinceMs = EVER): number {
  return findOrAddClient(table, scope, client(index), 0, sinceMs, value, nowMs);
}

function count(table: ClientTable, index: number, nowMs: number, max = 3): number {
  return countClient(table, 0, client(index), 0, 1000, max, nowMs);
}

function slotsOf(table: ClientTable): number {
  return table.sets * WAYS;
}

/** Where the lock of a set lies. */
function lockAt(table: ClientTable, set: number): number {
  return (table.words.length / table.sets) * set;
}

describe('find and add', () => {
  test('a client that nobody added is not there', () => {
    expect(find(makeTable(), 0, 1)).toBe(MISS);
  });

  test('the first value stays in force', () => {
    const table = makeTable();
    expect(add(table, 0, 1, 5)).toBe(5);
    expect(add(table, 0, 1, 6)).toBe(5);
    expect(find(table, 0, 1)).toBe(5);
    expect(clientCount(table, EVER)).toBe(1);
  });

  test('0 is a value, and so is the largest int32', () => {
    const table = makeTable();
    expect([add(table, 0, 1, 0), add(table, 0, 2, 0x7fff_ffff)]).toEqual([0, 0x7fff_ffff]);
    expect([find(table, 0, 1), find(table, 0, 2)]).toEqual([0, 0x7fff_ffff]);
  });

  test('an entry counts up to its age, from when it was added and not from when it was found', () => {
    const table = makeTable();
    add(table, 0, 1, 5, 1000);
    expect(add(table, 0, 1, 6, 2000, 1000)).toBe(5);
    expect(find(table, 0, 1, 1000)).toBe(5);
    expect(find(table, 0, 1, 1000.5)).toBe(MISS);
  });

  test('one that is too old gives way to the new value, in the same slot', () => {
    const table = makeTable();
    add(table, 0, 1, 5, 1000);
    expect(add(table, 0, 1, 6, 2000, 1001)).toBe(6);
    expect(find(table, 0, 1, 2000)).toBe(6);
    expect(clientCount(table, EVER)).toBe(1);
  });

  test('the address is read where it lies', () => {
    const table = makeTable();
    const block = new Uint8Array(36).fill(9);
    block.set(client(1), 11);
    findOrAddClient(table, 0, block, 11, EVER, 5, 1);
    block.fill(3, 27);
    expect(findClient(table, 0, block, 11, EVER)).toBe(5);
    expect(find(table, 0, 1)).toBe(5);
    expect(findClient(table, 0, block, 12, EVER)).toBe(MISS);
  });
});

describe('keys', () => {
  test('scopes do not mix', () => {
    const table = makeTable();
    add(table, 1, 1, 5);
    add(table, 2, 1, 6);
    expect([find(table, 0, 1), find(table, 1, 1), find(table, 2, 1)]).toEqual([MISS, 5, 6]);
  });

  test('the largest scope is one like any other', () => {
    const table = makeTable();
    add(table, 0x7fff_ffff, 1, 5);
    expect([find(table, 0x7fff_ffff, 1), find(table, 0, 1)]).toEqual([5, MISS]);
  });

  test('an IPv4 address is not the IPv6 address with the same last bytes', () => {
    const table = makeTable();
    const addresses = ['192.0.2.1', '::c000:201', '64:ff9b::c000:201', '2001:db8::c000:201'].map(ipOf);
    for (const [i, address] of addresses.entries()) findOrAddClient(table, 0, address, 0, EVER, i, 1);
    expect(addresses.map((address) => findClient(table, 0, address, 0, EVER))).toEqual([0, 1, 2, 3]);
  });

  test('every bit of the address and of the scope tells two clients apart, even where their tags are equal', () => {
    const table = makeTable();
    add(table, 0, 1, 5);
    const [, , tag = 0] = table.words;
    const others: number[] = [];
    for (let bit = 0; bit < 128 + 31; bit++) {
      const address = client(1);
      if (bit < 128) address[bit >> 3] = (address[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const scope = bit < 128 ? 0 : 1 << (bit - 128);
      others.push(findClient(table, scope, address, 0, EVER));
      // As the other's hash would have it: only the whole key is left to tell them apart.
      table.words[2] = table.tag[0] ?? 0;
      others.push(findClient(table, scope, address, 0, EVER));
      table.words[2] = tag;
    }
    expect(others.every((value) => value === MISS)).toBe(true);
    expect(find(table, 0, 1)).toBe(5);
  });

  test('the hash is HalfSipHash-2-4: the published result for a key of 00 to 07 and the bytes 00 to 13', () => {
    const table = makeTable(10_000);
    table.header.set([0x03020100, 0x07060504]);
    const address = Uint8Array.from({ length: 16 }, (_, i) => i);
    findOrAddClient(table, 0x13121110, address, 0, EVER, 5, 1);
    const set = lockAt(table, 0x0a2bf51b % table.sets);
    expect([table.words[set + 1], table.words[set + 2]]).toEqual([1, 0xdba7ee6f | 0]);
  });
});

describe('replace', () => {
  test('the value it was seen with gives way, and its time begins anew', () => {
    const table = makeTable();
    add(table, 0, 1, 5, 1000);
    expect(replaceClient(table, 0, client(1), 0, 5, 6, 2000)).toBe(6);
    expect(find(table, 0, 1, 2000)).toBe(6);
  });

  test('where another shard was first, its value and time stay', () => {
    const table = makeTable();
    add(table, 0, 1, 4, 1000);
    expect(replaceClient(table, 0, client(1), 0, 5, 6, 2000)).toBe(4);
    expect(find(table, 0, 1, 1000)).toBe(4);
    expect(find(table, 0, 1, 1001)).toBe(MISS);
  });

  test('a missing entry is made', () => {
    const table = makeTable();
    expect(replaceClient(table, 0, client(1), 0, 5, 6, 2000)).toBe(6);
    expect(find(table, 0, 1, 2000)).toBe(6);
    expect(find(table, 1, 1)).toBe(MISS);
  });
});

describe('count', () => {
  test('up to the limit, then one more than it, however often', () => {
    const table = makeTable();
    expect([0, 1, 2, 3, 4].map((ms) => count(table, 1, 1000 + ms))).toEqual([1, 2, 3, 4, 4]);
    expect(find(table, 0, 1)).toBe(3);
  });

  test('a window ends its length after its first connection, refused ones do not lengthen it', () => {
    const table = makeTable();
    for (const nowMs of [1000, 1500, 1900]) count(table, 1, nowMs);
    expect(count(table, 1, 1999.9)).toBe(4);
    expect(count(table, 1, 2000)).toBe(1);
    expect(count(table, 1, 2999.9)).toBe(2);
    expect(count(table, 1, 3000)).toBe(1);
  });

  test('a limit that was lowered is full at once, and answers by the new one', () => {
    const table = makeTable();
    for (const nowMs of [1000, 1001, 1002]) count(table, 1, nowMs);
    expect(count(table, 1, 1003, 2)).toBe(3);
    expect(count(table, 1, 1004, 5)).toBe(4);
  });

  test('a clock that is a little behind the one that began the window counts in it', () => {
    const table = makeTable();
    count(table, 1, 1000);
    expect(count(table, 1, 999)).toBe(2);
  });

  test('clients and scopes have their own', () => {
    const table = makeTable();
    count(table, 1, 1000);
    count(table, 1, 1000);
    expect(count(table, 2, 1000)).toBe(1);
    expect(countClient(table, 1, client(1), 0, 1000, 3, 1000)).toBe(1);
  });
});

describe('a full set', () => {
  test('takes the new client, and the oldest goes', () => {
    const table = makeTable();
    expect(slotsOf(table)).toBe(WAYS);
    // Times in an order of their own: 37 and 64 have no common divisor.
    const timeOf = (index: number) => 1 + ((index * 37) % WAYS);
    for (let index = 0; index < WAYS; index++) add(table, 0, index, index, timeOf(index));
    const byAge = Array.from({ length: WAYS }, (_, index) => index).sort((a, b) => timeOf(a) - timeOf(b));
    for (const [i, oldest] of byAge.entries()) {
      expect(find(table, 0, oldest)).toBe(oldest);
      expect(add(table, 0, 1000 + i, i, 1000 + i)).toBe(i);
      expect(find(table, 0, oldest)).toBe(MISS);
      expect(find(table, 0, 1000 + i)).toBe(i);
      for (const younger of byAge.slice(i + 1)) expect(find(table, 0, younger)).toBe(younger);
    }
    expect(clientCount(table, EVER)).toBe(WAYS);
  });

  test('an entry that got a new time is no longer the oldest', () => {
    const table = makeTable();
    for (let index = 0; index < WAYS; index++) add(table, 0, index, index, 1 + index);
    replaceClient(table, 0, client(0), 0, 0, 9, 500);
    add(table, 0, 1000, 1, 501);
    expect([find(table, 0, 0), find(table, 0, 1)]).toEqual([9, MISS]);
  });

  test('a window that is counted finds room as well', () => {
    const table = makeTable();
    for (let index = 0; index <= WAYS; index++) count(table, index, 1000 + index);
    expect(count(table, WAYS, 1100)).toBe(2);
    expect(find(table, 0, 0)).toBe(MISS);
  });
});

describe('removal', () => {
  test('of a scope takes all of it and nothing else', () => {
    const table = makeTable(1000);
    for (let index = 0; index < 300; index++) add(table, index % 3, index, index);
    removeClientScopes(table, new Set([1]));
    for (let index = 0; index < 300; index++) {
      expect(find(table, index % 3, index)).toBe(index % 3 === 1 ? MISS : index);
    }
    expect(clientCount(table, EVER)).toBe(200);
  });

  test('of a value takes it in every scope and nothing else', () => {
    const table = makeTable(1000);
    for (let index = 0; index < 300; index++) add(table, index % 2, index, index % 5);
    removeClientValues(table, new Set([3]));
    for (let index = 0; index < 300; index++) {
      expect(find(table, index % 2, index)).toBe(index % 5 === 3 ? MISS : index % 5);
    }
    expect(clientCount(table, EVER)).toBe(240);
  });

  test('of many values looks at each set once', () => {
    const table = makeTable(1000);
    for (let index = 0; index < 300; index++) add(table, 0, index, index);
    const stores = vi.spyOn(Atomics, 'store');
    removeClientValues(table, new Set(Array.from({ length: 200 }, (_, value) => value)));
    // Each lock that was taken is given back by one store.
    const unlocked = stores.mock.calls.map(([, at]) => at);
    stores.mockRestore();
    expect(new Set(unlocked).size).toBe(unlocked.length);
    for (let index = 0; index < 300; index++) expect(find(table, 0, index)).toBe(index < 200 ? MISS : index);
  });

  test('makes room: a full set loses nobody until it is full again', () => {
    const table = makeTable();
    for (let index = 0; index < WAYS; index++) add(table, index % 2, index, index, 1 + index);
    removeClientScopes(table, new Set([0]));
    for (let index = 0; index < WAYS / 2; index++) add(table, 2, index, index, 100);
    for (let index = 1; index < WAYS; index += 2) expect(find(table, 1, index)).toBe(index);
    expect(clientCount(table, EVER)).toBe(WAYS);
  });

  test('leaves the time of every entry that stays', () => {
    const table = makeTable();
    for (let index = 0; index < 20; index++) add(table, 0, index, index, 1000 + index);
    removeClientValues(table, new Set(Array.from({ length: 10 }, (_, i) => 2 * i)));
    for (let index = 1; index < 20; index += 2) {
      expect([find(table, 0, index, 1000 + index), find(table, 0, index, 1000.5 + index)]).toEqual([index, MISS]);
    }
  });

  test('waits while a shard has the lock', () => {
    const table = makeTable();
    add(table, 1, 1, 5);
    table.words[0] = DEAD;
    const wait = vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      if (wait.mock.calls.length === 3) table.words[0] = 0;
      return 'timed-out';
    });
    removeClientScopes(table, new Set([1]));
    expect(wait).toHaveBeenCalledTimes(3);
    expect([find(table, 1, 1), clientTableMisses(table)]).toEqual([MISS, 0]);
    expect(clientCount(table, EVER)).toBe(0);
  });

  test('does not wait for ever for a lock: it leaves that set to the successor, and counts it', () => {
    const table = makeTable();
    add(table, 1, 1, 5);
    table.words[0] = DEAD;
    removeClientScopes(table, new Set([1]));
    expect(clientTableMisses(table)).toBe(1);
    releaseClientLocks(table, DEAD);
    expect(find(table, 1, 1)).toBe(MISS);
  });
});

describe('counting entries', () => {
  test('by age', () => {
    const table = makeTable(1000);
    for (let index = 0; index < 100; index++) add(table, 0, index, 1, 1000 + index);
    expect([EVER, 1000, 1001, 1099, 1099.5].map((sinceMs) => clientCount(table, sinceMs))).toEqual([
      100, 100, 99, 1, 0,
    ]);
  });
});

describe('a lock that another thread has', () => {
  test('is waited for, for a moment', () => {
    const table = makeTable();
    add(table, 0, 1, 5);
    table.words[0] = 2;
    const pause = vi.spyOn(Atomics, 'pause').mockImplementation(() => {
      if (pause.mock.calls.length === 3) table.words[0] = 0;
    });
    expect(find(table, 0, 1)).toBe(5);
    expect(pause).toHaveBeenCalledTimes(3);
    expect(clientTableMisses(table)).toBe(0);
  });

  test('is waited for a little longer asleep: its holder may have lost its processor', () => {
    const table = makeTable();
    add(table, 0, 1, 5);
    table.words[0] = 2;
    const wait = vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      if (wait.mock.calls.length === 3) table.words[0] = 0;
      return 'timed-out';
    });
    expect(find(table, 0, 1)).toBe(5);
    expect(wait).toHaveBeenCalledTimes(3);
    expect(clientTableMisses(table)).toBe(0);
  });

  test('is given up after some hundred tries, and some tens of milliseconds of sleep', () => {
    const table = makeTable();
    table.words[0] = 2;
    const pause = vi.spyOn(Atomics, 'pause');
    const wait = vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out');
    expect(add(table, 0, 1, 5)).toBe(MISS);
    expect(pause.mock.calls.length).toBeLessThan(1000);
    const sleptMs = wait.mock.calls.reduce(
      (sum, [, , , timeoutMs]) => sum + (timeoutMs ?? Number.POSITIVE_INFINITY),
      0,
    );
    expect(sleptMs).toBeGreaterThan(10);
    expect(sleptMs).toBeLessThan(50);
    expect(table.words[0]).toBe(2);
  });
});

describe("a dead thread's lock", () => {
  test('is a miss to every call, changes nothing, and is counted', () => {
    const table = makeTable();
    add(table, 0, 1, 5);
    table.words[0] = DEAD;
    const before = table.words.slice();
    expect(find(table, 0, 1)).toBe(MISS);
    expect(add(table, 0, 1, 6)).toBe(MISS);
    expect(add(table, 0, 2, 6)).toBe(MISS);
    expect(count(table, 1, 2000)).toBe(MISS);
    expect(replaceClient(table, 0, client(1), 0, 5, 6, 2000)).toBe(MISS);
    expect(table.words).toEqual(before);
    expect(clientTableMisses(table)).toBe(5);
  });

  test('is released with what its set held; other sets keep everything', () => {
    const table = makeTable(WAYS);
    expect(table.sets).toBe(2);
    const clients = Array.from({ length: 40 }, (_, index) => index);
    for (const index of clients) add(table, 0, index, index);
    table.words[lockAt(table, 1)] = DEAD;
    const kept = clients.filter((index) => find(table, 0, index) === index);
    expect(clientTableMisses(table)).toBe(clients.length - kept.length);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(clients.length);

    releaseClientLocks(table, DEAD);
    for (const index of clients) expect(find(table, 0, index)).toBe(kept.includes(index) ? index : MISS);
    expect(clientCount(table, EVER)).toBe(kept.length);
    for (const index of clients) add(table, 0, index, index);
    for (const index of clients) expect(find(table, 0, index)).toBe(index);
    expect(clientTableMisses(table)).toBe(clients.length - kept.length);
  });

  test("is told from another thread's, which stays", () => {
    const table = makeTable(WAYS);
    table.words[lockAt(table, 0)] = DEAD;
    table.words[lockAt(table, 1)] = DEAD + 1;
    releaseClientLocks(table, DEAD);
    expect([0, 1].map((set) => table.words[lockAt(table, set)])).toEqual([0, DEAD + 1]);
  });

  test('has the number of its owner, and what the owner was writing is forgotten', () => {
    const table = makeTable(ONE_SET, DEAD);
    add(table, 0, 1, 5);
    const dying = new Proxy(table.floats, {
      set() {
        throw new Error('dead');
      },
    });
    expect(() => add({ ...table, floats: dying }, 0, 2, 6)).toThrow('dead');
    expect(table.words[0]).toBe(DEAD);
    const successor = { ...table };
    releaseClientLocks(successor, DEAD);
    expect(table.words[0]).toBe(0);
    expect([find(successor, 0, 1), find(successor, 0, 2), clientCount(successor, EVER)]).toEqual([MISS, MISS, 0]);
  });
});

describe('memory', () => {
  test('another view of it, and a later one, sees the same entries', () => {
    const memory = makeMemory(100);
    const before = createClientTable(memory, 100, 1);
    add(before, 3, 1, 5);
    const after = createClientTable(memory, 100, 2);
    expect(find(after, 3, 1)).toBe(5);
    add(after, 3, 2, 6);
    expect(find(before, 3, 2)).toBe(6);
  });

  test('has two slots per address or more, in a power of two of sets', () => {
    holds(
      fc.property(fc.integer({ min: 1, max: 50_000 }), (entries) => {
        const table = makeTable(entries);
        expect(Math.log2(table.sets) % 1).toBe(0);
        expect(slotsOf(table)).toBeGreaterThanOrEqual(2 * entries);
        if (table.sets > 1) expect(slotsOf(table)).toBeLessThan(4 * entries);
      }),
      { numRuns: 20 },
    );
  });

  test('every set begins with a cache line, and its times are aligned', () => {
    const table = makeTable(1000);
    expect([table.words.byteOffset % 64, lockAt(table, 1) % 16, table.floats.byteOffset % 8]).toEqual([0, 0, 0]);
  });

  test('what does not fit is refused: the size, the owner, a seed that is missing or there already', () => {
    const memory = makeMemory(100);
    expect(() => createClientTable(memory, 1000, 1)).toThrow('does not fit');
    expect(() => createClientTable(memory, 100, 0)).toThrow('free');
    expect(() => seedClientTable(memory)).toThrow('has its seed');
    expect(() => createClientTable(new SharedArrayBuffer(clientTableBytes(100)), 100, 1)).toThrow('no seed');
    for (const entries of [0, -1, 1.5, Number.NaN]) expect(() => clientTableBytes(entries)).toThrow('at least one');
  });

  test('every memory has a seed of its own: nobody can know which addresses share a set', () => {
    const seeds = Array.from({ length: 8 }, () => makeTable().header.slice(0, 2).join());
    expect(new Set(seeds).size).toBe(8);
  });
});

// Below capacity the table is a map.

const STEP = fc.record({
  call: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('find', 'add', 'replace', 'count') },
    { weight: 1, arbitrary: fc.constantFrom('removeScope', 'removeValue', 'adopt') },
  ),
  scope: fc.nat(2),
  client: fc.nat(11),
  value: fc.nat(3),
  other: fc.nat(3),
  passedMs: fc.oneof({ weight: 9, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.nat(150) }),
});

test.for([
  ['one set', ONE_SET],
  ['many sets', 1000],
] as const)('%s, below its capacity: exactly a map', ([, entries]) => {
  const WINDOW_MS = 100;
  const MAX = 3;
  holds(
    fc.property(fc.array(STEP, { maxLength: 120 }), (steps) => {
      const memory = makeMemory(entries);
      let table = createClientTable(memory, entries, 1);
      const map = new Map<string, { scope: number; value: number; atMs: number }>();
      let nowMs = 1000;
      for (const step of steps) {
        nowMs += step.passedMs;
        const sinceMs = nowMs - WINDOW_MS;
        const { scope, value } = step;
        const name = `${scope} ${step.client}`;
        const entry = map.get(name);
        const live = entry !== undefined && entry.atMs >= sinceMs ? entry.value : MISS;
        const address = client(step.client);
        if (step.call === 'find') {
          expect(findClient(table, scope, address, 0, sinceMs)).toBe(live);
        } else if (step.call === 'add') {
          if (live === MISS) map.set(name, { scope, value, atMs: nowMs });
          expect(findOrAddClient(table, scope, address, 0, sinceMs, value, nowMs)).toBe(live === MISS ? value : live);
        } else if (step.call === 'replace') {
          const gives = entry === undefined || entry.value === value;
          if (gives) map.set(name, { scope, value: step.other, atMs: nowMs });
          const expected = gives ? step.other : entry.value;
          expect(replaceClient(table, scope, address, 0, value, step.other, nowMs)).toBe(expected);
        } else if (step.call === 'count') {
          const isNew = entry === undefined || nowMs - entry.atMs >= WINDOW_MS;
          const expected = isNew ? 1 : Math.min(entry.value, MAX) + 1;
          if (expected <= MAX) map.set(name, { scope, value: expected, atMs: isNew ? nowMs : entry.atMs });
          expect(countClient(table, scope, address, 0, WINDOW_MS, MAX, nowMs)).toBe(expected);
        } else if (step.call === 'removeScope') {
          removeClientScopes(table, new Set([scope]));
          for (const [key, one] of map) if (one.scope === scope) map.delete(key);
        } else if (step.call === 'removeValue') {
          removeClientValues(table, new Set([value]));
          for (const [key, one] of map) if (one.value === value) map.delete(key);
        } else {
          table = createClientTable(memory, entries, 1);
          releaseClientLocks(table, 1);
        }
        expect(clientCount(table, EVER)).toBe(map.size);
        expect(clientCount(table, sinceMs)).toBe([...map.values()].filter((one) => one.atMs >= sinceMs).length);
      }
    }),
  );
});

test('a table at its capacity has forgotten nobody', () => {
  // A number of addresses that the sets are not made for exactly, so that the chance of a false alarm is below 10^-12.
  const entries = 10_000;
  const table = makeTable(entries);
  for (let index = 0; index < entries; index++) add(table, 0, index, index);
  const forgotten = Array.from({ length: entries }, (_, index) => index).filter((i) => find(table, 0, i) !== i);
  expect(forgotten).toEqual([]);
  expect(clientCount(table, EVER)).toBe(entries);
});

test('a million addresses through a table for 10,000: each is found when added, and the last 10,000 at the end', () => {
  const total = 1_000_000;
  const entries = 10_000;
  const table = makeTable(entries);
  const address = client(0);
  const last = new DataView(address.buffer);
  let wrong = 0;
  for (let index = 0; index < total; index++) {
    last.setUint32(12, index);
    if (findOrAddClient(table, 0, address, 0, EVER, index, 1 + index) !== index) wrong++;
    if (findClient(table, 0, address, 0, EVER) !== index) wrong++;
  }
  for (let index = total - entries; index < total; index++) if (find(table, 0, index) !== index) wrong++;
  expect(wrong).toBe(0);
  expect(clientCount(table, EVER)).toBe(slotsOf(table));
  expect(clientTableMisses(table)).toBe(0);
});
