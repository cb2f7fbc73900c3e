// The embedded database: one file in the data directory, owned by one process at a time. Opening it answers every question about its
// state before anything relies on it; a database that is not whole is refused, never replaced by an empty one.

import { closeSync, existsSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DirectoryError, makeDirectory } from '../data-directory.ts';
import { firstObstacle } from './data-file.ts';
import { migrateFrom, VERSION, versionOf } from './migrations.ts';
import { StoreError } from './store.ts';

const FILE_NAME = 'balancer.db';
/** There since the first revision was written: a database that is empty beside it was lost, and is not a new one. */
const MARKER_NAME = 'balancer.db.exists';
const FILE_MODE = 0o600;
/** what every database begins with (sqlite.org/fileformat2.html) */
const MAGIC = 'SQLite format 3\0';
/** what SQLite keeps beside a file, under its name and these */
export const BESIDE = ['-wal', '-journal'] as const;
const NO_TABLES = 'it has no tables, and had some before';
/** sqlite.org/rescode.html: the low byte of an extended code. SQLITE_BUSY, SQLITE_LOCKED */
const BUSY_CODES: ReadonlySet<number> = new Set([5, 6]);
/** SQLITE_READONLY, SQLITE_CANTOPEN */
const CLOSED_CODES: ReadonlySet<number> = new Set([8, 14]);
/**
 * SQLITE_ERROR, SQLITE_CORRUPT, SQLITE_NOTADB. Our statements never change: one that the first of
 * these is said of has met tables that are not what they were, or another version's number on them.
 */
const DAMAGE_CODES: ReadonlySet<number> = new Set([1, 11, 26]);

export function databasePath(directory: string): string {
  return join(directory, FILE_NAME);
}

/** @throws StoreError when the database is damaged, newer than this program, held by another process or not to be reached */
export function openDatabase(directory: string): DatabaseSync {
  const path = databasePath(directory);
  try {
    makeDirectory(directory);
    refuseObstacles(directory, path);
    const loss = lossOf(directory, path);
    if (loss !== undefined) throw damage(path, loss);
    createPrivately(path);
    const database = new DatabaseSync(path);
    try {
      prepare(database, path, isMarked(directory));
      if (!isMarked(directory)) writeFileSync(join(directory, MARKER_NAME), '', { mode: FILE_MODE });
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw asStoreError(error, path);
  }
}

export interface OpenForCheck {
  readonly path: string;
  /** undefined when it is so damaged that there is nothing to be asked */
  readonly database: DatabaseSync | undefined;
  /** then: what is wrong */
  readonly problem: string;
}

/**
 * Neither made nor brought up to date, and not written to.
 * @throws StoreError when there is none, or it cannot be reached
 */
export function openForCheck(directory: string): OpenForCheck {
  const path = databasePath(directory);
  refuseObstacles(directory, path);
  const loss = lossOf(directory, path);
  if (loss !== undefined) return { path, database: undefined, problem: loss };
  if (!existsSync(path)) throw new StoreError(`there is no store in ${directory}: name its directory (--data-dir)`);
  const database = new DatabaseSync(path);
  try {
    // Taken with the first statement that reads: nobody writes while it is looked at.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF');
    const version = versionOf(database);
    refuseNewer(path, version);
    if (version > 0) return { path, database, problem: '' };
    database.close();
    return { path, database: undefined, problem: NO_TABLES };
  } catch (error) {
    database.close();
    const known = asStoreError(error, path);
    if (!(error instanceof StoreError) && isDamage(error))
      return { path, database: undefined, problem: messageOf(error) };
    throw known;
  }
}

function isMarked(directory: string): boolean {
  return statSync(join(directory, MARKER_NAME), { throwIfNoEntry: false }) !== undefined;
}

/**
 * SQLite says of each of them that it cannot open the database, and would wait for the other end of
 * a FIFO.
 */
function refuseObstacles(directory: string, path: string): void {
  const files = [path, ...BESIDE.map((suffix) => `${path}${suffix}`), join(directory, MARKER_NAME)];
  const obstacle = firstObstacle(files);
  if (obstacle === undefined) return;
  throw new StoreError(
    `the database ${path} cannot be used: ${obstacle}. Nothing was changed. Mend that, or give the balancer another directory (BALANCER_DATA_DIR)`,
  );
}

/**
 * SQLite takes a missing or an empty file for a new database.
 * @returns what has become of the one that was there
 */
function lossOf(directory: string, path: string): string | undefined {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  // A wrong header is told here in plain words; SQLite calls it "not a database" only at the first
  // statement.
  if (bytes > 0) return headOf(path) === MAGIC ? undefined : 'it is not a database';
  return isMarked(directory) ? 'it is missing or empty, and was neither before' : undefined;
}

function headOf(path: string): string {
  const head = Buffer.alloc(MAGIC.length);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  return head.toString('latin1');
}

/** SQLite makes files that everybody may read, and gives the log beside a file that file's mode. */
export function createPrivately(path: string): void {
  closeSync(openSync(path, 'a', FILE_MODE));
}

function prepare(database: DatabaseSync, path: string, isKnown: boolean): void {
  // With the lock held by one process there is no shared-memory file, and nobody writes between our reading and our writing.
  database.exec('PRAGMA locking_mode = EXCLUSIVE');
  database.exec('PRAGMA journal_mode = WAL');
  // An answered write is on the disk.
  database.exec('PRAGMA synchronous = FULL');
  // Every commit goes on into the database itself. SQLite takes a log that is missing, or damaged from some point on, for one that
  // ends there, and says nothing: what was only in it would be gone without a word. It costs one more sync per write.
  database.exec('PRAGMA wal_autocheckpoint = 1');
  database.exec('PRAGMA trusted_schema = OFF');
  // In this mode a read takes the lock for good.
  const check = database.prepare('PRAGMA quick_check(1)').get();
  const [result] = Object.values(check ?? {});
  if (result !== 'ok') throw damage(path, String(result));
  migrate(database, path, isKnown);
}

/** @param isKnown there was a database here before: one without tables has lost them */
function migrate(database: DatabaseSync, path: string, isKnown: boolean): void {
  const version = versionOf(database);
  if (version === 0 && isKnown) throw damage(path, NO_TABLES);
  refuseNewer(path, version);
  for (let from = version; from < VERSION; from++) {
    transaction(database, () => migrateFrom(database, from));
  }
}

/** @throws StoreError */
export function refuseNewer(path: string, version: number): void {
  if (version <= VERSION) return;
  throw new StoreError(
    `the database ${path} is of version ${version}, and this balancer knows versions up to ${VERSION}: ` +
      'it was written by a newer balancer; run that one, or move the file away and start again from an export',
  );
}

/** Runs `work` so that all of it holds or nothing. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A statement that failed for want of space has rolled back by itself (sqlite.org/lang_transaction.html).
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

export function damage(path: string, what: string): StoreError {
  return new StoreError(
    `the database ${path} is damaged: ${what.replace(/\s+/g, ' ')}. Nothing was changed. Restore it (with ${FILE_NAME}-wal beside it) from a backup; ` +
      `or move ${FILE_NAME}* away, and "balancer apply -f FILE" makes a new one from a configuration file`,
  );
}

/** An error of the database or of the file system, in words that say what to do. */
export function asStoreError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof DirectoryError) return new StoreError(error.message, error.isTemporary);
  if (BUSY_CODES.has(codeOf(error))) {
    return new StoreError(
      `the database ${path} is held by another process: one balancer at a time; BALANCER_DATA_DIR gives each a directory of its own`,
      true,
    );
  }
  if (isDamage(error)) return damage(path, messageOf(error));
  const hint = CLOSED_CODES.has(codeOf(error)) ? ': this user must be able to write its directory, too' : '';
  return new StoreError(`the database ${path} cannot be used: ${messageOf(error)}${hint}`);
}

export function isDamage(error: unknown): boolean {
  // A number that no revision can have.
  const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_OUT_OF_RANGE';
  return isTooLarge || DAMAGE_CODES.has(codeOf(error));
}

/** SQLite's; 0 where it is none of its errors */
function codeOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
