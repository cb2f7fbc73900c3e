// Looks for a regular expression in a text, in bounded time. The text is a node's, the expression an operator's, and the thread is the
// one that supervises everything: RegExp, which can take for ever over thirty characters, is not used. Expressions come from a
// configuration, which refuses what the engine does not take.

import { RE2JS } from 're2js';
import { FRONTENDS_MAX } from '../../core/config/limits.ts';

/** The engine's worst case is its program's size times the text's: some 12 ns each, so that this is about a second. An expression of
 * the longest plain text is looked for in all of the largest body; one that is a thousand repetitions, only in the text's beginning. */
export const STEPS_MAX = 1200 * 65_536;

/** Every frontend has one at most. */
const compiled = new Map<string, RE2JS>();

export function isFoundIn(pattern: string, text: string): boolean {
  const program = compile(pattern);
  return program.test(text.slice(0, Math.floor(STEPS_MAX / program.programSize())));
}

function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  // Those of old configurations would stay for ever.
  if (compiled.size >= FRONTENDS_MAX) compiled.clear();
  const program = RE2JS.compile(pattern);
  compiled.set(pattern, program);
  return program;
}
