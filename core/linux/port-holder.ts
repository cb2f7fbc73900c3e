// Who listens on a port: for the message that says why we cannot. Reads /proc (proc(5)); sees other users' processes only
// where it may.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const STATE_LISTEN = '0A';

/** @returns `nginx (pid 812)`, or undefined when nobody could be named */
export function portHolder(port: number): string | undefined {
  const inodes = new Set([...listeningInodes('tcp', port), ...listeningInodes('tcp6', port)]);
  if (inodes.size === 0) return undefined;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (!holdsOneOf(pid, inodes)) continue;
    return `${commandOf(pid)} (pid ${pid})`;
  }
  return 'a process that this user may not look at';
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
  return linesOf(`/proc/${pid}/comm`)[0]?.trim() || 'a process';
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}
