// The balancer with its store, as `npm start` runs it: the real binary without a file, in a data
// directory of the test's, and requests to its API with a token that is made as `balancer token
// create` makes one, over the local socket, and without a process of its own.

import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { BALANCER } from './balancer.ts';
import { DEADLINE_MS } from './deadline.ts';
import { freePort } from './ports.ts';
import { type Exit, eventually, type Program, startProgram } from './process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from './temporary.ts';

export interface Answer {
  readonly status: number;
  // Answers are as different as the routes are; a test says what it expects of its own.
  readonly body: Readonly<Record<string, unknown>>;
}

export interface StoredOptions {
  env?: Readonly<Record<string, string | undefined>>;
  /** further arguments of `balancer run` */
  args?: readonly string[];
}

export class StoredBalancer {
  readonly program: Program;
  /** `http://127.0.0.1:12345` */
  readonly url: string;
  readonly token: string;

  constructor(program: Program, url: string, token: string) {
    this.program = program;
    this.url = url;
    this.token = token;
  }

  /** @param path from the root: `/v4/nodebalancers` @throws when nobody answers */
  async request(method: string, path: string, body?: object): Promise<Answer> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Answer['body'] };
  }

  /** @returns the answer's body @throws when it is an error */
  async ask(method: string, path: string, body?: object): Promise<Answer['body']> {
    const answer = await this.request(method, path, body);
    if (answer.status === 200) return answer.body;
    throw this.program.failure(`${method} ${path} -> ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  /** A nodebalancer on loopback with one config and its nodes. @returns its path and the config's */
  async create(label: string, config: object, nodes: readonly object[]): Promise<{ path: string; config: string }> {
    const { id } = await this.ask('POST', '/v4/nodebalancers', { region: 'local', label, ipv4: '127.0.0.1' });
    const path = `/v4/nodebalancers/${id}`;
    const made = await this.ask('POST', `${path}/configs`, { protocol: 'tcp', ...config });
    for (const node of nodes) await this.ask('POST', `${path}/configs/${made.id}/nodes`, node);
    return { path, config: `${path}/configs/${made.id}` };
  }

  /** SIGTERM, the drain, the end. */
  stop(): Promise<Exit> {
    return this.program.stop(DEADLINE_MS);
  }
}

/** A data directory, and the port of the API: what stays the same over restarts. */
export class Home {
  readonly directory = makeTemporaryDirectory('home');
  readonly dataDir = join(this.directory, 'data');
  token = '';
  #port = 0;

  async env(more: StoredOptions['env'] = {}): Promise<Record<string, string | undefined>> {
    if (this.#port === 0) this.#port = await freePort();
    return {
      BALANCER_DATA_DIR: this.dataDir,
      BALANCER_ADMIN_ADDRESS: `127.0.0.1:${this.#port}`,
      BALANCER_WORKERS: '2',
      BALANCER_DRAIN_TIMEOUT_MS: '0',
      ...more,
    };
  }

  /** @returns the program, which may refuse to start */
  async launch({ env, args = [] }: StoredOptions = {}): Promise<Program> {
    return startProgram({ name: 'balancer', command: BALANCER, args: ['run', ...args], env: await this.env(env) });
  }

  /** @returns once it is ready */
  async start(options: StoredOptions = {}): Promise<StoredBalancer> {
    const program = await this.launch(options);
    try {
      await program.waitForOutput(/^balancer ready\b/m, DEADLINE_MS);
    } catch (error) {
      program.killGroup();
      throw error;
    }
    const socket = join(this.dataDir, 'control.sock');
    // With `off` there is none.
    if (this.token === '' && existsSync(socket)) this.token = await createToken(socket);
    return new StoredBalancer(program, `http://127.0.0.1:${this.#port}`, this.token);
  }

  remove(): void {
    removeTemporaryDirectory(this.directory);
  }
}

/** @param socketPath where whoever asks is the operator @returns a token of scope read_write */
async function createToken(socketPath: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { 'content-type': 'application/json' };
  const asked = request(
    { socketPath, path: '/balancer/v1/tokens', method: 'POST', headers, agent: false },
    (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => (answer.statusCode === 200 ? resolve(JSON.parse(text).token) : reject(new Error(text))));
    },
  );
  asked.on('error', reject);
  asked.end(JSON.stringify({ scope: 'read_write', label: 'test' }));
  return promise;
}

/** The API comes back within seconds of its thread's death. */
export async function answersAgain(balancer: StoredBalancer): Promise<void> {
  await eventually('the API to answer', async () => (await balancer.request('GET', '/readyz')).status === 200);
}
