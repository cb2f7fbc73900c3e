// What the running balancer says of itself. Asked at its socket, as `balancer status` does: starting a process for each look would take
// longer than some of what is to be seen lasts.

import { askStatus, socketPath } from '../../../control/status-client.ts';
import type { Balancer } from '../../../testing/balancer.ts';
import type { Snapshot } from '../../../workers/snapshot.ts';

const TIMEOUT_MS = 20_000;

export function statusOf(balancer: Balancer): Promise<Snapshot> {
  return askStatus(socketPath(balancer.dataDirectory), TIMEOUT_MS);
}
