// Whether a process listens on a port, without connecting to it, which would leave a trace at the node behind it. After a scenario with
// new connections the kernel remembers tens of thousands of them, and reading /proc/net/tcp to its end took 0.3 s and more, for
// every contender that is started. Listening sockets come first in it, so that is where this stops reading.

import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';

/** As the kernel writes it in /proc/net/tcp. */
const STATE_LISTEN = '0A';
const CHUNK_BYTES = 16_384;

/** Whether the process itself listens on `port`, on any address. Throws when it is gone. */
export function listens(pid: number, port: number): boolean {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = ['tcp', 'tcp6'].flatMap((family) => listeners(`/proc/${pid}/net/${family}`, hexPort));
  return inodes.length > 0 && readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.includes(inodeOf(pid, fd)));
}

/** Inodes of the sockets that listen on the port, whoever they belong to. */
function listeners(file: string, hexPort: string): string[] {
  const inodes: string[] = [];
  for (const line of lines(file)) {
    const [slot = '', local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    if (!/^\d+:$/.test(slot)) continue;
    if (state !== STATE_LISTEN) break;
    if (local.endsWith(`:${hexPort}`)) inodes.push(inode);
  }
  return inodes;
}

/** Of a file that costs what is read of it. */
function* lines(file: string): Generator<string> {
  const descriptor = openSync(file, 'r');
  try {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const decoder = new TextDecoder();
    let rest = '';
    for (let count = readSync(descriptor, chunk); count > 0; count = readSync(descriptor, chunk)) {
      const parts = (rest + decoder.decode(chunk.subarray(0, count))).split('\n');
      rest = parts.pop() ?? '';
      yield* parts;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Empty for a descriptor that was closed meanwhile. */
function inodeOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`).match(/^socket:\[(\d+)\]$/)?.[1] ?? '';
  } catch {
    return '';
  }
}
