// `npm run build`: the page, from manager/ to manager/dist. With --if-possible, as `npm ci` calls it, it is no error that the tools
// are not there: an installation without development dependencies has no page, and says so where it would be.

import { fileURLToPath } from 'node:url';

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
}
