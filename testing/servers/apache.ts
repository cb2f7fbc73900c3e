// A real Apache as a node that wants the PROXY header, on 127.0.0.1 and ::1. Its expressions know the client's address but
// not the client's port, so the report comes from the access log: a request names itself in X-Request and is looked up.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, hasIpv6, hostPort, LOOPBACK_IPV4, LOOPBACK_IPV6 } from '../ports.ts';
import { type Program, startProgram } from '../process.ts';
import { listens } from '../sockets.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../temporary.ts';
import { parseReport, type Report } from './report.ts';

const APACHE = '/usr/sbin/apache2';
const MODULES = '/usr/lib/apache2/modules';

export const available = (): boolean => existsSync(APACHE) && existsSync(`${MODULES}/mod_remoteip.so`);
export const missing = 'needs the Debian package apache2';

export interface ApacheServer {
  program: Program;
  httpPort: number;
  /** The logged report of the request that carried `X-Request: id`. */
  reportOf(id: string): Promise<Report>;
  stop(): Promise<void>;
}

export async function startApache(): Promise<ApacheServer> {
  const directory = makeTemporaryDirectory('apache');
  const httpPort = await freePort();
  const hosts = (await hasIpv6()) ? [LOOPBACK_IPV4, LOOPBACK_IPV6] : [LOOPBACK_IPV4];
  const log = join(directory, 'access.log');
  const file = join(directory, 'apache.conf');
  writeFileSync(
    file,
    `ServerRoot ${directory}
ServerName localhost
PidFile ${directory}/apache.pid
DefaultRuntimeDir ${directory}
Mutex pthread
LoadModule mpm_event_module ${MODULES}/mod_mpm_event.so
LoadModule authz_core_module ${MODULES}/mod_authz_core.so
LoadModule headers_module ${MODULES}/mod_headers.so
LoadModule remoteip_module ${MODULES}/mod_remoteip.so
${hosts.map((host) => `Listen ${hostPort(host, httpPort)}`).join('\n')}
DocumentRoot ${directory}
ErrorLog ${directory}/error.log
LogFormat "%{X-Request}i client=%a %{remote}p" report
CustomLog ${log} report
<VirtualHost *:${httpPort}>
  RemoteIPProxyProtocol On
  Header always set X-Client "expr=%{REMOTE_ADDR}"
  Header always set X-Peer "expr=%{CONN_REMOTE_ADDR}"
</VirtualHost>
`,
  );
  writeFileSync(join(directory, 'index.txt'), 'it works\n');
  const program = await startProgram({
    name: 'apache',
    command: APACHE,
    args: ['-f', file, '-D', 'FOREGROUND'],
    unprivileged: true,
  });
  await program.waitUntil(`apache to listen on ${httpPort}`, () => listens(program.pid, httpPort));
  return {
    program,
    httpPort,
    async reportOf(id) {
      let line: string | undefined;
      await program.waitUntil(`request ${id} in the access log`, () => {
        line = readFileSync(log, 'utf8')
          .split('\n')
          .find((text) => text.startsWith(`${id} `));
        return line !== undefined;
      });
      return parseReport(line ?? '');
    },
    async stop() {
      await program.stop();
      removeTemporaryDirectory(directory);
    },
  };
}
