// How deep a JSON text is nested, and whether a mapping in it has a key twice: what JSON.parse does not say. One pass, character by
// character: a body may consist of half a million brackets, and each match of a pattern costs more than the bracket.

export type StructureFault =
  | { readonly kind: 'deep'; readonly offset: number }
  | { readonly kind: 'twice'; readonly offset: number; readonly key: string };

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_MAPPING = 0x7b;
const CLOSE_MAPPING = 0x7d;

/** @param text must be JSON @returns the first fault */
export function structureFault(text: string, nestingMax: number): StructureFault | undefined {
  // The keys of each open mapping; an open list has none.
  const open: (Set<string> | undefined)[] = [];
  let mayBeKey = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      const keys = mayBeKey ? open.at(-1) : undefined;
      if (keys !== undefined) {
        const key = keyOf(text, at, end);
        if (keys.has(key)) return { kind: 'twice', offset: at, key };
        keys.add(key);
      }
      mayBeKey = false;
      at = end;
    } else if (code === OPEN_MAPPING || code === OPEN_LIST) {
      if (open.length === nestingMax) return { kind: 'deep', offset: at };
      open.push(code === OPEN_MAPPING ? new Set() : undefined);
      mayBeKey = true;
    } else if (code === CLOSE_MAPPING || code === CLOSE_LIST) {
      open.pop();
    } else if (code === COMMA) {
      mayBeKey = true;
    }
  }
  return undefined;
}

/** @returns where its closing quote is */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
}

/** The same key may be spelled in several ways. */
function keyOf(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end);
  return inner.includes('\\') ? String(JSON.parse(`"${inner}"`)) : inner;
}
