// How much each nodebalancer had to do: sums of 10 seconds for an hour, of 5 minutes for a day, and of a month's bytes. In a file of
// its own, which is not synced at each write: a crash may cost the last seconds of a graph, and a write of the configuration never
// waits for one. Measured: 128 nodebalancers take 1 ms per 10 seconds.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { firstObstacle } from './data-file.ts';
import { BESIDE, createPrivately, transaction } from './database.ts';

/** What happened within one interval. */
export interface Amounts {
  readonly connections: number;
  /** received from clients, and given to them */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface Point extends Amounts {
  /** milliseconds since 1970: the interval's begin */
  readonly time: number;
}

/** Sums per interval, oldest first, without gaps from the first on: an interval in which nothing was recorded has zeroes. */
export interface Series {
  readonly intervalMs: number;
  readonly points: readonly Point[];
}

export interface Transfer {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

const SECOND_MS = 1000;
export const SHORT_INTERVAL_MS = 10 * SECOND_MS;
export const LONG_INTERVAL_MS = 300 * SECOND_MS;
const HOUR_MS = 3600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;
const FILE_NAME = 'statistics.db';
/** SQLite's name for a database without a file */
const IN_MEMORY = ':memory:';
/** sqlite3.h; the first, from statements that never change: tables that are not ours any more */
const SQLITE_ERROR = 1;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS amounts (
    interval INTEGER NOT NULL, nodebalancer INTEGER NOT NULL, time INTEGER NOT NULL,
    connections REAL NOT NULL, bytes_in REAL NOT NULL, bytes_out REAL NOT NULL,
    PRIMARY KEY (interval, nodebalancer, time)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS transfers (
    nodebalancer INTEGER NOT NULL, month TEXT NOT NULL, bytes_in REAL NOT NULL, bytes_out REAL NOT NULL,
    PRIMARY KEY (nodebalancer, month)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION}`;

const ADD_AMOUNTS = `
  INSERT INTO amounts (interval, nodebalancer, time, connections, bytes_in, bytes_out) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET connections = connections + excluded.connections, bytes_in = bytes_in + excluded.bytes_in,
    bytes_out = bytes_out + excluded.bytes_out`;
const TRANSFERS = `
  SELECT nodebalancer, bytes_in AS bytesIn, bytes_out AS bytesOut FROM transfers WHERE month = ?`;
const SERIES = `
  SELECT time, connections, bytes_in AS bytesIn, bytes_out AS bytesOut FROM amounts
  WHERE interval = ? AND nodebalancer = ? AND time > ? AND time <= ? ORDER BY time`;
const ADD_TRANSFER = `
  INSERT INTO transfers (nodebalancer, month, bytes_in, bytes_out) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET bytes_in = bytes_in + excluded.bytes_in, bytes_out = bytes_out + excluded.bytes_out`;

/** The transfers of one month. */
interface Month {
  /** milliseconds since 1970 */
  readonly begin: number;
  readonly end: number;
  /** by nodebalancer id */
  readonly transfers: ReadonlyMap<number, Transfer>;
}

export class Statistics {
  readonly #database: DatabaseSync;
  readonly #readTransfers: StatementSync;
  readonly #readSeries: StatementSync;
  /** the last interval that was pruned for */
  #prunedAt = 0;
  /** as it was read since the last record: the database has one owner, so that nothing changes behind this */
  #month: Month | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#readTransfers = database.prepare(TRANSFERS);
    this.#readSeries = database.prepare(SERIES);
  }

  /** Adds to the intervals that `time` falls into; all in one transaction. @param time milliseconds since 1970 */
  record(time: number, amounts: ReadonlyMap<number, Amounts>): void {
    this.#month = undefined;
    transaction(this.#database, () => {
      const addAmounts = this.#database.prepare(ADD_AMOUNTS);
      const addTransfer = this.#database.prepare(ADD_TRANSFER);
      for (const [id, { connections, bytesIn, bytesOut }] of amounts) {
        for (const interval of [SHORT_INTERVAL_MS, LONG_INTERVAL_MS]) {
          addAmounts.run(interval, id, time - (time % interval), connections, bytesIn, bytesOut);
        }
        if (bytesIn > 0 || bytesOut > 0) addTransfer.run(id, nameOfMonth(time), bytesIn, bytesOut);
      }
      this.#prune(time);
    });
  }

  /** The last 24 hours. @returns undefined before anything was recorded */
  day(id: number, now: number): Series | undefined {
    return this.#series(id, LONG_INTERVAL_MS, now - DAY_MS, now);
  }

  /** The last hour. @returns undefined before anything was recorded */
  hour(id: number, now: number): Series | undefined {
    return this.#series(id, SHORT_INTERVAL_MS, now - HOUR_MS, now);
  }

  /** Of the calendar month (UTC) that `now` is in. @returns undefined when nothing moved */
  transfer(id: number, now: number): Transfer | undefined {
    const month = this.#month;
    if (month !== undefined && now >= month.begin && now < month.end) return month.transfers.get(id);
    this.#month = this.#monthOf(now);
    return this.#month.transfers.get(id);
  }

  close(): void {
    this.#database.close();
  }

  #monthOf(time: number): Month {
    const date = new Date(time);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
    const rows = this.#readTransfers.all(nameOfMonth(time)) as unknown as (Transfer & { nodebalancer: number })[];
    return {
      begin: Date.UTC(year, month),
      end: Date.UTC(year, month + 1),
      transfers: new Map(rows.map(({ nodebalancer, ...transfer }) => [nodebalancer, transfer])),
    };
  }

  #series(id: number, intervalMs: number, from: number, now: number): Series | undefined {
    const rows = this.#readSeries.all(intervalMs, id, from, now) as unknown as Point[];
    const [first] = rows;
    if (first === undefined) return undefined;
    const byTime = new Map(rows.map((row) => [row.time, row]));
    const points: Point[] = [];
    const last = rows.at(-1)?.time ?? first.time;
    for (let time = first.time; time <= last; time += intervalMs) {
      points.push(byTime.get(time) ?? { time, connections: 0, bytesIn: 0, bytesOut: 0 });
    }
    return { intervalMs, points };
  }

  #prune(time: number): void {
    const interval = time - (time % LONG_INTERVAL_MS);
    if (interval === this.#prunedAt) return;
    this.#prunedAt = interval;
    const forget = this.#database.prepare('DELETE FROM amounts WHERE interval = ? AND time < ?');
    forget.run(SHORT_INTERVAL_MS, time - HOUR_MS);
    forget.run(LONG_INTERVAL_MS, time - DAY_MS);
  }
}

/** `2026-11` */
function nameOfMonth(time: number): string {
  return new Date(time).toISOString().slice(0, 7);
}

/**
 * Statistics are not worth a refusal to start: a damaged file is replaced, and where none can be had (a full disk, something else of that name)
 * they are kept in memory. A file that is only out of reach is left alone. @returns with a remark when it is not the file as it was
 */
export function openStatistics(directory: string): {
  readonly statistics: Statistics;
  readonly remark: string | undefined;
} {
  const path = join(directory, FILE_NAME);
  const obstacle = firstObstacle(['', ...BESIDE].map((suffix) => `${path}${suffix}`));
  if (obstacle !== undefined) return { statistics: new Statistics(open(IN_MEMORY)), remark: unusable(path, obstacle) };
  try {
    return { statistics: new Statistics(open(path)), remark: undefined };
  } catch (error) {
    return replaced(path, error) ?? { statistics: new Statistics(open(IN_MEMORY)), remark: unusable(path, error) };
  }
}

/** @returns undefined where the file is not damaged, or no other takes its place */
function replaced(path: string, error: unknown): ReturnType<typeof openStatistics> | undefined {
  if (!isDamage(error)) return undefined;
  try {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true });
    const remark = `the statistics in ${path} could not be read and begin anew: ${messageOf(error)}`;
    return { statistics: new Statistics(open(path)), remark };
  } catch {
    return undefined;
  }
}

function unusable(path: string, error: unknown): string {
  return `the statistics cannot be kept in ${path}, and will not outlive this process: ${messageOf(error)}`;
}

/** Our own findings have no code. */
function isDamage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (!('errcode' in error)) return !('code' in error);
  // The low byte of an extended code is its kind.
  const kind = Number(error.errcode) & 0xff;
  return kind === SQLITE_ERROR || kind === SQLITE_CORRUPT || kind === SQLITE_NOTADB;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function open(path: string): DatabaseSync {
  if (path !== IN_MEMORY) createPrivately(path);
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    const check = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
    const version = Object.values(database.prepare('PRAGMA user_version').get() ?? {})[0];
    if (check !== 'ok') throw new Error(String(check));
    if (version !== 0 && version !== SCHEMA_VERSION) throw new Error(`they are of version ${version}`);
    database.exec(SCHEMA);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
