// The check `connection`: a node that takes a connection passes. Nothing is asked, and what it says by itself (a greeting) is read and
// thrown away.

import { REASON } from '../../core/health/node-states.ts';
import type { Attempt } from './attempt.ts';

export function checkConnection(attempt: Attempt): void {
  attempt.pass(REASON.connected);
}
