// Watches a running contender from outside while a load runs: perf samples its stacks or counts its system calls, or strace
// counts them. Only running the tools and reading what they wrote; what that means is said in shares.ts and calls.ts.
// The whole process tree is watched, because nginx works in a child.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, startProgram } from '../../testing/process.ts';
import { LOAD_CPU, pinned } from '../machine.ts';
import { processTree } from '../meters.ts';
import { type CallCounts, parsePerfCounts, parseStraceCounts } from './calls.ts';
import { parseStacks, type Stack } from './shares.ts';
import { systemCallEvents } from './tools.ts';

/** A prime: a sampler in step with a timer of the program's would see always the same. */
const SAMPLES_PER_SECOND = 997;
const DEADLINE_MS = 60_000;
const SCRIPT_OUTPUT_BYTES_MAX = 1024 ** 3;

export interface Watched<T> {
  found: T;
  /** what the load says that it did meanwhile */
  units: number;
}

export type Load = () => Promise<number>;

/** The stacks of everything that ran, at a fixed rate of its CPU time. `-N`: no copies of programs in the user's ~/.debug. */
export async function sampleStacks(pid: number, directory: string, load: Load): Promise<Watched<Stack[]>> {
  const file = join(directory, 'perf.data');
  const args = ['record', '-q', '-N', '-g', '-e', 'cpu-clock', '-F', String(SAMPLES_PER_SECOND), '-o', file];
  const units = await watchWithPerf(args, pid, load);
  return { found: parseStacks(readStacks(file)), units };
}

/** While the contender still runs: the names of compiled JavaScript are in a file that goes with it. Without inlined functions, whose
 * look-up in a large binary takes longer than the measurement. */
function readStacks(file: string): string {
  const { command, args } = pinned(LOAD_CPU, {
    command: 'perf',
    args: ['script', '-i', file, '-F', 'tid,ip,sym,dso', '--no-inline'],
  });
  const options = { encoding: 'utf8', maxBuffer: SCRIPT_OUTPUT_BYTES_MAX } as const;
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  if (status !== 0) throw new Error(`perf script: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

export async function countCallsWithPerf(pid: number, directory: string, load: Load): Promise<Watched<CallCounts>> {
  const file = join(directory, 'perf.stat');
  const args = ['stat', '-x,', '-e', systemCallEvents().join(','), '-o', file];
  const units = await watchWithPerf(args, pid, load);
  return { found: parsePerfCounts(readFileSync(file, 'utf8')), units };
}

/** perf is attached first and switched on by a word on its stdin, answered on its stdout: so it sees the load and nothing before. */
async function watchWithPerf(args: string[], pid: number, load: Load): Promise<number> {
  const target = ['-p', processTree(pid).join(','), '-D', '-1', '--control=fd:0,1'];
  const perf = await startProgram({
    name: `perf ${args[0]}`,
    ...pinned(LOAD_CPU, { command: 'perf', args: [...args, ...target] }),
  });
  return watchFor(perf, load, {
    begin: () => ask(perf, 'enable', 1),
    end: () => ask(perf, 'disable', 2),
  });
}

async function ask(perf: Program, word: string, answers: number): Promise<void> {
  perf.write(`${word}\n`);
  const answered = () => (perf.stdout.match(/ack/g) ?? []).length >= answers;
  await perf.waitUntil(`perf to ${word}`, answered, DEADLINE_MS);
}

/** Calls are slowed several times, counts are not. */
export async function countCallsWithStrace(pid: number, directory: string, load: Load): Promise<Watched<CallCounts>> {
  const file = join(directory, 'strace.txt');
  const pids = processTree(pid);
  const strace = await startProgram({
    name: 'strace',
    ...pinned(LOAD_CPU, {
      command: 'strace',
      args: ['-c', '-f', '-o', file, ...pids.flatMap((it) => ['-p', `${it}`])],
    }),
  });
  const attached = () => (strace.stderr.match(/Process \d+ attached/g) ?? []).length >= pids.length;
  const units = await watchFor(strace, load, {
    begin: () => strace.waitUntil('strace to attach', attached, DEADLINE_MS),
    end: async () => {},
  });
  return { found: parseStraceCounts(readFileSync(file, 'utf8')), units };
}

interface Window {
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** Both tools write what they found when they are interrupted, and both then die of that signal. */
async function watchFor(tool: Program, load: Load, { begin, end }: Window): Promise<number> {
  try {
    await begin();
    const units = await load();
    await end();
    tool.signal('SIGINT');
    await tool.waitForExit(DEADLINE_MS);
    return units;
  } finally {
    if (tool.exited === undefined) tool.killGroup();
  }
}
