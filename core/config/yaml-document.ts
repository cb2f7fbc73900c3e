// Text -> one YAML document, or every reason why it is none. Drives the parser piece by piece, so that nesting is refused before
// anything recurses into it; sheer number is refused before, in `yaml-pieces.ts`.
// Values come later, in `yaml-tree.ts`.

import { Composer, type CST, type Document, type LineCounter, Parser, type YAMLParseError } from 'yaml';
import { NESTING_MAX } from './limits.ts';
import { type FirstOf, FirstOfList, only } from './problem-list.ts';
import type { TextFault } from './text-check.ts';
import { lexPieces } from './yaml-pieces.ts';

/** @returns the document (undefined when there is none: nothing but space and comments) */
export function readDocument(
  text: string,
  lines: LineCounter,
): { readonly document: Document.Parsed | undefined } | { readonly faults: FirstOf<TextFault> } {
  const pieces = readPieces(text, lines);
  if ('fault' in pieces) return { faults: only(pieces.fault) };
  // Duplicate keys are found in `yaml-tree.ts`: the library compares each key with each, minutes for a large mapping.
  const options = { uniqueKeys: false, merge: false, schema: 'core', version: '1.2', prettyErrors: false } as const;
  const composer = new Composer(options);
  const documents = [...composer.compose(pieces.tokens)];
  const errors = [composer.streamInfo(), ...documents].flatMap((part) => part.errors);
  const faults = new FirstOfList<TextFault>();
  for (const fault of structureFaults(pieces.tokens, documents)) faults.add(() => fault);
  addSyntaxFaults(errors, pieces.quoteStarts, lines, faults);
  return faults.isEmpty ? { document: documents[0] } : { faults };
}

interface Pieces {
  readonly tokens: readonly CST.Token[];
  /** Where a quoted piece ends -> where it starts: a missing quote is noticed at its end, and mended at its start. */
  readonly quoteStarts: ReadonlyMap<number, number>;
}

function readPieces(text: string, lines: LineCounter): Pieces | { readonly fault: TextFault } {
  const lexed = lexPieces(text, lines);
  if ('fault' in lexed) return lexed;
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  const quoteStarts = new Map<number, number>();
  for (const piece of lexed.pieces) {
    const offset = parser.offset;
    tokens.push(...parser.next(piece));
    if (/^["']/.test(piece)) quoteStarts.set(parser.offset, offset);
    if (parser.stack.length > NESTING_MAX) return { fault: tooDeep(offset) };
  }
  tokens.push(...parser.end());
  return { tokens, quoteStarts };
}

function tooDeep(offset: number): TextFault {
  return { offset, found: `more than ${NESTING_MAX} levels of nesting`, expected: 'fewer: a configuration needs 9' };
}

function structureFaults(tokens: readonly CST.Token[], documents: readonly Document.Parsed[]): TextFault[] {
  const faults: TextFault[] = [];
  const second = tokens.filter((token) => token.type === 'document')[1];
  if (second !== undefined) {
    faults.push({ offset: second.offset, found: 'a second document ("---")', expected: 'one document in a file' });
  }
  // YAML 1.1 would read `yes` as true and 017 as 15.
  const version = documents[0]?.directives.yaml.version ?? '1.2';
  const directive = tokens.find((token) => token.type === 'directive');
  if (version !== '1.2' && directive !== undefined) {
    faults.push({ offset: directive.offset, found: `YAML ${version}`, expected: 'YAML 1.2 (or no directive)' });
  }
  return faults;
}

/** What would mend it, by the library's error code. */
const REMEDIES: Readonly<Partial<Record<YAMLParseError['code'], string>>> = {
  TAB_AS_INDENT: 'spaces',
  BAD_INDENT: 'the indentation of the lines around it, and every bracket closed',
  MISSING_CHAR: 'every quote, bracket and "key:" complete',
  UNEXPECTED_TOKEN: 'one value here, and quotes around text with special characters',
  MULTILINE_IMPLICIT_KEY: '"key: value" on one line',
  BLOCK_AS_IMPLICIT_KEY: 'one "key: value" on a line',
  BAD_SCALAR_START: 'quotes around text that starts with a special character',
  BAD_DQ_ESCAPE: 'a known escape, or single quotes',
};

/** The first of each line: the others follow from it. */
function addSyntaxFaults(
  errors: readonly YAMLParseError[],
  quoteStarts: ReadonlyMap<number, number>,
  lines: LineCounter,
  faults: FirstOfList<TextFault>,
): void {
  const told = new Set<number>();
  for (const { message, code, pos } of errors) {
    const unclosed = message.startsWith('Missing closing') ? quoteStarts.get(pos[0]) : undefined;
    const offset = unclosed ?? pos[0];
    const { line } = lines.linePos(offset);
    if (told.has(line)) continue;
    told.add(line);
    faults.add(() => ({ offset, found: `broken YAML (${message})`, expected: REMEDIES[code] ?? 'valid YAML' }));
  }
}
