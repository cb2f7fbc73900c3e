// The text of a configuration file (YAML, or JSON, which is YAML) -> a configuration with its warnings, or all that is wrong
// with it, each with its line and column. Reads no file and never throws, whatever the text.
//
//     text -> text-check -> (json-syntax) -> yaml-document -> yaml-tree -> validate

import { LineCounter } from 'yaml';
import type { ConfigError, ConfigWarning, Place } from './format.ts';
import { jsonFault } from './json-syntax.ts';
import { PROBLEMS_MAX } from './limits.ts';
import { type Config, ConfigSchema } from './model.ts';
import type { OwnAddresses } from './own-ports.ts';
import { formatPath, type Path, type Problem } from './problem.ts';
import { type FirstOf, only } from './problem-list.ts';
import { expectedOf } from './schema-words.ts';
import { type TextFault, textFaults } from './text-check.ts';
import { validateConfig } from './validate.ts';
import type { Remark } from './warnings.ts';
import { readDocument } from './yaml-document.ts';
import { type Placed, readTree, type TreeFault } from './yaml-tree.ts';

export type { ConfigError, ConfigWarning } from './format.ts';

export type ParsedConfig =
  | { readonly config: Config; readonly warnings: readonly ConfigWarning[] }
  /** in the order of the file; `more`: how many there are besides */
  | { readonly errors: readonly ConfigError[]; readonly more: number };

const NO_PROBLEMS: FirstOf<Problem> = { shown: [], more: 0 };

/** What positions are made from. */
interface Source {
  readonly file: string;
  readonly lines: LineCounter;
}

/** What else there is to say about a configuration that is right. */
export type MoreRemarks = (config: Config) => readonly Remark[];

/**
 * @param file its name, for messages; one that ends in .json must hold JSON
 * @param own as for `validateConfig`
 * @param moreRemarks remarks that need to know the machine
 */
export function parseConfig(
  text: string,
  file: string,
  own?: OwnAddresses,
  moreRemarks: MoreRemarks = () => [],
): ParsedConfig {
  const body = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const source = { file, lines: linesOf(body) };
  const read = readText(body, source);
  if ('root' in read) return judge(source, read, own, moreRemarks);
  return firstInOrder(
    read.shown.map((fault) => faultError(source, fault)),
    read.more,
  );
}

function linesOf(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
  return lines;
}

interface Tree {
  readonly root: Placed;
  readonly faults: FirstOf<TreeFault>;
}

/** Each step needs what the one before it assures; a list of faults ends the reading. */
function readText(text: string, { file, lines }: Source): Tree | FirstOf<TextFault> {
  const faults = textFaults(text);
  if (faults.shown.length > 0) return faults;
  const empty = { offset: 0, found: 'nothing: the file is empty', expected: emptyExpected() };
  if (text.trim() === '') return only(empty);
  const broken = file.toLowerCase().endsWith('.json') ? jsonFault(text) : undefined;
  if (broken !== undefined) return only(broken);
  const read = readDocument(text, lines);
  if ('faults' in read) return read.faults;
  if (read.document === undefined) return only(empty);
  const tree = readTree(read.document);
  if (tree.root === undefined) return tree.faults;
  const isEmpty = tree.root.value === null && tree.faults.shown.length === 0;
  return isEmpty ? only(empty) : { root: tree.root, faults: tree.faults };
}

/** `nodebalancers: a list of nodebalancers` */
function emptyExpected(): string {
  return Object.entries(ConfigSchema.properties)
    .map(([key, schema]) => `${key}: ${expectedOf(schema)}`)
    .join(', ');
}

function judge(
  source: Source,
  { root, faults }: Tree,
  own: OwnAddresses | undefined,
  moreRemarks: MoreRemarks,
): ParsedConfig {
  const badlyWrittenErrors = faults.shown.map((fault) => faultError(source, fault));
  // So much is badly written that its meaning would not be shown.
  if (faults.more > 0) return firstInOrder(badlyWrittenErrors, faults.more);
  const validated = validateConfig(root.value, own);
  if ('config' in validated && badlyWrittenErrors.length === 0) {
    const remarks = [...validated.remarks, ...moreRemarks(validated.config)];
    const warnings = remarks.map(({ path, text }) => ({ ...placeOf(source, root, path), text }));
    return { config: validated.config, warnings: warnings.toSorted(byPlace) };
  }
  // What is badly written is not judged for its meaning as well.
  const badlyWritten = new Set(faults.shown.map((fault) => formatPath(fault.path)));
  const { shown, more } = 'problems' in validated ? validated.problems : NO_PROBLEMS;
  const badlyMeant = shown.filter((problem) => !badlyWritten.has(formatPath(problem.path)));
  const badlyMeantErrors = badlyMeant.map((problem) => problemError(source, root, problem));
  return firstInOrder([...badlyWrittenErrors, ...badlyMeantErrors], more);
}

function faultError({ file, lines }: Source, fault: TextFault & Partial<TreeFault>): ConfigError {
  const { offset, path, alsoOffset, found, expected } = fault;
  const also = alsoOffset === undefined ? {} : { also: lines.linePos(alsoOffset) };
  return { file, ...lines.linePos(offset), path: formatPath(path ?? []), found, expected, ...also };
}

function problemError(source: Source, root: Placed, problem: Problem): ConfigError {
  const { path, at, found, expected, didYouMean, sentence, also } = problem;
  return {
    ...placeOf(source, root, path, at),
    found,
    expected,
    ...(didYouMean === undefined ? {} : { didYouMean }),
    ...(sentence === undefined ? {} : { sentence }),
    ...(also === undefined ? {} : { also: source.lines.linePos(offsetOf(root, also, 'value')) }),
  };
}

function placeOf({ file, lines }: Source, root: Placed, path: Path, at: 'key' | 'value' = 'value') {
  return { file, ...lines.linePos(offsetOf(root, path, at)), path: formatPath(path) };
}

/** What is missing is placed where its parent begins. */
function offsetOf(root: Placed, path: Path, at: 'key' | 'value'): number {
  let placed = root;
  for (const part of path) {
    const child = placed.children.get(part);
    if (child === undefined) return placed.offset;
    placed = child;
  }
  return at === 'key' ? (placed.keyOffset ?? placed.offset) : placed.offset;
}

/** In the order of the file, and not more than anyone reads. @param more errors that are not among them */
function firstInOrder(errors: readonly ConfigError[], more: number): ParsedConfig {
  const sorted = errors.toSorted(byPlace);
  const shown = sorted.slice(0, PROBLEMS_MAX);
  return { errors: shown, more: more + sorted.length - shown.length };
}

function byPlace(a: Place, b: Place): number {
  return a.line - b.line || a.col - b.col;
}
