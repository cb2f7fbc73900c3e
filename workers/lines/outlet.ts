// A sink for lines, written synchronously: it waits as long as the system call does, so it belongs into a thread of its own. Not into
// libuv's pool, which the process has once, and which look-ups of host names need: four writes that hang there are the end of them.
//
//   closed --open--> open --write fails--> closed, what waits is lost, opened again later
//     '--no reader--> waiting for one: lines are kept; so they are when the reader of a FIFO goes away
//
// What is kept is bounded by whoever hands lines over.

import { closeSync, constants, openSync, statSync, writeSync } from 'node:fs';
import type { Target } from './channel.ts';

/** The calls that it makes, each throwing what Node.js throws. */
export interface Files {
  open(path: string, flags: number, mode: number): number;
  isFifo(path: string): boolean;
  /** @returns how many bytes were taken */
  write(fd: number, bytes: Uint8Array, at: number): number;
  close(fd: number): void;
}

export const FILES: Files = {
  open: openSync,
  isFifo: (path) => statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false,
  write: (fd, bytes, at) => writeSync(fd, bytes, at),
  close: closeSync,
};

/** A FIFO without a reader, or one whose reader is behind, shall not hold the open or the write; nor shall a terminal become ours. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY;
const MODE = 0o640;
/** After a failure: until then what comes is lost without another attempt. */
const RETRY_MS = 1000;
/** the same failure is told again after so long */
const TELL_MS = 10_000;
const LINE_BREAK = 10;

/** `done`: nothing waits. `full`: the sink takes nothing now. `no reader`: nobody has the FIFO open. */
export type Progress = 'done' | 'full' | 'no reader';

interface Chunk {
  readonly bytes: Buffer;
  /** UTF-16 units, as it was handed over */
  readonly units: number;
}

export interface OutletOptions {
  readonly target: Target;
  /** told why lines are lost, as the end of a sentence */
  readonly onProblem: (problem: string) => void;
  /** a monotonic clock */
  readonly nowMs: () => number;
  readonly files?: Files;
}

export class Outlet {
  /** lines so far */
  written = 0;
  lost = 0;
  /** UTF-16 units of chunks that are done with */
  done = 0;
  readonly #options: OutletOptions;
  readonly #files: Files;
  #fd: number | undefined;
  readonly #queue: Chunk[] = [];
  /** of the first chunk: bytes that were taken or given up, and how far its lines are counted */
  #at = 0;
  #countedAt = 0;
  /** a failed write has left half a line behind, and nothing has been opened since that could be another file */
  #isCut = false;
  #retryMs = Number.NEGATIVE_INFINITY;
  #told = '';
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(options: OutletOptions) {
    this.#options = options;
    this.#files = options.files ?? FILES;
    if ('fd' in options.target) this.#fd = options.target.fd;
  }

  /** Whole lines; they are written by `pump`. */
  add(text: string): void {
    this.#queue.push({ bytes: Buffer.from(text), units: text.length });
  }

  /** Writes as much as the sink takes. To be called again after a while unless all is done. */
  pump(): Progress {
    const opened = this.#open();
    if (opened !== 'done') return opened;
    for (let first = this.#queue[0]; first !== undefined && this.#fd !== undefined; first = this.#queue[0]) {
      const progress = this.#write(this.#fd, first);
      if (progress !== 'done') return progress;
    }
    return 'done';
  }

  /** Goes on in another file of the same name. What the old one did not take goes there, from the next whole line on. */
  reopen(): void {
    if ('fd' in this.#options.target) return;
    this.#skipCutLine(this.#queue[0]);
    this.#close();
    this.#isCut = false;
    this.#retryMs = Number.NEGATIVE_INFINITY;
    this.#open();
  }

  #open(): Progress {
    const { target, nowMs } = this.#options;
    if (this.#fd !== undefined || !('path' in target)) return 'done';
    if (nowMs() < this.#retryMs) return this.#loseAll();
    try {
      this.#fd = this.#files.open(target.path, FLAGS, MODE);
      // Or the half line would spoil the next one.
      if (this.#isCut) this.#files.write(this.#fd, Uint8Array.of(LINE_BREAK), 0);
      this.#isCut = false;
      return 'done';
    } catch (error) {
      if (codeOf(error) === 'ENXIO' && this.#files.isFifo(target.path)) return 'no reader';
      return this.#fail(error);
    }
  }

  #write(fd: number, first: Chunk): Progress {
    try {
      this.#at += this.#files.write(fd, first.bytes, this.#at);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EPIPE' && 'path' in this.#options.target) return this.#readerGone(first);
      if (code !== 'EAGAIN') return this.#fail(error);
      this.written += this.#linesUpTo(first, this.#at);
      return 'full';
    }
    if (this.#at === first.bytes.length) this.#finish(first);
    return 'done';
  }

  /** The next one begins with a whole line. */
  #readerGone(first: Chunk): Progress {
    this.#skipCutLine(first);
    this.#close();
    return 'no reader';
  }

  #fail(error: unknown): Progress {
    this.#tell(error);
    if ('path' in this.#options.target) {
      this.#isCut ||= this.#isInLine(this.#queue[0]);
      this.#close();
      this.#retryMs = this.#options.nowMs() + RETRY_MS;
    }
    return this.#loseAll();
  }

  #tell(error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    const nowMs = this.#options.nowMs();
    if (problem === this.#told && nowMs < this.#toldMs + TELL_MS) return;
    this.#told = problem;
    this.#toldMs = nowMs;
    this.#options.onProblem(problem);
  }

  #close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd === undefined) return;
    try {
      this.#files.close(fd);
    } catch (error) {
      // What a file system could not store after all. Its lines were counted as written: nobody knows which they are.
      this.#tell(error);
    }
  }

  #isInLine(first: Chunk | undefined): boolean {
    return this.#at > 0 && first?.bytes[this.#at - 1] !== LINE_BREAK;
  }

  #skipCutLine(first: Chunk | undefined): void {
    if (first === undefined || !this.#isInLine(first)) return;
    this.written += this.#linesUpTo(first, this.#at);
    this.#at = first.bytes.indexOf(LINE_BREAK, this.#at) + 1;
    this.lost += this.#linesUpTo(first, this.#at);
    if (this.#at === first.bytes.length) this.#finish(first);
  }

  #loseAll(): Progress {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      this.written += this.#linesUpTo(first, this.#at);
      this.lost += this.#linesUpTo(first, first.bytes.length);
      this.#finish(first);
    }
    return 'done';
  }

  /** Of the first chunk, from where they were counted last. */
  #linesUpTo({ bytes }: Chunk, end: number): number {
    let lines = 0;
    for (let at = this.#countedAt; at < end; at++) if (bytes[at] === LINE_BREAK) lines++;
    this.#countedAt = Math.max(this.#countedAt, end);
    return lines;
  }

  /** What is not counted yet was written. */
  #finish(first: Chunk): void {
    this.written += this.#linesUpTo(first, first.bytes.length);
    this.done += first.units;
    this.#queue.shift();
    this.#at = 0;
    this.#countedAt = 0;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
