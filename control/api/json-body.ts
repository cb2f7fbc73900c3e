// Request bodies, bytes -> value: JSON without duplicate keys, nested only so deep. A key that is there twice means that the client
// and we could disagree about what was sent; no parser should have to choose.

import { jsonFault } from '../../core/config/json-syntax.ts';
import { quote } from '../../core/config/problem.ts';
import { apiError } from './errors.ts';
import { structureFault } from './json-structure.ts';

export const BODY_BYTES_MAX = 1 << 20;
const NESTING_MAX = 32;

/** @returns undefined for an empty body @throws ApiError 400 */
export function readJsonBody(bytes: Buffer): unknown {
  const text = decode(bytes);
  if (text.trim() === '') return undefined;
  const value = parse(text);
  const problem = structureProblem(text);
  if (problem !== undefined) throw apiError(400, problem);
  return value;
}

/** What is wrong is looked for only where something is: the engine's own reader is ten times as quick. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const fault = jsonFault(text);
    if (fault === undefined) throw error;
    const { offset, found, expected } = fault;
    throw apiError(400, `The body is not JSON: ${placeOf(text, offset)}: found ${found}, expected ${expected}.`);
  }
}

function structureProblem(text: string): string | undefined {
  const fault = structureFault(text, NESTING_MAX);
  if (fault === undefined) return undefined;
  const place = placeOf(text, fault.offset);
  if (fault.kind === 'deep') return `The body is nested more than ${NESTING_MAX} deep: ${place}.`;
  return `The body has the key ${quote(fault.key)} twice: ${place}.`;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw apiError(400, 'The body is not UTF-8.');
  }
}

/** `line 2, column 7` */
function placeOf(text: string, offset: number): string {
  let line = 1;
  let lineAt = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', lineAt)) {
    line++;
    lineAt = at + 1;
  }
  return `line ${line}, column ${offset - lineAt + 1}`;
}
