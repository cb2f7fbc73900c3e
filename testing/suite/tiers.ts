// The tiers of the suite: which folder is which, how its files run, and in which order. A file belongs
// to the tier whose folder it is in, so that nothing has to be listed. No test knows this file.

import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

export interface Tier {
  readonly name: string;
  /** for people who read a list of tiers */
  readonly meaning: string;
  /** Threads are cheaper to start. Forks can have a network, an environment and an end of their own. */
  readonly pool: 'threads' | 'forks';
  /** Whether each file gets a thread or process of its own. */
  readonly isIsolated: boolean;
  readonly workers: number;
  /** loaded before each file of the tier, from the project's root */
  readonly setupFiles: readonly string[];
  /** Left out of `npm test`. */
  readonly isThorough: boolean;
}

const OWN_NETWORK = 'testing/suite/own-network.ts';

/** In the order in which they run: the quick ones tell soonest, and nothing runs beside a clock. */
export const TIERS: readonly Tier[] = [
  {
    name: 'pure',
    meaning: 'functions of values: no socket, no thread, no program',
    pool: 'threads',
    isIsolated: false,
    workers: 2,
    setupFiles: [],
    isThorough: false,
  },
  {
    name: 'sim',
    meaning: 'the session code on a simulated kernel, from a new seed each time',
    pool: 'threads',
    isIsolated: false,
    workers: 2,
    setupFiles: [],
    isThorough: false,
  },
  {
    name: 'system',
    meaning: 'the real kernel, the real binary, real servers, a real browser; a network for each file',
    pool: 'forks',
    isIsolated: true,
    workers: 3,
    setupFiles: [OWN_NETWORK],
    isThorough: false,
  },
  {
    name: 'clock',
    meaning: 'the few tests that bound a time or a size: one at a time, with nothing beside them',
    pool: 'forks',
    isIsolated: true,
    workers: 1,
    setupFiles: [OWN_NETWORK],
    isThorough: false,
  },
  {
    name: 'thorough',
    meaning: 'what is too long for every run: whole benchmarks and their checks',
    pool: 'forks',
    isIsolated: true,
    workers: 1,
    setupFiles: [OWN_NETWORK],
    isThorough: true,
  },
];

export const TEST_FILE = /\.test\.ts$/;

/** Every test file, as a path from the project's root. */
export function testFiles(): string[] {
  return readdirSync(join(ROOT, 'tests'), { recursive: true, encoding: 'utf8' })
    .filter((name) => TEST_FILE.test(name))
    .map((name) => join('tests', name))
    .sort();
}

/** The tiers whose folder a file is in: exactly one, or the file is in the wrong place. */
export function tiersOf(file: string): Tier[] {
  return TIERS.filter(({ name }) => file.startsWith(`tests/${name}/`));
}
