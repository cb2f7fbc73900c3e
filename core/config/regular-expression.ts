// What is wrong with the text of a regular expression, in one line. The judge is the engine that evaluates it later: its
// time is in proportion to the text that it searches, whatever the expression, and the price is that it has no look-ahead,
// look-behind or back-references. Matches nothing.

import { RE2JS, RE2JSSyntaxException } from 're2js';
import { isLiteral, sizeFault, tooLarge } from './expression-size.ts';
import { EXPRESSION_STEPS_MAX } from './limits.ts';
import { quote } from './problem.ts';

/** What people know from other engines, by the piece that this one stumbles over. */
const NOT_THERE: readonly [piece: RegExp, name: string][] = [
  [/^\(\?[=!]/, 'look-ahead'],
  [/^\(\?<[=!]/, 'look-behind'],
  [/^\\[1-9k]/, 'a back-reference'],
];

/** A configuration is judged as a whole at each change, and its expressions hardly ever differ from those before. */
const judged = new Map<string, string | undefined>();
const JUDGED_MAX = 2048;

/** @returns undefined when the engine takes it */
export function regularExpressionFault(text: string): string | undefined {
  if (isLiteral(text)) return undefined;
  if (judged.has(text)) return judged.get(text);
  const fault = sizeFault(text) ?? compileFault(text);
  const [oldest = ''] = judged.keys();
  if (judged.size >= JUDGED_MAX) judged.delete(oldest);
  judged.set(text, fault);
  return fault;
}

function compileFault(text: string): string | undefined {
  try {
    const steps = RE2JS.compile(text).programSize();
    return steps > EXPRESSION_STEPS_MAX ? tooLarge(steps) : undefined;
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
