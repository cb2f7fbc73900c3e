// Takes orders to fail from stdin, a line each: `SHARD FAULT`, `main throw`, or `control-FAULT` for the control thread. For tests; only
// where BALANCER_TEST_FAULTS=1.

import { createInterface } from 'node:readline';
import { CONTROL_FAULTS } from '../control/thread/channel.ts';
import { FAULTS } from '../workers/channel.ts';
import type { Logger } from '../workers/logger.ts';
import type { Running } from './ending.ts';

export function listenForFaults({ supervisor, control }: Running, logger: Logger): void {
  logger.warn('BALANCER_TEST_FAULTS=1: faults are taken from stdin; this is for tests only');
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [where = '', what = ''] = line.trim().split(/\s+/);
    if (where === 'main') throw new Error('fault injected: throw in the main thread');
    const controlFault = CONTROL_FAULTS.find((name) => where === `control-${name}`);
    if (controlFault !== undefined) return control?.inject(controlFault);
    const fault = FAULTS.find((name) => name === what);
    if (fault !== undefined) void supervisor.inject(Number(where), fault);
  });
}
