// The store in an embedded database. A revision is one row, written once and never changed; its number is the key, so that writing
// the next one is the compare-and-set: who comes second finds the number taken.

import type { DatabaseSync } from 'node:sqlite';
import { asStoreError, damage, databasePath, isDamage, openDatabase, transaction } from './database.ts';
import { EMPTY_INVENTORY } from './inventory.ts';
import { isSound, readInventory } from './inventory-check.ts';
import { INFO_COLUMNS, infoOf, infoProblem, inventoryIn, type Row, rowOf } from './revision-rows.ts';
import { ConflictError, type NewRevision, type Revision, type RevisionInfo, type Store, StoreError } from './store.ts';
import { utcSeconds } from './time.ts';

/** as far as a rollback reaches */
const REVISIONS_MAX = 1000;

const WRITE = `INSERT INTO revisions (revision, time, author, changes, inventory, info_sum, inventory_sum)
  VALUES (:revision, :time, :author, :changes, :inventory, :info_sum, :inventory_sum)`;

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
      this.#latest = row === undefined ? FIRST : this.#latestOf(row);
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
    const isGood = readInventory(next.inventory) !== undefined && isSound(next.inventory);
    if (!isGood) throw new Error('an inventory was to be written that is none');
    const revision = { ...next, revision: base + 1, time: utcSeconds(this.#now()) };
    this.#guarded(() =>
      transaction(this.database, () => {
        this.database.prepare(WRITE).run(rowOf(revision));
        this.database.prepare('DELETE FROM revisions WHERE revision <= ?').run(revision.revision - REVISIONS_MAX);
      }),
    );
    this.#latest = revision;
    for (const listener of this.#listeners) listener(revision);
    return revision;
  }

  at(revision: number): Revision | undefined {
    const row = this.#rowOf(revision);
    if (row !== undefined) return this.#revisionOf(row);
    // The empty inventory that everything began with is as good a place to go back to, while nothing after it was forgotten.
    const isWhole = this.#latest.revision < REVISIONS_MAX;
    return revision === 0 && isWhole ? FIRST : undefined;
  }

  history(limit: number, before = Number.MAX_SAFE_INTEGER): readonly RevisionInfo[] {
    const rows = this.#guarded(() =>
      this.database
        .prepare(`SELECT ${INFO_COLUMNS} FROM revisions WHERE revision < ? ORDER BY revision DESC LIMIT ?`)
        .all(before, limit),
    );
    return rows.map(infoOf);
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

  /**
   * From the disk, not from what SQLite remembers of it: damage is noticed when a revision is asked
   * for.
   */
  #rowOf(revision: number): Row | undefined {
    try {
      this.database.exec('PRAGMA shrink_memory');
      return this.database.prepare('SELECT * FROM revisions WHERE revision = ?').get(revision);
    } catch (error) {
      if (isDamage(error)) throw this.#damaged(revision, error);
      throw asStoreError(error, this.#path);
    }
  }

  /** What is to be put into force: without its inventory there is no start. */
  #latestOf(row: Row): Revision {
    const info = infoOf(row);
    try {
      return { ...info, inventory: inventoryIn(row) };
    } catch (error) {
      throw damage(this.#path, `revision ${info.revision} cannot be read: ${messageOf(error)}`);
    }
  }

  #revisionOf(row: Row): Revision {
    const info = infoOf(row);
    try {
      const problem = infoProblem(row);
      if (problem !== undefined) throw new Error(problem);
      return { ...info, inventory: inventoryIn(row) };
    } catch (error) {
      throw this.#damaged(info.revision, error);
    }
  }

  #damaged(revision: number, cause: unknown): StoreError {
    return new StoreError(
      `revision ${revision} in the database ${this.#path} is damaged: ${messageOf(cause)}. It cannot be shown or gone back to; ` +
        'nothing was changed. "balancer check --store" looks for more of it; a backup may have it whole',
    );
  }
}

/** @param now milliseconds since 1970 @throws StoreError */
export function openStore(directory: string, now: () => number = Date.now): SqliteStore {
  return new SqliteStore(directory, now);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
