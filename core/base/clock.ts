// The monotonic clock of the process. Each thread's performance clock starts at its own zero; its distance from CLOCK_MONOTONIC,
// which hrtime() reads, is constant, and so all threads of a process see the same time.

// The global of this name is a getter, which costs more than the clock itself.
import { performance } from 'node:perf_hooks';

/** Readings this close together are taken for one moment. */
const CLOSE_MS = 0.05;
const READINGS_MAX = 20;

/**
 * How far `clockMs` is ahead of `otherMs`, which goes at the same pace. A thread may lose its processor
 * between two readings, for some hundredths of a second on a busy machine: of several pairs the closest
 * counts, for some users keep the answer as long as they live.
 */
export function clockOffset(clockMs: () => number, otherMs: () => number): number {
  let offsetMs = 0;
  let closestMs = Number.POSITIVE_INFINITY;
  for (let readings = 0; readings < READINGS_MAX && closestMs > CLOSE_MS; readings++) {
    const beforeMs = otherMs();
    const nowMs = clockMs();
    const apartMs = otherMs() - beforeMs;
    if (apartMs >= closestMs) continue;
    closestMs = apartMs;
    offsetMs = nowMs - beforeMs;
  }
  return offsetMs;
}

const OFFSET_MS = clockOffset(
  () => Number(process.hrtime.bigint()) / 1e6,
  () => performance.now(),
);

/** CLOCK_MONOTONIC in milliseconds, with fractions (clock_gettime(2)). Does not allocate. */
export function monotonicMs(): number {
  return performance.now() + OFFSET_MS;
}
