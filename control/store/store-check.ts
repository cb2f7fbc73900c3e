// Whether what is stored is whole: the database's pages and tables as SQLite sees them, and each
// row by its checksum. It changes nothing, says all that it finds, and lets others have their turn
// between two rows, since it also runs beside the API.

import { DatabaseSync } from 'node:sqlite';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { asStoreError, openForCheck } from './database.ts';
import { readLogins } from './login-table.ts';
import { migrateFrom, VERSION, versionOf } from './migrations.ts';
import { infoProblem, inventoryIn } from './revision-rows.ts';
import { StoreError } from './store.ts';
import { readTokens } from './tokens.ts';

export interface StoreReport {
  /** the database's file */
  readonly path: string;
  readonly revisions: number;
  readonly tokens: number;
  /** each a sentence without its end; none: all is whole */
  readonly problems: readonly string[];
  /** what is no damage, and may surprise */
  readonly notices: readonly string[];
}

const PROBLEMS_MAX = 100;

/**
 * One look at a time, whoever asks meanwhile: it may take seconds of the thread that also answers
 * others.
 */
export function storeChecker(database: DatabaseSync, path: string): () => Promise<StoreReport> {
  let running: Promise<StoreReport> | undefined;
  return () => {
    running ??= checkDatabase(database, path).finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** @param path for the report @throws StoreError when it cannot be looked at */
async function checkDatabase(database: DatabaseSync, path: string): Promise<StoreReport> {
  const check = new Check(database);
  await check.run();
  return { path, ...check.found };
}

/**
 * Of a store that nobody has open.
 * @throws StoreError when there is none, or another process has it
 */
export async function checkStoredFile(directory: string): Promise<StoreReport> {
  const { path, database, problem } = openForCheck(directory);
  if (database === undefined) return { path, revisions: 0, tokens: 0, problems: [problem], notices: [] };
  try {
    return await checkDatabase(database, path);
  } catch (error) {
    throw asStoreError(error, path);
  } finally {
    database.close();
  }
}

class Check {
  readonly found = { revisions: 0, tokens: 0, problems: [] as string[], notices: [] as string[] };
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async run(): Promise<void> {
    // What is on the disk, not what SQLite remembers of it.
    this.#database.exec('PRAGMA shrink_memory');
    this.#look('its pages', () => this.#lookAtPages());
    this.#look('its tables', () => this.#lookAtTables());
    await this.#lookAtRevisions();
    this.#look('the tokens', () => this.#lookAtTokens());
    if (versionOf(this.#database) === VERSION) this.#look('the logins', () => this.#lookAtLogins());
  }

  #note(problem: string): void {
    const { problems } = this.found;
    if (problems.length < PROBLEMS_MAX) problems.push(problem);
    else if (problems.length === PROBLEMS_MAX) problems.push('and more');
  }

  /** One part that cannot be read at all keeps none of the others from being looked at. */
  #look(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof StoreError) throw error;
      this.#note(`${what} cannot be read: ${messageOf(error)}`);
    }
  }

  #lookAtPages(): void {
    for (const row of this.#database.prepare(`PRAGMA integrity_check(${PROBLEMS_MAX})`).all()) {
      const text = String(Object.values(row)[0]);
      if (text !== 'ok') this.#note(`its pages: ${text.replace(/\s+/g, ' ')}`);
    }
  }

  /** A column that has another name now makes no page wrong. */
  #lookAtTables(): void {
    const version = versionOf(this.#database);
    if (version < VERSION) {
      const notice = `it is of version ${version}, from before there were all checksums of today: the next start adds them`;
      this.found.notices.push(notice);
    }
    const [present, expected] = [tablesOf(this.#database), tablesOfVersion(version)];
    for (const name of new Set([...expected.keys(), ...present.keys()])) {
      if (present.get(name) === expected.get(name)) continue;
      this.#note(`its tables: "${name}" is not what version ${version} has: ${present.get(name) ?? 'it is missing'}`);
    }
  }

  async #lookAtRevisions(): Promise<void> {
    let numbers: number[] = [];
    this.#look('the revisions', () => {
      const statement = this.#database.prepare('SELECT revision FROM revisions ORDER BY revision');
      // One that was damaged may be larger than a number can be, which would keep all from being
      // read.
      statement.setReadBigInts(true);
      numbers = statement.all().map(({ revision }) => Number(revision));
    });
    this.found.revisions = numbers.length;
    for (const [index, revision] of numbers.entries()) {
      const before = numbers[index - 1];
      if (before !== undefined && before !== revision - 1) this.#note(missing(before + 1, revision - 1));
      this.#look(`revision ${revision}`, () => this.#lookAtRevision(revision));
      await othersTurn();
    }
  }

  #lookAtRevision(revision: number): void {
    const row = this.#database.prepare('SELECT * FROM revisions WHERE revision = ?').get(revision);
    if (row === undefined) {
      // Beside the API a new one may have been written since they were counted, and the oldest have
      // gone.
      const { oldest } = this.#database.prepare('SELECT min(revision) AS oldest FROM revisions').get() ?? {};
      if (Number(oldest) > revision) return;
      throw new Error('it is listed, and not there');
    }
    const problem = infoProblem(row);
    if (problem !== undefined) this.#note(`revision ${revision}, who changed what and when: ${problem}`);
    try {
      inventoryIn(row);
    } catch (error) {
      this.#note(`revision ${revision}, its configuration: ${messageOf(error)}`);
    }
  }

  #lookAtTokens(): void {
    const tokens = readTokens(this.#database);
    this.found.tokens = tokens.length;
    for (const { info, isWhole } of tokens) {
      if (!isWhole)
        this.#note(`token ${info.id} is not what was written, and good for nothing: its checksum does not fit`);
    }
  }

  #lookAtLogins(): void {
    for (const { row, isWhole } of readLogins(this.#database)) {
      if (!isWhole)
        this.#note(`login ${row.id} is not what was written, and lets nobody in: its checksum does not fit`);
    }
  }
}

function missing(from: number, to: number): string {
  return from === to ? `revision ${from} is missing` : `revisions ${from} to ${to} are missing`;
}

/** By name, how each was made; without SQLite's own. */
function tablesOf(database: DatabaseSync): ReadonlyMap<string, string> {
  const rows = database.prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'").all();
  return new Map(rows.map(({ name, sql }) => [String(name), String(sql).replace(/\s+/g, ' ')]));
}

/** As they come out of the same steps in an empty database. */
function tablesOfVersion(version: number): ReadonlyMap<string, string> {
  const empty = new DatabaseSync(':memory:');
  try {
    for (let from = 0; from < Math.min(version, VERSION); from++) migrateFrom(empty, from);
    return tablesOf(empty);
  } finally {
    empty.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
