// The balancer of the demo: the real binary with an empty store in a directory of its own, and requests to its API, each printed.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BALANCER = fileURLToPath(new URL('../bin/balancer', import.meta.url));

export interface DemoBalancer {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly token: string;
  /** resolves when the process has ended */
  readonly ended: Promise<unknown>;
  /** @param path below /v4 @returns the answer @throws when it is an error */
  request(method: string, path: string, body: object): Promise<{ readonly id: number }>;
  /** an address that logs its opener in at the page, once */
  loginUrl(): Promise<string>;
  stop(): Promise<void>;
}

/** @returns once it is ready */
export async function startDemoBalancer(folder: string, apiPort: number): Promise<DemoBalancer> {
  const address = `127.0.0.1:${apiPort}`;
  const env = {
    BALANCER_DRAIN_TIMEOUT_MS: '1000',
    // The requests are printed here, not by its log.
    BALANCER_LOG_LEVEL: 'warn',
    ...process.env,
    BALANCER_DATA_DIR: folder,
    BALANCER_ADMIN_ADDRESS: address,
    BALANCER_REGION: 'local',
  };
  // Before it runs: then the balancer makes no first one of its own.
  const token = createToken(env);
  const child = spawn(BALANCER, ['run'], { env, stdio: ['ignore', 'inherit', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  await readUntilReady(child);
  const url = `http://${address}`;
  const ended = once(child, 'exit');
  return {
    url,
    token,
    ended,
    request: (method, path, body) => request(url, token, method, path, body),
    loginUrl: async () => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${url}/balancer/v1/login/codes`, { method: 'POST', headers });
      return ((await answer.json()) as { url: string }).url;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** As anybody makes one. */
function createToken(env: NodeJS.ProcessEnv): string {
  const args = ['token', 'create', '--scope', 'read_write', '--label', 'demo'];
  return execFileSync(BALANCER, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

/** Shows what it says, and then leaves its messages to the terminal. */
async function readUntilReady({ stderr }: ChildProcess): Promise<void> {
  if (stderr === null) throw new Error('the balancer has no stderr');
  for await (const line of createInterface({ input: stderr })) {
    process.stdout.write(`  ${line}\n`);
    if (!line.startsWith('balancer ready')) continue;
    stderr.pipe(process.stderr);
    stderr.resume();
    return;
  }
  throw new Error('the balancer did not start');
}

async function request(
  url: string,
  token: string,
  method: string,
  path: string,
  body: object,
): Promise<{ id: number }> {
  const answer = await fetch(`${url}/v4${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  process.stdout.write(`  ${method} /v4${path} ${JSON.stringify(body)} -> ${answer.status}\n`);
  if (!answer.ok) throw new Error(text);
  return JSON.parse(text);
}
