// The node behind every contender: one nginx that wants the PROXY header and serves a small answer and a big file, and a
// sink for uploads. They live as long as the benchmark and share the load's CPU.
// It also counts what reached it, which is how the benchmark knows that nothing was lost or made up on the way.

import { truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Peer } from '../tests/support/peer.ts';
import { freePorts, LOOPBACK_IPV4 } from '../tests/support/ports.ts';
import { type Program, startProgram } from '../tests/support/process.ts';
import { NGINX, nginxTemporaryPaths } from '../tests/support/servers/nginx.ts';
import { listens } from '../tests/support/sockets.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../tests/support/temporary.ts';
import { LOAD_CPU, pinned } from './machine.ts';

export const SMALL_BODY = 'x'.repeat(64);

export interface NodeCounts {
  connections: number;
  requests: number;
}

export interface BenchNode {
  httpPort: number;
  sinkPort: number;
  /** Connections and requests that nginx has handled since it started, without the ones that asked for this. */
  counts(): Promise<NodeCounts>;
  stop(): Promise<void>;
}

export async function startNode(bigFileBytes: number, connections: number): Promise<BenchNode> {
  const directory = makeTemporaryDirectory('bench-node');
  const [httpPort = 0, statusPort = 0, sinkPort = 0] = await freePorts(3);
  const big = join(directory, 'big');
  writeFileSync(big, '');
  // A hole in the file system, but real pages in the page cache, which is where sendfile takes them.
  truncateSync(big, bigFileBytes);
  const file = join(directory, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off;
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
    root ${directory};
    location = /small { return 200 "${SMALL_BODY}"; }
    location = /big { }
  }
  server {
    listen ${LOOPBACK_IPV4}:${statusPort};
    location = /status { stub_status; }
  }
}
`,
  );
  const server = await startProgram({
    name: 'node (nginx)',
    ...pinned(LOAD_CPU, { command: NGINX, args: ['-p', directory, '-e', 'stderr', '-c', file] }),
  });
  await server.waitUntil('the node to listen', () => listens(server.pid, httpPort));
  const sink = await startLoadProgram('node (sink)', 'sink.ts', [String(sinkPort)]);
  await sink.waitForOutput(/ready/);
  let asked = 0;
  return {
    httpPort,
    sinkPort,
    async counts() {
      const peer = await Peer.connect({ host: LOOPBACK_IPV4, port: statusPort });
      await peer.send('GET /status HTTP/1.0\r\n\r\n');
      const text = (await peer.recvAll()).toString('latin1');
      peer.destroy();
      asked++;
      const [, accepted, , requests] = text.match(/^ (\d+) (\d+) (\d+) $/m) ?? [];
      return { connections: Number(accepted) - asked, requests: Number(requests) - asked };
    },
    async stop() {
      await Promise.all([server.stop(), sink.stop()]);
      removeTemporaryDirectory(directory);
    },
  };
}

/** One of the programs in bench/load/, in a process of its own on the load's CPU. */
export function startLoadProgram(name: string, file: string, args: string[]): Promise<Program> {
  const path = resolve(import.meta.dirname, 'load', file);
  return startProgram({ name, ...pinned(LOAD_CPU, { command: process.execPath, args: [path, ...args] }) });
}
