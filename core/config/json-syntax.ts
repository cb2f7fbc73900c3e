// Where a text stops being JSON (RFC 8259), for files named .json: read as YAML, which JSON is a part of, a trailing comma
// or a missing value would pass, or be blamed on another line. Finds the first fault; builds no values, needs no recursion.
// `JSON.parse` finds the same faults, but its messages give no position for short texts.

import { quote } from './problem.ts';
import type { TextFault } from './text-check.ts';

type Token = 'value' | '{' | '}' | '[' | ']' | ':' | ',' | 'end' | 'bad' | 'string';

const SPACE = /[ \t\r\n]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON strings must not have them
const STRING = /"(?:[^"\\\0-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const LITERAL = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
const WORD = /"[^"\n]*"?|[\w.+-]+|[\s\S]/uy;

/** What may come next, and in words. */
type State = 'value' | 'firstItem' | 'firstKey' | 'key' | 'colon' | 'afterItem' | 'afterPair' | 'done';

const EXPECTED: Readonly<Record<State, string>> = {
  value: 'a value',
  firstItem: 'a value or "]"',
  firstKey: 'a key in double quotes or "}"',
  key: 'a key in double quotes',
  colon: '":"',
  afterItem: '"," or "]"',
  afterPair: '"," or "}"',
  done: 'the end of the file',
};

/** @returns undefined when the text is JSON */
export function jsonFault(text: string): TextFault | undefined {
  const open: ('{' | '[')[] = [];
  let state: State = 'value';
  let offset = 0;
  for (;;) {
    offset = skip(SPACE, text, offset);
    const [token, end] = tokenAt(text, offset);
    if (token === 'end' && state === 'done') return undefined;
    const next = step(state, token, open);
    if (next === undefined) return { offset, found: describe(text, offset), expected: EXPECTED[state] };
    state = next;
    offset = end;
  }
}

/** @returns the state after `token`, or undefined when it may not stand here; `open` follows the brackets */
function step(state: State, token: Token, open: ('{' | '[')[]): State | undefined {
  const after = () => (open.length === 0 ? 'done' : open.at(-1) === '[' ? 'afterItem' : 'afterPair');
  if (state === 'value' || (state === 'firstItem' && token !== ']')) {
    if (token === 'value' || token === 'string') return after();
    if (token !== '{' && token !== '[') return undefined;
    open.push(token);
    return token === '{' ? 'firstKey' : 'firstItem';
  }
  if (token === 'string' && (state === 'firstKey' || state === 'key')) return 'colon';
  if (token === ':' && state === 'colon') return 'value';
  if (token === ',' && state === 'afterItem') return 'value';
  if (token === ',' && state === 'afterPair') return 'key';
  const closes = token === ']' ? ['firstItem', 'afterItem'] : token === '}' ? ['firstKey', 'afterPair'] : [];
  if (!closes.includes(state)) return undefined;
  open.pop();
  return after();
}

function tokenAt(text: string, offset: number): [token: Token, end: number] {
  const character = text[offset];
  switch (character) {
    case undefined:
      return ['end', offset];
    case '{':
    case '}':
    case '[':
    case ']':
    case ':':
    case ',':
      return [character, offset + 1];
    case '"':
      return tokenOf('string', skip(STRING, text, offset), offset);
    default:
      return tokenOf('value', skip(LITERAL, text, offset), offset);
  }
}

function tokenOf(token: Token, end: number, offset: number): [token: Token, end: number] {
  return end === offset ? ['bad', offset] : [token, end];
}

/** @returns where the match at `offset` ends; `offset` when there is none */
function skip(pattern: RegExp, text: string, offset: number): number {
  pattern.lastIndex = offset;
  return pattern.test(text) ? pattern.lastIndex : offset;
}

function describe(text: string, offset: number): string {
  if (offset >= text.length) return 'the end of the file';
  return `broken JSON at ${quote(text.slice(offset, skip(WORD, text, offset)))}`;
}
