// Brings parts of a tree's core into this process: of this tree, or of another revision that is compared with it. Owns the
// difference between "this revision has no such part", which leaves figures out, and a part that is there and broken.

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The tree does not have what an operation needs. */
export class MissingPart extends Error {}

/**
 * A module of the tree at `root`. Its type is known only as far as this tree has the same file, hence the look at the names: an
 * older revision may have another door.
 * @param names exports that must be there
 * @throws MissingPart
 */
export async function importPart(root: string, file: string, names: readonly string[]) {
  const path = join(root, file);
  await access(path).catch((cause) => {
    throw new MissingPart(`${file} is missing`, { cause });
  });
  const part = await import(pathToFileURL(path).href);
  const missing = names.filter((name) => part[name] === undefined);
  if (missing.length > 0) throw new MissingPart(`${file} has no ${missing.join(', ')}`);
  return part;
}

export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (!Object.is(actual, expected)) throw new Error(`${what}: ${String(actual)}, expected ${String(expected)}`);
}
