// Nodes that are out and have failed at every address of their name, while sessions are sent to them all the same: where every node of
// a port is out, none is, and there are no trials whose failure would tell. So failed connects are counted, and as long as there
// are any, the node goes on to its next address.

/** What is asked about a node, by its row. */
export interface RoundsOptions {
  /** failed connects so far */
  readonly failuresOf: (row: number) => number;
  readonly isOut: (row: number) => boolean;
  /** whether nothing else decides at the moment where it is */
  readonly mayGo: (row: number) => boolean;
  readonly goOn: (row: number) => void;
}

/** As long as a first ejection. Each step is a change of the plan, of which every shard is told. */
export const STEP_MS = 5000;

/** A node that was out when last looked at. */
interface Round {
  /** failed connects that were known of when it came to its present address */
  failures: number;
  timer: NodeJS.Timeout;
}

export class Rounds {
  readonly #options: RoundsOptions;
  /** by row */
  readonly #rounds = new Map<number, Round>();

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** The node has come to an address, and goes on from there, until it is not out any more. */
  begin(row: number): void {
    const failures = this.#options.failuresOf(row);
    const round = this.#rounds.get(row);
    if (round === undefined) this.#rounds.set(row, { failures, timer: this.#lookLater(row) });
    else round.failures = failures;
  }

  stop(): void {
    for (const { timer } of this.#rounds.values()) clearTimeout(timer);
    this.#rounds.clear();
  }

  #lookLater(row: number): NodeJS.Timeout {
    return setTimeout(() => this.#look(row), STEP_MS);
  }

  #look(row: number): void {
    const { failuresOf, isOut, mayGo, goOn } = this.#options;
    const round = this.#rounds.get(row);
    if (round === undefined || !isOut(row)) return void this.#rounds.delete(row);
    round.timer = this.#lookLater(row);
    const failures = failuresOf(row);
    if (failures <= round.failures || !mayGo(row)) return;
    round.failures = failures;
    goOn(row);
  }
}
