// Which tools can look into a running program here. Found out by trying, because permission has many sources (user, capabilities,
// sysctls, container), and their messages differ from version to version.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { callEvents } from './calls.ts';

export interface Tools {
  /** perf can sample stacks, the kernel's too */
  canSample: boolean;
  /** what counts system calls; undefined: nothing does */
  counter: 'perf' | 'strace' | undefined;
  /** What is missing, and what that means for the profile. */
  notes: string[];
}

const PARANOID = '/proc/sys/kernel/perf_event_paranoid';
/** absent where the kernel has no such limits */
const PTRACE_SCOPE = '/proc/sys/kernel/yama/ptrace_scope';
const PTRACE_SCOPE_NOBODY = 3;
const KERNEL_SYMBOLS = '/proc/kallsyms';
const EVENTS = ['/sys/kernel/tracing/events/syscalls', '/sys/kernel/debug/tracing/events/syscalls'];

export function probeTools(): Tools {
  const sampling = tryPerf(['record', '-q', '-e', 'cpu-clock:k', '-o', '/dev/null', '--', '/bin/true']);
  const counting = tryPerf(['stat', '-x,', '-e', systemCallEvents().join(','), '--', '/bin/true']);
  const tracing = counting === undefined ? undefined : tryStrace();
  const notes: string[] = [];
  if (sampling !== undefined) notes.push(`no stacks, the kernel’s share from /proc only: ${sampling}`);
  else if (kernelSymbolsAreHidden())
    notes.push('the kernel hides its symbols (kptr_restrict): no shares of system calls');
  if (counting !== undefined && counting !== sampling) notes.push(`no counts of system calls by perf: ${counting}`);
  if (counting !== undefined && tracing === undefined) notes.push('system calls counted by strace, which slows them');
  if (tracing !== undefined) notes.push(`system calls are not counted: ${tracing}`);
  return {
    canSample: sampling === undefined,
    counter: counting === undefined ? 'perf' : tracing === undefined ? 'strace' : undefined,
    notes,
  };
}

/** The events that this kernel has and this user may see. */
export function systemCallEvents(): string[] {
  const folder = EVENTS.find((path) => existsSync(path));
  return callEvents((call) => folder !== undefined && existsSync(`${folder}/sys_enter_${call}`));
}

/** @returns why not; undefined when it works */
function tryPerf(args: string[]): string | undefined {
  const { status, error } = spawnSync('perf', args, { stdio: 'ignore' });
  if (error !== undefined) return whyNotStarted('perf', 'linux-perf', error);
  if (status === 0) return undefined;
  const paranoid = existsSync(PARANOID) ? readFileSync(PARANOID, 'utf8').trim() : 'unknown';
  return `perf is not permitted to look into the kernel (perf_event_paranoid is ${paranoid}): run it as root`;
}

function tryStrace(): string | undefined {
  const { status, error } = spawnSync('strace', ['-c', '-f', '-o', '/dev/null', '/bin/true'], { stdio: 'ignore' });
  if (error !== undefined) return whyNotStarted('strace', 'strace', error);
  if (status !== 0) return 'strace is not permitted to trace a program';
  // A child of its own is always allowed; contenders are ours.
  const scope = existsSync(PTRACE_SCOPE) ? Number(readFileSync(PTRACE_SCOPE, 'utf8')) : 0;
  const mayAttach = scope === 0 || (process.getuid?.() === 0 && scope < PTRACE_SCOPE_NOBODY);
  return mayAttach ? undefined : `strace is not permitted to attach to a program (ptrace_scope is ${scope})`;
}

function whyNotStarted(name: string, debianPackage: string, error: Error): string {
  const isMissing = 'code' in error && error.code === 'ENOENT';
  return isMissing ? `${name} is not installed (Debian: apt-get install ${debianPackage})` : error.message;
}

/** Then every address in the list is zero. */
function kernelSymbolsAreHidden(): boolean {
  try {
    return /^0+ /.test(readFileSync(KERNEL_SYMBOLS, 'latin1').slice(0, 32));
  } catch {
    return true;
  }
}
