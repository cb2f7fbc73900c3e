// The operator's own way to the API, without a token: over the local socket of a running balancer, or, when none runs, straight to
// the store in its directory. The same routes answer either way.

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { OwnAddresses } from '../core/config/own-ports.ts';
import { request } from '../workers/node-http.ts';
import type { ApiContext } from './api/context.ts';
import { Logins } from './api/logins.ts';
import { createServer } from './api/server.ts';
import { Changes } from './changes.ts';
import type { DataPlane } from './data-plane.ts';
import { askStatus, isPathTooLong, SOCKET_PATH_BYTES_MAX, socketPath } from './status-client.ts';
import { databasePath } from './store/database.ts';
import { LoginTable } from './store/login-table.ts';
import { openStore } from './store/sqlite-store.ts';
import { openStatistics } from './store/statistics.ts';
import { storeChecker } from './store/store-check.ts';
import { Tokens } from './store/tokens.ts';
import { CONTROL_SOCKET } from './thread/listening.ts';

export interface OperatorAnswer {
  readonly status: number;
  /** JSON, or undefined when there is none */
  readonly body: unknown;
}

export interface Operator {
  /** false: the store alone answers; nothing is in force anywhere */
  readonly isRunning: boolean;
  request(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<OperatorAnswer>;
  close(): Promise<void>;
}

/** Why nobody can be asked, as a sentence. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
}

const ANSWER_TIMEOUT_MS = 60_000;
const STATUS_TIMEOUT_MS = 2000;
const ANSWER_BYTES_MAX = 64 << 20;

export interface OperatorOptions {
  /** of what is made while nothing runs */
  readonly region: string;
  /** what a node must not be, where nothing runs that knows better */
  readonly own: OwnAddresses;
  /** where there is no store yet: one may be made */
  readonly mayCreate: boolean;
}

/** @throws OperatorError, StoreError */
export async function openOperator(directory: string, { region, own, mayCreate }: OperatorOptions): Promise<Operator> {
  const running = await findRunning(directory);
  if (running !== undefined) return running;
  if (!mayCreate && !existsSync(databasePath(directory))) {
    throw new OperatorError(`there is no store in ${directory}: start a balancer, or name its directory (--data-dir)`);
  }
  return openOffline(directory, region, () => own);
}

/** @returns undefined when none runs @throws OperatorError when one does, and cannot be asked */
export async function findRunning(directory: string): Promise<Operator | undefined> {
  const path = join(directory, CONTROL_SOCKET);
  if (isPathTooLong(path)) {
    throw new OperatorError(
      `${path} is longer than the ${SOCKET_PATH_BYTES_MAX} bytes of a socket's path: choose another directory`,
    );
  }
  try {
    await ask(path, 'GET', '/livez', undefined);
    return { isRunning: true, request: (method, url, body) => ask(path, method, url, body), close: async () => {} };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EACCES' || code === 'EPERM') {
      throw new OperatorError(`no permission to use ${path}: ask as the balancer's user, or as root`);
    }
    if (code !== 'ENOENT' && code !== 'ECONNREFUSED' && code !== 'ENOTDIR') {
      const reason = error instanceof Error ? error.message : error;
      throw new OperatorError(`the balancer behind ${path} was asked in vain: ${reason}`);
    }
  }
  if (await isAlive(directory)) {
    throw new OperatorError(
      `the balancer of ${directory} runs, but its API does not answer now: try again in a few seconds`,
    );
  }
  return undefined;
}

/** Whether a balancer runs whose control thread is not up at this moment. */
async function isAlive(directory: string): Promise<boolean> {
  return askStatus(socketPath(directory), STATUS_TIMEOUT_MS).then(
    () => true,
    () => false,
  );
}

function ask(unixSocket: string, method: string, path: string, body: unknown): Promise<OperatorAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<OperatorAnswer>();
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers =
    text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  const asked = request({ socketPath: unixSocket, path, method, headers, agent: false }, (answer) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) asked.destroy(new Error(`its answer has more than ${ANSWER_BYTES_MAX} bytes`));
    });
    answer.on('error', reject);
    answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()) }));
  });
  const deadline = setTimeout(() => {
    const unsure = method === 'GET' ? '' : '; whether it was done, "balancer history" tells';
    asked.destroy(new OperatorError(`no answer within ${ANSWER_TIMEOUT_MS / 1000} s${unsure}`));
  }, ANSWER_TIMEOUT_MS);
  asked.on('error', reject);
  asked.on('close', () => clearTimeout(deadline));
  asked.end(text);
  return promise;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where nothing runs, whatever is written is in force at the next start. */
const NO_PLANE: DataPlane = {
  file: undefined,
  fileConfig: () => undefined,
  apply: async () => [],
  snapshot: () => {
    throw new OperatorError('no balancer runs');
  },
  conditions: () => undefined,
  histograms: () => {
    throw new OperatorError('no balancer runs');
  },
  shardCounts: () => [],
  loopLags: () => ({ shards: [], main: 0, control: 0 }),
  sessions: () => ({ total: 0, sessions: [] }),
  kill: async () => 0,
  readiness: () => 'starting',
  isReloadGood: () => true,
  settings: () => [],
  watch: () => () => {},
};

function openOffline(directory: string, region: string, own: () => OwnAddresses): Operator {
  const store = openStore(directory);
  const tokens = new Tokens(store.database);
  const { statistics } = openStatistics(directory);
  const context: ApiContext = {
    settings: { region, addresses: [], floating: [], pageUrl: undefined },
    plane: NO_PLANE,
    own,
    store,
    changes: new Changes({ store, plane: NO_PLANE, region, own }),
    tokens,
    // Nobody comes with a cookie here: whatever is wrong with the key of those is no reason not to
    // answer.
    logins: new Logins(randomBytes(32), new LoginTable(store.database), tokens, Date.now),
    statistics,
    checkStore: storeChecker(store.database, databasePath(directory)),
    now: Date.now,
    audit: () => {},
    fault: () => {},
  };
  const app: FastifyInstance = createServer(context, { trusted: true });
  return {
    isRunning: false,
    request: async (method, url, body) => {
      const answer = await app.inject({
        method,
        url,
        ...(body === undefined
          ? {}
          : { headers: { 'content-type': 'application/json' }, payload: JSON.stringify(body) }),
      });
      return { status: answer.statusCode, body: parse(answer.body) };
    },
    close: async () => {
      await app.close();
      statistics.close();
      store.close();
    },
  };
}
