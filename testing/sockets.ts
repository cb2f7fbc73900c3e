// Which TCP sockets a process has, from /proc: the only way to learn the port of a client program that does not tell, and
// to see that a server listens without connecting to it, which would leave a trace at the node behind it.

import { Buffer } from 'node:buffer';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';

export interface SocketAddress {
  address: string;
  port: number;
}

export interface TcpSocket {
  local: SocketAddress;
  remote: SocketAddress;
  listening: boolean;
  /** connected, and neither side has ended */
  isOpen: boolean;
}

/** As the kernel writes it in /proc/net/tcp. */
const STATE_LISTEN = '0A';
const STATE_ESTABLISHED = '01';

const CHUNK_BYTES = 16_384;

/**
 * Whether the process itself listens on `port`, on any address. Throws when it is gone. After a benchmark the kernel remembers tens of
 * thousands of connections, and reading them all takes 0.3 s and more; listening sockets come first, so that is where this stops.
 */
export function listens(pid: number, port: number): boolean {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = ['tcp', 'tcp6'].flatMap((family) => listeningInodes(`/proc/${pid}/net/${family}`, hexPort));
  return inodes.length > 0 && readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.includes(inodeOf(pid, fd)));
}

/** The TCP sockets of a process, of either family, in any state. */
export function tcpSocketsOf(pid: number): TcpSocket[] {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const inode = inodeOf(pid, fd);
    if (inode !== '') inodes.add(inode);
  }
  return [`/proc/${pid}/net/tcp`, `/proc/${pid}/net/tcp6`].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, local = '', remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/);
        if (!inodes.has(inode)) return [];
        const listening = state === STATE_LISTEN;
        return [
          { local: parseAddress(local), remote: parseAddress(remote), listening, isOpen: state === STATE_ESTABLISHED },
        ];
      }),
  );
}

/** Inodes of the sockets that listen on the port, whoever they belong to. */
function listeningInodes(file: string, hexPort: string): string[] {
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

/** Of the socket; empty for anything else, and for a descriptor that was closed meanwhile. */
function inodeOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`).match(/^socket:\[(\d+)\]$/)?.[1] ?? '';
  } catch {
    return '';
  }
}

/** `0100007F:1F90`: 32-bit words in the machine's byte order, which on both our platforms is little-endian. */
function parseAddress(text: string): SocketAddress {
  const [hex = '', port = ''] = text.split(':');
  const bytes = Buffer.from(hex, 'hex');
  const address = bytes.swap32();
  return { address: formatAddress(address), port: Number.parseInt(port, 16) };
}

function formatAddress(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  const groups = Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}
