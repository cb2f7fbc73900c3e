// The seed of a run: new by hand, the commit's in CI, the operator's if there is one; and failures that are replayed.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { holds } from '../../../testing/suite/property.ts';
import {
  describeReplay,
  firstSeed,
  parseReplayed,
  SeedError,
  seedOfCommit,
  seedOfRun,
} from '../../../testing/suite/seeds.ts';

test('by hand each run has a seed of its own, in CI the commit has one', () => {
  const byHand = new Set(Array.from({ length: 20 }, () => seedOfRun({})));
  expect(byHand.size).toBeGreaterThan(15);
  const inCi = new Set(Array.from({ length: 3 }, () => seedOfRun({ CI: 'true' })));
  expect(inCi.size).toBe(1);
  expect(seedOfCommit('c139bac1f7098503aeeef36071948a51555e688f')).toBe(
    seedOfCommit('c139bac10000000000000000000000000000000f'),
  );
  expect(seedOfCommit('00000000')).toBe(1);
  expect(seedOfCommit('ffffffff')).toBeLessThanOrEqual(2 ** 30);
});

test('SIM_SEED fixes it, and what is no seed is named', () => {
  expect(seedOfRun({ SIM_SEED: '17', CI: 'true' })).toBe(17);
  for (const text of ['abc', '0', '-1', '1.5', '1e3', '1073741825']) {
    expect(() => seedOfRun({ SIM_SEED: text }), text).toThrow(
      new SeedError(`SIM_SEED: found "${text}", expected a whole number from 1 to 1073741824`),
    );
  }
});

test('a list of failures: comments and empty lines mean nothing, what is no failure is named with its line', () => {
  expect(
    parseReplayed('# all\n\ntests/sim/pool.test.ts 12  # why\ntests/pure/x.test.ts 3 1:0:2 group > it holds\n'),
  ).toEqual([
    { file: 'tests/sim/pool.test.ts', seed: 12, path: undefined, testName: undefined },
    { file: 'tests/pure/x.test.ts', seed: 3, path: '1:0:2', testName: 'group > it holds' },
  ]);
  expect(() => parseReplayed('tests/sim/pool.test.ts\nx y\n')).toThrow(
    /^tests\/replayed-seeds\.txt:1: found "tests\/sim\/pool\.test\.ts", .*\n.*:2: found "x y"/,
  );
});

test('the line that a failure prints is one that the list takes', () => {
  const line = describeReplay('tests/pure/x.test.ts', 3, '1:0', 'group > it holds').split('\n').at(-1) ?? '';
  expect(parseReplayed(line)).toEqual([
    { file: 'tests/pure/x.test.ts', seed: 3, path: '1:0', testName: 'group > it holds' },
  ]);
});

test('a property that does not hold says which case, from which seed, and how to run it again', () => {
  const wrong = () => holds(fc.property(fc.nat({ max: 1000 }), (n) => n < 10));
  expect(wrong).toThrow(new RegExp(`seed: ${firstSeed()}`));
  expect(wrong).toThrow(/Counterexample: \[10\]/);
  expect(wrong).toThrow(
    new RegExp(`\ntests/pure/suite/seeds\\.test\\.ts ${firstSeed()} [\\d:]+ a property that does not hold says`),
  );
});
