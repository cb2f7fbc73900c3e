// Free ports for tests and benchmarks, all below the ephemeral range: a port up there can be taken by any outgoing
// connection between our look and the server's bind, and a connect to it can even meet itself.

import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const LOWEST = 12_000;
const DEFAULT_EPHEMERAL_FIRST = 32_768;

export const LOOPBACK_IPV4 = '127.0.0.1';
export const LOOPBACK_IPV6 = '::1';

const given = new Set<number>();

/** Where files have no networks of their own (no root), each of the workers that run at once has a slice of the ports. */
const SLICES = 4;
const WORKER = Number(process.env.VITEST_POOL_ID ?? 0);

function firstEphemeralPort(): number {
  try {
    const first = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
    return first > LOWEST + 1_000 ? first : DEFAULT_EPHEMERAL_FIRST;
  } catch {
    return DEFAULT_EPHEMERAL_FIRST;
  }
}

/** Whether nobody listens on `port`, on any address of either family. */
async function isFree(port: number): Promise<boolean> {
  for (const host of ['::', '0.0.0.0', LOOPBACK_IPV4, LOOPBACK_IPV6]) {
    const code = await tryToListen(host, port);
    if (code !== undefined && code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') return false;
  }
  return true;
}

function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    server.listen({ host, port, exclusive: true, ipv6Only: host.includes(':') }, () => {
      server.close(() => resolve(undefined));
    });
  });
}

/** A port that nobody listens on, on any address. The same process never gets the same one twice. */
export async function freePort(): Promise<number> {
  const range = Math.floor((firstEphemeralPort() - LOWEST) / SLICES);
  const lowest = LOWEST + (WORKER % SLICES) * range;
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = lowest + Math.floor(Math.random() * range);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${lowest} and ${lowest + range}`);
}

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

/** Whether somebody accepts connections there now. */
export function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

let ipv6: Promise<boolean> | undefined;

/** Whether this machine has ::1 (containers often have not). */
export function hasIpv6(): Promise<boolean> {
  ipv6 ??= tryToListen(LOOPBACK_IPV6, 0).then((code) => code === undefined);
  return ipv6;
}

/** `127.0.0.1:80` or `[::1]:80`, the way configurations write it. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
