// Request bodies, bytes -> value: JSON without duplicate keys, nested only so deep. A key that is there twice means that the client
// and we could disagree about what was sent; no parser should have to choose.

import { jsonFault } from '../../core/config/json-syntax.ts';
import { quote } from '../../core/config/problem.ts';
import { apiError } from './errors.ts';

export const BODY_BYTES_MAX = 1 << 20;
const NESTING_MAX = 32;

/** Of a text that is JSON. */
const PIECE = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s"[\]{}:,]+/gs;

/** @returns undefined for an empty body @throws ApiError 400 */
export function readJsonBody(bytes: Buffer): unknown {
  const text = decode(bytes);
  if (text.trim() === '') return undefined;
  // First: on what is no JSON the pattern below would look for the end of a string again and again.
  const fault = jsonFault(text);
  if (fault !== undefined) {
    const place = placeOf(text, fault.offset);
    throw apiError(400, `The body is not JSON: ${place}: found ${fault.found}, expected ${fault.expected}.`);
  }
  const problem = nestingProblem(text);
  if (problem !== undefined) throw apiError(400, problem);
  const twice = duplicateKey(text);
  if (twice !== undefined)
    throw apiError(400, `The body has the key ${quote(twice.key)} twice: ${placeOf(text, twice.offset)}.`);
  return JSON.parse(text);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw apiError(400, 'The body is not UTF-8.');
  }
}

/** @param text must be JSON */
function nestingProblem(text: string): string | undefined {
  let depth = 0;
  for (const { 0: piece, index } of text.matchAll(PIECE)) {
    if (piece === '{' || piece === '[') depth++;
    else if (piece === '}' || piece === ']') depth--;
    if (depth > NESTING_MAX) return `The body is nested more than ${NESTING_MAX} deep: ${placeOf(text, index)}.`;
  }
  return undefined;
}

/** @param text must be JSON */
function duplicateKey(text: string): { readonly key: string; readonly offset: number } | undefined {
  // One set per open mapping; an open list has none.
  const open: (Set<string> | undefined)[] = [];
  let candidate: { key: string; offset: number } | undefined;
  for (const { 0: piece, index } of text.matchAll(PIECE)) {
    if (piece === '{') open.push(new Set());
    else if (piece === '[') open.push(undefined);
    else if (piece === '}' || piece === ']') open.pop();
    else if (piece === ':' && candidate !== undefined) {
      const keys = open.at(-1);
      if (keys?.has(candidate.key)) return candidate;
      keys?.add(candidate.key);
    }
    candidate = piece.startsWith('"') ? { key: String(JSON.parse(piece)), offset: index } : undefined;
  }
  return undefined;
}

/** `line 2, column 7` */
function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}
