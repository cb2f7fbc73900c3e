// Numbers of slots, first in, first out, in a ring that never grows. Slots that rest longest are used next, which spreads requests
// over all kept connections; a stack would let most of them sleep.

import { assert } from '../../core/base/assert.ts';

const NONE = -1;

export class SlotQueue {
  size = 0;
  readonly #slots: Int32Array;
  #head = 0;

  constructor(capacity: number) {
    this.#slots = new Int32Array(capacity);
  }

  give(slot: number): void {
    const { length } = this.#slots;
    assert(this.size < length, `slot ${slot} given back twice`);
    const tail = this.#head + this.size;
    this.#slots[tail < length ? tail : tail - length] = slot;
    this.size++;
  }

  /** @returns -1 when there is none */
  take(): number {
    if (this.size === 0) return NONE;
    const slot = this.#slots[this.#head] ?? NONE;
    this.#head = this.#head + 1 === this.#slots.length ? 0 : this.#head + 1;
    this.size--;
    return slot;
  }
}
