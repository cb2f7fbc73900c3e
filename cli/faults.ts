// What only tests may do to a running process, and only where BALANCER_TEST_FAULTS=1: orders on stdin, a
// line each, and the process's own times (BALANCER_TEST_PACE). The orders: `SHARD FAULT` makes a shard
// fail, `control-FAULT` and `log-FAULT` the threads of the API and the access log, `main throw` the main
// thread; `main rounds` is answered with how often the watchdog has come round, so that a test waits for
// that and not for a time.

import { createInterface } from 'node:readline';
import { CONTROL_FAULTS } from '../control/thread/channel.ts';
import { FAULTS } from '../workers/channel.ts';
import { LINE_FAULTS } from '../workers/lines/channel.ts';
import type { Logger } from '../workers/logger.ts';
import { PACE, type Pace, parsePace } from '../workers/pace.ts';
import type { Running } from './ending.ts';

export const FAULTS_VARIABLE = 'BALANCER_TEST_FAULTS';
export const PACE_VARIABLE = 'BALANCER_TEST_PACE';

export interface TestSettings {
  readonly allowFaults: boolean;
  readonly pace: Pace;
  readonly errors: readonly string[];
}

/** An empty value counts as not set. */
export function readTestSettings(env: Readonly<NodeJS.ProcessEnv>): TestSettings {
  const allowFaults = env[FAULTS_VARIABLE] === '1';
  const text = env[PACE_VARIABLE]?.trim() ?? '';
  const refused = (problems: readonly string[]): TestSettings => ({
    allowFaults,
    pace: PACE,
    errors: problems.map((problem) => `${PACE_VARIABLE}: ${problem}`),
  });
  if (text === '') return { allowFaults, pace: PACE, errors: [] };
  if (!allowFaults) return refused([`it is for tests, and taken only together with ${FAULTS_VARIABLE}=1`]);
  const parsed = parsePace(text);
  return 'problems' in parsed ? refused(parsed.problems) : { allowFaults, pace: parsed.pace, errors: [] };
}

export function listenForFaults({ supervisor, control }: Running, logger: Logger): void {
  logger.warn(`${FAULTS_VARIABLE}=1: faults are taken from stdin; this is for tests only`);
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [where = '', what = ''] = line.trim().split(/\s+/);
    if (where === 'main' && what === 'rounds') {
      return logger.info(`the watchdog has come round ${supervisor.shards.watchRounds} times`);
    }
    if (where === 'main') throw new Error('fault injected: throw in the main thread');
    const controlFault = CONTROL_FAULTS.find((name) => where === `control-${name}`);
    if (controlFault !== undefined) return control?.inject(controlFault);
    const lineFault = LINE_FAULTS.find((name) => where === `log-${name}`);
    if (lineFault !== undefined) return supervisor.injectIntoLog(lineFault);
    const fault = FAULTS.find((name) => name === what);
    if (fault !== undefined) void supervisor.inject(Number(where), fault);
  });
}
