// Work that is done one piece after the other, in the order in which it was asked for, whatever becomes of the pieces before.

export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  /** @returns what the work returns, or its error; the next piece is done in either case */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
