// What the balancer asks Linux about itself and its machine, once, at start: descriptor limit, pipe limits, ephemeral ports,
// CPU affinity. Not for the data path.

import { readFileSync } from 'node:fs';
import { addressOf, systemCalls as linux } from './system-calls.ts';

const RLIMIT_NOFILE = 7;
const CAP_SYS_ADMIN = 21;
const CAP_SYS_RESOURCE = 24;
/** as a pid: whoever asks */
const SELF = 0;
const NO_LIMIT = 0;

/** Raises the soft limit of open files to the hard one, as HAProxy and nginx do. @returns the limit now in force */
export function raiseDescriptorLimit(): number {
  const memory = new SharedArrayBuffer(16);
  const view = new DataView(memory);
  const base = addressOf(memory);
  if (linux.prlimit64(SELF, RLIMIT_NOFILE, NO_LIMIT, base) !== 0) return 1024;
  const soft = Number(view.getBigUint64(0, true));
  const hard = Number(view.getBigUint64(8, true));
  if (soft >= hard) return soft;
  view.setBigUint64(0, BigInt(hard), true);
  return linux.prlimit64(SELF, RLIMIT_NOFILE, base, NO_LIMIT) === 0 ? hard : soft;
}

/** Binds the calling thread to one CPU (sched_setaffinity(2) with pid 0). @returns 0 or -errno */
export function pinThread(cpu: number): number {
  const maskBytes = 128;
  const memory = new SharedArrayBuffer(maskBytes);
  const mask = new Uint8Array(memory);
  mask[cpu >> 3] = 1 << (cpu & 7);
  return Math.min(linux.sched_setaffinity(SELF, maskBytes, addressOf(memory)), 0);
}

/** Ends the process without running anything more: for when threads may be stuck. */
export function exitAtOnce(code: number): never {
  linux.exit_group(code);
  throw new Error('unreachable');
}

/** A number from /proc/sys, or the fallback where the file is missing. */
function sysctl(path: string, fallback: number): number {
  try {
    return Number.parseInt(readFileSync(`/proc/sys/${path}`, 'utf8'), 10);
  } catch {
    return fallback;
  }
}

export function somaxconn(): number {
  return sysctl('net/core/somaxconn', 4096);
}

/** The lowest ephemeral port: from here on, a connect to this host may meet itself. */
export function ephemeralPortMin(): number {
  return sysctl('net/ipv4/ip_local_port_range', 32768);
}

/** Bytes of pipes that this user may hold at full size, or Infinity for a privileged one (pipe(7)). */
export function pipeBytesAllowed(): number {
  if (hasCapability(CAP_SYS_RESOURCE) || hasCapability(CAP_SYS_ADMIN)) return Number.POSITIVE_INFINITY;
  const pages = sysctl('fs/pipe-user-pages-soft', 16384);
  return pages === 0 ? Number.POSITIVE_INFINITY : pages * 4096;
}

/** The largest pipe that this user may ask for. */
export function pipeBytesMax(): number {
  return hasCapability(CAP_SYS_RESOURCE) ? Number.POSITIVE_INFINITY : sysctl('fs/pipe-max-size', 1048576);
}

function hasCapability(capability: number): boolean {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
    return ((BigInt(`0x${effective}`) >> BigInt(capability)) & 1n) === 1n;
  } catch {
    return false;
  }
}
