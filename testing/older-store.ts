// A store as an older version would have left it: without what came later, and with revisions that
// were never held against the rules of today.

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { deflateRawSync } from 'node:zlib';

/** Back to the first version, before there were checksums. Nobody may have the store open. */
export function makeOlder(directory: string): void {
  withDatabase(directory, toFirstVersion);
}

/**
 * Puts another inventory into a revision that there is, as the first version would have written it.
 * Nobody may have the store open.
 */
export function rewriteRevision(directory: string, revision: number, inventory: unknown): void {
  withDatabase(directory, (database) => {
    toFirstVersion(database);
    const packed = deflateRawSync(JSON.stringify(inventory));
    database.prepare('UPDATE revisions SET inventory = ? WHERE revision = ?').run(packed, revision);
  });
}

function toFirstVersion(database: DatabaseSync): void {
  database.exec(`
    ALTER TABLE revisions DROP COLUMN info_sum;
    ALTER TABLE revisions DROP COLUMN inventory_sum;
    ALTER TABLE tokens DROP COLUMN sum;
    DROP TABLE logins;
    PRAGMA user_version = 1`);
}

function withDatabase(directory: string, work: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(join(directory, 'balancer.db'));
  try {
    work(database);
  } finally {
    database.close();
  }
}
