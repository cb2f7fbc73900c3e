// Runs one check of a node, of whatever kind. Nothing is kept from one check to the next, and when to check is not decided here.

import { assertNever } from '../../core/base/assert.ts';
import { monotonicMs } from '../../core/base/clock.ts';
import { REASON } from '../../core/health/node-states.ts';
import { Attempt } from './attempt.ts';
import { checkConnection } from './connection.ts';
import { checkHttp } from './http.ts';
import { checkHttpBody } from './http-body.ts';
import type { CheckResult, CheckTarget } from './target.ts';

/** A RunCheck. @param nowMs a monotonic clock */
export function runCheck(
  target: CheckTarget,
  signal: AbortSignal,
  done: (result: CheckResult) => void,
  nowMs: () => number = monotonicMs,
): void {
  if (target.ip === undefined) return failWithoutAddress(signal, done);
  new Attempt({ target, ip: target.ip, signal, done, nowMs, talk: talkOf(target.check) });
}

function talkOf(check: CheckTarget['check']): (attempt: Attempt) => void {
  switch (check) {
    case 'connection':
      return checkConnection;
    case 'http':
      return checkHttp;
    case 'http_body':
      return checkHttpBody;
    default:
      return assertNever(check);
  }
}

/** Not within the call, so that thousands of such nodes do not become one deep stack. */
function failWithoutAddress(signal: AbortSignal, done: (result: CheckResult) => void): void {
  queueMicrotask(() => {
    if (!signal.aborted) done({ ok: false, reason: REASON.noAddress, detail: 0, tookMs: 0 });
  });
}
