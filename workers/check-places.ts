// How many checks run at a time: what the descriptors that are kept for them are used for, and whether they are enough for a pool.

import { doubtfulGapMs } from './check-pace.ts';
import type { CheckTarget } from './checks/target.ts';

/** Each is an open socket. */
export interface CheckPlaces {
  /** checks under way */
  readonly checks: number;
  /** connections of checks that have their result, and wait for the other side's end */
  readonly farewells: number;
}

/** A farewell takes a round trip, and may be cut short: nobody needs many. */
export const FAREWELLS_MAX = 28;

const FAREWELLS_SHARE = 1 / 4;
/** for checks that chance has moved together */
const ROOM = 1.1;

/** At least one check, or no node would ever be known. */
export function checkPlaces(descriptors: number): CheckPlaces {
  const farewells = Math.min(FAREWELLS_MAX, Math.floor(descriptors * FAREWELLS_SHARE));
  return { checks: Math.max(1, descriptors - farewells), farewells };
}

/** How many are under way when no node answers: each for that share of the time which its timeout is of the gap to the next. */
export function checksNeeded(targets: readonly CheckTarget[]): number {
  const shares = targets.map((target) => target.timeoutMs / shortestGapMs(target));
  return Math.min(targets.length, Math.ceil(ROOM * shares.reduce((sum, share) => sum + share, 0)));
}

function shortestGapMs(target: CheckTarget): number {
  return target.attempts > 1 ? doubtfulGapMs(target) : target.intervalMs;
}
