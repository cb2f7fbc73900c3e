#!/usr/bin/env node
// The same as `balancer` beside it, for whoever starts it with a Node.js of their own choice: that one is replaced by the project's.

import { fileURLToPath } from 'node:url';
import { BALANCER_FLAGS, nodeBinary, replaceProcess, withCompileCache } from './runtime.js';

const main = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
try {
  replaceProcess(nodeBinary(), [...BALANCER_FLAGS, main, ...process.argv.slice(2)], withCompileCache(process.env));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
