// Gives frontends and nodes their rows in the counters: the same row for as long as they live, and never one that a session
// still refers to. Which key names what is the caller's business.

export class Rows {
  readonly #rows = new Map<string, number>();
  /** rows without an owner whose last sessions may still run */
  readonly #retired = new Set<number>();
  readonly #max: number;
  readonly #isIdle: (row: number) => boolean;
  readonly #clear: (row: number) => void;
  #used = 0;

  /**
   * @param isIdle no session refers to this row @param clear sets a row's counters to zero for its next owner
   */
  constructor(max: number, isIdle: (row: number) => boolean, clear: (row: number) => void) {
    this.#max = max;
    this.#isIdle = isIdle;
    this.#clear = clear;
  }

  /** Rows for exactly these keys; keys that are gone give theirs up. @returns undefined when there are too many */
  assign(keys: readonly string[]): ReadonlyMap<string, number> | undefined {
    const wanted = new Set(keys);
    for (const [key, row] of this.#rows) {
      if (wanted.has(key)) continue;
      this.#rows.delete(key);
      this.#retired.add(row);
    }
    for (const key of wanted) {
      if (this.#rows.has(key)) continue;
      const row = this.#take();
      if (row === undefined) return undefined;
      this.#rows.set(key, row);
    }
    return this.#rows;
  }

  #take(): number | undefined {
    if (this.#used < this.#max) return this.#used++;
    for (const row of this.#retired) {
      if (!this.#isIdle(row)) continue;
      this.#retired.delete(row);
      this.#clear(row);
      return row;
    }
    return undefined;
  }
}
