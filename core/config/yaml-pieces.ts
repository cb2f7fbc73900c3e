// Text -> the lexical pieces of a YAML document, or the limit that they break. The library's lexer is quick; its parser and all that
// comes after it take ten times as long, for whatever is in the file. So what no configuration can need is counted here, before.

import { Lexer, type LineCounter } from 'yaml';
import { KEYS_MAX, LEXEMES_MAX, LINES_MAX, SIGNS_MAX } from './limits.ts';
import type { TextFault } from './text-check.ts';

/** What the lexer tells the parser: no part of the text. */
const MARKS: ReadonlySet<string> = new Set(['\x02', '\x18', '\x1f']);
const BLANK = /^[ \t\r\n#]/;

/** @returns the pieces in their order; joined, without the lexer's marks, they are the text */
export function lexPieces(
  text: string,
  { lineStarts }: LineCounter,
): { readonly pieces: readonly string[] } | { readonly fault: TextFault } {
  const pieces: string[] = [];
  const lineBeyond = lineStarts[LINES_MAX];
  if (lineBeyond !== undefined) return tooMany(lineBeyond, LINES_MAX, 'lines');
  let offset = 0;
  let keys = 0;
  let signs = 0;
  for (const piece of new Lexer().lex(text)) {
    if (pieces.push(piece) > LEXEMES_MAX) return tooMany(offset, LEXEMES_MAX, 'pieces');
    if (piece === '' || MARKS.has(piece)) continue;
    if (piece === ':') {
      if (++keys > KEYS_MAX) return tooMany(offset, KEYS_MAX, 'keys');
    } else if (!BLANK.test(piece)) {
      if (++signs > SIGNS_MAX) return tooMany(offset, SIGNS_MAX, 'values, brackets and commas');
    }
    offset += piece.length;
  }
  return { pieces };
}

function tooMany(offset: number, max: number, what: string): { readonly fault: TextFault } {
  return { fault: { offset, found: `more than ${max} ${what}`, expected: 'fewer: no configuration has so many' } };
}
