// The monotonic clock of the process. Each thread's performance clock starts at its own zero; its distance from CLOCK_MONOTONIC,
// which hrtime() reads, is constant, and so all threads of a process see the same time.

// The global of this name is a getter, which costs more than the clock itself.
import { performance } from 'node:perf_hooks';

const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** CLOCK_MONOTONIC in milliseconds, with fractions (clock_gettime(2)). Does not allocate. */
export function monotonicMs(): number {
  return performance.now() + OFFSET_MS;
}
