// The machine under the figures: what it is, which CPU runs whom, and its congestion control, which is fixed for the run
// and put back at exit. A figure without these is not worth quoting.

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

/** Counted before this process is bound to one of them. */
const CPU_COUNT = availableParallelism();
/** What else the machine was doing before the first round: figures from a busy machine are noise. */
const LOAD_AT_START = loadavg()[0] ?? 0;
const pinning = existsSync(TASKSET) && CPU_COUNT >= 2;

export interface Command {
  command: string;
  args: string[];
}

/** The same command, bound to one CPU. It replaces itself, so the pid stays the program's own. */
export function pinned(cpu: number, { command, args }: Command): Command {
  return pinning ? { command: TASKSET, args: ['-c', String(cpu), command, ...args] } : { command, args };
}

/** Keeps this process off the contender's CPU. */
export function pinSelf(): void {
  if (pinning) spawnSync(TASKSET, ['-a', '-c', '-p', String(LOAD_CPU), String(process.pid)]);
}

/** Sets the congestion control and restores it at exit. Returns a warning where that is not permitted. */
export function fixCongestion(name: string): string | undefined {
  const before = readFileSync(CONGESTION, 'utf8').trim();
  if (name === 'keep' || name === before) return undefined;
  try {
    writeFileSync(CONGESTION, name);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    return `congestion control stays ${before}: setting ${name} failed (${code})`;
  }
  process.on('exit', () => writeFileSync(CONGESTION, before));
  return undefined;
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
    pinned: pinning,
    congestion: readFileSync(CONGESTION, 'utf8').trim(),
    loadAtStart: LOAD_AT_START,
    node: process.version,
    programs,
  };
}
