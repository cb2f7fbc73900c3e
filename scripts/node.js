// Runs a TypeScript file of this project: `node scripts/node.js FILE [ARGS]`. Every npm script goes through here, so that
// `npm test` works under whatever Node.js called npm. Plain JavaScript for the same reason.

import { nodeBinary, replaceProcess, withNodeOnPath } from '../bin/runtime.js';

try {
  const binary = nodeBinary();
  replaceProcess(binary, ['--disable-warning=ExperimentalWarning', ...process.argv.slice(2)], withNodeOnPath(binary));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
