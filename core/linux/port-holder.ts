// Who listens on a port: for the message that says why we cannot. Reads /proc (proc(5)); sees other users' processes only
// where it may.

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

const STATE_LISTEN = '0A';

/** Node.js calls its main thread so, and with it the process. */
const NODE_NAME = 'node-MainThread';
/** What a balancer's process is started with: this file, then `run`. */
const BALANCER_MAIN = '/cli/main.ts';

/** @param except sockets of this process that are none's business @returns `nginx (pid 812)`, or undefined when nobody could be named */
export function portHolder(port: number, except: readonly number[] = []): string | undefined {
  const inodes = inodesOf(port, except);
  if (inodes.size === 0) return undefined;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (!holdsOneOf(pid, inodes)) continue;
    return `${commandOf(pid)} (pid ${pid})`;
  }
  return 'a process that this user may not look at';
}

/** Whether this very process listens on the port. @param except sockets that do not count */
export function isHeldByUs(port: number, except: readonly number[]): boolean {
  return holdsOneOf('self', inodesOf(port, except));
}

function inodesOf(port: number, except: readonly number[]): ReadonlySet<string> {
  const inodes = new Set([...listeningInodes('tcp', port), ...listeningInodes('tcp6', port)]);
  for (const fd of except) inodes.delete(linkOf(`/proc/self/fd/${fd}`));
  return inodes;
}

function listeningInodes(table: 'tcp' | 'tcp6', port: number): string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = linesOf(`/proc/net/${table}`).slice(1);
  return rows.flatMap((row) => {
    const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/\s+/);
    return state === STATE_LISTEN && local.endsWith(`:${hexPort}`) ? [`socket:[${inode}]`] : [];
  });
}

function holdsOneOf(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.has(linkOf(`/proc/${pid}/fd/${fd}`)));
  } catch {
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function commandOf(pid: string): string {
  if (isBalancer(pid)) return 'another balancer';
  const name = linesOf(`/proc/${pid}/comm`)[0]?.trim() || 'a process';
  return name === NODE_NAME ? 'node' : name;
}

/** By its arguments: other programs have a cli/main.ts, too, but no launcher of our name beside it. */
function isBalancer(pid: string): boolean {
  const args = linesOf(`/proc/${pid}/cmdline`).join('\n').split('\0');
  const at = args.findIndex((arg) => arg.endsWith(BALANCER_MAIN));
  const main = args[at];
  if (main === undefined || args[at + 1] !== 'run') return false;
  return existsSync(join(main, '../../bin/balancer'));
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}
