// Where a run's chance comes from: one seed, new for each run by hand, the commit's own in CI (so that
// a repeated run is the same run), or what SIM_SEED says. And the seeds that have failed once: every
// run replays them.

import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

export const SEED_VARIABLE = 'SIM_SEED';
export const RUNS_VARIABLE = 'SIM_RUNS';
/** One failure a line: FILE SEED, and for a property PATH and the test's name behind it. */
export const REPLAYED_FILE = 'tests/replayed-seeds.txt';

/** fast-check takes 32 bits with a sign, and a simulation counts up from here. */
const SEED_MAX = 2 ** 30;

export class SeedError extends Error {}

/** @returns the number @throws SeedError when it is none that a run can start from */
function numberIn(name: string, text: string, max: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= max) return number;
  throw new SeedError(`${name}: found "${text}", expected a whole number from 1 to ${max}`);
}

/** @param env the process's own, or a test's @throws SeedError */
export function seedOfRun(env: Readonly<Record<string, string | undefined>>): number {
  const given = env[SEED_VARIABLE];
  if (given !== undefined && given !== '') return numberIn(SEED_VARIABLE, given, SEED_MAX);
  return env.CI ? seedOfCommit(headCommit()) : randomInt(1, SEED_MAX);
}

/** @param commit 40 hex digits @returns a seed that is always the same for it */
export function seedOfCommit(commit: string): number {
  return (Number.parseInt(commit.slice(0, 8), 16) % SEED_MAX) + 1;
}

function headCommit(): string {
  return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
}

/** The first seed of this run, as whoever started it has set it. @throws SeedError */
export function firstSeed(): number {
  return seedOfRun(process.env);
}

/** @param usual how many seeds a run takes if SIM_RUNS says nothing else @throws SeedError */
export function runsWanted(usual: number): number {
  const given = process.env[RUNS_VARIABLE];
  return given === undefined || given === '' ? usual : numberIn(RUNS_VARIABLE, given, SEED_MAX);
}

export interface Replayed {
  readonly file: string;
  readonly seed: number;
  /** which case of the seed's failed, in fast-check's words; simulations have none */
  readonly path: string | undefined;
  /** the test's whole name, where a path is */
  readonly testName: string | undefined;
}

const REPLAYED_LINE = /^(?<file>tests\/\S+\.test\.ts) (?<seed>\d+)(?: (?<path>[\d:]+) (?<testName>\S.*))?$/;

/** @throws SeedError that names each line which is none */
export function parseReplayed(text: string): Replayed[] {
  const found: Replayed[] = [];
  const wrong: string[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/(^|\s)#.*$/, '').trim();
    if (line === '') continue;
    const groups = REPLAYED_LINE.exec(line)?.groups;
    if (groups === undefined) {
      wrong.push(`${REPLAYED_FILE}:${index + 1}: found "${line}", expected FILE SEED or FILE SEED PATH TEST`);
      continue;
    }
    const { file = '', seed, path, testName } = groups;
    found.push({ file, seed: Number(seed), path, testName });
  }
  if (wrong.length > 0) throw new SeedError(wrong.join('\n'));
  return found;
}

let replayed: readonly Replayed[] | undefined;

/** What has failed once in this file. @param file from the project's root @throws SeedError */
export function replayedOf(file: string): readonly Replayed[] {
  replayed ??= parseReplayed(readFileSync(join(ROOT, REPLAYED_FILE), 'utf8'));
  return replayed.filter((one) => one.file === file);
}

/** What whoever sees a failure is told. @param testName with a path: a property */
export function describeReplay(file: string, seed: number, path?: string, testName?: string): string {
  const line = [file, seed, ...(path === undefined ? [] : [path, testName])].join(' ');
  const runs = path === undefined ? ` ${RUNS_VARIABLE}=1` : '';
  return [
    `run it alone: ${SEED_VARIABLE}=${seed}${runs} npm test -- ${file}`,
    `and for every run from now on, add this line to ${REPLAYED_FILE}:`,
    line,
  ].join('\n');
}
