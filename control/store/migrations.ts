// What the database consists of, version by version. A migration is never edited once it is
// released, only added to the list: each brings the version before (its index) to the next one.

import type { DatabaseSync } from 'node:sqlite';
import { infoSum, inventorySum, type RevisionRow, type TokenRow, tokenSum } from './row-sums.ts';

interface Migration {
  readonly statements: string;
  /** gives values to what is new in rows that are there */
  readonly fill?: (database: DatabaseSync) => void;
}

const MIGRATIONS: readonly Migration[] = [
  {
    statements: `CREATE TABLE revisions (
     revision INTEGER PRIMARY KEY,
     time TEXT NOT NULL,
     author TEXT NOT NULL,
     changes TEXT NOT NULL,
     inventory BLOB NOT NULL
   ) STRICT;
   CREATE TABLE tokens (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     hash BLOB NOT NULL UNIQUE,
     label TEXT NOT NULL,
     scope TEXT NOT NULL CHECK (scope IN ('read_only', 'read_write')),
     created TEXT NOT NULL,
     used TEXT
   ) STRICT;`,
  },
  {
    statements: `ALTER TABLE revisions ADD COLUMN info_sum BLOB;
   ALTER TABLE revisions ADD COLUMN inventory_sum BLOB;
   ALTER TABLE tokens ADD COLUMN sum BLOB;`,
    fill: (database) => {
      sumRevisions(database);
      sumTokens(database);
    },
  },
  {
    statements: `CREATE TABLE logins (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     hash BLOB NOT NULL UNIQUE,
     token INTEGER,
     created TEXT NOT NULL,
     opened TEXT,
     until INTEGER NOT NULL,
     sum BLOB NOT NULL
   ) STRICT;`,
  },
];

/** of a database that this program has brought up to date */
export const VERSION = MIGRATIONS.length;

export function versionOf(database: DatabaseSync): number {
  return Number(Object.values(database.prepare('PRAGMA user_version').get() ?? { version: 0 })[0]);
}

/** One version further; to be run within a transaction. @param version that the database has */
export function migrateFrom(database: DatabaseSync, version: number): void {
  const migration = MIGRATIONS[version];
  if (migration === undefined) throw new Error(`there is no migration from version ${version}`);
  database.exec(`${migration.statements}\nPRAGMA user_version = ${version + 1}`);
  migration.fill?.(database);
}

/** A row at a time: together the inventories may have more bytes than memory is to be spent on. */
function sumRevisions(database: DatabaseSync): void {
  const revisions = database.prepare('SELECT revision FROM revisions').all();
  const read = database.prepare('SELECT revision, time, author, changes, inventory FROM revisions WHERE revision = ?');
  const write = database.prepare('UPDATE revisions SET info_sum = ?, inventory_sum = ? WHERE revision = ?');
  for (const { revision } of revisions) {
    const row = read.get(revision ?? null) as unknown as RevisionRow;
    write.run(infoSum(row), inventorySum(row), row.revision);
  }
}

function sumTokens(database: DatabaseSync): void {
  const rows = database.prepare('SELECT id, hash, label, scope, created, used FROM tokens').all();
  const write = database.prepare('UPDATE tokens SET sum = ? WHERE id = ?');
  for (const row of rows as unknown as TokenRow[]) write.run(tokenSum(row), row.id);
}
