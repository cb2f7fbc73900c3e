// What `run` says on stderr, written by a thread of its own: a pipe or a terminal that nobody reads, or a file on a disk that hangs,
// would stop the main thread else, and with it checks, signals and the end. (Node.js's own stream holds the thread at a terminal and at
// a file, and keeps for ever what a pipe does not take.) What waits is bounded; what comes on top is lost, counted and said.

import { exitAtOnce } from '../core/linux/process.ts';
import { LineWriter } from '../workers/lines/line-writer.ts';

export const STDERR = 2;
/** in characters */
const WAITING_MAX = 256 << 10;
/** the last words have this long */
const FLUSH_MS_MAX = 500;
const REPORT_INTERVAL_MS = 10_000;

export class Messages {
  // Who could be told why stderr takes nothing?
  readonly #writer = new LineWriter({
    target: { fd: STDERR },
    name: 'messages',
    waitingMax: WAITING_MAX,
    onProblem: () => {},
  });
  #reported = 0;
  #reportedMs = Number.NEGATIVE_INFINITY;

  /** Whole lines. */
  readonly write = (text: string): void => {
    this.#reportLost();
    this.#writer.write(text);
  };

  /** Holds this thread until all is written, for a moment at most. */
  flush(): void {
    this.#writer.flush(FLUSH_MS_MAX);
  }

  /** Ends the process: at once, because a thread may hang in a write, and an orderly end would wait for it. */
  leave(code: number): never {
    this.flush();
    return exitAtOnce(code);
  }

  /** As soon as somebody reads again. */
  #reportLost(): void {
    const { isFull, lost } = this.#writer;
    const nowMs = performance.now();
    if (lost === this.#reported || isFull || nowMs < this.#reportedMs + REPORT_INTERVAL_MS) return;
    this.#writer.write(`${lost - this.#reported} lines were lost here: stderr did not take them\n`);
    this.#reported = lost;
    this.#reportedMs = nowMs;
  }
}
