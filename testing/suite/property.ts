// Properties, as every test states them: fast-check's `assert`, with the seed of this run, as many
// cases as the run is large, and once more each case that has failed before.

import { relative, resolve } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { describeReplay, firstSeed, replayedOf } from './seeds.ts';
import { bySize } from './size.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** fast-check's own default */
const USUAL_RUNS = 100;

interface Parameters<Values> {
  /** cases of `npm test`; a thorough run takes ten times as many */
  readonly numRuns?: number;
  /** where a smaller case would prove nothing */
  readonly endOnFailure?: boolean;
  /** tried first in each run */
  readonly examples?: Values[];
}

interface Place {
  readonly file: string;
  readonly testName: string;
}

function place(): Place {
  const { testPath = '', currentTestName = '' } = expect.getState();
  return { file: relative(ROOT, testPath), testName: currentTestName };
}

/** @throws what fast-check says of the first case that fails, with the line that replays it */
export function holds<Values>(property: fc.IProperty<Values>, parameters: Parameters<Values> = {}): void {
  const at = place();
  for (const run of runsOf(at, parameters)) report(at, fc.check(property, run));
}

/** The same for a property that waits for something. */
export async function holdsAsync<Values>(
  property: fc.IAsyncProperty<Values>,
  parameters: Parameters<Values> = {},
): Promise<void> {
  const at = place();
  for (const run of runsOf(at, parameters)) report(at, await fc.check(property, run));
}

function runsOf<Values>(at: Place, { numRuns = USUAL_RUNS, ...others }: Parameters<Values>): fc.Parameters<Values>[] {
  const failedOnce = replayedOf(at.file).filter(({ testName }) => testName === at.testName);
  return [
    ...failedOnce.map(({ seed, path = '' }) => ({ seed, path, endOnFailure: true })),
    { ...others, seed: firstSeed(), numRuns: numRuns * bySize({ quick: 1, thorough: 10 }) },
  ];
}

function report<Values>(at: Place, details: fc.RunDetails<Values>): void {
  if (!details.failed) return;
  const { seed, counterexamplePath: path } = details;
  const replay = path === null ? [] : [describeReplay(at.file, seed, path, at.testName)];
  const cause = details.errorInstance;
  throw new Error([fc.defaultReportMessage(details), ...replay].join('\n'), cause === null ? {} : { cause });
}
