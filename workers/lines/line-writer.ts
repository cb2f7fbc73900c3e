// Lines into a sink that may hang: handed to a thread of their own, counted, never waited for. What waits there is bounded, and what
// comes on top is lost; so is what a thread that dies takes with it. A thread that hangs in a system call is left alone: nobody can
// end it, and when the call returns it goes on. (A watchdog as other threads have one could only take it for a loop of ours.)

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  COUNTS,
  COUNTS_BYTES,
  countLines,
  type FromWriter,
  type LineFault,
  type Target,
  type ToWriter,
  type WriterTask,
} from './channel.ts';

export interface LineWriterOptions {
  readonly target: Target;
  /** of the thread */
  readonly name: string;
  /** UTF-16 units of text that wait at most */
  readonly waitingMax: number;
  /** told why lines are lost, as the end of a sentence; not how many */
  readonly onProblem: (problem: string) => void;
}

/** What waits is outside of its heap. */
const HEAP_MEGABYTES = 32;
/** A thread that loads its sources, on a busy machine. A sink that hangs is not waited for so long. */
const START_MS_MAX = 5000;
const CLOSE_POLL_MS = 10;
const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 5000;
/** a thread that lived for so long did not die of what killed the one before it */
const LONG_LIFE_MS = 30_000;

export class LineWriter {
  readonly #options: LineWriterOptions;
  readonly #counts = new Int32Array(new SharedArrayBuffer(COUNTS_BYTES));
  #worker: Worker | undefined;
  #isClosing = false;
  #restart: NodeJS.Timeout | undefined;
  #restartMs = RESTART_MS_MIN;
  /** handed over so far, in the cells' own arithmetic */
  #lines = 0;
  #units = 0;
  #lost = 0;
  /** of the thread's count: as far as it is in `#lost` */
  #lostSeen = 0;

  constructor(options: LineWriterOptions) {
    this.#options = options;
    this.#start();
  }

  /** Lines lost so far, for whatever reason. */
  get lost(): number {
    const cell = Atomics.load(this.#counts, COUNTS.lost);
    this.#lost += (cell - this.#lostSeen) | 0;
    this.#lostSeen = cell;
    return this.#lost;
  }

  /** Whether the next line would be lost. */
  get isFull(): boolean {
    return this.#worker === undefined || this.#waitingUnits() > this.#options.waitingMax;
  }

  /** Whole lines, each with its line break. */
  write(text: string): void {
    const lines = countLines(text);
    if (this.isFull) {
      this.#lost += lines;
      return;
    }
    this.#lines = (this.#lines + lines) | 0;
    this.#units = (this.#units + text.length) | 0;
    this.#post({ kind: 'lines', text });
  }

  /** Lines that are lost without having been made. */
  lose(lines: number): void {
    this.#lost += lines;
  }

  /** What was written until now goes into the file that was there; what comes goes into another one of its name. */
  reopen(): void {
    this.#post({ kind: 'reopen' });
  }

  inject(fault: LineFault): void {
    this.#post({ kind: 'fault', fault });
  }

  /** Holds this thread until all is written, or for so long at most from the moment when the other one is up. */
  flush(timeoutMs: number): void {
    if (this.#worker !== undefined) Atomics.wait(this.#counts, COUNTS.isUp, 0, START_MS_MAX);
    const deadlineMs = performance.now() + timeoutMs;
    while (this.#worker !== undefined && this.#waitingUnits() > 0) {
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) return;
      const done = Atomics.load(this.#counts, COUNTS.done);
      if (done !== this.#units) Atomics.wait(this.#counts, COUNTS.done, done, leftMs);
    }
  }

  /** @returns when all is written, or so long after the thread is up: then what still waits is lost */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#restart);
    this.#post({ kind: 'end' });
    const startMs = performance.now();
    let upMs = Atomics.load(this.#counts, COUNTS.isUp) === 1 ? startMs : undefined;
    while (this.#worker !== undefined) {
      const nowMs = performance.now();
      if (nowMs > (upMs === undefined ? startMs + START_MS_MAX : upMs + timeoutMs)) break;
      if (upMs === undefined && Atomics.load(this.#counts, COUNTS.isUp) === 1) upMs = nowMs;
      await sleep(CLOSE_POLL_MS);
    }
    this.#loseWaiting();
    // It may hang, and end with the process.
    void this.#worker?.terminate();
  }

  #start(): void {
    const { name, target, onProblem } = this.#options;
    const task: WriterTask = { target, counts: this.#counts.buffer };
    const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), {
      name,
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
    });
    this.#worker = worker;
    Atomics.store(this.#counts, COUNTS.isUp, 0);
    // Nothing of the process waits for it.
    worker.unref();
    worker.on('message', ({ problem }: FromWriter) => onProblem(problem));
    let reason = 'it exited';
    const startedMs = performance.now();
    worker.on('error', (error: unknown) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    // Comes after 'error', and in any case.
    worker.once('exit', () => {
      this.#worker = undefined;
      if (!this.#isClosing) this.#died(reason, performance.now() - startedMs);
    });
  }

  #died(reason: string, livedMs: number): void {
    this.#loseWaiting();
    if (livedMs > LONG_LIFE_MS) this.#restartMs = RESTART_MS_MIN;
    this.#restart = setTimeout(() => this.#start(), this.#restartMs).unref();
    this.#options.onProblem(`the thread that writes it died (${reason}); it starts again in ${this.#restartMs} ms`);
    this.#restartMs = Math.min(2 * this.#restartMs, RESTART_MS_MAX);
  }

  #waitingUnits(): number {
    return (this.#units - Atomics.load(this.#counts, COUNTS.done)) | 0;
  }

  /** What was handed over and is neither written nor lost by now. */
  #loseWaiting(): void {
    const { lost } = this;
    const written = Atomics.load(this.#counts, COUNTS.written);
    this.#lost = lost + ((this.#lines - written - this.#lostSeen) | 0);
    this.#lines = (written + this.#lostSeen) | 0;
    this.#units = Atomics.load(this.#counts, COUNTS.done);
  }

  #post(message: ToWriter): void {
    this.#worker?.postMessage(message);
  }
}
