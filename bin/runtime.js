// Finds the Node.js that runs this project and hands the process over to it.
// Plain JavaScript on purpose: it runs under whatever Node.js (20 or later) the machine has, before type stripping exists.
// It must not spawn: a wrapper process would stand between the operator's signals and the balancer.

import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

/** Node.js's own options for the balancer. A shard collects once what its start has left (workers/listener-worker.ts). */
export const BALANCER_FLAGS = ['--disable-warning=ExperimentalWarning', '--expose-gc'];

/**
 * The Node.js binary that npm installed beside the project. `node_modules/.bin/node` is not used: two packages declare
 * a bin of that name, and npm 9 and 10 then link neither.
 * @returns {string} absolute path
 */
export function nodeBinary() {
  const name = `node-linux-${process.arch}`;
  try {
    const path = join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'node');
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    if (Number.parseInt(process.versions.node, 10) >= 26) return process.execPath;
    throw new Error(
      `balancer needs Node.js 26: the package ${name} is not installed (run "npm ci" without --omit=optional), ` +
        `and this is Node.js ${process.versions.node} on ${process.platform}-${process.arch}`,
    );
  }
}

/**
 * Replaces this process: same pid, same parent, same signals. Never returns.
 * @param {string} file absolute path of the program
 * @param {string[]} args arguments, without argv[0]
 * @param {NodeJS.ProcessEnv} [env]
 */
export function replaceProcess(file, args, env = process.env) {
  const argv = [file, ...args];
  if (typeof process.execve === 'function') return process.execve(file, argv, env);

  // Node.js 20 has no execve: libc's own. libuv marks descriptors 0-2 close-on-exec, so that has to be undone first.
  const koffi = require('koffi');
  const libc = koffi.load(null);
  const fcntl = libc.func('int fcntl(int fd, int command, int value)');
  const execve = libc.func('int execve(const char *file, const char **argv, const char **envp)');
  const F_SETFD = 2;
  for (const fd of [0, 1, 2]) fcntl(fd, F_SETFD, 0);
  const envp = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  execve(file, [...argv, null], [...envp, null]);
  throw new Error(`cannot run ${file}: errno ${koffi.errno()}`);
}

/**
 * The environment with the project's Node.js first on PATH, for everything that says just "node".
 * @param {string} binary
 * @returns {NodeJS.ProcessEnv}
 */
export function withNodeOnPath(binary) {
  return { ...process.env, PATH: `${dirname(binary)}${delimiter}${process.env.PATH ?? ''}` };
}

/**
 * The environment with a place where Node.js keeps what it has made of the sources: types stripped and compiled, they load in half the
 * time. Worker threads read it there too, which is why it is no call in the program. Where nobody may write it is simply not used.
 * @param {NodeJS.ProcessEnv} env what it says of this already holds
 * @returns {NodeJS.ProcessEnv}
 */
export function withCompileCache(env) {
  const NODE_COMPILE_CACHE = fileURLToPath(new URL('../node_modules/.cache/balancer', import.meta.url));
  return { NODE_COMPILE_CACHE, ...env };
}
