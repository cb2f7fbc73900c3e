// Asks a running balancer, through the socket in its data directory, what it is doing. One question, one answer, no
// patience for a peer that does not answer; what the failure means to the caller is the caller's business.

import { join } from 'node:path';
import { request } from '../workers/node-http.ts';
import type { Snapshot } from '../workers/snapshot.ts';

const SOCKET_NAME = 'balancer.sock';
/** sun_path has room for 108 with the zero at the end (unix(7)); Node.js would cut what is longer */
export const SOCKET_PATH_BYTES_MAX = 107;
/** ten times what a process with all the nodes there can be has to say */
const ANSWER_BYTES_MAX = 32 << 20;

export function socketPath(directory: string): string {
  return join(directory, SOCKET_NAME);
}

export function isPathTooLong(path: string): boolean {
  return Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX;
}

/** Somebody listens there, and does not speak as a balancer does. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
}

/** @throws AnswerError, or the connect's error with its code: ENOENT, ECONNREFUSED (nobody listens), EACCES … */
export function askStatus(path: string, timeoutMs: number): Promise<Snapshot> {
  const { promise, resolve, reject } = Promise.withResolvers<Snapshot>();
  const asked = request({ socketPath: path, path: '/status', agent: false }, (answer) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX)
        asked.destroy(new AnswerError(`its answer has more than ${ANSWER_BYTES_MAX} bytes`));
    });
    answer.on('error', reject);
    answer.on('end', () => {
      const snapshot = readAnswer(answer.statusCode, Buffer.concat(chunks).toString());
      if (snapshot instanceof Error) reject(snapshot);
      else resolve(snapshot);
    });
  });
  const deadline = setTimeout(() => asked.destroy(new AnswerError(`no answer within ${timeoutMs} ms`)), timeoutMs);
  asked.on('error', reject);
  asked.on('close', () => {
    clearTimeout(deadline);
    reject(new AnswerError('it closed the connection without a whole answer'));
  });
  asked.end();
  return promise;
}

function readAnswer(status: number | undefined, text: string): Snapshot | AnswerError {
  if (status !== 200) return new AnswerError(`it answers with status ${status}`);
  try {
    const value: unknown = JSON.parse(text);
    if (isSnapshot(value)) return value;
  } catch {
    // Says the same as any other text that is no snapshot.
  }
  return new AnswerError('its answer is not that of a balancer');
}

function isSnapshot(value: unknown): value is Snapshot {
  if (typeof value !== 'object' || value === null) return false;
  return 'pid' in value && typeof value.pid === 'number' && 'frontends' in value && Array.isArray(value.frontends);
}
