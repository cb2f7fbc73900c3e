// The node behind every contender: one nginx that wants the PROXY header and serves a small answer and a big file, and a
// sink for uploads. They live as long as the benchmark and share the load's CPU.
// It also counts what reached it, which is how the benchmark knows that nothing was lost or made up on the way.

import { closeSync, openSync, readSync, truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withCompileCache } from '../bin/runtime.js';
import { Peer } from '../testing/peer.ts';
import { freePorts, LOOPBACK_IPV4 } from '../testing/ports.ts';
import { type Program, startProgram } from '../testing/process.ts';
import { NGINX, nginxTemporaryPaths } from '../testing/servers/nginx.ts';
import { listens } from '../testing/sockets.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../testing/temporary.ts';
import { LOAD_CPU, pinned } from './machine.ts';

const SMALL_BODY = 'x'.repeat(64);

export interface NodeCounts {
  connections: number;
  requests: number;
}

export interface BenchNode {
  /** `/small` and `/big` for those who send a PROXY header */
  httpPort: number;
  /** the same for those who send none */
  plainHttpPort: number;
  /** takes uploads with any PROXY header, or none */
  sinkPort: number;
  /** Connections and requests that nginx has handled since it started, without the ones that asked for this. */
  counts(): Promise<NodeCounts>;
  stop(): Promise<void>;
}

/** @param bigFileBytes size of `/big` @param connections how many it must be able to hold */
export async function startNode(bigFileBytes: number, connections: number): Promise<BenchNode> {
  const directory = makeTemporaryDirectory('bench-node');
  const [httpPort = 0, plainHttpPort = 0, statusPort = 0, sinkPort = 0] = await freePorts(4);
  const ports = { httpPort, plainHttpPort, statusPort };
  makeBigFile(join(directory, 'big'), bigFileBytes);
  const server = await startServer(directory, ports, connections);
  const sink = await startSink(sinkPort).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  let asked = 0;
  return {
    httpPort,
    plainHttpPort,
    sinkPort,
    async counts() {
      const { connections, requests } = await readStatus(statusPort);
      asked++;
      return { connections: connections - asked, requests: requests - asked };
    },
    async stop() {
      await Promise.all([server.stop(), sink.stop()]);
      removeTemporaryDirectory(directory);
    },
  };
}

/** A hole in the file system, but real pages in the page cache, which is where sendfile takes them. */
function makeBigFile(path: string, bytes: number): void {
  writeFileSync(path, '');
  truncateSync(path, bytes);
  // Read once, because making the pages is six times slower than sending them, and whoever came first would pay for it.
  const file = openSync(path, 'r');
  const chunk = new Uint8Array(1024 * 1024);
  while (readSync(file, chunk) > 0);
  closeSync(file);
}

interface ServerPorts {
  httpPort: number;
  plainHttpPort: number;
  statusPort: number;
}

async function startServer(directory: string, ports: ServerPorts, connections: number): Promise<Program> {
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, serverConfiguration(directory, ports, connections));
  const server = await startProgram({
    name: 'node (nginx)',
    ...pinned(LOAD_CPU, { command: NGINX, args: ['-p', directory, '-e', 'stderr', '-c', file] }),
  });
  await server.waitUntil('the node to listen', () => listens(server.pid, ports.httpPort));
  return server;
}

async function startSink(port: number): Promise<Program> {
  const sink = await startLoadProgram('node (sink)', 'sink.ts', [String(port)]);
  await sink.waitForOutput(/^ready$/m);
  return sink;
}

function serverConfiguration(
  directory: string,
  { httpPort, plainHttpPort, statusPort }: ServerPorts,
  connections: number,
): string {
  return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
worker_rlimit_nofile ${connections + 256};
pid ${directory}/nginx.pid;
error_log stderr error;
events { worker_connections ${connections + 128}; }
http {
  ${nginxTemporaryPaths(directory)}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  client_header_timeout 1h;
  server {
    listen ${LOOPBACK_IPV4}:${httpPort} proxy_protocol backlog=4096;
    listen ${LOOPBACK_IPV4}:${plainHttpPort} backlog=4096;
    root ${directory};
    location = /small { return 200 "${SMALL_BODY}"; }
    location = /big { }
  }
  server {
    listen ${LOOPBACK_IPV4}:${statusPort};
    location = /status { stub_status; }
  }
}
`;
}

/** stub_status counts the connection and the request that ask for it too. */
async function readStatus(port: number): Promise<NodeCounts> {
  const peer = await Peer.connect({ host: LOOPBACK_IPV4, port });
  await peer.send('GET /status HTTP/1.0\r\n\r\n');
  const text = (await peer.recvAll()).toString('latin1');
  peer.destroy();
  const [, accepted, , requests] = text.match(/^ (\d+) (\d+) (\d+) $/m) ?? [];
  return { connections: Number(accepted), requests: Number(requests) };
}

/**
 * Room for what a generator allocates in a whole run, because collecting garbage stops all its connections at once; and code
 * that is compiled during the rehearsal (see load/rehearsal.ts) and not in the middle of a run.
 */
const GENERATOR_OPTIONS = [
  '--min-semi-space-size=16',
  '--invocation-count-for-maglev=100',
  '--invocation-count-for-turbofan=500',
];

/** One of the programs in bench/load/, in a process of its own on the load's CPU. */
export function startLoadProgram(name: string, file: string, args: string[]): Promise<Program> {
  const path = resolve(import.meta.dirname, 'load', file);
  const command = { command: process.execPath, args: [...GENERATOR_OPTIONS, path, ...args] };
  // A run starts dozens of them, and a third of a start would be compiling the same sources again.
  return startProgram({ name, ...pinned(LOAD_CPU, command), env: withCompileCache(process.env) });
}
