// Loaded before our balancer (`--import`, which its worker threads inherit) to make it slower on purpose: every accepted connection
// costs a fixed time on top. It is a preload and no switch in the product: what ships cannot be made slow.
// It hooks in where the product keeps its system calls; should that place move, the canary's test fails and says so.

import { systemCalls } from '../../core/linux/system-calls.ts';

const EXTRA_NS = 200_000n;

/** Burns CPU, as slower code would; sleeping would cost nothing that is measured. */
function burn(): void {
  const end = process.hrtime.bigint() + EXTRA_NS;
  while (process.hrtime.bigint() < end);
}

const { accept4 } = systemCalls;
systemCalls.accept4 = (...args) => {
  const descriptor = accept4(...args);
  if (descriptor >= 0) burn();
  return descriptor;
};
