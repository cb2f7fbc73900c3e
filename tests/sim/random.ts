// Randomness with a seed: the only source of chance in a simulated run, so that a seed is a complete description of the run.
// The generator is sfc32 (Chris Doty-Humphrey's PractRand, public domain): 128 bits of state, a few additions per number.
// `fork` gives every part of the world its own sequence: one more draw in a peer must not change what the kernel does.

import { assert } from '../../core/base/assert.ts';

export class Random {
  #a = 0;
  #b = 0;
  #c = 1;
  #counter: number;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = (seed / 2 ** 32) | 0;
    this.#counter = 1;
    // sfc32 needs about 12 rounds before close seeds part.
    for (let i = 0; i < 15; i++) this.uint32();
  }

  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  fork(): Random {
    return new Random(this.uint32() + this.uint32() * 2 ** 20);
  }

  /** 0 <= result < 1 */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** low <= result <= high, all equally likely */
  int(low: number, high: number): number {
    assert(low <= high, `no integer from ${low} to ${high}`);
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  /** low <= result < high */
  between(low: number, high: number): number {
    return low + this.fraction() * (high - low);
  }

  /** low <= result <= high, every order of magnitude equally likely: most sizes are small, some are large. low >= 1 */
  size(low: number, high: number): number {
    return Math.min(high, Math.floor(low * ((high + 1) / low) ** this.fraction()));
  }

  /** @param probability 0 draws nothing, so that switching a fault off leaves the rest of the sequence alone */
  chance(probability: number): boolean {
    return probability > 0 && this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.int(0, items.length - 1)];
    assert(item !== undefined, 'nothing to pick from');
    return item;
  }

  shuffle<T>(items: T[]): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(0, i);
      const [a, b] = [items[i], items[j]];
      if (a === undefined || b === undefined) continue;
      items[i] = b;
      items[j] = a;
    }
  }
}
