// A YAML document -> plain values, with the place of every key and value. Refuses what this configuration does not want of
// YAML: tags, keys twice, numbers in unusual notations, aliases that multiply or contain themselves.
// Judges no meaning; that is `check.ts`.

import type { Alias, Document, Scalar, YAMLMap, YAMLSeq, Node as YamlNode } from 'yaml';
import { isAlias, isMap, isNode, isScalar, isSeq } from 'yaml';
import { NESTING_MAX, VALUES_MAX } from './limits.ts';
import { type Path, quote } from './problem.ts';
import { type FirstOf, FirstOfList, only } from './problem-list.ts';
import type { Fault } from './scalar.ts';
import type { TextFault } from './text-check.ts';

/** A value and where it stands. */
export interface Placed {
  readonly value: unknown;
  readonly offset: number;
  /** Set exactly for the values of a mapping. */
  readonly keyOffset?: number;
  readonly children: ReadonlyMap<string | number, Placed>;
}

/** A fault in how a value is written; `path` so that its meaning is not complained about as well. */
export interface TreeFault extends TextFault {
  readonly path: Path;
  readonly at: 'key' | 'value';
  readonly alsoOffset?: number;
}

interface Reading {
  readonly faults: FirstOfList<TreeFault>;
  /** By name, the last one read: an anchor may be set again. */
  readonly anchors: Map<string, YamlNode>;
  /** What an alias stood for when first read: that stays, also where an alias around it is written out again. */
  readonly targets: Map<Alias, YamlNode>;
  /** The nodes around the current one. */
  readonly around: Set<YamlNode>;
  valueCount: number;
  /** Set by the limit that ended the reading: from then on everything reads as nothing. */
  ended: TreeFault | undefined;
  /** Where the aliases around the current node stand, outermost first. */
  readonly aliasOffsets: number[];
}

const NO_WORD: Fault = { found: 'a key that is a list, a mapping or an alias', expected: 'a word as key' };
const NO_CHILDREN: ReadonlyMap<string | number, Placed> = new Map();

/** @returns root: undefined when a limit ended the reading; `faults` then says which */
export function readTree(document: Document.Parsed): {
  readonly root: Placed | undefined;
  readonly faults: FirstOf<TreeFault>;
} {
  const reading: Reading = {
    faults: new FirstOfList(),
    anchors: new Map(),
    targets: new Map(),
    around: new Set(),
    valueCount: 0,
    ended: undefined,
    aliasOffsets: [],
  };
  const root = readNode(reading, document.contents, [], 0);
  if (reading.ended !== undefined) return { root: undefined, faults: only(reading.ended) };
  return { root, faults: reading.faults };
}

/** @param offset where a value belongs that is not there */
function readNode(reading: Reading, node: unknown, path: Path, offset: number): Placed {
  if (!isNode(node)) return nothingAt(offset);
  const at = node.range?.[0] ?? offset;
  if (endReached(reading, at)) return nothingAt(at);
  if (node.tag !== undefined) {
    const tag = node.tag.replace('tag:yaml.org,2002:', '!!');
    addFault(reading, path, at, () => ({ found: `the tag ${quote(tag)}`, expected: 'a value without a tag' }));
  }
  if (isAlias(node)) return readAlias(reading, node, path, at);
  // Written out under an alias, a node is read again: its anchor must not hide later ones of that name.
  if (node.anchor !== undefined && reading.aliasOffsets.length === 0) reading.anchors.set(node.anchor, node);
  reading.around.add(node);
  const placed = readContent(reading, node, path, at);
  reading.around.delete(node);
  return placed;
}

function nothingAt(offset: number): Placed {
  return { value: null, offset, children: NO_CHILDREN };
}

function addFault(reading: Reading, path: Path, offset: number, describe: () => Fault): void {
  reading.faults.add(() => ({ path, at: 'value', offset, ...describe() }));
}

/** The parser bounds what is nested and how much there is as written; aliases multiply both. */
function endReached(reading: Reading, at: number): boolean {
  const offset = reading.aliasOffsets[0] ?? at;
  reading.valueCount++;
  if (reading.valueCount > VALUES_MAX) {
    reading.ended ??= limitFault(offset, `more than ${VALUES_MAX} values, with every alias written out`);
  } else if (reading.around.size > NESTING_MAX) {
    reading.ended ??= limitFault(offset, `more than ${NESTING_MAX} levels of nesting, with every alias written out`);
  }
  return reading.ended !== undefined;
}

function limitFault(offset: number, found: string): TreeFault {
  return { path: [], at: 'value', offset, found, expected: 'fewer' };
}

function readAlias(reading: Reading, alias: Alias, path: Path, offset: number): Placed {
  const target = reading.targets.get(alias) ?? reading.anchors.get(alias.source);
  if (target === undefined) {
    addFault(reading, path, offset, () => ({
      found: `the alias ${quote(`*${alias.source}`)}`,
      expected: `an anchor ${quote(`&${alias.source}`)} above it`,
    }));
    return nothingAt(offset);
  }
  if (reading.around.has(target)) {
    addFault(reading, path, offset, () => ({
      found: `the alias ${quote(`*${alias.source}`)} inside the value that it stands for`,
      expected: 'no value inside itself',
    }));
    return nothingAt(offset);
  }
  reading.targets.set(alias, target);
  reading.aliasOffsets.push(offset);
  const placed = readNode(reading, target, path, offset);
  reading.aliasOffsets.pop();
  return placed;
}

function readContent(reading: Reading, node: YamlNode, path: Path, offset: number): Placed {
  if (isMap(node)) return readMap(reading, node, path, offset);
  if (isSeq(node)) return readSeq(reading, node, path, offset);
  const value = isScalar(node) ? readScalar(reading, node, path, offset) : null;
  return { value, offset, children: NO_CHILDREN };
}

function readSeq(reading: Reading, seq: YAMLSeq, path: Path, offset: number): Placed {
  const children = new Map<number, Placed>();
  for (const [index, item] of seq.items.entries()) {
    children.set(index, readNode(reading, item, [...path, index], offset));
  }
  return { value: Array.from(children.values(), (child) => child.value), offset, children };
}

function readMap(reading: Reading, map: YAMLMap, path: Path, offset: number): Placed {
  const children = new Map<string, Placed & { readonly keyOffset: number }>();
  for (const pair of map.items) {
    const keyOffset = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
    const key = isScalar(pair.key) ? keyText(pair.key) : undefined;
    if (key === undefined) {
      addFault(reading, path, keyOffset, () => NO_WORD);
      continue;
    }
    const first = children.get(key);
    const placed = readNode(reading, pair.value, [...path, key], keyOffset);
    if (first === undefined) children.set(key, { ...placed, keyOffset });
    else reading.faults.add(() => keyAgain([...path, key], keyOffset, first.keyOffset));
  }
  // `fromEntries` defines properties: `__proto__` is a key like others.
  return { value: Object.fromEntries(Array.from(children, ([key, child]) => [key, child.value])), offset, children };
}

function keyText(key: Scalar): string {
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

function keyAgain(path: Path, offset: number, alsoOffset: number): TreeFault {
  const found = `the key ${quote(String(path.at(-1)))} again`;
  return { path, at: 'key', offset, alsoOffset, found, expected: 'each key once' };
}

/** 0080, 0x50, 0o120 and 8e1: readers, and versions of YAML, disagree about them. */
function readScalar(reading: Reading, scalar: Scalar, path: Path, offset: number): unknown {
  const { value, source } = scalar;
  if (typeof value !== 'number' || source === undefined || /^-?(0|[1-9]\d*)(\.\d+)?$/.test(source)) return value;
  const expected = 'a number in plain decimal digits (or quotes, if it is a text)';
  addFault(reading, path, offset, () => ({ found: `the number ${quote(source)}`, expected }));
  return value;
}
