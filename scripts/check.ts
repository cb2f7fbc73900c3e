// `npm run check`: the type checker and the linter. `npm run format` (= --write) lets the linter mend what it can.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** A file inside an installed package, by its path there: `exports` would hide most of them. */
function packageFile(name: string, path: string): string {
  return join(dirname(require.resolve(`${name}/package.json`)), path);
}

function run(title: string, file: string, args: string[]): boolean {
  const { status } = spawnSync(file, args, { stdio: 'inherit' });
  process.stderr.write(`${title}: ${status === 0 ? 'ok' : 'failed'}\n`);
  return status === 0;
}

const write = process.argv.includes('--write');
// The platform's own package: the linter's wrapper pins platforms that some mirrors lack.
const biome = packageFile(`@biomejs/cli-linux-${process.arch}`, 'biome');
const linted = run('biome', biome, ['check', '--error-on-warnings', ...(write ? ['--write'] : []), '.']);
const tsc = packageFile('typescript', 'bin/tsc');
const typed =
  run('tsc', process.execPath, [tsc, '--noEmit']) &&
  run('tsc manager', process.execPath, [tsc, '--noEmit', '-p', 'manager']);
process.exitCode = linted && typed ? 0 : 1;
