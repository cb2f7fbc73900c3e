// A real MariaDB as a node that takes the PROXY header, on 127.0.0.1 and ::1, and sessions with it through its own client
// program. It speaks first: its greeting is out before it has read a header, so whoever waits for client bytes hangs here.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, hasIpv6 } from '../ports.ts';
import { type Program, runProgram, startProgram } from '../process.ts';
import { listens } from '../sockets.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../temporary.ts';

const MARIADBD = '/usr/sbin/mariadbd';
const INSTALL = '/usr/bin/mariadb-install-db';
const CLIENT = '/usr/bin/mariadb';
const START_DEADLINE_MS = 60_000;
const USER = 'tester';

export const available = (): boolean => [MARIADBD, INSTALL, CLIENT].every((file) => existsSync(file));
export const missing = 'needs the Debian package mariadb-server';

export interface MariadbServer {
  program: Program;
  port: number;
  stop(): Promise<void>;
}

export async function startMariadb(): Promise<MariadbServer> {
  const directory = makeTemporaryDirectory('mariadb');
  const port = await freePort();
  const file = join(directory, 'my.cnf');
  writeFileSync(
    file,
    `[mariadbd]
datadir=${directory}/data
socket=${directory}/socket
pid-file=${directory}/mariadbd.pid
tmpdir=${directory}
bind-address=127.0.0.1${(await hasIpv6()) ? ',::1' : ''}
port=${port}
proxy-protocol-networks=127.0.0.1/32,::1
skip-name-resolve
skip-log-bin
innodb_buffer_pool_size=32M
innodb_flush_log_at_trx_commit=0
init-file=${directory}/init.sql
`,
  );
  writeFileSync(join(directory, 'init.sql'), `CREATE USER '${USER}'@'%';\nGRANT PROCESS ON *.* TO '${USER}'@'%';\n`);
  const defaults = `--defaults-file=${file}`;
  await runProgram(
    {
      name: 'mariadb-install-db',
      command: INSTALL,
      args: [defaults, '--auth-root-authentication-method=normal', '--skip-test-db'],
      cwd: directory,
      unprivileged: true,
    },
    START_DEADLINE_MS,
  );
  const program = await startProgram({
    name: 'mariadbd',
    command: MARIADBD,
    args: [defaults],
    cwd: directory,
    unprivileged: true,
  });
  await program.waitForOutput(/ready for connections/, START_DEADLINE_MS);
  await program.waitUntil(`mariadbd to listen on ${port}`, () => listens(program.pid, port));
  return {
    program,
    port,
    async stop() {
      await program.stop();
      removeTemporaryDirectory(directory);
    },
  };
}

export interface MariadbSession {
  /** The client program: its sockets are the real client's. */
  program: Program;
  /** Runs one statement that answers with one line, columns separated by tabs. */
  query(statement: string): Promise<string>;
  close(): Promise<void>;
}

/** A session of the command-line client, kept open. */
export async function openMariadbSession(host: string, port: number): Promise<MariadbSession> {
  const program = await startProgram({
    name: 'mariadb client',
    command: CLIENT,
    args: [
      '--no-defaults',
      '--protocol=tcp',
      '--skip-ssl',
      '--unbuffered',
      '--batch',
      '--skip-column-names',
      `--host=${host}`,
      `--port=${port}`,
      `--user=${USER}`,
    ],
  });
  let queries = 0;
  return {
    program,
    async query(statement) {
      // A marker after each answer tells where it ends, also when there is none.
      const from = program.output.length;
      const marker = `end-of-answer-${++queries}`;
      program.write(`${statement};\nSELECT '${marker}';\n`);
      const [answer = ''] = await program.waitForOutput(new RegExp(`[\\s\\S]*?(?=${marker}\\n)`), undefined, from);
      return answer.trimEnd();
    },
    async close() {
      program.write('quit\n');
      program.closeInput();
      await program.waitForExit();
    },
  };
}
