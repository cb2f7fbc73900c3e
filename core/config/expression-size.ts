// What a regular expression would cost to compile, told from its text alone. Repetitions are written out when it is compiled: ten
// characters can become a hundred thousand steps, and finding that out by compiling takes a second. Reads an expression only as far
// as its size goes, and judges nothing: where it cannot be read, the engine has the last word.

import { EXPRESSION_STEPS_MAX, EXPRESSIONS_COST_MAX } from './limits.ts';

export interface ExpressionSize {
  /** the program has so many steps at least */
  readonly stepsMin: number;
  /** and hardly more than so many */
  readonly stepsMax: number;
  /** what compiling costs, in steps of a plain character, some 5 us each */
  readonly cost: number;
}

/** Of pieces whose set of characters is put together range by range, and of what the parser stacks. Measured: us, divided by 5. */
const SET_COST = 8;
const UNICODE_SET_COST = 80;
const GROUP_COST = 5;
const BRANCH_COST = 4;
const REPEAT_COST = 10;
/** Where case does not matter, each character of a range is looked up, as far as there are letters: 0.1 us each. */
const FOLDED_PER_COST = 50;
const LETTER_MAX = 0x1e943;
const FOLDS = /\(\?[a-zA-Z]*i/;

const LITERAL = /^[^\\.+*?()|[\]{}^$]*$/;
const GROUP_START = /\((?:\?(?:P?<[^>]*>|[a-zA-Z-]*([:)])))?/y;
const REPETITION = /\{(\d{1,9})(?:,(\d{0,9}))?\}/y;
/** without the quantifiers behind it */
const ESCAPE = /\\(?:[pP](?:\{[^}]*\}|.)?|x(?:\{[^}]*\}|..)|.)/suy;
const RANGE = /(\\x\{[0-9a-fA-F]+\}|\\.|[^\\])-(\\x\{[0-9a-fA-F]+\}|\\.|[^\\])/gsu;
const SET = /\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]/sy;

/** No more than this and the letters themselves: nothing is repeated, nothing multiplies. */
export function isLiteral(text: string): boolean {
  return LITERAL.test(text);
}

/** What is known without compiling need not be exact: beyond this nothing is near the limit. */
const STEPS_GUESSED_MAX = 5 * EXPRESSION_STEPS_MAX;

/** @returns undefined where it may be compiled, which takes at most some 0.2 s */
export function sizeFault(text: string): string | undefined {
  const { stepsMin, stepsMax, cost } = expressionSize(text);
  if (stepsMin > EXPRESSION_STEPS_MAX || stepsMax > STEPS_GUESSED_MAX) return tooLarge(Math.max(stepsMin, stepsMax));
  if (cost <= EXPRESSIONS_COST_MAX) return undefined;
  return `too complicated: ${cost} steps to read it, of which ${EXPRESSIONS_COST_MAX} are possible`;
}

/** A program's size is what it costs for every character of a body. */
export function tooLarge(steps: number): string {
  return `too large: ${steps} steps, of which ${EXPRESSION_STEPS_MAX} are possible`;
}

/** One pair of brackets, or the whole. */
interface Frame {
  readonly ownSteps: number;
  /** of the branches before the last `|` */
  branchesMin: number;
  branchesMax: number;
  isEverySingle: boolean;
  branches: number;
  /** of the present branch, without its last piece */
  min: number;
  max: number;
  pieces: number;
  /** the piece that a quantifier would belong to */
  lastMin: number;
  lastMax: number;
}

function frame(ownSteps: number): Frame {
  const branch = { min: 0, max: 0, pieces: 0, lastMin: 0, lastMax: 0 };
  return { ownSteps, branchesMin: 0, branchesMax: 0, isEverySingle: true, branches: 0, ...branch };
}

export function expressionSize(text: string): ExpressionSize {
  const stack: Frame[] = [frame(1)];
  let cost = FOLDS.test(text) ? text.length + foldedCost(text) : 0;
  let at = 0;
  while (at < text.length) {
    const top = stack.at(-1) as Frame;
    const character = text[at] ?? '';
    const [end, more] = readPiece(text, at, character, top, stack);
    cost += more;
    at = end;
  }
  // What is not closed is no expression; its size is that of what there is.
  while (stack.length > 1) close(stack);
  const { min, max } = finished(stack[0] as Frame);
  return { stepsMin: min, stepsMax: max, cost: cost + max };
}

/** @returns where the piece ends, and what it costs beside its steps */
function readPiece(text: string, at: number, character: string, top: Frame, stack: Frame[]): [number, number] {
  switch (character) {
    case '(': {
      const [whole, kind] = matchAt(GROUP_START, text, at) ?? ['('];
      if (kind !== ')') stack.push(frame(whole === '(' || whole.endsWith('>') ? 2 : 0));
      return [at + whole.length, GROUP_COST];
    }
    case ')':
      if (stack.length > 1) close(stack);
      return [at + 1, 0];
    case '|':
      endBranch(top);
      return [at + 1, BRANCH_COST];
    case '*':
    case '+':
    case '?':
      top.lastMax += 1;
      return [at + 1, REPEAT_COST];
    case '{':
      return readRepetition(text, at, top);
    case '[':
      return readSet(text, at, top);
    case '\\':
      return readEscape(text, at, top);
    default:
      addPiece(top, 1, 1);
      return [at + 1, 0];
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function readRepetition(text: string, at: number, top: Frame): [number, number] {
  const found = matchAt(REPETITION, text, at);
  if (found === null) {
    addPiece(top, 1, 1);
    return [at + 1, 0];
  }
  const [whole, least = '0', most] = found;
  const times = Math.max(Number(least), Number(most === '' ? least : (most ?? least)));
  top.lastMin *= times;
  top.lastMax = top.lastMax * times + times;
  return [at + whole.length, REPEAT_COST];
}

function readSet(text: string, at: number, top: Frame): [number, number] {
  addPiece(top, 1, 1);
  const [whole = '['] = matchAt(SET, text, at) ?? [];
  const unicode = whole.match(/\\[pP]/g)?.length ?? 0;
  return [at + whole.length, SET_COST + whole.length + unicode * UNICODE_SET_COST];
}

/** Of all that looks like a range: too much is no harm, where nothing but the time is told from it. */
function foldedCost(text: string): number {
  let letters = 0;
  for (const [, from = '', to = ''] of text.matchAll(RANGE)) {
    const last = Math.min(codeOf(to, LETTER_MAX), LETTER_MAX);
    letters += Math.max(0, last - codeOf(from, 0));
  }
  return Math.ceil(letters / FOLDED_PER_COST);
}

/** @param unknown of an escape that may be anything */
function codeOf(end: string, unknown: number): number {
  if (end.startsWith('\\x{')) return Number.parseInt(end.slice(3), 16);
  return end.startsWith('\\') ? unknown : (end.codePointAt(0) ?? unknown);
}

function readEscape(text: string, at: number, top: Frame): [number, number] {
  if (text.startsWith('\\Q', at)) {
    const end = text.indexOf('\\E', at + 2);
    const letters = (end === -1 ? text.length : end) - at - 2;
    for (let i = 0; i < letters; i++) addPiece(top, 1, 1);
    return [end === -1 ? text.length : end + 2, 0];
  }
  const [whole = '\\'] = matchAt(ESCAPE, text, at) ?? [];
  addPiece(top, 1, 1);
  return [at + whole.length, /^\\[pP]/.test(whole) ? UNICODE_SET_COST : SET_COST];
}

function addPiece(top: Frame, min: number, max: number): void {
  top.min += top.lastMin;
  top.max += top.lastMax;
  top.pieces++;
  top.lastMin = min;
  top.lastMax = max;
}

/** `a|b` is one set of characters, and branches that begin alike share their beginning: the longest alone is certain. */
function endBranch(top: Frame): void {
  const min = top.min + top.lastMin;
  const max = top.max + top.lastMax;
  top.branchesMin = Math.max(top.branchesMin, min);
  top.branchesMax += max + 1;
  top.isEverySingle &&= top.pieces === 1 && max === 1;
  top.branches++;
  top.min = 0;
  top.max = 0;
  top.pieces = 0;
  top.lastMin = 0;
  top.lastMax = 0;
}

function finished(top: Frame): { readonly min: number; readonly max: number } {
  endBranch(top);
  const max = top.isEverySingle ? 1 : top.branchesMax;
  return { min: top.branchesMin + top.ownSteps, max: max + top.ownSteps };
}

function close(stack: Frame[]): void {
  const { min, max } = finished(stack.pop() as Frame);
  addPiece(stack.at(-1) as Frame, min, max);
}
