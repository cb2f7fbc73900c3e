// A real HAProxy as a node with `accept-proxy`: the strictest reader of PROXY headers there is, for v1 and v2 alike. It
// drops what it does not like, verifies CRC32C, and so judges the bytes that we send.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, hasIpv6, hostPort, LOOPBACK_IPV4, LOOPBACK_IPV6 } from '../ports.ts';
import { type Program, startProgram } from '../process.ts';
import { listens } from '../sockets.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../temporary.ts';

export const HAPROXY = '/usr/sbin/haproxy';

export const available = (): boolean => existsSync(HAPROXY);
export const missing = 'needs the Debian package haproxy';

export interface HaproxyServer {
  program: Program;
  httpPort: number;
  stop(): Promise<void>;
}

export async function startHaproxy(): Promise<HaproxyServer> {
  const httpPort = await freePort();
  const hosts = (await hasIpv6()) ? [LOOPBACK_IPV4, LOOPBACK_IPV6] : [LOOPBACK_IPV4];
  const binds = hosts.map((host) => `  bind ${hostPort(host, httpPort)} accept-proxy`).join('\n');
  return startHaproxyWith(
    httpPort,
    `defaults
  mode http
  timeout client 30s
  timeout connect 5s
  timeout server 30s
frontend judge
${binds}
  http-request return status 200 content-type text/plain lf-string "client=%[src] %[src_port] destination=%[dst] %[dst_port] peer=%[fc_src] %[fc_src_port]\\n"
`,
  );
}

/** HAProxy with a configuration of the caller's, ready once it listens on `port`. */
async function startHaproxyWith(port: number, configuration: string): Promise<HaproxyServer> {
  const directory = makeTemporaryDirectory('haproxy');
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(file, configuration);
  const program = await startProgram({
    name: 'haproxy',
    command: HAPROXY,
    args: ['-db', '-f', file],
    unprivileged: true,
  });
  await program.waitUntil(`haproxy to listen on ${port}`, () => listens(program.pid, port));
  return {
    program,
    httpPort: port,
    async stop() {
      await program.stop();
      removeTemporaryDirectory(directory);
    },
  };
}
