// What is wrong with the text of a regular expression, in one line. The judge is the engine that evaluates it later: its
// time is in proportion to the text that it searches, whatever the expression, and the price is that it has no look-ahead,
// look-behind or back-references. Matches nothing.

import { RE2JS, RE2JSSyntaxException } from 're2js';
import { quote } from './problem.ts';

/**
 * Repetitions are written out: a hundred characters can become a program of a hundred thousand steps, which costs its size for every
 * character of a body, and megabytes. A plain text of the greatest length stays below.
 */
const PROGRAM_SIZE_MAX = 1200;

/** What people know from other engines, by the piece that this one stumbles over. */
const NOT_THERE: readonly [piece: RegExp, name: string][] = [
  [/^\(\?[=!]/, 'look-ahead'],
  [/^\(\?<[=!]/, 'look-behind'],
  [/^\\[1-9k]/, 'a back-reference'],
];

/** @returns undefined when the engine takes it */
export function regularExpressionFault(text: string): string | undefined {
  try {
    const steps = RE2JS.compile(text).programSize();
    return steps > PROGRAM_SIZE_MAX
      ? `too large: ${steps} steps, of which ${PROGRAM_SIZE_MAX} are possible`
      : undefined;
  } catch (error) {
    return error instanceof RE2JSSyntaxException ? describe(error.error, error.input ?? '', text) : String(error);
  }
}

function describe(what: string, piece: string, text: string): string {
  const known = NOT_THERE.find(([pattern]) => pattern.test(piece));
  if (known !== undefined) return `${known[1]}, which the linear-time engine does not have`;
  // `missing closing )` would read badly in brackets.
  const why = what.replace(/ ([)\]])$/, ' "$1"');
  // A piece that is the whole text is quoted anyway.
  return piece === '' || piece === text ? why : `${why}: ${quote(piece)}`;
}
