// Load programs as the benchmark sees them: started and ready before anything is measured, told to go, asked for their figures.

import { startLoadProgram } from '../node.ts';

const READY = /^ready$/m;
const FIGURES = /^\{.*\}$/m;

export interface Generator<Result> {
  /** Sends one line. */
  say(line: string): void;
  /** The line of figures, as soon as it is said: the program still runs, and does nothing. Rejects like `result`. */
  figures(deadlineMs: number): Promise<Result>;
  /** The same, once the program has ended well. Rejects with what it said last otherwise, and leaves none running. */
  result(deadlineMs: number): Promise<Result>;
}

/** @param options what the program gets as its only argument, as JSON @returns once it is ready */
export async function startGenerator<Result>(name: string, file: string, options: object): Promise<Generator<Result>> {
  const program = await startLoadProgram(name, file, [JSON.stringify(options)]);
  const orStop = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      await program.stop();
      throw error;
    }
  };
  await orStop(program.waitForOutput(READY));
  const figures = async (deadlineMs: number): Promise<Result> => {
    const [line] = await program.waitForOutput(FIGURES, deadlineMs);
    return JSON.parse(line);
  };
  const end = async (deadlineMs: number): Promise<Result> => {
    const result = await figures(deadlineMs);
    program.closeInput();
    const { code } = await program.waitForExit();
    if (code !== 0) throw program.failure('it failed');
    return result;
  };
  return {
    say: (line) => program.write(`${line}\n`),
    figures: (deadlineMs) => orStop(figures(deadlineMs)),
    result: (deadlineMs) => orStop(end(deadlineMs)),
  };
}
