// What `npm run build` leaves in manager/dist: the server must not have to compress it, because that takes most of a second in which
// the control thread answers nobody, and on a busy machine so long that it counts as stuck.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';

const DIST = join(import.meta.dirname, '../../../manager/dist');
const isBuilt = existsSync(DIST);

describe.skipIf(!isBuilt)(`the built page${isBuilt ? '' : ' (skipped: needs "npm run build")'}`, () => {
  const names = isBuilt ? readdirSync(DIST, { recursive: true, encoding: 'utf8' }) : [];
  const plain = names.filter((name) => /\.(html|js|css|svg)$/.test(name));

  test('it has its document, script and style, and what draws graphs apart', () => {
    const kinds = plain.map((name) => name.replace(/^assets\//, '').replace(/-[\w-]{8}\./, '.'));
    expect(kinds.sort()).toEqual(['icon.svg', 'index.css', 'index.html', 'index.js', 'plot.js']);
  });

  test.each(plain)('beside %s lies its compressed form', (name) => {
    const path = join(DIST, name);
    expect(brotliDecompressSync(readFileSync(`${path}.br`)).equals(readFileSync(path))).toBe(true);
  });
});
