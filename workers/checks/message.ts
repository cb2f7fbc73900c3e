// Why a check has taken a node down or brought it up, in words for the log. Text only.

import { getSystemErrorMessage } from 'node:util';
import { describeReason, HEALTH_DOWN, REASON } from '../../core/health/node-states.ts';
import type { RiseFall } from '../../core/health/rise-fall.ts';
import type { CheckTarget, CheckVerdict } from './target.ts';

/** @param state that the verdict has led to */
export function transitionReason(target: CheckTarget, state: RiseFall, verdict: CheckVerdict): string {
  if (state.health !== HEALTH_DOWN) return describeReason(verdict.reason, verdict.detail);
  const what = state.failures === 1 ? 'its check failed:' : `${state.failures} checks in a row failed, the last:`;
  return `${what} ${whyItFailed(target, verdict)}`;
}

/** With the time it took, where that says something: a refusal after 900 ms is no common refusal. */
function whyItFailed(target: CheckTarget, { reason, detail, tookMs }: CheckVerdict): string {
  const after = `after ${Math.max(1, Math.round(tookMs))} ms`;
  switch (reason) {
    case REASON.connectError:
      return `${getSystemErrorMessage(-detail)} ${after}`;
    case REASON.timeout:
      return `${describeReason(reason, detail)} (${target.timeoutMs} ms)`;
    case REASON.noAddress:
      return describeReason(reason, detail);
    default:
      return `${describeReason(reason, detail)}, ${after}`;
  }
}
