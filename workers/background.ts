// Threads that work in the background give way to shards. On Linux a nice value belongs to a thread (setpriority(2)): beside a busy shard on
// the same CPU such a thread gets a tenth of the time, and all of it where another CPU is free.

import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

const BACKGROUND_NICE = 10;

/** those in which V8 compiles what has become hot */
const COMPILER_THREAD = 'node-V8Worker';

/** setpriority(2): the calling thread */
const MYSELF = 0;

/** The calling thread works in the background from now on, for good, and so do threads that it starts. */
export function giveWay(): void {
  setNice(MYSELF);
}

/** V8's compiler works in the background: a shard whose CPU it takes stands still for up to a time slice, which is milliseconds. */
export function letCompilerGiveWay(): void {
  for (const thread of readdirSync('/proc/self/task')) {
    if (nameOf(thread) === COMPILER_THREAD) setNice(Number(thread));
  }
}

function nameOf(thread: string): string {
  try {
    return readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

function setNice(thread: number): void {
  try {
    setPriority(thread, BACKGROUND_NICE);
  } catch {
    // The thread has ended, or a sandbox forbids it: all goes on as it was.
  }
}
