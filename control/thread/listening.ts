// Where the API is heard: at its address, and at a socket in the data directory, where whoever may open the socket is the operator.
// An address that is taken is asked for again and again; meanwhile the socket serves.

import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { formatEndpoint } from '../../core/base/ip.ts';
import { holderOf } from '../../workers/listeners.ts';
import { isPathTooLong } from '../status-client.ts';
import type { StartProblem } from './channel.ts';

export const CONTROL_SOCKET = 'control.sock';
/** while it is bound: a socket has its mode before anybody finds it under its own name */
const NEW_SOCKET = '.control.new';
const SOCKET_MODE = 0o600;

const TEMPORARY: ReadonlySet<string> = new Set(['EADDRINUSE', 'EADDRNOTAVAIL']);
const REASONS: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'no permission (ports below 1024 need root or the capability CAP_NET_BIND_SERVICE)',
};

/**
 * @param makeServer makes another server for each attempt: one whose listening has failed is of no more use
 * @param retryMs a taken address is asked for again after this long
 * @param onHeard called once it listens after all
 * @returns undefined, or why it does not listen yet
 */
export async function listenAtAddress(
  makeServer: () => FastifyInstance,
  { ip, port }: { readonly ip: string; readonly port: number },
  retryMs: number,
  onHeard: (address: string) => void,
): Promise<StartProblem | undefined> {
  const server = makeServer();
  try {
    await server.listen({ host: ip, port, ipv6Only: true });
    return undefined;
  } catch (error) {
    await server.close();
    const again = async () => {
      const problem = await listenAtAddress(makeServer, { ip, port }, retryMs, onHeard);
      if (problem === undefined) onHeard(formatEndpoint(ip, port));
    };
    setTimeout(() => void again(), retryMs).unref();
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return {
      message: `the API cannot listen on ${formatEndpoint(ip, port)} (BALANCER_ADMIN_ADDRESS): ${reasonOf(error, code, port)}`,
      isTemporary: TEMPORARY.has(code),
    };
  }
}

function reasonOf(error: unknown, code: string, port: number): string {
  if (code === 'EADDRINUSE') {
    const holder = holderOf(port);
    return `the port is in use${holder === undefined ? '' : ` by ${holder}`}`;
  }
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error));
}

/**
 * Whoever has the store owns the directory: a socket that lies there is a dead process's.
 * @throws when there can be no socket
 */
export async function listenAtSocket(server: FastifyInstance, directory: string): Promise<void> {
  const path = join(directory, CONTROL_SOCKET);
  if (isPathTooLong(path)) throw new Error(`the path ${path} is too long for a socket`);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isSocket()) throw new Error(`${path} is in the way, and no socket`);
  const name = join(directory, NEW_SOCKET);
  rmSync(name, { force: true });
  await server.listen({ path: name });
  chmodSync(name, SOCKET_MODE);
  renameSync(name, path);
}

/** Nobody shall knock where nobody listens. */
export function removeSocket(directory: string): void {
  const path = join(directory, CONTROL_SOCKET);
  // What else may lie there was left alone at the start.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path, { force: true });
}
