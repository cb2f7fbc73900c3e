// How late event loops come round: of each thread the longest delay lately, in cells of shared memory that its own loop writes and
// anybody reads. What a loop that works counts as a delay is its own business: a shard's turn, a timer's being late.

import { assert } from '../core/base/assert.ts';
import { WAIT_MS_MAX } from '../core/session/limits.ts';
import { type Control, HEARTBEAT_STRIDE } from './channel.ts';

/** A delay is told for at least so long, and for twice that at most: a scraper that comes once a minute may miss the shortest half. */
export const LAG_WINDOW_MS = 30_000;

const LONGEST = 0;
const LONGEST_BEFORE = 1;

/** Rows of `Control.lags`, from their end. */
export const MAIN = -2;
export const CONTROL = -1;

/** The writer's end. */
export class LoopLag {
  readonly #cells: Float64Array;
  #windowEndMs = 0;
  #longestMs = 0;

  /** @param row of `Control.lags`; what a predecessor has left there goes with its window */
  constructor({ lags }: Control, row: number) {
    const cells = lags.at(row);
    assert(cells !== undefined, 'each thread has a row');
    this.#cells = cells;
  }

  /** To be called each time the loop comes round. Two comparisons, nearly always. */
  note(delayMs: number, nowMs: number): void {
    if (nowMs >= this.#windowEndMs) this.#beginWindow(nowMs);
    if (delayMs > this.#longestMs) {
      this.#longestMs = delayMs;
      this.#cells[LONGEST] = delayMs;
    }
  }

  #beginWindow(nowMs: number): void {
    this.#cells[LONGEST_BEFORE] = this.#cells[LONGEST] ?? 0;
    this.#cells[LONGEST] = 0;
    this.#longestMs = 0;
    this.#windowEndMs = nowMs + LAG_WINDOW_MS;
  }
}

/** What a loop cannot say itself: it was given up for stuck. */
export function noteStuck({ lags }: Control, row: number, silentMs: number): void {
  const cells = lags[row];
  if (cells !== undefined) cells[LONGEST] = Math.max(cells[LONGEST] ?? 0, silentMs);
}

/** In milliseconds. */
export interface LoopLags {
  readonly shards: readonly number[];
  readonly main: number;
  readonly control: number;
}

/** @param nowMs monotonic */
export function readLoopLags({ heartbeats, lags }: Control, nowMs: number): LoopLags {
  const recent = lags.map((cells) => Math.max(...cells));
  const [main = 0, control = 0] = recent.slice(MAIN);
  return {
    shards: recent.slice(0, MAIN).map((lagMs, row) => {
      // It may be in its longest turn at this moment. A loop that has nothing to do comes round, too.
      const silentMs = nowMs - (heartbeats[row * HEARTBEAT_STRIDE] ?? nowMs) - WAIT_MS_MAX;
      return Math.max(lagMs, silentMs);
    }),
    main,
    control,
  };
}
