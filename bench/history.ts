// The recorded runs, as files in a folder: reading them, newest first. Files of an earlier format, or of no format at all, are no
// reason to fail: what they do have is shown, and what cannot be read is named.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Judged } from './goals.ts';
import type { Report } from './report.ts';

/** What runs of every format have. */
export interface PastRun extends Judged {
  revision?: string;
  rounds: number;
  scale: string;
  commandLine: string;
}

/** A run under the name of its file, which begins with the date. */
export interface Recorded<T> {
  stamp: string;
  run: T;
}

export interface History {
  /** The newest one in the present format. */
  newest?: Recorded<Report>;
  /** All the others, newest first. */
  earlier: Recorded<PastRun>[];
  unreadable: string[];
}

const SUFFIX = '.json';

/** Every file of the folder, parsed; undefined where it is not JSON. An absent folder has none. */
export function readRecorded(folder: string): Recorded<unknown>[] {
  return fileNames(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => ({ stamp: name.slice(0, -SUFFIX.length), run: parsed(readFileSync(join(folder, name), 'utf8')) }));
}

function fileNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function arrange(files: readonly Recorded<unknown>[]): History {
  const sorted = [...files].sort((a, b) => (a.stamp < b.stamp ? 1 : -1));
  const history: History = { earlier: [], unreadable: [] };
  for (const { stamp, run } of sorted) {
    if (history.newest === undefined && isReport(run)) history.newest = { stamp, run };
    else if (isPastRun(run)) history.earlier.push({ stamp, run });
    else history.unreadable.push(stamp);
  }
  return history;
}

/** The parts that this reader uses; written by us, so that deeper looks would find nothing. */
function isPastRun(value: unknown): value is PastRun {
  return (
    typeof value === 'object' &&
    value !== null &&
    'rounds' in value &&
    typeof value.rounds === 'number' &&
    'scale' in value &&
    'commandLine' in value &&
    'scenarios' in value &&
    Array.isArray(value.scenarios)
  );
}

function isReport(value: unknown): value is Report {
  return isPastRun(value) && 'format' in value && value.format === 2;
}
