// The last thorough run, kept in the repository: which revision it ran on, from which seed, and what
// it came to. CI says how old it is.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Counts, TierResult } from './tally.ts';

const ROOT = resolve(import.meta.dirname, '../..');
export const RECORD_FILE = 'tests/thorough/last-run.json';
const DAY_MS = 86_400_000;

export interface ThoroughRun extends Counts {
  /** the commit that was checked out, with "+" behind it if files had been changed */
  readonly revision: string;
  /** ISO 8601 */
  readonly ended: string;
  readonly seed: number;
  readonly tiers: readonly TierResult[];
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

export function recordThorough(run: Omit<ThoroughRun, 'revision' | 'ended'>): void {
  const isChanged = git('status', '--porcelain', '--', '.', `:!${RECORD_FILE}`) !== '';
  const revision = `${git('rev-parse', 'HEAD')}${isChanged ? '+' : ''}`;
  const record: ThoroughRun = { revision, ended: new Date().toISOString(), ...run };
  writeFileSync(join(ROOT, RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`);
}

function readThorough(): ThoroughRun | undefined {
  const path = join(ROOT, RECORD_FILE);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** One line for people: what the last thorough run came to, and how long ago that is. */
export function describeThorough(nowMs: number = Date.now(), run: ThoroughRun | undefined = readThorough()): string {
  if (run === undefined) return 'No thorough run is recorded (npm run test:thorough).\n';
  const { revision, ended, seed, passed, failed, skipped } = run;
  const days = Math.floor((nowMs - Date.parse(ended)) / DAY_MS);
  const age = days < 1 ? 'today' : `${days} day${days === 1 ? '' : 's'} ago`;
  return (
    `Last thorough run: ${age}${commitsSince(revision)}, revision ${revision.slice(0, 12)}, seed ${seed}: ` +
    `${passed} passed, ${failed} failed, ${skipped} skipped.\n`
  );
}

/** A clone without history cannot tell. */
function commitsSince(revision: string): string {
  try {
    const count = Number(git('rev-list', '--count', `${revision.replace('+', '')}..HEAD`));
    return count === 0 ? '' : `, ${count} commit${count === 1 ? '' : 's'} ago`;
  } catch {
    return '';
  }
}
