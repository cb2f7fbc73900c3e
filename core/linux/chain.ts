// Several system calls with one trip out of JavaScript, for sequences that always follow each other: open a socket, connect it, watch it. The
// kernel's part is what it was; a trip costs some 0.4 us where the calls before it have taken the caches.
//
// Not what io_submit does, nor io_uring: each call of a chain enters the kernel by itself.

import { assert } from '../base/assert.ts';
import { type CallName, callNumber } from './call-numbers.ts';
import { ARGUMENTS_MAX, STEP } from './machine-code.ts';
import { addressOf, runChain } from './system-calls.ts';

/** A number that calls take, or that one leaves for those behind it: the place of an int64. */
export type Cell = number;

const CELL_BYTES = 8;
const CELLS_MAX = 32;
const STEPS_AT = CELLS_MAX * CELL_BYTES;
const STEPS_MAX = 8;

/** When a chain goes on behind a call: where the result is `least` (0) or more, or just `or` (-errno). */
interface GoesOn {
  least?: number;
  or?: number;
}

export class Chain {
  readonly #memory = new SharedArrayBuffer(STEPS_AT + STEPS_MAX * STEP.bytes);
  readonly #address = addressOf(this.#memory);
  readonly #halves = new Int32Array(this.#memory);
  readonly #view = new DataView(this.#memory);
  readonly #baseHigh: number;
  readonly #baseLow: number;
  readonly #zero: Cell;
  #cells = 0;
  #steps = 0;

  /** @param base where the arena begins that `putAddress` names places of */
  constructor(base: number) {
    this.#baseHigh = Math.floor(base / 2 ** 32);
    this.#baseLow = base % 2 ** 32;
    this.#zero = this.cell();
  }

  cell(value = 0): Cell {
    const cell = this.#cells++;
    assert(cell < CELLS_MAX, 'room for a cell');
    this.put(cell, value);
    return cell;
  }

  /** A cell that holds the address of another, for calls that take a pointer. */
  pointer(to: Cell): Cell {
    const cell = this.cell();
    this.#writeAddress(cell * CELL_BYTES, to);
    return cell;
  }

  /** A cell that holds the address of a place in the arena. */
  place(at: number): Cell {
    const cell = this.cell();
    this.putAddress(cell, at);
    return cell;
  }

  /** @param value an int32 */
  put(cell: Cell, value: number): void {
    this.putHalves(cell, value, value >> 31);
  }

  putHalves(cell: Cell, low: number, high: number): void {
    this.#halves[2 * cell] = low;
    this.#halves[2 * cell + 1] = high;
  }

  /** The address of a place in the arena. By halves: it is too large for V8's small integers, and would be put on the heap. */
  putAddress(cell: Cell, at: number): void {
    const low = this.#baseLow + at;
    this.putHalves(cell, low, low < 2 ** 32 ? this.#baseHigh : this.#baseHigh + 1);
  }

  /** What a call has left there; of a wider result the lower half. */
  take(cell: Cell): number {
    return this.#halves[2 * cell] as number;
  }

  /** Adds a call. Arguments left out are 0. @returns its number in the chain */
  add(name: CallName, args: readonly Cell[], result: Cell, { least = 0, or = least }: GoesOn = {}): number {
    const step = this.#steps++;
    assert(step < STEPS_MAX, 'room for a step');
    const at = STEPS_AT + step * STEP.bytes;
    this.#view.setInt32(at + STEP.number, callNumber(name), true);
    this.#view.setInt32(at + STEP.least, least, true);
    this.#view.setInt32(at + STEP.or, or, true);
    for (let i = 0; i < ARGUMENTS_MAX; i++) this.#writeAddress(at + STEP.args + i * CELL_BYTES, args[i] ?? this.#zero);
    this.#writeAddress(at + STEP.result, result);
    return step;
  }

  /** The chain goes on behind this call only where its result is `least` or more. */
  demand(step: number, least: number): void {
    const at = STEPS_AT + step * STEP.bytes;
    this.#view.setInt32(at + STEP.least, least, true);
    this.#view.setInt32(at + STEP.or, least, true);
  }

  /** @returns what makes the calls added so far, and returns the last result; good for as long as the chain is kept */
  finished(): () => number {
    // In a variable, not in a field: V8 would put a number of this size on the heap at each reading.
    const first = this.#address + STEPS_AT;
    const steps = this.#steps;
    assert(steps > 0, 'a chain has a step');
    return () => runChain(first, steps);
  }

  /** Where a cell lies, to a place in the chain's memory. */
  #writeAddress(at: number, of: Cell): void {
    this.#view.setBigUint64(at, BigInt(this.#address + of * CELL_BYTES), true);
  }
}
