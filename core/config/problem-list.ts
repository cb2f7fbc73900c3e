// What is wrong with one configuration or request: the first hundred in words, of the rest only how many there are. Nobody reads more,
// and to find words for a hundred thousand takes seconds in which the thread does nothing else.

import { PROBLEMS_MAX } from './limits.ts';
import type { Problem } from './problem.ts';

export interface FirstOf<T> {
  readonly shown: readonly T[];
  /** those that are not shown */
  readonly more: number;
}

export type Problems = FirstOf<Problem>;

export class FirstOfList<T> implements FirstOf<T> {
  readonly shown: T[] = [];
  #more = 0;

  get more(): number {
    return this.#more;
  }

  get isEmpty(): boolean {
    return this.shown.length === 0;
  }

  get isFull(): boolean {
    return this.shown.length >= PROBLEMS_MAX;
  }

  /** @param describe called only where there is room. @returns what is shown */
  add(describe: () => T): T | undefined {
    if (this.isFull) {
      this.addUnseen();
      return undefined;
    }
    const one = describe();
    this.shown.push(one);
    return one;
  }

  /** One that nobody would be shown: there are a hundred already, or will be. */
  addUnseen(): void {
    this.#more++;
  }
}

export class ProblemList extends FirstOfList<Problem> {}

export function only<T>(one: T): FirstOf<T> {
  return { shown: [one], more: 0 };
}
