// How long tests wait for what has to come. It ends a test that hangs, and says nothing about how quick
// the product is: a machine that has other work must not turn a test red.

export const DEADLINE_MS = 60_000;
