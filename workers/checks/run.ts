// Runs one check of a node, of whatever kind. Nothing but farewells and turns of source addresses is kept from one check to the next,
// and when to check is not decided here.

import { assertNever } from '../../core/base/assert.ts';
import { monotonicMs } from '../../core/base/clock.ts';
import { REASON } from '../../core/health/node-states.ts';
import { Attempt, type Farewells } from './attempt.ts';
import { checkConnection } from './connection.ts';
import { checkHttp } from './http.ts';
import { checkHttpBody } from './http-body.ts';
import { SourceTurns } from './source-turns.ts';
import type { CheckResult, CheckTarget, RunCheck } from './target.ts';

/** @param farewells of all checks that are run by it @param sources local addresses of all of them @param nowMs a monotonic clock */
export function createRunCheck(
  farewells: Farewells,
  sources = new SourceTurns([]),
  nowMs: () => number = monotonicMs,
): RunCheck {
  return (target, signal, done) => {
    const { ip, check } = target;
    if (ip === undefined) return failWithoutAddress(signal, done);
    const source = sources.next(target.row, ip);
    new Attempt({ target, ip, source, signal, done, nowMs, farewells, talk: talkOf(check) });
  };
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
