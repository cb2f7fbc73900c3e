// Takes orders to fail from stdin, a line each: `SHARD FAULT`, or `main throw`. For tests; only where BALANCER_TEST_FAULTS=1.

import { createInterface } from 'node:readline';
import { FAULTS } from '../workers/channel.ts';
import type { Logger } from '../workers/logger.ts';
import type { Supervisor } from '../workers/supervisor.ts';

export function listenForFaults(supervisor: Supervisor, logger: Logger): void {
  logger.warn('BALANCER_TEST_FAULTS=1: faults are taken from stdin; this is for tests only');
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [where = '', what = ''] = line.trim().split(/\s+/);
    if (where === 'main') throw new Error('fault injected: throw in the main thread');
    const fault = FAULTS.find((name) => name === what);
    if (fault !== undefined) void supervisor.inject(Number(where), fault);
  });
}
