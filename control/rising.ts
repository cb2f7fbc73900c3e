// Counts of bytes as a graph or a scraper needs them: never lower than before. A snapshot adds what running sessions
// have moved to what ended ones had; a session that ends in between is in both, so that the next snapshot would fall.

export interface ByteCounts {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

interface Seen extends ByteCounts {
  readonly connections: number;
}

export class RisingBytes {
  #seen = new Map<string, Seen>();
  #next = new Map<string, Seen>();

  /** Begins another snapshot: what was not in the last one is forgotten. */
  begin(): void {
    this.#seen = this.#next;
    this.#next = new Map();
  }

  /**
   * @param key whose counts they are @param connections counted exactly: when these fall, another's counts have begun
   * @returns the counts, or what they were before if that is more
   */
  rise(key: string, connections: number, { bytesIn, bytesOut }: ByteCounts): ByteCounts {
    const seen = this.#seen.get(key);
    const before = seen === undefined || connections < seen.connections ? { bytesIn: 0, bytesOut: 0 } : seen;
    const counts = {
      connections,
      bytesIn: Math.max(before.bytesIn, bytesIn),
      bytesOut: Math.max(before.bytesOut, bytesOut),
    };
    this.#next.set(key, counts);
    return counts;
  }
}
