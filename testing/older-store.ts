// A store as a version with fewer rules would have left it: revisions that were never held against the rules of today.

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { deflateRawSync } from 'node:zlib';

/** Puts another inventory into a revision that there is. Nobody may have the store open. */
export function rewriteRevision(directory: string, revision: number, inventory: unknown): void {
  const database = new DatabaseSync(join(directory, 'balancer.db'));
  const packed = deflateRawSync(JSON.stringify(inventory));
  database.prepare('UPDATE revisions SET inventory = ? WHERE revision = ?').run(packed, revision);
  database.close();
}
