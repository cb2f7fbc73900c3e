// The benchmark as a program that tests start: in a directory for temporary files of its own, so that whatever works there was
// started by it.

import { spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Program, startProgram } from '../../../testing/process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const MAIN = resolve(ROOT, 'bench/main.ts');
export const DEADLINE_MS = 120_000;

/** The quickest that there is. The whole machine's congestion control is not a test's to change. */
export const TINY: readonly string[] = ['--scale', 'tiny', '--only', 'idle', '--congestion', 'keep', '--json'];

export const git = (...args: string[]) => spawnSync('git', ['-C', ROOT, ...args], { encoding: 'utf8' });
export const isRepository = git('rev-parse', 'HEAD').status === 0;
export const isRoot = process.getuid?.() === 0;

export interface BenchStart {
  env?: Record<string, string>;
  /** A program that runs it, and its arguments. */
  under?: readonly string[];
}

/** Runs of the benchmark in one test. */
export class BenchRuns {
  readonly temporary = makeTemporaryDirectory('bench-usage');

  start(args: readonly string[], { env = {}, under = [] }: BenchStart = {}): Promise<Program> {
    const [command = process.execPath, ...rest] = [...under, process.execPath, MAIN, ...args];
    return startProgram({ name: 'bench', command, args: rest, env: { TMPDIR: this.temporary, ...env } });
  }

  async run(args: readonly string[], options: BenchStart = {}) {
    const program = await this.start(args, options);
    const { code } = await program.waitForExit(DEADLINE_MS);
    return { code, stdout: program.stdout, stderr: program.stderr };
  }

  /** Whatever works in the directory for temporary files was started by the benchmark. */
  leftOver(): string[] {
    const workers = readdirSync('/proc').filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(this.temporary);
      } catch {
        return false;
      }
    });
    return [...readdirSync(this.temporary), ...workers.map((pid) => `process ${pid}`)];
  }

  remove(): void {
    removeTemporaryDirectory(this.temporary);
  }
}
