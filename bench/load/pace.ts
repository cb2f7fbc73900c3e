// When requests are to begin. Closed loop: whenever a connection is free, until the time is over. Open loop: at evenly spaced
// moments that nothing shifts. Values in, values out; the clock is the caller's.

/** epoll_wait may come back this much later than asked. */
const OVERSLEEP_MS = 0.3;
/** Nobody waits longer without looking at the clock. */
const WAIT_MS_MAX = 100;

export interface Schedule {
  seconds: number;
  /** 0: a closed loop */
  ratePerSecond: number;
}

export class Pace {
  endMs = 0;
  #startMs = 0;
  #intervalMs = 0;
  #intended = 0;
  #begun = 0;

  start(nowMs: number, { seconds, ratePerSecond }: Schedule): void {
    this.#startMs = nowMs;
    this.endMs = nowMs + seconds * 1000;
    this.#intervalMs = ratePerSecond === 0 ? 0 : 1000 / ratePerSecond;
    this.#intended = Math.floor(ratePerSecond * seconds);
    this.#begun = 0;
  }

  /** When the next one is due; Infinity when none is to come. */
  nextMs(nowMs: number): number {
    const hasMore = this.#intervalMs === 0 ? nowMs < this.endMs : this.#begun < this.#intended;
    if (!hasMore) return Number.POSITIVE_INFINITY;
    return this.#intervalMs === 0 ? nowMs : this.#startMs + this.#begun * this.#intervalMs;
  }

  /** The next one has begun. */
  advance(): void {
    this.#begun++;
  }

  /** How many are still to begin; in a closed loop nobody was promised anything. */
  get unbegun(): number {
    return this.#intervalMs === 0 ? 0 : this.#intended - this.#begun;
  }

  /**
   * How long to wait for events. epoll_wait knows whole milliseconds: it may sleep for those that cannot make us late, and what is
   * left is spent asking again and again with 0, because being late would be counted as the contender's latency.
   * @param isFull nothing can begin before something ends
   */
  waitMs(nowMs: number, isFull: boolean): number {
    const nextMs = this.nextMs(nowMs);
    if (this.#intervalMs === 0 && nowMs < this.endMs) return Math.min(WAIT_MS_MAX, Math.ceil(this.endMs - nowMs));
    if (isFull || nextMs === Number.POSITIVE_INFINITY) return WAIT_MS_MAX;
    return Math.max(0, Math.min(WAIT_MS_MAX, Math.floor(nextMs - nowMs - OVERSLEEP_MS)));
  }
}
