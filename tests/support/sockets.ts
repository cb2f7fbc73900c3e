// Which TCP sockets a process has, from /proc: the only way to learn the port of a client program that does not tell, and
// to see that a server listens without connecting to it, which would leave a trace at the node behind it.

import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface SocketAddress {
  address: string;
  port: number;
}

export interface TcpSocket {
  local: SocketAddress;
  remote: SocketAddress;
  listening: boolean;
}

/** As the kernel writes it in /proc/net/tcp. */
const STATE_LISTEN = '0A';

/** Whether the process itself listens on `port`, on any address. */
export function listens(pid: number, port: number): boolean {
  return tcpSocketsOf(pid).some(({ local, listening }) => listening && local.port === port);
}

/** The TCP sockets of a process, of either family, in any state. */
export function tcpSocketsOf(pid: number): TcpSocket[] {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const inode = readlinkSync(`/proc/${pid}/fd/${fd}`).match(/^socket:\[(\d+)\]$/)?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  return [`/proc/${pid}/net/tcp`, `/proc/${pid}/net/tcp6`].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, local = '', remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/);
        if (!inodes.has(inode)) return [];
        return [{ local: parseAddress(local), remote: parseAddress(remote), listening: state === STATE_LISTEN }];
      }),
  );
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
