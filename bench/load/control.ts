// What a load program hears from the benchmark, and says to it: lines on stdin and stdout. Node.js's own streams would need its
// event loop, and these programs never return to it. The end of input ends the program: nobody is left who could want its figures.

import { readSync, writeSync } from 'node:fs';
import type { Engine } from './engine.ts';

const STDIN = 0;
const STDOUT = 1;

const bytes = new Uint8Array(4096);
let rest = '';
/** Lines behind `go` that came together with it. */
let early: string[] = [];

/** Blocks until there is something. @returns whole lines */
function readLines(): string[] {
  const count = readSync(STDIN, bytes);
  if (count === 0) process.exit(0);
  const parts = (rest + Buffer.from(bytes.subarray(0, count)).toString('latin1')).split('\n');
  rest = parts.pop() ?? '';
  return parts;
}

/** Says `ready`, so that starting is not measured, and waits for `go`. Not in the engine, which compiled code expects to be busy. */
export function waitForGo(): void {
  say('ready');
  for (;;) {
    const lines = readLines();
    const at = lines.indexOf('go');
    if (at < 0) continue;
    early = lines.slice(at + 1);
    return;
  }
}

/** Calls `hear` with each line that comes while the engine polls. */
export function listen(engine: Engine, hear: (line: string) => void): void {
  for (const line of early.splice(0)) hear(line);
  engine.watchOther(STDIN, () => {
    for (const line of readLines()) hear(line);
  });
}

export function say(line: string): void {
  const text = Buffer.from(`${line}\n`);
  let written = 0;
  while (written < text.length) written += writeSync(STDOUT, text, written);
}
