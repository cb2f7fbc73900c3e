// The embedded store: one owner, whole revisions, compare-and-set, and no empty configuration in the place of a damaged one.

import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Changes } from '../../../../control/changes.ts';
import { RefusedChange } from '../../../../control/data-plane.ts';
import { openDatabase } from '../../../../control/store/database.ts';
import { configOf, EMPTY_INVENTORY, type Inventory, inventoryOf } from '../../../../control/store/inventory.ts';
import { refuseUnsound } from '../../../../control/store/refusal.ts';
import { openStore } from '../../../../control/store/sqlite-store.ts';
import { ConflictError, StoreError } from '../../../../control/store/store.ts';
import { UNKNOWN_MACHINE } from '../../../../core/config/own-ports.ts';
import { validateConfig } from '../../../../core/config/validate.ts';
import { rewriteRevision } from '../../../../testing/older-store.ts';
import { holdsAsync } from '../../../../testing/suite/property.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../../testing/temporary.ts';

let directory: string;
beforeEach(() => {
  directory = makeTemporaryDirectory('store');
});
afterEach(() => removeTemporaryDirectory(directory));

const FILE = 'balancer.db';

/** A nodebalancer with one port. */
function inventory(port: number, before: Inventory = EMPTY_INVENTORY): Inventory {
  const validated = validateConfig({ nodebalancers: [{ label: 'web', configs: [{ port }] }] });
  if (!('config' in validated)) throw new Error('the test has a bad configuration');
  return inventoryOf(validated.config, before, 'local', '2026-01-02T03:04:05');
}

const next = (port: number) => ({ author: 'test', changes: [`port ${port}`], inventory: inventory(port) });

/** Writes revisions 1 to `count`, with ports 1001 … */
function fill(count: number): void {
  const store = openStore(directory);
  for (let revision = 1; revision <= count; revision++) store.write(revision - 1, next(1000 + revision));
  store.close();
}

describe('revisions', () => {
  test('what is written is there after opening again', () => {
    fill(3);
    const store = openStore(directory);
    expect(store.read()).toMatchObject({ revision: 3, author: 'test', inventory: inventory(1003) });
    expect(store.at(1)?.inventory).toEqual(inventory(1001));
    expect(store.at(0)?.inventory).toEqual(EMPTY_INVENTORY);
    expect(store.at(4)).toBeUndefined();
    expect(store.history(2).map(({ revision }) => revision)).toEqual([3, 2]);
    expect(store.history(2, 3).map(({ revision }) => revision)).toEqual([2, 1]);
    store.close();
  });

  test('who comes second is told so, and nothing is written', () => {
    const store = openStore(directory);
    store.write(0, next(1001));
    expect(() => store.write(0, next(1002))).toThrow(ConflictError);
    expect(store.read().inventory).toEqual(inventory(1001));
    store.close();
  });

  test('an inventory that could not be read again is not written', () => {
    const store = openStore(directory);
    const [nodebalancer] = inventory(1001).nodebalancers;
    const bad = { ...inventory(1001), nodebalancers: [nodebalancer, nodebalancer] } as Inventory;
    expect(() => store.write(0, { ...next(1001), inventory: bad })).toThrow();
    expect(store.read().revision).toBe(0);
    store.close();
  });

  test('old ones go', () => {
    const store = openStore(directory);
    // A thousand syncs take as long as the disk wants.
    store.database.exec('PRAGMA synchronous = OFF');
    for (let revision = 1; revision <= 1003; revision++) store.write(revision - 1, next(1000 + revision));
    expect(store.at(3)).toBeUndefined();
    expect(store.at(4)?.inventory).toEqual(inventory(1004));
    expect(store.at(0)).toBeUndefined();
    store.close();
  });

  test('files are readable by their owner alone', () => {
    fill(1);
    for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & 0o077, name).toBe(0);
  });
});

describe('what cannot be opened is refused with a hint', () => {
  test('a database that another one holds', () => {
    const store = openStore(directory);
    // Another process, as far as the lock is concerned: this one's own locks do not count against itself.
    const script = `const { openStore } = await import(${JSON.stringify(join(import.meta.dirname, '../../../../control/store/sqlite-store.ts'))});
      try { openStore(${JSON.stringify(directory)}); } catch (error) { console.log(error.name, error.message); }`;
    const { stdout } = spawnNode(script);
    expect(stdout).toMatch(/^StoreError .* is held by another process/);
    store.close();
  });

  test.each<[name: string, damage: (path: string) => void]>([
    ['bytes overwritten in the middle', (path) => overwrite(path, 4096, 4096)],
    ['the header overwritten', (path) => overwrite(path, 0, 100)],
    ['truncated', (path) => truncateSync(path, 5000)],
    ['emptied', (path) => truncateSync(path, 0)],
    ['removed', (path) => rmSync(path)],
    ['text instead', (path) => writeFileSync(path, 'nodebalancers: []\n')],
  ])('%s', (_name, damage) => {
    fill(30);
    const path = join(directory, FILE);
    for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
    damage(path);
    expect(() => openStore(directory)).toThrow(StoreError);
    try {
      openStore(directory);
    } catch (error) {
      expect(String(error)).toMatch(/damaged.*Restore it.*balancer apply -f FILE/);
    }
  });

  test('a database without tables, where there was one', () => {
    fill(1);
    rmSync(join(directory, FILE));
    const empty = new DatabaseSync(join(directory, FILE));
    empty.exec('PRAGMA journal_mode = WAL');
    empty.close();
    expect(() => openStore(directory)).toThrow(/damaged: it has no tables, and had some before/);
  });

  test('a last revision that is no inventory', () => {
    fill(2);
    const database = new DatabaseSync(join(directory, FILE));
    database.exec("UPDATE revisions SET inventory = x'00' WHERE revision = 2");
    database.close();
    expect(() => openStore(directory)).toThrow(/revision 2 cannot be read/);
  });

  test('a database of a newer version', () => {
    fill(1);
    const database = new DatabaseSync(join(directory, FILE));
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(() => openDatabase(directory)).toThrow(/written by a newer balancer/);
  });

  test('moved away, it makes room for a new one', () => {
    fill(1);
    for (const name of readdirSync(directory)) if (name.startsWith(FILE)) rmSync(join(directory, name));
    const store = openStore(directory);
    expect(store.read().revision).toBe(0);
    store.close();
  });
});

describe('what an older version has written, and this one would refuse', () => {
  type Fields = Record<string, unknown>;
  const [good] = inventory(1001).nodebalancers;
  const [config] = good?.configs ?? [];
  const node = (address: string) => ({ id: 9, label: 'one', address, weight: 50, mode: 'accept' });
  const withConfig = (fields: Fields): Fields => ({ ...good, configs: [{ ...config, ...fields }] });
  const of = (...nodebalancers: unknown[]) => ({ nextId: 20, nodebalancers });

  test.each<[name: string, stored: unknown, expected: RegExp]>([
    [
      'a node that is no one machine',
      of(withConfig({ nodes: [node('224.0.0.1:80')] })),
      /nodebalancers\[0\]\.configs\[0\]\.nodes\[0\]\.address \(web port 1001, node one\): found "224/,
    ],
    [
      'a number out of its range',
      of(withConfig({ check_attempts: 99 })),
      /check_attempts \(web port 1001\): found 99, expected a whole number from 1 to 30/,
    ],
    [
      'a word that is gone',
      of(withConfig({ algorithm: 'random' })),
      /algorithm \(web port 1001\): found "random", expected roundrobin/,
    ],
    ['a key that is gone', of(withConfig({ colour: 'red' })), /colour \(web port 1001\): /],
    [
      'a label that is taken',
      of(good, { ...good, id: 7 }),
      /nodebalancers\[1\]\.label \(web\): found label "web" \(also at nodebalancers\[0\]\.label\)/,
    ],
  ])('%s: it is whole, and refused in words', async (_name, stored, expected) => {
    fill(2);
    rewriteRevision(directory, 2, stored);
    const store = openStore(directory);
    let message = '';
    try {
      refuseUnsound(store.read());
    } catch (error) {
      expect(error).toBeInstanceOf(StoreError);
      message = String(error);
    }
    expect(message).toMatch(expected);
    expect(message).toMatch(/revision 2, of .*Z, by test\) is whole, but not accepted by this version/);
    expect(message).toMatch(/balancer rollback.*balancer export.*balancer apply/);
    expect(message).not.toMatch(/damaged/);

    // Both ways out: what is stored is left as it is until somebody decides.
    const plane = { apply: vi.fn(async () => []), file: undefined };
    const changes = new Changes({ store, plane, region: 'local', own: () => UNKNOWN_MACHINE });
    expect(changes.preview(configOf(inventory(1005)))).toHaveLength(1);
    const replaced = await changes.replace('test', configOf(inventory(1005)));
    expect(replaced).toMatchObject({
      revision: 3,
      changes: ['the whole configuration anew: this version did not accept what was stored'],
    });
    expect(() => refuseUnsound(replaced)).not.toThrow();
    await expect(changes.rollback('test', 2)).rejects.toThrow(RefusedChange);
    expect(plane.apply).toHaveBeenCalledTimes(1);
    expect((await changes.rollback('test', 1))?.inventory.nodebalancers).toEqual(inventory(1001).nodebalancers);
    store.close();
  });

  test('a hundred mistakes are not a hundred lines', () => {
    fill(1);
    const nodes = Array.from({ length: 100 }, (_, id) => ({
      ...node(`224.0.0.${id}:80`),
      id: id + 10,
      label: `n-${id}`,
    }));
    rewriteRevision(directory, 1, of(withConfig({ nodes })));
    const store = openStore(directory);
    expect(() => refuseUnsound(store.read())).toThrow(/and 80 more\n/);
    store.close();
  });

  test.each<[name: string, stored: unknown]>([
    ['a list', []],
    ['no ids', { nextId: 2, nodebalancers: [{ ...good, id: undefined }] }],
    ['a node without an address', of(withConfig({ nodes: [{ id: 9, label: 'one' }] }))],
    ['nothing', null],
  ])('%s is no inventory at all, and damage', (_name, stored) => {
    fill(1);
    rewriteRevision(directory, 1, stored);
    expect(() => openStore(directory)).toThrow(/damaged: revision 1 cannot be read/);
  });
});

test.each<[name: string, damage: (log: string) => void]>([
  ['lost', (log) => rmSync(log)],
  ['emptied', (log) => truncateSync(log, 0)],
  ['damaged at its begin', (log) => overwrite(log, 32, 64)],
  ['damaged in its last third', (log) => overwrite(log, Math.floor((statSync(log).size * 2) / 3), 64)],
])('a process dies and its log is %s: all that was written is there', (_name, damage) => {
  const living = openStore(directory);
  for (let revision = 1; revision <= 9; revision++) living.write(revision - 1, next(1000 + revision));
  // The files as a death leaves them: closing would tidy up.
  const dead = makeTemporaryDirectory('dead');
  for (const name of readdirSync(directory)) copyFileSync(join(directory, name), join(dead, name));
  living.close();
  damage(join(dead, `${FILE}-wal`));
  const store = openStore(dead);
  expect(store.read()).toMatchObject({ revision: 9, inventory: inventory(1009) });
  expect(store.history(100)).toHaveLength(9);
  store.close();
  removeTemporaryDirectory(dead);
});

test('a copy of the files is a backup', () => {
  fill(5);
  const copy = makeTemporaryDirectory('copy');
  for (const name of readdirSync(directory)) copyFileSync(join(directory, name), join(copy, name));
  const store = openStore(copy);
  expect(store.read().revision).toBe(5);
  store.close();
  removeTemporaryDirectory(copy);
});

test('a rollback gives what was, under ids that were never anybody else’s', async () => {
  const store = openStore(directory);
  const plane = { apply: async () => [], file: undefined };
  const changes = new Changes({ store, plane, region: 'local', own: () => UNKNOWN_MACHINE });
  await holdsAsync(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 65535 }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      async (ports, pick) => {
        for (const port of ports) await changes.change('test', (before) => inventory(port, before));
        const { revision, inventory: present } = store.read();
        const target = Math.max(0, revision - (pick % 5));
        const wanted = store.at(target)?.inventory;
        const made = await changes.rollback('test', target);
        if (made === undefined || wanted === undefined) throw new Error(`revision ${target} is gone`);
        expect(configOf(made.inventory)).toEqual(configOf(wanted));
        // Where only ids would differ nothing is to be done: whoever knows the present ones goes on with them.
        if (made.revision > revision) expect(made.inventory.nodebalancers).toEqual(wanted.nodebalancers);
        expect(made.inventory.nextId).toBeGreaterThanOrEqual(present.nextId);
      },
    ),
    { numRuns: 30, examples: [[[80, 443, 80], 2]] },
  );
  store.close();
});

test('what was written and could not be stored is not left in force', async () => {
  const store = openStore(directory);
  const applied: number[] = [];
  const plane = {
    apply: async (config: { nodebalancers: readonly unknown[] }) => {
      applied.push(config.nodebalancers.length);
      return [];
    },
    file: undefined,
  };
  const changes = new Changes({ store, plane, region: 'local', own: () => UNKNOWN_MACHINE });
  store.database.exec('PRAGMA query_only = ON');
  await expect(changes.change('test', () => inventory(80))).rejects.toThrow(StoreError);
  expect(applied).toEqual([1, 0]);
  expect(store.read().revision).toBe(0);
  store.close();
});

function overwrite(path: string, at: number, bytes: number): void {
  const content = readFileSync(path);
  content.fill(0xa5, at, at + bytes);
  writeFileSync(path, content);
}

function spawnNode(script: string): { stdout: string } {
  expect(existsSync(process.execPath)).toBe(true);
  const { stdout } = spawnSync(
    process.execPath,
    ['--input-type=module', '--disable-warning=ExperimentalWarning', '-e', script],
    {
      encoding: 'utf8',
    },
  );
  return { stdout };
}
