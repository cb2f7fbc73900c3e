// Simulated time: a heap of what is going to happen, and the hands of the clock. Nothing here ever waits. Two things at the
// same millisecond happen in the order in which they were scheduled, or a run would not be repeatable.

import { assert } from '../../core/base/assert.ts';

interface Scheduled {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class SimClock {
  #nowMs: number;
  #order = 0;
  readonly #heap: Scheduled[] = [];

  /** @param startMs not 0: code that takes 0 for "no time yet" shall not be right by accident, nor wrong */
  constructor(startMs = 1000) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get nextAtMs(): number | undefined {
    return this.#heap[0]?.atMs;
  }

  after(delayMs: number, run: () => void): void {
    assert(delayMs >= 0, `delay ${delayMs}`);
    const { length } = this.#heap;
    this.#heap.push({ atMs: this.#nowMs + delayMs, order: this.#order++, run });
    this.#rise(length);
  }

  /** Moves the hands to `toMs` and lets everything due until then happen, each at its own time. */
  advanceTo(toMs: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= toMs; next = this.#heap[0]) {
      this.#removeFirst();
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = Math.max(this.#nowMs, toMs);
  }

  #rise(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfBefore(index, parent)) return;
      index = parent;
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let index = 0; ; ) {
      const left = 2 * index + 1;
      const child = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfBefore(child, index)) return;
      index = child;
    }
  }

  #isBefore(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (a === undefined || b === undefined) return false;
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }

  #swapIfBefore(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (a === undefined || b === undefined || !this.#isBefore(i, j)) return false;
    this.#heap[i] = b;
    this.#heap[j] = a;
    return true;
  }
}
