// The control thread's sign of life: a cell in shared memory that its event loop writes and the main thread reads. A thread that waits
// for a request writes it as well as one that works; one in an endless loop, or in a system call that does not return, does not.

import { monotonicMs } from '../../core/base/clock.ts';
import type { LoopLag } from '../../workers/loop-lag.ts';

const BEAT_INTERVAL_MS = 250;
const WATCH_INTERVAL_MS = 250;
/** Until the first beat: it loads its modules and opens its store, on a machine that may be busy with other things. */
const START_MS_MAX = 60_000;
const NEVER = 0;

export function createHeartbeat(): SharedArrayBuffer {
  return new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT);
}

/** Beats from now on, as long as the event loop comes round. @param lag told how late each beat is */
export function beatOn(memory: SharedArrayBuffer, lag: LoopLag): void {
  const cell = new Float64Array(memory);
  let beatMs = monotonicMs();
  cell[0] = beatMs;
  const beat = () => {
    const nowMs = monotonicMs();
    lag.note(nowMs - beatMs - BEAT_INTERVAL_MS, nowMs);
    beatMs = nowMs;
    cell[0] = nowMs;
  };
  setInterval(beat, BEAT_INTERVAL_MS).unref();
}

/** Looks at the cell now and then and says whether its writer is stuck. */
export class Heartbeat {
  readonly #cell: Float64Array;
  readonly #silentMsMax: number;
  readonly #nowMs: () => number;
  readonly #startedMs: number;
  #lookedMs: number;
  #graceMs = 0;

  /** @param silentMsMax a writer that has not beaten for longer is stuck */
  constructor(memory: SharedArrayBuffer, silentMsMax: number, nowMs: () => number = monotonicMs) {
    this.#cell = new Float64Array(memory);
    this.#silentMsMax = silentMsMax;
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
    this.#lookedMs = this.#startedMs;
  }

  /** To be asked every WATCH_INTERVAL_MS. */
  isStuck(): boolean {
    const nowMs = this.#nowMs();
    // After the whole process was suspended the beat is old, and nobody is stuck.
    if (nowMs - this.#lookedMs > this.#silentMsMax / 2) this.#graceMs = nowMs;
    this.#lookedMs = nowMs;
    const beatMs = this.#cell[0] ?? NEVER;
    const hasBegun = beatMs !== NEVER;
    const signMs = Math.max(hasBegun ? beatMs : this.#startedMs, this.#graceMs);
    return nowMs - signMs > (hasBegun ? this.#silentMsMax : START_MS_MAX);
  }

  /** Calls back once, when the writer is stuck. @returns a function that ends the watch */
  watch(onStuck: () => void): () => void {
    const timer = setInterval(() => {
      if (!this.isStuck()) return;
      clearInterval(timer);
      onStuck();
    }, WATCH_INTERVAL_MS).unref();
    return () => clearInterval(timer);
  }
}
