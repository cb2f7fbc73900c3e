// What may go wrong in a run, as probabilities and limits. No decision here may break a promise of the kernel: an invented
// EAGAIN is always followed by the edge that a real one would have (see sim-kernel.ts), and a fault that Linux answers before
// it touches anything (no descriptor left) leaves everything as it was.

import { EMFILE, ENFILE, ENOBUFS, ENOMEM } from '../../core/base/errno.ts';
import type { Random } from './random.ts';

export interface Faults {
  /** recv or splice finds fewer bytes than the queue has, as if the rest came a moment later. */
  readonly shortReads: number;
  /** recv or splice finds nothing yet. */
  readonly emptyReads: number;
  /** send or splice finds less room than the queue has. */
  readonly shortWrites: number;
  /** send or splice finds no room. */
  readonly fullWrites: number;
  /** accept fails; the connection stays queued. */
  readonly acceptErrors: number;
  readonly openSocketErrors: number;
  readonly openPipeErrors: number;
  readonly resizePipeErrors: number;
  /** setsockopt fails, as it does for want of memory. */
  readonly optionErrors: number;
  /** wait reports only some of what is ready. */
  readonly partialBatches: number;
  /** several reads or writes in one call: it stops before the last of them. */
  readonly partialTransfers: number;
  /** wait comes back a little late, with more in one event. */
  readonly lateWakes: number;
  /** the thread is not run for a while between two steps of a splice into a socket */
  readonly slowSteps: number;
  /** RLIMIT_NOFILE */
  readonly descriptorsMax: number;
  /** pipe-user-pages-soft */
  readonly pipePagesSoft: number;
}

/** How long a thread that could run is not run, at most. */
export const LATE_MS_MAX = 2;

export const NO_FAULTS: Faults = {
  shortReads: 0,
  emptyReads: 0,
  shortWrites: 0,
  fullWrites: 0,
  acceptErrors: 0,
  openSocketErrors: 0,
  openPipeErrors: 0,
  resizePipeErrors: 0,
  optionErrors: 0,
  partialBatches: 0,
  partialTransfers: 0,
  lateWakes: 0,
  slowSteps: 0,
  descriptorsMax: 1024,
  pipePagesSoft: 16384,
};

export const ACCEPT_ERRORS: readonly number[] = [EMFILE, ENFILE, ENOBUFS, ENOMEM];
export const OPEN_ERRORS: readonly number[] = [EMFILE, ENFILE, ENOMEM];

/** Each kind is absent from most runs: a failure is easier to read when little else went wrong. */
export function randomFaults(random: Random): Faults {
  const sometimes = (most: number) => (random.chance(0.4) ? random.between(0, most) : 0);
  return {
    shortReads: sometimes(0.5),
    emptyReads: sometimes(0.3),
    shortWrites: sometimes(0.5),
    fullWrites: sometimes(0.3),
    acceptErrors: sometimes(0.2),
    openSocketErrors: random.chance(0.15) ? random.between(0, 0.2) : 0,
    openPipeErrors: sometimes(0.5),
    resizePipeErrors: sometimes(0.5),
    optionErrors: 0,
    partialBatches: sometimes(0.5),
    lateWakes: sometimes(0.8),
    descriptorsMax: random.chance(0.1) ? random.int(20, 60) : 1024,
    pipePagesSoft: random.chance(0.2) ? random.int(0, 400) : 16384,
    partialTransfers: sometimes(0.3),
    slowSteps: sometimes(0.5),
  };
}
