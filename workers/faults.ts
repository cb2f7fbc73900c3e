// Faults on purpose, for tests: a throw inside a session's step or outside of one, memory exhausted, a thread stuck. They are
// refused unless the process was started with BALANCER_TEST_FAULTS=1, which no production set-up does.

import type { Shard } from '../core/session/shard.ts';
import type { Fault } from './channel.ts';

/** `throw` fails at once; the others wait for the next step of a session, so that they hit in mid-traffic. */
export function injectFault(shard: Shard, fault: Fault): void {
  if (fault === 'throw') throw new Error('fault injected: throw outside of a session');
  shard.onStep = () => {
    shard.onStep = undefined;
    if (fault === 'throw-in-step') throw new Error('fault injected: throw inside a session');
    if (fault === 'out-of-memory') exhaustMemory();
    for (;;);
  };
}

/** Fills the heap until V8 gives the thread up; any thread but the main one can do that and leave the process alive. */
export function exhaustMemory(): never {
  const hoard: unknown[] = [];
  for (;;) hoard.push(hoardMore());
}

/** A function of its own: on entering one V8 looks whether it was told to stop; in the bare loop it may never. */
function hoardMore(): unknown[] {
  const more: unknown[] = [];
  for (let i = 0; i < 1000; i++) more.push({ i });
  return more;
}
