// How far a run is: on a terminal one line that rewrites itself, elsewhere one line per measurement. Everything goes to stderr, so that
// stdout has the report and nothing else. What remains is estimated from what the same measurements took before.

export interface Measurement {
  scenario: string;
  contender: string;
}

export interface Step extends Measurement {
  round: number;
  rounds: number;
}

interface Screen {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

const COLUMNS_USUAL = 80;
const CLEAR_LINE = '\r\x1b[K';

export class Progress {
  readonly #screen: Screen;
  readonly #now: () => number;
  readonly #startMs: number;
  /** What is still to be measured, without the present one. */
  #waiting: Measurement[] = [];
  #current: Measurement | undefined;
  #stepStartMs = 0;
  #hasLine = false;
  /** what each took last time */
  readonly #tookMs = new Map<string, number>();

  constructor(screen: Screen, now: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#now = now;
    this.#startMs = now();
  }

  /** All that will be measured, in its order. */
  expect(measurements: readonly Measurement[]): void {
    this.#waiting = [...measurements];
  }

  /** Something to keep on the screen. */
  say(text: string): void {
    this.clear();
    this.#screen.write(`bench: ${text}\n`);
  }

  step(step: Step): void {
    const nowMs = this.#now();
    if (this.#current !== undefined) this.#tookMs.set(nameOf(this.#current), nowMs - this.#stepStartMs);
    this.#stepStartMs = nowMs;
    this.#current = step;
    this.#waiting.shift();
    this.#show(`bench: round ${step.round}/${step.rounds} ${nameOf(step)}${this.#times()}`);
  }

  #show(text: string): void {
    if (this.#screen.isTTY !== true) {
      this.#screen.write(`${text}\n`);
      return;
    }
    // A line that wraps cannot be rewritten. A terminal that does not know its size says 0.
    this.#screen.write(`${CLEAR_LINE}${text.slice(0, (this.#screen.columns || COLUMNS_USUAL) - 1)}`);
    this.#hasLine = true;
  }

  /** Takes the line that rewrites itself away. */
  clear(): void {
    if (this.#hasLine) this.#screen.write(CLEAR_LINE);
    this.#hasLine = false;
  }

  #times(): string {
    const elapsed = `, ${duration(this.#now() - this.#startMs)} so far`;
    const leftMs = this.#leftMs();
    return leftMs === undefined ? elapsed : `${elapsed}, about ${duration(leftMs)} left`;
  }

  /** Undefined until something was measured. What was never measured counts as the mean of what was: in the first round a guess. */
  #leftMs(): number | undefined {
    if (this.#tookMs.size === 0 || this.#current === undefined) return undefined;
    const meanMs = [...this.#tookMs.values()].reduce((sum, ms) => sum + ms, 0) / this.#tookMs.size;
    const left = [this.#current, ...this.#waiting];
    return left.reduce((sum, it) => sum + (this.#tookMs.get(nameOf(it)) ?? meanMs), 0);
  }
}

function nameOf({ scenario, contender }: Measurement): string {
  return `${scenario} ${contender}`;
}

/** `0:07`, `12:30` */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
