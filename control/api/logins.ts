// Who is logged in at the page, and the one-time addresses that log in whoever opens them. Each is
// a row of the database: so a login outlives a restart, and one that has ended is over for good,
// whoever has kept its cookie.

import { createHmac, randomBytes } from 'node:crypto';
import type { LoginTable } from '../store/login-table.ts';
import type { LoginRow } from '../store/row-sums.ts';
import { StoreError } from '../store/store.ts';
import { utcSeconds } from '../store/time.ts';
import type { TokenInfo, TokenScope, Tokens } from '../store/tokens.ts';
import { type Caller, OPERATOR } from './caller.ts';

const NAME_CHARS = 8;
const SECRET_BYTES = 32;
const SECRET_CHARS_MAX = 128;
export const LOGIN_HOURS = 12;
const LOGIN_MS = LOGIN_HOURS * 3_600_000;
const CODE_MS = 15 * 60_000;
/** of each token, and twice that by one-time address: opened and not opened. The oldest goes. */
const LOGINS_MAX = 100;

export interface Login {
  /** for the cookie */
  readonly value: string;
  readonly caller: Caller;
  /** what a change must carry in a header: a page of another site cannot read it */
  readonly csrf: string;
}

/** What may be shown of one. */
export interface LoginInfo {
  readonly id: number;
  readonly author: string;
  readonly scope: TokenScope;
  readonly kind: 'token' | 'one_time';
  /** as the API writes times, like the others */
  readonly created: string;
  /** null while it is an address that nobody has opened */
  readonly opened: string | null;
  readonly until: string;
}

export interface OneTimeCode {
  readonly code: string;
  readonly info: LoginInfo;
}

export class Logins {
  /** Its own for each balancer: browsers send a cookie to every port of a host. */
  readonly cookieName: string;
  /** told of each code that has logged somebody in */
  onOpened: (code: string) => void = () => {};
  readonly #key: Buffer;
  readonly #table: LoginTable;
  readonly #tokens: Tokens;
  readonly #now: () => number;
  /**
   * by the hash's hex text, oldest first; the database has one owner, so that nothing changes
   * behind this
   */
  readonly #known = new Map<string, LoginRow>();
  /** ids of what could not be written yet, because the disk was full */
  readonly #unwritten = new Set<number>();
  #lastId: number;

  /** @param now milliseconds since 1970 */
  constructor(key: Buffer, table: LoginTable, tokens: Tokens, now: () => number) {
    this.#key = key;
    this.cookieName = `balancer_login_${this.#sign('cookie').toString('base64url').slice(0, NAME_CHARS)}`;
    this.#table = table;
    this.#tokens = tokens;
    this.#now = now;
    this.#lastId = table.lastId;
    for (const row of table.read()) this.#known.set(nameOf(row.hash), row);
  }

  /** For whoever has shown this token. */
  create(info: TokenInfo): Login {
    const now = this.#now();
    const created = utcSeconds(now);
    const value = secret();
    this.#add({ hash: this.#hash(value), token: info.id, created, opened: created, until: now + LOGIN_MS });
    return this.#login(value, callerOf(info));
  }

  /** What logs the operator in, once, within 15 minutes. */
  createCode(): OneTimeCode {
    const now = this.#now();
    const code = secret();
    const hash = this.#hash(code);
    const row = this.#add({ hash, token: null, created: utcSeconds(now), opened: null, until: now + CODE_MS });
    return { code, info: infoOf(row, OPERATOR) };
  }

  /** @returns undefined when the code is used up, too old or none */
  withCode(code: string): Login | undefined {
    const row = this.#find(code);
    if (row === undefined || row.opened !== null) return undefined;
    const now = this.#now();
    const value = secret();
    this.#known.delete(nameOf(row.hash));
    this.#put({ ...row, hash: this.#hash(value), opened: utcSeconds(now), until: now + LOGIN_MS });
    this.onOpened(code);
    return this.#login(value, OPERATOR);
  }

  /**
   * @returns undefined when the cookie is forged or old, its login has ended, or its token is
   * revoked
   */
  withCookie(value: string): Login | undefined {
    const row = this.#find(value);
    if (row === undefined || row.opened === null) return undefined;
    const caller = this.#callerOf(row);
    return caller === undefined ? undefined : this.#login(value, caller);
  }

  /** Ends a cookie's login. @throws StoreError when that may not outlast a restart */
  end(value: string): void {
    const row = this.#find(value);
    if (row !== undefined) this.#remove(row);
  }

  /** Those that let somebody in, or may still be opened; oldest first. */
  list(): readonly LoginInfo[] {
    this.#prune();
    return [...this.#known.values()]
      .flatMap((row) => {
        const caller = this.#callerOf(row);
        return caller === undefined ? [] : [infoOf(row, caller)];
      })
      .sort((a, b) => a.id - b.id);
  }

  /** @returns false when there is no such login @throws StoreError as `end` does */
  revoke(id: number): boolean {
    this.#prune();
    const row = [...this.#known.values()].find((one) => one.id === id);
    if (row === undefined) return false;
    this.#remove(row);
    return true;
  }

  #add(row: Omit<LoginRow, 'id'>): LoginRow {
    this.#prune();
    const added = { id: ++this.#lastId, ...row };
    const alike = [...this.#known.values()].filter((one) => isAlike(one, added));
    for (const oldest of alike.slice(0, Math.max(0, alike.length + 1 - LOGINS_MAX))) this.#forget(oldest);
    this.#put(added);
    return added;
  }

  /**
   * A full disk must not lock out whoever comes to mend it: then the login is good as long as the
   * process lives.
   */
  #put(row: LoginRow): void {
    this.#known.set(nameOf(row.hash), row);
    this.#unwritten.add(row.id);
    try {
      this.#write();
    } catch {
      // Tried again with the next one.
    }
  }

  #remove(row: LoginRow): void {
    this.#forget(row);
    try {
      this.#write();
    } catch (error) {
      throw new StoreError(
        `login ${row.id} is over, but that cannot be written: ${error instanceof Error ? error.message : error}. ` +
          `After a restart it would be good again, until ${utcSeconds(row.until)}Z`,
      );
    }
  }

  #forget(row: LoginRow): void {
    this.#known.delete(nameOf(row.hash));
    this.#unwritten.add(row.id);
  }

  /** Whose time is over, and whose token is revoked. */
  #prune(): void {
    const nowMs = this.#now();
    for (const row of this.#known.values()) {
      if (row.until < nowMs || this.#callerOf(row) === undefined) this.#forget(row);
    }
  }

  #write(): void {
    const rows = [...this.#known.values()].filter(({ id }) => this.#unwritten.has(id));
    const present = new Set(rows.map(({ id }) => id));
    this.#table.write(
      rows,
      [...this.#unwritten].filter((id) => !present.has(id)),
    );
    this.#unwritten.clear();
  }

  /** @param value a cookie's, or a code */
  #find(value: string): LoginRow | undefined {
    if (value.length > SECRET_CHARS_MAX) return undefined;
    const row = this.#known.get(nameOf(this.#hash(value)));
    return row === undefined || row.until < this.#now() ? undefined : row;
  }

  #callerOf({ token }: LoginRow): Caller | undefined {
    if (token === null) return OPERATOR;
    const info = this.#tokens.find(token);
    return info === undefined ? undefined : callerOf(info);
  }

  #login(value: string, caller: Caller): Login {
    return { value, caller, csrf: this.#sign(`csrf ${value}`).toString('base64url') };
  }

  /** With the key: whoever takes that away ends all logins. */
  #hash(value: string): Uint8Array {
    return this.#sign(`login ${value}`);
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function nameOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex');
}

function isAlike(a: LoginRow, b: LoginRow): boolean {
  return a.token === b.token && (a.opened === null) === (b.opened === null);
}

function callerOf({ label, scope }: TokenInfo): Caller {
  return { author: label, scope };
}

function infoOf({ id, token, created, opened, until }: LoginRow, { author, scope }: Caller): LoginInfo {
  const kind = token === null ? 'one_time' : 'token';
  return { id, author, scope, kind, created, opened, until: utcSeconds(until) };
}
