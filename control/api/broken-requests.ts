// What is no HTTP, or too much of it, never becomes a request; its sender gets the same kind of answer as everybody.

import type { Socket } from 'node:net';
import { STATUS_CODES } from '../../workers/node-http.ts';
import { apiError } from './errors.ts';

const REASONS: Readonly<Record<string, ReturnType<typeof apiError>>> = {
  ERR_HTTP_REQUEST_TIMEOUT: apiError(408, 'The request did not come in time.'),
  HPE_HEADER_OVERFLOW: apiError(431, 'The headers are too long.'),
};
const NO_HTTP = apiError(400, 'That is no HTTP request.');

/** @param error of the parser, by its code */
export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (socket.destroyed) return;
  // After a reset nobody listens, and without a handshake nothing can be said: an answer would wait for it for ever.
  if (!isOfHttp(error.code)) {
    socket.destroy();
    return;
  }
  if (socket.writable) {
    const { status, errors } = REASONS[error.code ?? ''] ?? NO_HTTP;
    const body = JSON.stringify({ errors });
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      'cache-control: max-age=0, no-cache, no-store',
      'connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  }
  socket.destroySoon();
}

function isOfHttp(code: string | undefined): boolean {
  return code?.startsWith('HPE_') === true || code?.startsWith('ERR_HTTP_') === true;
}
