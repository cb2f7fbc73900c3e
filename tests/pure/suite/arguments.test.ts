// What stands behind `npm test --`, and what is said when it means nothing.

import { expect, test } from 'vitest';
import { parseTestArguments, UsageError } from '../../../testing/suite/arguments.ts';

const FILES = ['tests/pure/base/ip.test.ts', 'tests/pure/cli/status.test.ts', 'tests/system/process/stop.test.ts'];

function problemsOf(...words: string[]): string[] {
  try {
    parseTestArguments(words, FILES);
  } catch (error) {
    if (error instanceof UsageError) return error.message.split('\n');
    throw error;
  }
  return [];
}

test('files, tiers and the options of Vitest are told apart', () => {
  expect(
    parseTestArguments(['--tier', 'pure,sim', './tests/pure/base', '-t', 'some name', '--bail=1', 'stop'], FILES),
  ).toEqual({
    isThorough: false,
    tiers: ['pure', 'sim'],
    filters: ['tests/pure/base', 'stop'],
    options: ['-t', 'some name', '--bail=1'],
  });
  expect(parseTestArguments(['--thorough', '--tier=thorough'], FILES)).toMatchObject({
    isThorough: true,
    tiers: ['thorough'],
  });
});

test('every word that means nothing is named, with what there is', () => {
  expect(problemsOf('--tier', 'fast', 'tests/pure/process/stop.test.ts', 'nothing-like-it')).toEqual([
    'there is no tier "fast" here, only pure, sim, system, clock',
    'there is no test file with "tests/pure/process/stop.test.ts" in its path: did you mean tests/system/process/stop.test.ts?',
    'there is no test file with "nothing-like-it" in its path: there are 3 below tests/',
  ]);
  expect(problemsOf('--tier', 'thorough')).toEqual([
    'there is no tier "thorough" here, only pure, sim, system, clock; that one runs with `npm run test:thorough`',
  ]);
});
