// Tries out, before anything is started, what the operator has set and only the system can judge: source addresses, congestion
// control towards nodes, the access log. A mistake there would otherwise show with every connection, or never.

import { closeSync, constants, openSync, statSync } from 'node:fs';
import { describeErrno, EADDRNOTAVAIL } from '../core/base/errno.ts';
import { formatIp } from '../core/base/ip.ts';
import { tryAddress } from '../core/linux/bound-socket.ts';
import { AF_INET, type Kernel } from '../core/linux/kernel.ts';
import { createKernel } from '../core/linux/native.ts';
import type { ShardSettings } from '../core/session/settings.ts';

const MEMORY_BYTES = 4096;
const DATA_AT = 0;

/** What does not work, as a sentence that names it. */
export interface PreflightProblem {
  readonly text: string;
  /** it may go by itself: an address comes with DHCP or VRRP */
  readonly isTemporary: boolean;
}

/** @param accessLog a path, `-` or undefined */
export function preflight(settings: ShardSettings, accessLog: string | undefined): PreflightProblem[] {
  const kernel = createKernel(new SharedArrayBuffer(MEMORY_BYTES));
  return [
    ...settings.sourceAddresses.flatMap(trySource),
    ...tryCongestion(kernel, settings.backCongestion),
    ...(accessLog === undefined || accessLog === '-' ? [] : tryLog(accessLog)),
  ];
}

/** Runs `attempt` on a socket of its own. @returns its result, 0 or -errno */
function onSocket(kernel: Kernel, family: number, attempt: (fd: number) => number): number {
  const fd = kernel.openSocket(family);
  if (fd < 0) return fd;
  const result = attempt(fd);
  kernel.close(fd);
  return result;
}

/** As sessions do: a bind that takes a port, too, fails when the machine's are used up, and a restart would be refused for it. */
function trySource(ip: Uint8Array): PreflightProblem[] {
  const result = tryAddress(ip);
  if (result === 0) return [];
  const text = `source address ${formatIp(ip, 0)} cannot be used: ${describeErrno(-result)}`;
  return [{ text, isTemporary: result === -EADDRNOTAVAIL }];
}

function tryCongestion(kernel: Kernel, name: string): PreflightProblem[] {
  if (name === '') return [];
  const result = onSocket(kernel, AF_INET, (fd) => {
    for (let i = 0; i < name.length; i++) kernel.arena.bytes[DATA_AT + i] = name.charCodeAt(i);
    return kernel.setCongestion(fd, DATA_AT, name.length);
  });
  if (result === 0) return [];
  return [lasting(`congestion control "${name}" towards nodes is not available: ${describeErrno(-result)}`)];
}

/** Opened without waiting: a FIFO may get its reader later. */
function tryLog(path: string): PreflightProblem[] {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants;
  try {
    closeSync(openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o640));
    return [];
  } catch (error) {
    const isFifoWithoutReader = error instanceof Error && 'code' in error && error.code === 'ENXIO' && isFifo(path);
    return isFifoWithoutReader ? [] : [lasting(`access log: ${error instanceof Error ? error.message : error}`)];
  }
}

/** A socket says ENXIO, too. */
function isFifo(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
}

function lasting(text: string): PreflightProblem {
  return { text, isTemporary: false };
}
