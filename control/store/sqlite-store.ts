// The store in an embedded database. A revision is one row, written once and never changed; its number is the key, so that writing
// the next one is the compare-and-set: who comes second finds the number taken.

import type { DatabaseSync } from 'node:sqlite';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { asStoreError, damage, databasePath, openDatabase, transaction } from './database.ts';
import { EMPTY_INVENTORY, type Inventory } from './inventory.ts';
import { problemsOf, readInventory } from './inventory-check.ts';
import { ConflictError, type NewRevision, type Revision, type RevisionInfo, type Store, StoreError } from './store.ts';
import { utcSeconds } from './time.ts';

/** as far as a rollback reaches */
const REVISIONS_MAX = 1000;
/** far above what 4,096 nodes need; a guard against a damaged row */
const INVENTORY_BYTES_MAX = 64 << 20;

const FIRST: Revision = {
  revision: 0,
  time: '1970-01-01T00:00:00',
  author: '',
  changes: [],
  inventory: EMPTY_INVENTORY,
};

export class SqliteStore implements Store {
  /** for what lives in the same file: tokens */
  readonly database: DatabaseSync;
  readonly #path: string;
  readonly #now: () => number;
  readonly #listeners = new Set<(revision: Revision) => void>();
  #latest: Revision;

  /** @param now milliseconds since 1970 @throws StoreError */
  constructor(directory: string, now: () => number) {
    this.#path = databasePath(directory);
    this.#now = now;
    this.database = openDatabase(directory);
    try {
      const row = this.database.prepare('SELECT * FROM revisions ORDER BY revision DESC LIMIT 1').get();
      this.#latest = row === undefined ? FIRST : this.#revisionOf(row);
    } catch (error) {
      this.database.close();
      throw asStoreError(error, this.#path);
    }
  }

  read(): Revision {
    return this.#latest;
  }

  write(base: number, next: NewRevision): Revision {
    if (base !== this.#latest.revision) throw new ConflictError(this.#latest);
    // What could not be read again would lock everybody out at the next start.
    const isGood = readInventory(next.inventory) !== undefined && problemsOf(next.inventory).length === 0;
    if (!isGood) throw new Error('an inventory was to be written that is none');
    const revision = { ...next, revision: base + 1, time: utcSeconds(this.#now()) };
    this.#guarded(() =>
      transaction(this.database, () => {
        this.database
          .prepare('INSERT INTO revisions (revision, time, author, changes, inventory) VALUES (?, ?, ?, ?, ?)')
          .run(
            revision.revision,
            revision.time,
            revision.author,
            JSON.stringify(revision.changes),
            pack(revision.inventory),
          );
        this.database.prepare('DELETE FROM revisions WHERE revision <= ?').run(revision.revision - REVISIONS_MAX);
      }),
    );
    this.#latest = revision;
    for (const listener of this.#listeners) listener(revision);
    return revision;
  }

  at(revision: number): Revision | undefined {
    if (revision === this.#latest.revision) return this.#latest;
    const row = this.#guarded(() => this.database.prepare('SELECT * FROM revisions WHERE revision = ?').get(revision));
    if (row !== undefined) return this.#revisionOf(row);
    // The empty inventory that everything began with is as good a place to go back to, while nothing after it was forgotten.
    const isWhole = this.#latest.revision < REVISIONS_MAX;
    return revision === 0 && isWhole ? FIRST : undefined;
  }

  history(limit: number, before = Number.MAX_SAFE_INTEGER): readonly RevisionInfo[] {
    const rows = this.#guarded(() =>
      this.database
        .prepare(
          'SELECT revision, time, author, changes FROM revisions WHERE revision < ? ORDER BY revision DESC LIMIT ?',
        )
        .all(before, limit),
    );
    return rows.map((row) => this.#infoOf(row));
  }

  watch(listener: (revision: Revision) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.database.close();
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw asStoreError(error, this.#path);
    }
  }

  #infoOf(row: Record<string, unknown>): RevisionInfo {
    const { revision, time, author, changes } = row;
    const lines: unknown = typeof changes === 'string' ? JSON.parse(changes) : undefined;
    const isGood = typeof revision === 'number' && typeof time === 'string' && typeof author === 'string';
    if (!isGood || !isTexts(lines)) throw damage(this.#path, `revision ${revision} cannot be read`);
    return { revision, time, author, changes: lines };
  }

  #revisionOf(row: Record<string, unknown>): Revision {
    const info = this.#infoOf(row);
    try {
      return { ...info, inventory: unpack(row.inventory) };
    } catch (error) {
      if (error instanceof StoreError) throw error;
      throw damage(
        this.#path,
        `revision ${info.revision} cannot be read: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
}

/** @param now milliseconds since 1970 @throws StoreError */
export function openStore(directory: string, now: () => number = Date.now): SqliteStore {
  return new SqliteStore(directory, now);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function pack(inventory: Inventory): Uint8Array {
  return deflateRawSync(JSON.stringify(inventory));
}

function unpack(packed: unknown): Inventory {
  if (!(packed instanceof Uint8Array)) throw new Error('it has no inventory');
  const inventory = readInventory(
    JSON.parse(inflateRawSync(packed, { maxOutputLength: INVENTORY_BYTES_MAX }).toString()),
  );
  if (inventory === undefined) throw new Error('what it has is no inventory');
  return inventory;
}
