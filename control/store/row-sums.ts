// A checksum beside each row. SQLite notices a page that makes no sense, and nothing of a byte that
// has changed within a value: of a deflated configuration that inflates to another port, or a scope
// that reads otherwise. What a row's sum is over stands here, so that no writer forgets a column.

import { hash } from 'node:crypto';

type Value = string | number | null | Uint8Array;

/** A row of `revisions` without its sums. */
export interface RevisionRow {
  readonly revision: number;
  readonly time: string;
  readonly author: string;
  /** JSON */
  readonly changes: string;
  readonly inventory: Uint8Array;
}

/** A row of `tokens` without its sum. */
export interface TokenRow {
  readonly id: number;
  readonly hash: Uint8Array;
  readonly label: string;
  readonly scope: string;
  readonly created: string;
  readonly used: string | null;
}

/** A row of `logins` without its sum. */
export interface LoginRow {
  readonly id: number;
  /** of the cookie; of the address's code until that is opened */
  readonly hash: Uint8Array;
  /** whose token it was; null where it came by a one-time address: then it is the operator's */
  readonly token: number | null;
  /** as the API writes times */
  readonly created: string;
  /** null while it is an address that nobody has opened */
  readonly opened: string | null;
  /** milliseconds since 1970 */
  readonly until: number;
}

/**
 * Of what a list of revisions shows. In two parts, because the list is read without the
 * inventories, and because a letter that has changed in an author's name is no reason to refuse a
 * configuration.
 */
export function infoSum({ revision, time, author, changes }: Omit<RevisionRow, 'inventory'>): Uint8Array {
  return sumOf([revision, time, author, changes]);
}

export function inventorySum({ revision, inventory }: Pick<RevisionRow, 'revision' | 'inventory'>): Uint8Array {
  return sumOf([revision, inventory]);
}

export function tokenSum({ id, hash, label, scope, created, used }: TokenRow): Uint8Array {
  return sumOf([id, hash, label, scope, created, used]);
}

export function loginSum({ id, hash, token, created, opened, until }: LoginRow): Uint8Array {
  return sumOf([id, hash, token, created, opened, until]);
}

/** @param sum as it was read: of any type, where it is what was damaged */
export function fits(sum: unknown, expected: Uint8Array): boolean {
  return sum instanceof Uint8Array && Buffer.compare(sum, expected) === 0;
}

/** Each value with its type and length before it: so that none can pass for two. */
function sumOf(values: readonly Value[]): Uint8Array {
  const parts = values.flatMap((value) => {
    const bytes = typeof value === 'object' ? (value ?? new Uint8Array()) : Buffer.from(String(value));
    return [Buffer.from(`${kindOf(value)}${bytes.length}:`), bytes];
  });
  return hash('sha256', Buffer.concat(parts), 'buffer');
}

function kindOf(value: Value): string {
  if (value === null) return 'n';
  if (typeof value === 'string') return 's';
  return typeof value === 'number' ? 'i' : 'b';
}
