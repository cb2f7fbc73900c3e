// How a load program ends when it cannot go on: with one sentence for the benchmark's user. A stack trace is for mistakes of ours.

import { writeSync } from 'node:fs';

export class LoadError extends Error {
  override readonly name = 'LoadError';
}

/** Runs a load program's work. Ends the process with exit 1 when it throws. */
export function orFail(name: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const text = error instanceof LoadError ? error.message : error instanceof Error ? error.stack : String(error);
    // Not process.stderr: what it cannot write at once is lost at exit.
    writeSync(2, `${name}: ${text}\n`);
    process.exit(1);
  }
}
