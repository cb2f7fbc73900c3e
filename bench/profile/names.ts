// Names for compiled JavaScript: a contender that runs under Node.js is told to keep a file of them for perf, in the one place where
// perf looks. That file is ours to remove. Programs that are not Node.js never see the difference.

import { rmSync } from 'node:fs';
import type { Contender } from '../contender.ts';

/** Through the environment, because our balancer's launcher replaces itself by another Node.js and knows no options of it. */
const KEEP_NAMES = '--perf-basic-prof';

const leftOver = new Set<string>();
process.on('exit', () => {
  for (const file of leftOver) rmSync(file, { force: true });
});

/** The same contender, with names. */
export function withNames(contender: Contender): Contender {
  return {
    ...contender,
    command(file, job) {
      const command = contender.command(file, job);
      const before = command.env?.NODE_OPTIONS ?? process.env.NODE_OPTIONS ?? '';
      return { ...command, env: { ...command.env, NODE_OPTIONS: `${before} ${KEEP_NAMES}`.trim() } };
    },
  };
}

/** A file of names that a process with this pid leaves. Removed at exit too, if nothing else does it earlier. */
export function noteNames(pid: number): void {
  leftOver.add(namesFile(pid));
}

export function removeNames(pid: number): void {
  rmSync(namesFile(pid), { force: true });
  leftOver.delete(namesFile(pid));
}

/** Not the temporary directory of this process: perf and V8 have both agreed on /tmp. */
function namesFile(pid: number): string {
  return `/tmp/perf-${pid}.map`;
}
