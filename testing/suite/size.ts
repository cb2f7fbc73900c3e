// How much of a thing a run does. `npm test` proves each behaviour with a small instance;
// `npm run test:thorough` runs the same tests at full size.

export const SIZE_VARIABLE = 'BALANCER_TEST_SIZE';

export type Size = 'quick' | 'thorough';

export function sizeOfRun(): Size {
  return process.env[SIZE_VARIABLE] === 'thorough' ? 'thorough' : 'quick';
}

/** The value for this run: rounds, seeds, bytes, whatever a test has more of at full size. */
export function bySize<Value>(values: Readonly<Record<Size, Value>>): Value {
  return values[sizeOfRun()];
}
