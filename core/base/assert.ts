// Assertions about our own logic. They must never judge what a peer sends: bad input is a value, not a bug.

export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** The default case of a switch over a union: the type checker proves that it is never reached. */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected value ${JSON.stringify(value)}`);
}

/** An element that our own logic has just put there. For loops that run per configuration, not per byte. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  assert(item !== undefined, `no element ${index} of ${items.length}`);
  return item;
}
