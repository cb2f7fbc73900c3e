// What is wrong with the text of a regular expression, in one line. The judge is the engine that evaluates it later: it needs time
// in proportion to the text, whatever the expression, and the price is that it has no assertions about what stands around and no
// references to what was matched before. It matches nothing here.

import { RE2JS, RE2JSSyntaxException } from 're2js';
import { quote } from './problem.ts';

/** What people know from other engines, by the piece that this one stumbles over. */
const NOT_THERE: readonly [piece: RegExp, name: string][] = [
  [/^\(\?[=!]/, 'look-ahead'],
  [/^\(\?<[=!]/, 'look-behind'],
  [/^\\[1-9k]/, 'a back-reference'],
];

/** @returns undefined when the engine takes it */
export function regularExpressionFault(text: string): string | undefined {
  try {
    RE2JS.compile(text);
    return undefined;
  } catch (error) {
    return error instanceof RE2JSSyntaxException ? describe(error.error, error.input ?? '', text) : String(error);
  }
}

function describe(what: string, piece: string, text: string): string {
  const known = NOT_THERE.find(([pattern]) => pattern.test(piece));
  if (known !== undefined) return `${known[1]}, which the linear-time engine does not have`;
  // A piece that is the whole text is quoted anyway.
  return piece === '' || piece === text ? what : `${what}: ${quote(piece)}`;
}
