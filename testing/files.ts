// Files that tests hand to the product.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTemporaryDirectory } from './temporary.ts';

/** A file of that name and content in a directory of its own. @returns its path */
export function fileWith(content: string | Uint8Array, name = 'balancer.yaml'): string {
  const path = join(makeTemporaryDirectory('input'), name);
  writeFileSync(path, content);
  return path;
}
