// Gives frontends and nodes their rows in the counters: the same row for as long as they live, and never one that a session
// still refers to. Who was removed and comes back finds its row as it left it, unless another has got it since. A change is
// proposed first and takes effect only when it is committed. What a key names is the caller's business.

export type Assignment = ReadonlyMap<string, number>;

export class Rows {
  readonly #max: number;
  readonly #idleAmong: (rows: readonly number[]) => number[];
  readonly #clear: (rows: ReadonlySet<number>) => void;
  #owned: Assignment = new Map();
  /** former owners, with rows that nobody has got since: their last sessions may still run */
  readonly #retired = new Map<string, number>();
  #used = 0;

  /**
   * @param idleAmong those of the rows that no session refers to; asked only where no row is left that was never used
   * @param clear sets the counters of rows to zero for their next owners
   */
  constructor(
    max: number,
    idleAmong: (rows: readonly number[]) => number[],
    clear: (rows: ReadonlySet<number>) => void,
  ) {
    this.#max = max;
    this.#idleAmong = idleAmong;
    this.#clear = clear;
  }

  /**
   * Rows for exactly these keys. A row that a key gives up now goes to nobody yet: a listener that closes with the same change
   * still hands its backlog to it. Changes nothing. @returns undefined when there are too many keys
   */
  propose(keys: readonly string[]): Assignment | undefined {
    const next = new Map<string, number>();
    const strangers: string[] = [];
    for (const key of new Set(keys)) {
      const row = this.#owned.get(key) ?? this.#retired.get(key);
      if (row === undefined) strangers.push(key);
      else next.set(key, row);
    }
    const unused = Math.min(strangers.length, this.#max - this.#used);
    const idle = unused < strangers.length ? this.#idleWithout(next) : [];
    for (const [index, key] of strangers.entries()) {
      const row = index < unused ? this.#used + index : idle[index - unused];
      if (row === undefined) return undefined;
      next.set(key, row);
    }
    return next;
  }

  /** Rows that may change hands, but for those that go back to their former owners now. */
  #idleWithout(next: Assignment): number[] {
    const retired = [...this.#retired].filter(([key]) => !next.has(key));
    return this.#idleAmong(retired.map(([, row]) => row));
  }

  /** Makes a proposal the state of things. */
  commit(next: Assignment): void {
    const owners = new Map([...next].map(([key, row]) => [row, key]));
    const inherited = new Set<number>();
    for (const [former, row] of this.#retired) {
      const owner = owners.get(row);
      if (owner === undefined) continue;
      this.#retired.delete(former);
      if (owner !== former) inherited.add(row);
    }
    if (inherited.size > 0) this.#clear(inherited);
    for (const row of owners.keys()) this.#used = Math.max(this.#used, row + 1);
    for (const [key, row] of this.#owned) if (!next.has(key)) this.#retired.set(key, row);
    this.#owned = next;
  }
}
