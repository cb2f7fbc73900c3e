// What is wrong with a configuration, as a value without a file position: where (a path), what was found, what is
// expected. Also the words for found values. Positions are added in `parse.ts`, lines of text made in `format.ts`.

import { QUOTE_CHARS_MAX } from './limits.ts';

/** From the root: keys and list indexes. */
export type Path = readonly (string | number)[];

export interface Problem {
  readonly path: Path;
  /** Which of the two is to blame: a key that should not be there, or a value (for a missing one, where it belongs). */
  readonly at: 'key' | 'value';
  readonly found: string;
  readonly expected: string;
  readonly didYouMean?: string;
  /** What the Linode API, or its clients, say about it, word for word: programs look for these texts. */
  readonly sentence?: string;
  /** The other place, for what may be used only once. */
  readonly also?: Path;
}

/** `nodebalancers[0].configs[1].port`; the root is the empty text. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[a-zA-Z_][a-zA-Z0-9_]{0,39}$/.test(part)) text += `[${quote(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** `found "v3", expected none, v1 or v2; did you mean …?`, or `found 31, expected …. Attempts should be …`
 * @param also the other place in words, such as `line 12` */
export function reasonOf(
  problem: Pick<Problem, 'found' | 'expected' | 'didYouMean' | 'sentence'>,
  also?: string,
): string {
  const other = also === undefined ? '' : ` (also at ${also})`;
  const hint = problem.didYouMean === undefined ? '' : `; did you mean ${quote(problem.didYouMean)}?`;
  const sentence = problem.sentence === undefined ? '' : `. ${problem.sentence}`;
  return `found ${problem.found}${other}, expected ${problem.expected}${hint}${sentence}`;
}

/** Quoted, cut, and safe to print: control, bidirectional and unassigned characters are escaped. */
export function quote(text: string): string {
  const cut = text.length > QUOTE_CHARS_MAX ? `${text.slice(0, QUOTE_CHARS_MAX)}…` : text;
  return JSON.stringify(cut).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** A found value with its kind, for when the kind is what is wrong. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return `the text ${quote(value)}`;
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'a mapping' : 'nothing';
}

/** `a`, `a or b`, `a, b or c` */
export function oneOf(words: readonly (string | number)[]): string {
  if (words.length <= 1) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
