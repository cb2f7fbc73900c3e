// A revision as a row of the database, both ways. Whatever is read is held against the row's sums
// first: a byte that has changed must not pass for a configuration that somebody wrote.

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Inventory } from './inventory.ts';
import { readInventory } from './inventory-check.ts';
import { fits, infoSum, inventorySum, type RevisionRow } from './row-sums.ts';
import type { Revision, RevisionInfo } from './store.ts';

/** as it comes from the database, damaged or not */
export type Row = Readonly<Record<string, unknown>>;

export const INFO_COLUMNS = 'revision, time, author, changes, info_sum';

/** far above what 4,096 nodes need; a guard against a damaged row */
const INVENTORY_BYTES_MAX = 64 << 20;
const NOT_AS_WRITTEN = 'it is not what was written: its checksum does not fit';
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/;

/** By column. */
export function rowOf({
  revision,
  time,
  author,
  changes,
  inventory,
}: Revision): Record<string, string | number | Uint8Array> {
  const row: RevisionRow = { revision, time, author, changes: JSON.stringify(changes), inventory: pack(inventory) };
  return { ...row, info_sum: infoSum(row), inventory_sum: inventorySum(row) };
}

/** @returns what is wrong with the part that a list shows; undefined when nothing is */
export function infoProblem(row: Row): string | undefined {
  if (!isInfo(row)) return 'it cannot be read';
  // Of an older version, and without sums: only `check --store` reads one.
  if (row.info_sum !== undefined && !fits(row.info_sum, infoSum(row))) return NOT_AS_WRITTEN;
  return changesIn(row.changes) === undefined ? 'its differences cannot be read' : undefined;
}

/** For a list, which one damaged row is not to keep from being shown: of that it says so. */
export function infoOf(row: Row): RevisionInfo {
  const { revision, time, author, changes } = row;
  const lines = typeof changes === 'string' ? changesIn(changes) : undefined;
  const problem = infoProblem(row);
  const isKnown = typeof time === 'string' && typeof author === 'string' && lines !== undefined;
  if (problem === undefined && isKnown) return { revision: Number(revision), time, author, changes: lines };
  return {
    revision: Number(revision),
    time: typeof time === 'string' && TIME.test(time) ? time : '1970-01-01T00:00:00',
    author: '?',
    changes: [`this revision is damaged: ${problem}`],
  };
}

/** @throws Error that says what is wrong */
export function inventoryIn(row: Row): Inventory {
  const { revision, inventory, inventory_sum: sum } = row;
  if (typeof revision !== 'number' || !(inventory instanceof Uint8Array)) throw new Error('it has no inventory');
  if (sum !== undefined && !fits(sum, inventorySum({ revision, inventory }))) throw new Error(NOT_AS_WRITTEN);
  return unpack(inventory);
}

function isInfo(row: Row): row is Row & Omit<RevisionRow, 'inventory'> {
  return (
    typeof row.revision === 'number' &&
    typeof row.time === 'string' &&
    typeof row.author === 'string' &&
    typeof row.changes === 'string'
  );
}

function changesIn(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

function pack(inventory: Inventory): Uint8Array {
  return deflateRawSync(JSON.stringify(inventory));
}

function unpack(packed: Uint8Array): Inventory {
  const text = inflateRawSync(packed, { maxOutputLength: INVENTORY_BYTES_MAX }).toString();
  const inventory = readInventory(JSON.parse(text));
  if (inventory === undefined) throw new Error('what it has is no inventory');
  return inventory;
}
