// How long it is from one check of a node to the next, from start to start. Values in, values out: clock and timers are the prober's.

import { HEALTH_DOWN } from '../core/health/node-states.ts';
import type { RiseFall } from '../core/health/rise-fall.ts';
import type { CheckTarget } from './checks/target.ts';

/** Between the first checks of nodes that come together: a small pool is known at once. */
export const FIRST_STEP_MS = 50;

/** Share of a gap by which two checks may be closer or further apart. Failures in a row add up what is too late, so it is also the
 * share by which a node's end may be noticed too late. */
export const JITTER = 0.05;

/** An inconclusive check is repeated within this time, and within the interval. */
export const REPEAT_MS_MAX = 1000;

type Pace = Pick<CheckTarget, 'intervalMs' | 'timeoutMs' | 'attempts'>;

/** To the check after the one that has led to this state; without jitter. */
export function gapMs(target: Pace, { health, failures }: RiseFall): number {
  return failures > 0 && health !== HEALTH_DOWN ? doubtfulGapMs(target) : target.intervalMs;
}

/**
 * From a failure to the next check, as long as the node is not down. A node that never answers is down a timeout after the start of
 * its last check, so the checks before make up for that: the row ends `attempts` intervals after the last success. Not by the time
 * that the failure took: a machine that goes down refuses first and is silent then. A timeout that is too long for this is not cut
 * short: then the row takes one interval and `attempts` timeouts. @returns no more than the interval
 */
export function doubtfulGapMs({ intervalMs, timeoutMs, attempts }: Pace): number {
  return Math.min(intervalMs, Math.max(timeoutMs, intervalMs - timeoutMs / (attempts - 1)));
}

/** From the first check to a place in the interval: its share of it at least, the whole of it at most.
 * @param distanceMs how far the place is, or how long ago: an interval later it comes again */
export function firstGapMs(distanceMs: number, intervalMs: number, count: number): number {
  return Math.max(distanceMs > 0 ? distanceMs : distanceMs + intervalMs, intervalMs / count);
}
