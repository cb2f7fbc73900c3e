// From an operation to nanoseconds: batches long enough for the clock, warmed up, the median of many. The clock is a parameter.

import { medianOf } from '../merge.ts';
import type { Operation } from './catalogue.ts';

/** A thousand times what reading the clock takes, and short enough that most batches meet no other process. */
const BATCH_MS = 1;
/** Fewer have no median worth the name. */
const BATCHES_MIN = 5;
/** The part of the time before anything counts: the compiler needs it to make its last version. */
const WARM_UP_SHARE = 0.3;
const FIRST_COUNT = 64;

export type Clock = () => number;

export interface Timing {
  /** the median batch, per operation */
  ns: number;
  batches: number;
  /** Made of all results. Whoever prints it keeps the compiler from dropping the work. */
  consumed: number;
}

/** @param clockMs milliseconds, with fractions */
export function timeOperation(operation: Operation, milliseconds: number, clockMs: Clock = nowMs): Timing {
  let consumed = 0;
  let count = FIRST_COUNT;
  const batch = (): number => {
    const before = clockMs();
    consumed = (consumed + operation.batch(count)) | 0;
    return clockMs() - before;
  };
  const lengthen = (tookMs: number) => {
    if (tookMs < BATCH_MS) count *= 2;
  };

  const start = clockMs();
  // Warm code is faster: the length of a batch is settled only when the warm-up is over.
  while (clockMs() - start < milliseconds * WARM_UP_SHARE) lengthen(batch());
  const perOperationNs: number[] = [];
  while (perOperationNs.length < BATCHES_MIN || clockMs() - start < milliseconds) {
    const tookMs = batch();
    if (tookMs >= BATCH_MS) perOperationNs.push((tookMs * 1e6) / count);
    else lengthen(tookMs);
  }
  return { ns: medianOf(perOperationNs), batches: perOperationNs.length, consumed };
}

function nowMs(): number {
  return performance.now();
}
