// The machine under the figures: what it is, which CPU runs whom, and its congestion control, which is fixed for the run
// and put back at exit. A figure without these is not worth quoting. What the machine does not permit is said, and the run
// goes on without it; nothing here ends a run.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release } from 'node:os';

/** The contender under test has a CPU to itself; node, client and this harness share the other. */
export const CONTENDER_CPU = 0;
export const LOAD_CPU = 1;

const CONGESTION = '/proc/sys/net/ipv4/tcp_congestion_control';
const TASKSET = '/usr/bin/taskset';

export interface Machine {
  kernel: string;
  cpu: string;
  cpus: number;
  pinned: boolean;
  congestion: string;
  /** Runnable processes, averaged over the minute before the run. */
  loadAtStart: number;
  node: string;
  programs: Record<string, string>;
}

/** Looked at before this process is bound to one of them. */
const CPU_COUNT = availableParallelism();
const CPUS_AT_START = readFileSync('/proc/self/status', 'utf8').match(/^Cpus_allowed_list:\s+(\S+)$/m)?.[1] ?? '';
/** What else the machine was doing before the first round: figures from a busy machine are noise. */
const LOAD_AT_START = loadavg()[0] ?? 0;

export interface Command {
  command: string;
  args: string[];
}

/**
 * The same command, bound to one CPU, or to all that there are: a child inherits this process's own binding. It replaces itself,
 * so the pid stays the program's own.
 */
export function pinned(cpu: number | 'any', { command, args }: Command): Command {
  if (whyNotPinned() !== undefined) return { command, args };
  return { command: TASKSET, args: ['-c', cpu === 'any' ? CPUS_AT_START : String(cpu), command, ...args] };
}

/** Keeps this process off the contender's CPU. */
export function pinSelf(): void {
  if (whyNotPinned() === undefined) spawnSync(TASKSET, ['-a', '-c', '-p', String(LOAD_CPU), String(process.pid)]);
}

let tried: { problem: string | undefined } | undefined;

/** Why programs run wherever the kernel puts them; undefined when they can be bound. Found out by trying, once. */
export function whyNotPinned(): string | undefined {
  tried ??= { problem: tryToPin() };
  return tried.problem;
}

function tryToPin(): string | undefined {
  if (!existsSync(TASKSET)) return `${TASKSET} is missing (the Debian package util-linux)`;
  if (CPU_COUNT < 2) return 'this process may use only one CPU';
  for (const cpu of [CONTENDER_CPU, LOAD_CPU]) {
    const { status, stderr, error } = spawnSync(TASKSET, ['-c', String(cpu), '/bin/true'], { encoding: 'utf8' });
    if (status !== 0) return `CPU ${cpu}: ${error?.message ?? stderr.trim()}`;
  }
  return undefined;
}

/**
 * Sets the congestion control and restores it at exit, which signals lead to as well. Returns a warning where it stays as it is:
 * `isUnknown` when the kernel has none of that name.
 */
export function fixCongestion(name: string): { isUnknown: boolean; warning: string } | undefined {
  const before = currentCongestion();
  if (name === 'keep' || name === before) return undefined;
  try {
    writeFileSync(CONGESTION, name);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    const warning = `congestion control stays ${before}: setting ${name} failed (${code})`;
    return { isUnknown: code === 'ENOENT', warning };
  }
  process.on('exit', () => writeFileSync(CONGESTION, before));
  return undefined;
}

export function currentCongestion(): string {
  return readFileSync(CONGESTION, 'utf8').trim();
}

/** The most descriptors that a child may have: connection limits of all contenders follow from it. */
export function descriptorLimit(): number {
  const hard = readFileSync('/proc/self/limits', 'utf8').match(/^Max open files\s+\d+\s+(\d+)/m)?.[1];
  return hard === undefined ? 1024 : Number(hard);
}

/** The first line that a program prints about its version, on whichever stream. */
export function versionOf(command: string, args: string[]): string {
  const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) return 'not installed';
  return `${stdout}${stderr}`.split('\n')[0]?.trim() ?? 'unknown';
}

export function describeMachine(programs: Record<string, string>): Machine {
  return {
    kernel: release(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: CPU_COUNT,
    pinned: whyNotPinned() === undefined,
    congestion: currentCongestion(),
    loadAtStart: LOAD_AT_START,
    node: process.version,
    programs,
  };
}
