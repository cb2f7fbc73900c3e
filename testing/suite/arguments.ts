// The words behind `npm test --`: tiers and files, which are looked up here so that a typing mistake
// is named, and Vitest's own options, which are passed on.

import { TIERS } from './tiers.ts';

export class UsageError extends Error {}

export interface TestArguments {
  readonly isThorough: boolean;
  /** names; empty: all of this run's size */
  readonly tiers: readonly string[];
  /** files, folders or parts of their names; empty: all */
  readonly filters: readonly string[];
  /** for Vitest */
  readonly options: readonly string[];
}

/** Vitest's options that are followed by a value, among those that anybody uses by hand. */
const WITH_VALUE: ReadonlySet<string> = new Set(['-t', '--testNamePattern']);

/**
 * @param files every test file, from the project's root
 * @throws UsageError that names each word which means nothing, and what there is
 */
export function parseTestArguments(words: readonly string[], files: readonly string[]): TestArguments {
  const tiers: string[] = [];
  const filters: string[] = [];
  const options: string[] = [];
  let isThorough = false;
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--thorough') isThorough = true;
    else if (word === '--tier') tiers.push(...(rest.shift() ?? '').split(','));
    else if (word.startsWith('--tier=')) tiers.push(...word.slice('--tier='.length).split(','));
    else if (WITH_VALUE.has(word)) options.push(word, rest.shift() ?? '');
    else if (word.startsWith('-')) options.push(word);
    else filters.push(word.replace(/^\.\//, ''));
  }
  const known = TIERS.filter((tier) => isThorough || !tier.isThorough).map(({ name }) => name);
  const problems = [
    ...tiers.filter((name) => !known.includes(name)).map((name) => noTier(name, known)),
    ...filters.filter((filter) => !files.some((file) => file.includes(filter))).map((filter) => noFile(filter, files)),
  ];
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return { isThorough, tiers, filters, options };
}

function noTier(name: string, known: readonly string[]): string {
  const later = TIERS.some((tier) => tier.name === name) ? '; that one runs with `npm run test:thorough`' : '';
  return `there is no tier "${name}" here, only ${known.join(', ')}${later}`;
}

function noFile(filter: string, files: readonly string[]): string {
  const last = filter.replace(/\/$/, '').split('/').at(-1) ?? '';
  const word = last.replace(/\.(test\.)?ts$/, '');
  const near = word === '' ? [] : files.filter((file) => file.includes(word)).slice(0, 5);
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there are ${files.length} below tests/`;
  return `there is no test file with "${filter}" in its path: ${hint}`;
}
