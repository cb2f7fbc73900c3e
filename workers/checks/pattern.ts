// Looks for a regular expression in a text, in bounded time. The text is a node's, the expression an operator's, and the thread is the
// one that supervises everything: RegExp, which can take for ever over thirty characters, is not used. This engine's worst case is
// its program's size times the text's, some 12 ns each, and both have a limit: the configuration refuses larger programs, and a body
// is read no further than BODY_BYTES_MAX. That is a second at most.

import { RE2JS } from 're2js';
import { FRONTENDS_MAX } from '../../core/config/limits.ts';

/** Every frontend has one at most. */
const compiled = new Map<string, RE2JS>();

export function isFoundIn(pattern: string, text: string): boolean {
  return compile(pattern).test(text);
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
