// The check `http_body`: a good status, and the regular expression is found in the beginning of the body. It is looked for once, when
// the body has ended or enough of it is there.

import type { IncomingMessage } from 'node:http';
import { REASON } from '../../core/health/node-states.ts';
import type { Attempt } from './attempt.ts';
import { isFoundIn } from './pattern.ts';
import { isGoodStatus, sendRequest, statusOf } from './request.ts';

/** What follows is not looked at. */
export const BODY_BYTES_MAX = 65_536;

export function checkHttpBody(attempt: Attempt): void {
  sendRequest(attempt, (response) => {
    const status = statusOf(response);
    if (isGoodStatus(status)) readBody(attempt, response);
    else attempt.fail(REASON.status, status);
  });
}

function readBody(attempt: Attempt, response: IncomingMessage): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    if (bytes >= BODY_BYTES_MAX) return;
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= BODY_BYTES_MAX) judge(attempt, chunks);
  });
  response.on('end', () => judge(attempt, chunks));
}

function judge(attempt: Attempt, chunks: readonly Buffer[]): void {
  if (!attempt.isUndecided) return;
  // Bytes that are not UTF-8 become U+FFFD, as does a character that the limit cuts in two.
  const text = Buffer.concat(chunks).subarray(0, BODY_BYTES_MAX).toString('utf8');
  if (isFoundIn(attempt.target.body, text)) attempt.pass(REASON.bodyMatched);
  else attempt.fail(REASON.bodyDiffers);
}
