// Times as the API writes them.

/** `2026-11-24T02:00:00`: UTC, to the second, without a zone. @param milliseconds since 1970 */
export function utcSeconds(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 19);
}
