// What a load program hears from the benchmark, and says to it: lines on stdin, which its epoll watches like any socket, and lines
// on stdout. Node.js's own streams would need its event loop, and these programs never return to it.

import { readSync, writeSync } from 'node:fs';
import type { Engine } from './engine.ts';

const STDIN = 0;
const STDOUT = 1;

export interface Control {
  /** Lines that were not taken yet. */
  readonly lines: string[];
}

/** Listens to stdin whenever `engine` polls. The end of input ends the program: nobody is left who could want its figures. */
export function openControl(engine: Engine): Control {
  const lines: string[] = [];
  const bytes = new Uint8Array(4096);
  let rest = '';
  engine.watchOther(STDIN, () => {
    const count = readSync(STDIN, bytes);
    if (count === 0) process.exit(0);
    const parts = (rest + Buffer.from(bytes.subarray(0, count)).toString('latin1')).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  return { lines };
}

/** Says `ready`, so that starting is not measured, and waits for `go`. */
export function waitForGo(engine: Engine, { lines }: Control): void {
  say('ready');
  while (lines[0] !== 'go') engine.poll(-1, ignore);
  lines.shift();
}

export function say(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  let written = 0;
  while (written < bytes.length) written += writeSync(STDOUT, bytes, written);
}

function ignore(): void {}
