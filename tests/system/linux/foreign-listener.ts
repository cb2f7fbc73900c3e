// A listener of another process: a child that binds with SO_REUSEPORT, tells its port, and lives until its stdin is closed.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const PROGRAM = `
  const { createServer } = require('node:net');
  const [host, port, name] = process.argv.slice(1);
  process.title = name;
  const server = createServer();
  server.listen({ host, port: Number(port), reusePort: true, ipv6Only: host.includes(':') }, () => {
    process.stdout.write(server.address().port + '\\n');
  });
  process.stdin.on('end', () => process.exit()).resume();
`;

export interface ForeignListener {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** @param name the child's name in /proc, at most 15 characters */
export async function listenElsewhere(host: string, port = 0, name = 'elsewhere'): Promise<ForeignListener> {
  const child: ChildProcess = spawn(process.execPath, ['-e', PROGRAM, '--', host, String(port), name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  if (child.stdout === null || child.pid === undefined) throw new Error('no child');
  const line = await Promise.race([once(child.stdout, 'data'), exited.then(() => ['the child ended'])]);
  const found = Number.parseInt(String(line[0]), 10);
  if (!(found > 0)) throw new Error(`the other process does not listen: ${String(line[0])}`);
  return {
    port: found,
    pid: child.pid,
    async stop() {
      child.stdin?.end();
      await exited;
    },
  };
}
