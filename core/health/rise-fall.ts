// What the results of checks make of a node: so many failures in a row take it down, two successes in a row bring it back. Values in,
// values out: who checks and when, and where health is kept, is told elsewhere. What could not be found out is not a result and does
// not come here.
//
//   unknown --success--> up --attempts failures in a row--> down --RISE successes in a row--> up
//      '-------------------attempts failures in a row-------^

import { HEALTH_DOWN, HEALTH_UNKNOWN, HEALTH_UP } from './node-states.ts';

/** Successes in a row that bring back a node that is down: one may be luck. */
export const RISE = 2;

/** At most one of the counts is above 0: they are of the last results, all alike. */
export interface RiseFall {
  /** HEALTH_… */
  readonly health: number;
  /** in a row */
  readonly successes: number;
  /** in a row */
  readonly failures: number;
}

export const NEVER_CHECKED: RiseFall = { health: HEALTH_UNKNOWN, successes: 0, failures: 0 };

export function afterSuccess({ health, successes }: RiseFall): RiseFall {
  const isBack = health !== HEALTH_DOWN || successes + 1 >= RISE;
  return { health: isBack ? HEALTH_UP : HEALTH_DOWN, successes: successes + 1, failures: 0 };
}

/** @param attempts failures in a row that take a node down */
export function afterFailure({ health, failures }: RiseFall, attempts: number): RiseFall {
  // Reached or passed: the operator may have lowered it meanwhile.
  return { health: failures + 1 >= attempts ? HEALTH_DOWN : health, successes: 0, failures: failures + 1 };
}
