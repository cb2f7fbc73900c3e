// The check `http`: a node whose answer has a status of 2xx or 3xx passes, as soon as the status is known. Redirects are not followed.

import { REASON } from '../../core/health/node-states.ts';
import type { Attempt } from './attempt.ts';
import { isGoodStatus, sendRequest, statusOf } from './request.ts';

export function checkHttp(attempt: Attempt): void {
  sendRequest(attempt, (response) => {
    const status = statusOf(response);
    if (isGoodStatus(status)) attempt.pass(REASON.status, status);
    else attempt.fail(REASON.status, status);
  });
}
