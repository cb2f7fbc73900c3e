// The pipes that splice(2) needs, of one shard: opened on demand, kept for reuse while empty, never more than the cap. Its
// state lies in shared memory so that a successor of the shard finds every descriptor. It moves no bytes.
//
//   none --take--> taken --give (empty)--> free --take--> taken
//                  taken --discard--> none

import { assert } from '../base/assert.ts';
import type { Kernel } from './kernel.ts';

/** A pipe smaller than this is worth less than copying: an unprivileged user past `pipe-user-pages-soft` gets 8 KiB (pipe(7)). */
export const PIPE_BYTES_MIN = 65536;

/** After a pipe could not be had, nobody asks again for this long. */
const REFUSAL_PAUSE_MS = 1000;

const NONE = 0;
const FREE = 1;
const TAKEN = 2;
const CELLS_PER_PIPE = 4;

export function pipePoolBytes(pipes: number): number {
  return pipes * CELLS_PER_PIPE * Int32Array.BYTES_PER_ELEMENT;
}

export interface PipePoolOptions {
  /** zero-filled at first; `pipePoolBytes(pipes)` long */
  memory: SharedArrayBuffer;
  pipes: number;
  /** size to ask for */
  pipeBytes: number;
  /** eight bytes of the arena for pipe2(2) */
  fdsAt: number;
}

export class PipePool {
  /** pipes that the system refused or gave too small */
  refusals = 0;

  readonly #kernel: Kernel;
  readonly #options: PipePoolOptions;
  readonly #cells: Int32Array;
  readonly #free: Int32Array;
  #freeCount = 0;
  #refusedUntilMs = 0;
  #openCount = 0;

  constructor(kernel: Kernel, options: PipePoolOptions) {
    this.#kernel = kernel;
    this.#options = options;
    this.#cells = new Int32Array(options.memory);
    this.#free = new Int32Array(options.pipes);
  }

  readFd(pipe: number): number {
    return this.#cells[pipe * CELLS_PER_PIPE] ?? -1;
  }

  writeFd(pipe: number): number {
    return this.#cells[pipe * CELLS_PER_PIPE + 1] ?? -1;
  }

  /** bytes that it holds when each slot is full; a few small segments can fill it long before (pipe(7)) */
  size(pipe: number): number {
    return this.#cells[pipe * CELLS_PER_PIPE + 2] ?? 0;
  }

  /** @returns an empty pipe, or -1 when none can be had now */
  take(nowMs: number): number {
    if (this.#freeCount > 0) {
      const pipe = this.#free[--this.#freeCount] ?? -1;
      this.#setState(pipe, TAKEN);
      return pipe;
    }
    if (nowMs < this.#refusedUntilMs) return -1;
    if (this.#openCount >= this.#options.pipes) return -1;
    const pipe = this.#unused();
    if (this.#open(pipe)) return pipe;
    this.refusals++;
    this.#refusedUntilMs = nowMs + REFUSAL_PAUSE_MS;
    return -1;
  }

  /** Gives an empty pipe back. */
  give(pipe: number): void {
    assert(this.#state(pipe) === TAKEN, `pipe ${pipe} given back twice`);
    this.#setState(pipe, FREE);
    this.#free[this.#freeCount++] = pipe;
  }

  /** Closes a pipe that still holds bytes nobody wants: they must not reach another session. */
  discard(pipe: number): void {
    assert(this.#state(pipe) === TAKEN, `pipe ${pipe} discarded twice`);
    this.#close(pipe);
  }

  /** After a predecessor's death: what no session holds is free if it is empty, and closed if that cannot be said. */
  adopt(isHeld: (pipe: number) => boolean): void {
    this.#freeCount = 0;
    this.#openCount = 0;
    for (let pipe = 0; pipe < this.#options.pipes; pipe++) {
      if (this.#state(pipe) === NONE) continue;
      this.#openCount++;
      this.#setState(pipe, TAKEN);
      if (isHeld(pipe)) continue;
      // One that the predecessor had just opened has no size yet.
      const isReady = this.size(pipe) >= PIPE_BYTES_MIN && this.#kernel.unread(this.readFd(pipe)) === 0;
      if (isReady) this.give(pipe);
      else this.discard(pipe);
    }
  }

  closeAll(): void {
    this.#freeCount = 0;
    for (let pipe = 0; pipe < this.#options.pipes; pipe++) if (this.#state(pipe) !== NONE) this.#close(pipe);
  }

  #state(pipe: number): number {
    return this.#cells[pipe * CELLS_PER_PIPE + 3] ?? NONE;
  }

  #setState(pipe: number, state: number): void {
    this.#cells[pipe * CELLS_PER_PIPE + 3] = state;
  }

  #unused(): number {
    for (let pipe = 0; pipe < this.#options.pipes; pipe++) if (this.#state(pipe) === NONE) return pipe;
    return -1;
  }

  #open(pipe: number): boolean {
    const kernel = this.#kernel;
    const { fdsAt, pipeBytes } = this.#options;
    if (kernel.openPipe(fdsAt) < 0) return false;
    // Noted before anything else: what the cells do not name, a successor could not close.
    const at = pipe * CELLS_PER_PIPE;
    this.#cells[at] = kernel.arena.view.getInt32(fdsAt, true);
    this.#cells[at + 1] = kernel.arena.view.getInt32(fdsAt + 4, true);
    this.#setState(pipe, TAKEN);
    this.#openCount++;
    // What counts is the size read back: the resize may be refused, and an exhausted user gets tiny pipes from the start.
    const writeFd = this.writeFd(pipe);
    kernel.resizePipe(writeFd, pipeBytes);
    const size = kernel.pipeSize(writeFd);
    this.#cells[at + 2] = size;
    if (size >= PIPE_BYTES_MIN) return true;
    this.#close(pipe);
    return false;
  }

  #close(pipe: number): void {
    const at = pipe * CELLS_PER_PIPE;
    // Never ready again, whatever comes between: a successor closes what is left of it.
    this.#cells[at + 2] = 0;
    this.#closeEnd(at);
    this.#closeEnd(at + 1);
    this.#setState(pipe, NONE);
    this.#openCount--;
  }

  /** The number is forgotten first: rather leak a descriptor than close one that already belongs to somebody else. */
  #closeEnd(cell: number): void {
    const fd = this.#cells[cell] ?? -1;
    this.#cells[cell] = -1;
    if (fd >= 0) this.#kernel.close(fd);
  }
}
