// A byte that has changed in the database. Whatever is read is what was written, or it is refused;
// and a check of the store finds everything that would be read otherwise than it was written.

import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EMPTY_INVENTORY, type Inventory, inventoryOf } from '../../../../control/store/inventory.ts';
import { openStore } from '../../../../control/store/sqlite-store.ts';
import { type Revision, StoreError } from '../../../../control/store/store.ts';
import { checkStoredFile } from '../../../../control/store/store-check.ts';
import { Tokens } from '../../../../control/store/tokens.ts';
import { validateConfig } from '../../../../core/config/validate.ts';
import { makeOlder } from '../../../../testing/older-store.ts';
import { holdsAsync } from '../../../../testing/suite/property.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../../testing/temporary.ts';

const FILE = 'balancer.db';
const REVISIONS = 9;
const FLIPS = 60;

/** as it was written */
let whole: string;
let written: readonly (Revision | undefined)[];
let token = '';
/** the one that is damaged */
let directory: string;

beforeAll(() => {
  whole = makeTemporaryDirectory('whole');
  const store = openStore(whole);
  for (let revision = 1; revision <= REVISIONS; revision++) {
    store.write(revision - 1, {
      author: 'somebody',
      changes: [`port ${1000 + revision}`],
      inventory: inventory(revision),
    });
  }
  written = Array.from({ length: REVISIONS + 1 }, (_, revision) => store.at(revision));
  const tokens = new Tokens(store.database);
  tokens.create('writer', 'read_write');
  token = tokens.create('reader', 'read_only').token;
  store.close();
  directory = makeTemporaryDirectory('damaged');
});
beforeEach(restore);
afterAll(() => {
  for (const path of [whole, directory]) removeTemporaryDirectory(path);
});

function inventory(revision: number): Inventory {
  const nodes = [{ label: `node-${revision}`, address: `192.0.2.1:${1000 + revision}` }];
  const validated = validateConfig({ nodebalancers: [{ label: 'web', configs: [{ port: 1000 + revision, nodes }] }] });
  if (!('config' in validated)) throw new Error('the test has a bad configuration');
  return inventoryOf(validated.config, EMPTY_INVENTORY, 'local', '2026-01-02T03:04:05');
}

function restore(): void {
  rmSync(directory, { recursive: true });
  mkdirSync(directory);
  for (const name of readdirSync(whole)) copyFileSync(join(whole, name), join(directory, name));
}

/** Changes what is stored, past all that would have kept it whole. */
function damage(sql: string): void {
  const database = new DatabaseSync(join(directory, FILE));
  database.exec(sql);
  database.close();
}

/** One byte of revision 3's inventory, so that it inflates to another text or to none. */
function flipInInventory(at: number): void {
  const database = new DatabaseSync(join(directory, FILE));
  const [row] = database.prepare('SELECT inventory FROM revisions WHERE revision = 3').all();
  const bytes = Buffer.from(row?.inventory as Uint8Array);
  bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
  database.prepare('UPDATE revisions SET inventory = ? WHERE revision = 3').run(bytes);
  database.close();
}

function message(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof StoreError) return error.message;
    throw error;
  }
  return '';
}

const UPDATE = 'UPDATE revisions SET';

describe('an old revision', () => {
  test.each<[name: string, work: () => void, where: string]>([
    ['whose inventory has another byte', () => flipInInventory(40), 'its configuration'],
    [
      'whose author has another letter',
      () => damage(`${UPDATE} author = 'somebodz' WHERE revision = 3`),
      'who changed',
    ],
    [
      'whose time has another digit',
      () => damage(`${UPDATE} time = replace(time, ':', ';') WHERE revision = 3`),
      'who',
    ],
    ['whose differences read otherwise', () => damage(`${UPDATE} changes = '["port 2"]' WHERE revision = 3`), 'who'],
    ['whose differences cannot be read', () => damage(`${UPDATE} changes = 'x' WHERE revision = 3`), 'who changed'],
    ['whose checksum has another byte', () => damage(`${UPDATE} info_sum = x'00' WHERE revision = 3`), 'who changed'],
    [
      'that has lost its checksum',
      () => damage(`${UPDATE} inventory_sum = NULL WHERE revision = 3`),
      'its configuration',
    ],
    [
      'that has the inventory of another one',
      () =>
        damage(`${UPDATE} (inventory, inventory_sum) = (SELECT inventory, inventory_sum FROM revisions WHERE revision = 2)
          WHERE revision = 3`),
      'its configuration',
    ],
  ])('%s is refused when it is asked for, and found by a check; no other is concerned', async (_name, work, where) => {
    work();
    const store = openStore(directory);
    expect(message(() => store.at(3))).toMatch(
      /^revision 3 in the database .*balancer\.db is damaged: .*nothing was changed/,
    );
    for (const other of [0, 1, 2, 4, 5, 9]) expect(store.at(other)).toEqual(written[other]);
    expect(store.history(100).map(({ revision }) => revision)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    // It can still be written to.
    store.write(REVISIONS, { author: 'x', changes: ['x'], inventory: inventory(10) });
    store.close();
    const { problems } = await checkStoredFile(directory);
    expect(problems).toEqual([expect.stringContaining(`revision 3, ${where}`)]);
  });

  test('is marked in the list, whatever is left of it', () => {
    damage(`${UPDATE} changes = 'x', time = 'yesterday' WHERE revision = 3`);
    const store = openStore(directory);
    const [listed] = store.history(1, 4);
    expect(listed?.changes).toEqual([expect.stringMatching(/^this revision is damaged: /)]);
    expect(listed).toMatchObject({ revision: 3, author: '?', time: '1970-01-01T00:00:00' });
    store.close();
  });

  test('that is gone is missed', async () => {
    damage('DELETE FROM revisions WHERE revision IN (3, 5, 6)');
    expect((await checkStoredFile(directory)).problems).toEqual([
      'revision 3 is missing',
      'revisions 5 to 6 are missing',
    ]);
  });
});

test('while it is open: what has changed on the disk is noticed, although SQLite remembers the page', () => {
  const store = openStore(directory);
  for (let revision = 1; revision <= REVISIONS; revision++) store.at(revision);
  const path = join(directory, FILE);
  const bytes = readFileSync(path);
  // The last one: what stood in a page before it was split stays behind in the gap.
  const at = bytes.lastIndexOf('["port 1003"]');
  bytes.write('9', at + 10);
  writeFileSync(path, bytes);
  expect(message(() => store.at(3))).toMatch(/^revision 3 .* is damaged/);
  expect(store.at(4)).toEqual(written[4]);
  store.close();
});

describe('the latest revision', () => {
  test('is refused at the start when its configuration is not what was written', () => {
    damage(`${UPDATE} inventory = (SELECT inventory FROM revisions WHERE revision = 2) WHERE revision = 9`);
    expect(message(() => openStore(directory))).toMatch(
      /damaged: revision 9 cannot be read: it is not what was written/,
    );
  });

  test('is put into force when only its author is not: a letter in a name is no reason to serve nobody', () => {
    damage(`${UPDATE} author = 'somebodz' WHERE revision = 9`);
    const store = openStore(directory);
    expect(store.read().inventory).toEqual(written[9]?.inventory);
    expect(store.read().changes).toEqual([expect.stringMatching(/^this revision is damaged/)]);
    store.close();
  });
});

describe('a token', () => {
  test('that is not what was written is nobody’s, can be revoked, and is found', async () => {
    damage("UPDATE tokens SET scope = 'read_write' WHERE id = 2");
    expect((await checkStoredFile(directory)).problems).toEqual([
      expect.stringMatching(/^token 2 is not what was written/),
    ]);
    const store = openStore(directory);
    const tokens = new Tokens(store.database);
    expect(tokens.verify(token)).toBeUndefined();
    expect(tokens.damaged).toEqual([2]);
    expect(tokens.list().map(({ id }) => id)).toEqual([1]);
    expect([tokens.revoke(2), tokens.revoke(2)]).toEqual([true, false]);
    store.close();
    expect((await checkStoredFile(directory)).problems).toEqual([]);
  });

  test('is whole after it was used', async () => {
    const store = openStore(directory);
    expect(new Tokens(store.database).verify(token)?.label).toBe('reader');
    store.close();
    expect(await checkStoredFile(directory)).toMatchObject({
      revisions: REVISIONS,
      tokens: 2,
      problems: [],
      notices: [],
    });
  });
});

describe('a store from before there were checksums', () => {
  beforeEach(() => makeOlder(directory));

  test('is checked as it is, and stays as it is', async () => {
    const before = readFileSync(join(directory, FILE));
    const { problems, notices } = await checkStoredFile(directory);
    expect(problems).toEqual([]);
    expect(notices).toEqual([expect.stringMatching(/^it is of version 1, .*the next start adds them/)]);
    expect(readFileSync(join(directory, FILE))).toEqual(before);
  });

  test('opens with all that it had, and from then on damage is noticed', () => {
    const store = openStore(directory);
    expect(Array.from({ length: REVISIONS + 1 }, (_, revision) => store.at(revision))).toEqual(written);
    expect(new Tokens(store.database).verify(token)?.label).toBe('reader');
    store.close();
    flipInInventory(40);
    expect(message(() => openStore(directory).at(3))).toMatch(/revision 3 .* is damaged/);
  });
});

test.each([
  [
    'a column has another name',
    "UPDATE sqlite_schema SET sql = replace(sql, 'author', 'buthor')",
    /"revisions" is not what/,
  ],
  [
    'a table has another name',
    "UPDATE sqlite_schema SET sql = replace(sql, 'tokens', 'tokenz'), name = 'tokenz', tbl_name = 'tokenz' WHERE tbl_name = 'tokens'",
    /token/,
  ],
  ['its version is another', 'PRAGMA user_version = 1', /"revisions" is not what version 1 has/],
])('%s: refused as damage, and found by a check', async (_name, sql, expected) => {
  const database = new DatabaseSync(join(directory, FILE), { enableDoubleQuotedStringLiterals: true });
  database.enableDefensive(false);
  database.exec(`PRAGMA writable_schema = ON; ${sql}`);
  database.close();
  expect((await checkStoredFile(directory)).problems.join('\n')).toMatch(expected);
  expect(
    message(() => {
      const store = openStore(directory);
      try {
        store.history(1);
        new Tokens(store.database).list();
      } finally {
        store.close();
      }
    }),
  ).toMatch(/is damaged: /);
});

test('a store that is not there is no damage; one that is lost is', async () => {
  await expect(checkStoredFile(join(directory, 'none'))).rejects.toThrow(/there is no store in/);
  rmSync(join(directory, FILE));
  expect((await checkStoredFile(directory)).problems).toEqual(['it is missing or empty, and was neither before']);
});

/** All rows, whatever they are; undefined when they cannot be read. */
function rowsOf(path: string): string | undefined {
  const database = new DatabaseSync(path);
  try {
    const rows = ['revisions', 'tokens'].map((table) => {
      const statement = database.prepare(`SELECT * FROM ${table}`);
      statement.setReadBigInts(true);
      return statement.all();
    });
    const text = (value: unknown) => (typeof value === 'bigint' ? String(value) : value);
    return JSON.stringify(rows, (_key, value) => text(value));
  } catch {
    return undefined;
  } finally {
    database.close();
  }
}

test('bits flipped anywhere in the file: nothing is read that was not written, and a check finds it', async () => {
  const path = join(directory, FILE);
  const good = readFileSync(path);
  const rows = rowsOf(path);
  await holdsAsync(
    fc.asyncProperty(fc.nat(good.length - 1), fc.nat(7), async (at, bit) => {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ (1 << bit);
      const put = () => {
        restore();
        writeFileSync(path, bad);
      };
      put();
      const isSame = rowsOf(path) === rows;
      put();
      const isFound = await checkStoredFile(directory).then(
        ({ problems }) => problems.length > 0,
        (error) => error instanceof StoreError,
      );
      expect([isSame, isFound]).not.toEqual([false, false]);
      message(() => readAll());
    }),
    { numRuns: FLIPS },
  );
});

/** Every revision is what was written, or refused. @throws StoreError when the store cannot be opened */
function readAll(): void {
  const store = openStore(directory);
  try {
    for (let revision = 1; revision <= REVISIONS; revision++) {
      let read: Revision | undefined;
      const refusal = message(() => {
        read = store.at(revision);
      });
      if (refusal === '' && read !== undefined) expect(read).toEqual(written[revision]);
    }
  } finally {
    store.close();
  }
}
