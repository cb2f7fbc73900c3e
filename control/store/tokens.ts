// API tokens: shown once when they are made, kept as hashes. A token is 32 random bytes, so a plain hash is enough: there is nothing
// to guess that a slow one would protect.

import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { transaction } from './database.ts';
import { fits, tokenSum } from './row-sums.ts';
import { utcSeconds } from './time.ts';

export const TOKEN_SCOPES = ['read_only', 'read_write'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

export interface TokenInfo {
  readonly id: number;
  readonly label: string;
  readonly scope: TokenScope;
  /** as the API writes times */
  readonly created: string;
  /** when it was last seen, to about a minute; null is never */
  readonly used: string | null;
}

const SECRET_BYTES = 32;
/** lets a person, and a scanner of leaked secrets, see what it is */
const PREFIX = 'balancer_';
const TOKEN_CHARS_MAX = 128;
export const TOKEN_LABEL_CHARS_MAX = 64;
const NOTE_USE_EVERY_MS = 60_000;

interface Known {
  /** as it is in the database */
  readonly hash: Uint8Array;
  /** the bytes of its hex text */
  readonly hashed: Buffer;
  info: TokenInfo;
  notedMs: number;
}

export class Tokens {
  readonly #database: DatabaseSync;
  readonly #now: () => number;
  /** by the hash's hex text; the database has one owner, so that nothing changes behind this */
  readonly #known = new Map<string, Known>();
  /** ids of rows that are not what was written: good for nothing, until they are revoked */
  readonly damaged: readonly number[];
  /** told of each use that is noted, the first one at least */
  onUsed: (id: number) => void = () => {};
  onRevoked: (id: number) => void = () => {};

  /** @param now milliseconds since 1970 */
  constructor(database: DatabaseSync, now: () => number = Date.now) {
    this.#database = database;
    this.#now = now;
    const rows = readTokens(database);
    for (const { hash, info, isWhole } of rows) if (isWhole) this.#remember(hash, info);
    this.damaged = rows.flatMap(({ info, isWhole }) => (isWhole ? [] : [info.id]));
  }

  /** Whether there has never been a token, not even one that is revoked. */
  get isNew(): boolean {
    return this.#database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'tokens'").get() === undefined;
  }

  /**
   * @param label 1 to TOKEN_LABEL_CHARS_MAX characters
   * @param token one that was handed over already
   * @returns the token, which nobody can ask for again
   */
  create(
    label: string,
    scope: TokenScope,
    token: string = newToken(),
  ): { readonly token: string; readonly info: TokenInfo } {
    const hashed = Buffer.from(hashOf(token), 'hex');
    const created = utcSeconds(this.#now());
    const info = transaction(this.#database, () => this.#insert(hashed, { label, scope, created, used: null }));
    this.#remember(hashed, info);
    return { token, info };
  }

  /** Oldest first. */
  list(): readonly TokenInfo[] {
    return [...this.#known.values()].map(({ info }) => info).sort((a, b) => a.id - b.id);
  }

  find(id: number): TokenInfo | undefined {
    for (const { info } of this.#known.values()) if (info.id === id) return info;
    return undefined;
  }

  /** @returns false when there is no such token */
  revoke(id: number): boolean {
    const entry = [...this.#known].find(([, { info }]) => info.id === id);
    const { changes } = this.#database.prepare('DELETE FROM tokens WHERE id = ?').run(id);
    if (entry !== undefined) this.#known.delete(entry[0]);
    this.onRevoked(id);
    return entry !== undefined || changes > 0;
  }

  /** @returns whose token it is, or undefined when it is nobody's */
  verify(token: string): TokenInfo | undefined {
    const known = this.#lookUp(token);
    if (known !== undefined) this.#noteUse(known);
    return known?.info;
  }

  /** The same, without that being a use of it. */
  peek(token: string): TokenInfo | undefined {
    return this.#lookUp(token)?.info;
  }

  #lookUp(token: string): Known | undefined {
    if (token.length > TOKEN_CHARS_MAX) return undefined;
    const hashed = hashOf(token);
    const known = this.#known.get(hashed);
    // The look-up tells at most how much of a hash was right, and nobody can choose a token by its hash; to be plain about it:
    return known !== undefined && timingSafeEqual(known.hashed, Buffer.from(hashed)) ? known : undefined;
  }

  #insert(hashed: Uint8Array, rest: Omit<TokenInfo, 'id'>): TokenInfo {
    const { label, scope, created } = rest;
    const { lastInsertRowid } = this.#database
      .prepare('INSERT INTO tokens (hash, label, scope, created) VALUES (?, ?, ?, ?)')
      .run(hashed, label, scope, created);
    const info = { id: Number(lastInsertRowid), ...rest };
    const sum = tokenSum({ ...info, hash: hashed });
    this.#database.prepare('UPDATE tokens SET sum = ? WHERE id = ?').run(sum, info.id);
    return info;
  }

  #remember(hashed: Uint8Array, info: TokenInfo): void {
    const text = Buffer.from(hashed).toString('hex');
    this.#known.set(text, { hash: hashed, hashed: Buffer.from(text), info, notedMs: 0 });
  }

  #noteUse(known: Known): void {
    const nowMs = this.#now();
    if (nowMs - known.notedMs < NOTE_USE_EVERY_MS) return;
    known.notedMs = nowMs;
    const used = utcSeconds(nowMs);
    known.info = { ...known.info, used };
    try {
      const sum = tokenSum({ ...known.info, hash: known.hash });
      this.#database.prepare('UPDATE tokens SET used = ?, sum = ? WHERE id = ?').run(used, sum, known.info.id);
    } catch {
      // A full disk must not lock out whoever comes to mend it.
    }
    this.onUsed(known.info.id);
  }
}

export function newToken(): string {
  return `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;
}

interface ReadToken {
  readonly hash: Uint8Array;
  readonly info: TokenInfo;
  /** whether it is what was written */
  readonly isWhole: boolean;
}

/** All of them, those too that somebody must not get in with. */
export function readTokens(database: DatabaseSync): readonly ReadToken[] {
  const statement = database.prepare('SELECT * FROM tokens');
  // An id that was damaged may be larger than a number can be, which would keep all from being
  // read.
  statement.setReadBigInts(true);
  return statement.all().map((row) => {
    const { hash, sum, id, ...rest } = row as unknown as TokenInfo & { hash: Uint8Array; sum?: unknown };
    const info = { id: Number(id), ...rest };
    // Before version 2 there was none: only `check --store` reads those.
    return { hash, info, isWhole: sum === undefined || fits(sum, tokenSum({ ...info, hash })) };
  });
}

/** As hex text: in one step, which takes a third of the time of an object that is fed and asked. */
function hashOf(token: string): string {
  return hash('sha256', token);
}
