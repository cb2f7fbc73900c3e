// `npm run build`: the page, from manager/ to manager/dist. With --if-possible, as `npm ci` calls it, it is no error that the tools
// are not there: an installation without development dependencies has no page, and says so where it would be.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

const DIST = fileURLToPath(new URL('../manager/dist', import.meta.url));

async function load(): Promise<typeof import('vite') | undefined> {
  try {
    return await import('vite');
  } catch (error) {
    if (process.argv.includes('--if-possible')) return undefined;
    throw error;
  }
}

const vite = await load();
if (vite !== undefined) {
  const configFile = fileURLToPath(new URL('../manager/vite.config.ts', import.meta.url));
  await vite.build({ configFile, logLevel: 'warn' });
  // Here and not by the server: it takes most of a second, in which the control thread would answer nobody.
  for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
    if (/\.(html|js|css|svg)$/.test(name)) {
      writeFileSync(join(DIST, `${name}.br`), brotliCompressSync(readFileSync(join(DIST, name))));
    }
  }
}
