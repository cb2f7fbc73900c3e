// Gives frontends and nodes their rows in the counters: the same row for as long as they live, and never one that a session
// still refers to. A change is proposed first and takes effect only when it is committed. What a key names is the caller's
// business.

export type Assignment = ReadonlyMap<string, number>;

export class Rows {
  readonly #max: number;
  readonly #isIdle: (row: number) => boolean;
  readonly #clear: (row: number) => void;
  #owned: Assignment = new Map();
  /** rows without an owner whose last sessions may still run */
  readonly #retired = new Set<number>();
  #used = 0;

  /**
   * @param isIdle no session refers to this row @param clear sets a row's counters to zero for its next owner
   */
  constructor(max: number, isIdle: (row: number) => boolean, clear: (row: number) => void) {
    this.#max = max;
    this.#isIdle = isIdle;
    this.#clear = clear;
  }

  /**
   * Rows for exactly these keys. A row that a key gives up now goes to nobody yet: a listener that closes with the same change
   * still hands its backlog to it. Changes nothing. @returns undefined when there are too many keys
   */
  propose(keys: readonly string[]): Assignment | undefined {
    const idle = [...this.#retired].filter(this.#isIdle);
    const next = new Map<string, number>();
    let used = this.#used;
    for (const key of new Set(keys)) {
      const row = this.#owned.get(key) ?? (used < this.#max ? used++ : idle.shift());
      if (row === undefined) return undefined;
      next.set(key, row);
    }
    return next;
  }

  /** Makes a proposal the state of things. */
  commit(next: Assignment): void {
    for (const row of next.values()) {
      if (this.#retired.delete(row)) this.#clear(row);
      this.#used = Math.max(this.#used, row + 1);
    }
    for (const [key, row] of this.#owned) if (!next.has(key)) this.#retired.add(row);
    this.#owned = next;
  }
}
