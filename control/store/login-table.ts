// The page's logins as rows of the database. The secret of each, a cookie's or a one-time
// address's, is kept as a hash only, so that no copy of the database lets anybody in.

import type { DatabaseSync } from 'node:sqlite';
import { transaction } from './database.ts';
import { fits, type LoginRow, loginSum } from './row-sums.ts';

const WRITE = `INSERT OR REPLACE INTO logins (id, hash, token, created, opened, until, sum)
  VALUES (:id, :hash, :token, :created, :opened, :until, :sum)`;

export class LoginTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** No id is given twice, not even that of a login that is over. */
  get lastId(): number {
    const statement = this.#database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'logins'");
    statement.setReadBigInts(true);
    const last = Number(statement.get()?.seq ?? 0);
    // What it counts has no checksum: a number that cannot be is not counted on from.
    return Number.isSafeInteger(last) ? last : Math.max(0, ...this.read().map(({ id }) => id));
  }

  /** Those that are what was written: the others let nobody in. */
  read(): readonly LoginRow[] {
    return readLogins(this.#database).flatMap(({ row, isWhole }) => (isWhole ? [row] : []));
  }

  /** Writes these and takes those away, all or nothing. @throws what the database throws */
  write(rows: readonly LoginRow[], gone: readonly number[]): void {
    transaction(this.#database, () => {
      const remove = this.#database.prepare('DELETE FROM logins WHERE id = ?');
      for (const id of gone) remove.run(id);
      const write = this.#database.prepare(WRITE);
      for (const row of rows) write.run({ ...row, sum: loginSum(row) });
    });
  }
}

interface ReadLogin {
  readonly row: LoginRow;
  /** whether it is what was written */
  readonly isWhole: boolean;
}

/** All of them, in the order in which they were made. */
export function readLogins(database: DatabaseSync): readonly ReadLogin[] {
  const statement = database.prepare('SELECT * FROM logins ORDER BY id');
  // A number that was damaged may be larger than one of JavaScript's, which would keep all from
  // being read.
  statement.setReadBigInts(true);
  return statement.all().map(({ sum, id, token, until, ...rest }) => {
    const numbers = { id: Number(id), token: token === null ? null : Number(token), until: Number(until) };
    const row = { ...rest, ...numbers } as unknown as LoginRow;
    return { row, isWhole: fits(sum, loginSum(row)) };
  });
}
