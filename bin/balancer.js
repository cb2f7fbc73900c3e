#!/usr/bin/env node
// The launcher of the `balancer` binary: starts cli/main.ts under the right Node.js with the right flags, in this very
// process. It must not know any verb or option.

import { fileURLToPath } from 'node:url';
import { BALANCER_FLAGS, nodeBinary, replaceProcess, withCompileCache } from './runtime.js';

const main = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
try {
  replaceProcess(nodeBinary(), [...BALANCER_FLAGS, main, ...process.argv.slice(2)], withCompileCache(process.env));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
