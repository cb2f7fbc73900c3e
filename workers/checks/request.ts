// The request of the HTTP checks, and what becomes of it before there is an answer to judge. Node.js parses HTTP here but never owns
// the socket: it would close it as soon as it has seen enough, with input unread, and that is a reset.

import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { formatEndpoint } from '../../core/base/ip.ts';
import { withoutRootDot } from '../../core/config/node-address.ts';
import { REASON } from '../../core/health/node-states.ts';
import { request as openRequest } from '../node-http.ts';
import type { Attempt } from './attempt.ts';
import type { CheckTarget } from './target.ts';

const HTTP_PORT = 80;

/** Of all names and values before the body, as the parser counts them. */
export const HEADER_BYTES_MAX = 16_384;

/** Asks for the check's path. @param judge is given the final answer (no 1xx), its body not yet read */
export function sendRequest(attempt: Attempt, judge: (response: IncomingMessage) => void): void {
  const { target } = attempt;
  const stream = streamOver(attempt);
  const request = openRequest({
    createConnection: () => stream,
    path: target.path.startsWith('/') ? target.path : `/${target.path}`,
    headers: { Host: hostOf(target), 'User-Agent': 'balancer-check', Connection: 'close', Accept: '*/*' },
    maxHeaderSize: HEADER_BYTES_MAX,
  });
  const failed = (): void => attempt.fail(attempt.socket.bytesRead === 0 ? REASON.noAnswer : REASON.notHttp);
  request.on('error', failed);
  // Nobody asked for another protocol.
  request.on('upgrade', (response) => attempt.fail(REASON.status, statusOf(response)));
  request.on('response', (response) => {
    response.on('error', failed);
    judge(response);
  });
  request.end();
}

export function statusOf(response: IncomingMessage): number {
  return response.statusCode ?? 0;
}

export function isGoodStatus(status: number): boolean {
  return status >= 200 && status < 400;
}

/** The node's address as configured, without a dot at the end: that is for the resolver, and no server is called so. */
function hostOf({ host, port }: CheckTarget): string {
  const endpoint = formatEndpoint(withoutRootDot(host), port);
  return port === HTTP_PORT ? endpoint.slice(0, endpoint.lastIndexOf(':')) : endpoint;
}

/** The attempt's connection for as long as it is undecided. An error of the socket is the attempt's affair alone. */
function streamOver(attempt: Attempt): Duplex {
  const { socket } = attempt;
  const stream = new Duplex({
    // The socket gives by itself; what comes is bounded by what the parser and the check take.
    read: () => {},
    write: (chunk, _encoding, written) => {
      socket.write(chunk, () => written());
      // The header has waited for it.
      socket.uncork();
    },
  });
  socket.on('data', (chunk: Buffer) => {
    if (attempt.isUndecided) stream.push(chunk);
    else stream.destroy();
  });
  socket.on('end', () => stream.push(null));
  socket.on('close', () => stream.destroy());
  return stream;
}
