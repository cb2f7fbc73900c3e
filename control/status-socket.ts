// A Unix socket in the data directory that answers `GET /status` with the snapshot of the process. A luxury: whatever
// is wrong with the directory or with a client is a warning at most, and nothing that carries sessions waits for it or
// ends with it.

import { once } from 'node:events';
import { chmodSync, lstatSync, renameSync, rmSync, statSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Logger } from '../workers/logger.ts';
import { createServer } from '../workers/node-http.ts';
import type { Snapshot } from '../workers/snapshot.ts';
import { makeDirectory } from './data-directory.ts';
import { STATUS_CLIENTS_MAX } from './local-limits.ts';
import { askStatus, isPathTooLong, SOCKET_PATH_BYTES_MAX, socketPath } from './status-client.ts';
import { serveInTurns } from './turns.ts';

const SOCKET_MODE = 0o600;
/** whoever holds the socket already gets this long to say who it is */
const OTHER_TIMEOUT_MS = 1000;
const REQUEST_TIMEOUT_MS = 2000;
const HEADER_BYTES_MAX = 4096;
/** a client that does not take its answer is cut after so long without a byte */
const STALL_MS = 5000;

/** Why there is no socket, as the end of a sentence. */
class SocketProblem extends Error {
  override readonly name = 'SocketProblem';
}

export class StatusSocket {
  readonly #path: string;
  readonly #server: Server;
  readonly #inode: bigint;

  /** @param inode of the file at `path` */
  constructor(path: string, server: Server, inode: bigint) {
    this.#path = path;
    this.#server = server;
    this.#inode = inode;
  }

  /** @returns undefined when there can be no socket: a warning has said why */
  static async open(directory: string, snapshot: () => Snapshot, logger: Logger): Promise<StatusSocket | undefined> {
    const path = socketPath(directory);
    try {
      if (isPathTooLong(path)) throw new SocketProblem(`its path is longer than ${SOCKET_PATH_BYTES_MAX} bytes`);
      makeDirectory(directory);
      await refuseIfTaken(path);
      const server = createStatusServer(snapshot, logger);
      const inode = await listen(server, directory, path);
      // Only a failed accept, from here on.
      server.on('error', (error) => logger.warn(`status socket ${path}: ${error.message}`));
      return new StatusSocket(path, server, inode);
    } catch (error) {
      logger.warn(
        `no status socket at ${path}: ${error instanceof Error ? error.message : error}; ` +
          '"balancer status" and "balancer nodes" will not find this process',
      );
      return undefined;
    }
  }

  /** Ends all connections and removes the file, unless another process has put its own there. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    if (inodeOf(this.#path) === this.#inode) rmSync(this.#path, { force: true });
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

/** @throws SocketProblem unless there is nothing at `path`, or a socket that nobody answers any more */
async function refuseIfTaken(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new SocketProblem('there is a file in its way that is not a socket');
  const holder = await holderOf(path);
  if (holder === undefined) return;
  throw new SocketProblem(`${holder} has it; BALANCER_DATA_DIR gives each balancer a directory of its own`);
}

/** @returns `another balancer (pid 123)`, or undefined when nobody listens there @throws when nobody can know */
async function holderOf(path: string): Promise<string | undefined> {
  try {
    return `another balancer (pid ${(await askStatus(path, OTHER_TIMEOUT_MS)).pid})`;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return undefined;
    if (code === 'EACCES' || code === 'EPERM') throw error;
    // Busy, ending right now, or no balancer at all: alive in any case.
    return `another process (${error instanceof Error ? error.message : error})`;
  }
}

/**
 * Under another name first: it gets its mode before anybody can find it, takes the place of a stale one in one step,
 * and libuv, which removes the name it was given when a server closes, does not remove somebody else's socket.
 * @returns the file's inode
 */
async function listen(server: Server, directory: string, path: string): Promise<bigint> {
  // Never longer than the real name.
  const name = join(directory, `.${process.pid}.new`);
  rmSync(name, { force: true });
  server.listen(name);
  // Nothing waits for it, neither the end of the process.
  server.unref();
  try {
    await once(server, 'listening');
    chmodSync(name, SOCKET_MODE);
    renameSync(name, path);
    const inode = inodeOf(path);
    if (inode === undefined) throw new SocketProblem('it was removed at once');
    return inode;
  } catch (error) {
    server.close();
    throw error;
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

function createStatusServer(snapshot: () => Snapshot, logger: Logger): Server {
  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: REQUEST_TIMEOUT_MS,
    requireHostHeader: false,
  });
  server.maxConnections = STATUS_CLIENTS_MAX;
  server.setTimeout(STALL_MS);
  serveInTurns(server, (request, response) => answer(request, response, snapshot, logger));
  return server;
}

function answer(request: IncomingMessage, response: ServerResponse, snapshot: () => Snapshot, logger: Logger): void {
  const [path] = (request.url ?? '').split('?');
  if (path !== '/status') return refuse(response, 404, 'there is only /status');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return refuse(response, 405, 'only GET and HEAD are possible');
  }
  try {
    send(response, 200, snapshot());
  } catch (error) {
    logger.error(`status socket: ${error instanceof Error ? error.stack : error}`);
    refuse(response, 500, 'the status cannot be read; the log says why');
  }
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  send(response, status, { errors: [{ reason }] });
}

/** One answer per connection: none is left that a later close would have to wait for. */
function send(response: ServerResponse, status: number, value: unknown): void {
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(body);
}
