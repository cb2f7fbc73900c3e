// What a load program hears from the benchmark, and says to it: lines on stdin and stdout. Node.js's own streams would need its
// event loop, and these programs never return to it. The end of input ends the program: nobody is left who could want its figures.

import { readSync, writeSync } from 'node:fs';
import type { Engine } from './engine.ts';
import { LoadError } from './failure.ts';

const STDIN = 0;
const STDOUT = 1;

const bytes = new Uint8Array(4096);
/** Lines that nobody has taken yet, and the beginning of the next. */
const lines: string[] = [];
let rest = '';

/** Blocks until there is something. */
function readLines(): void {
  const count = readSync(STDIN, bytes);
  if (count === 0) process.exit(0);
  const parts = (rest + Buffer.from(bytes.subarray(0, count)).toString('latin1')).split('\n');
  rest = parts.pop() ?? '';
  lines.push(...parts);
}

/**
 * Says `ready`, so that starting is not measured, and waits for `go`. Not by the engine's epoll: the code compiled in a rehearsal is
 * thrown away when it meets there what it has not met before.
 */
export function waitForGo(): void {
  say('ready');
  while (lines.length === 0) readLines();
  const line = lines.shift();
  if (line !== 'go') throw new LoadError(`heard ${JSON.stringify(line)} instead of "go"`);
}

/** Last, when the figures are out: ending a process of Node.js takes 20 ms of CPU, which nobody's measurement shall have in it. */
export function waitForEnd(): never {
  for (;;) readLines();
}

/** Calls `hear` with each line that comes while the engine polls. */
export function listen(engine: Engine, hear: (line: string) => void): void {
  const hearAll = (): void => {
    for (const line of lines.splice(0)) hear(line);
  };
  hearAll();
  engine.watchOther(STDIN, () => {
    readLines();
    hearAll();
  });
}

export function say(line: string): void {
  const text = Buffer.from(`${line}\n`);
  let written = 0;
  while (written < text.length) written += writeSync(STDOUT, text, written);
}
