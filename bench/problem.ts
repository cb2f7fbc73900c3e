// What a failed run says. The benchmark's own errors are sentences for its user and carry what the programs said; a stack trace
// would bury them. Anything else is a mistake in the benchmark, and there the stack is what helps.

/** The message and those of its causes, each once. */
export function explain(error: unknown): string {
  const parts: string[] = [];
  for (let next = error; next !== undefined; next = next instanceof Error ? next.cause : undefined) {
    const text = sentence(next);
    if (!parts.some((part) => part.includes(text))) parts.push(text);
  }
  return parts.join('\nbecause: ');
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isMistake = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
  return isMistake ? `${error.stack}` : error.message;
}
