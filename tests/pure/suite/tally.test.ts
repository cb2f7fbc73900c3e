// What a run says of itself at its end.

import { expect, test } from 'vitest';
import { closingLine, type FileResult, formatSlowest, formatTiers, tierResults } from '../../../testing/suite/tally.ts';
import { describeThorough } from '../../../testing/suite/thorough-record.ts';

const FILES: FileResult[] = [
  { tier: 'system', file: 'tests/system/b.test.ts', passed: 4, failed: 1, skipped: 0, startMs: 2000, endMs: 9000 },
  { tier: 'pure', file: 'tests/pure/a.test.ts', passed: 12, failed: 0, skipped: 2, startMs: 100, endMs: 600 },
  { tier: 'system', file: 'tests/system/c.test.ts', passed: 3, failed: 0, skipped: 0, startMs: 2500, endMs: 12_000 },
];

test('a line for each tier that ran, in their order, from the first start to the last end', () => {
  const tiers = tierResults(FILES);
  expect(tiers).toEqual([
    { tier: 'pure', files: 1, passed: 12, failed: 0, skipped: 2, seconds: 0.5 },
    { tier: 'system', files: 2, passed: 7, failed: 1, skipped: 0, seconds: 10 },
  ]);
  const words = formatTiers(tiers, 42)
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().replace(/ +/g, ' '));
  expect(words).toEqual([
    'pure 1 files 12 passed 0 failed 2 skipped 0.5 s seed 42',
    'system 2 files 7 passed 1 failed 0 skipped 10 s seed 42',
  ]);
});

test('the slowest files come first, ten at most', () => {
  const many = Array.from({ length: 30 }, (_, i) => ({
    ...FILES[0],
    file: `tests/system/${i}.test.ts`,
    endMs: 2000 + i,
  }));
  const lines = formatSlowest([...FILES, ...many] as FileResult[])
    .trimEnd()
    .split('\n');
  expect(lines).toHaveLength(11);
  expect(lines[1]).toMatch(/9\.5 s {2}tests\/system\/c\.test\.ts$/);
});

test('the last line is plain, and counts what was left out only if something was', () => {
  expect(closingLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed\n');
  expect(closingLine({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped\n');
});

test('how old the last thorough run is', () => {
  const run = {
    revision: 'no-such-revision-anywhere',
    ended: '2026-11-20T12:00:00Z',
    seed: 7,
    passed: 10,
    failed: 0,
    skipped: 1,
    tiers: [],
  };
  const at = (text: string) => describeThorough(Date.parse(text), run);
  expect(at('2026-11-20T20:00:00Z')).toMatch(/^Last thorough run: today, revision no-such-revi, seed 7: 10 passed/);
  expect(at('2026-11-21T13:00:00Z')).toContain('1 day ago');
  expect(at('2026-11-30T13:00:00Z')).toContain('10 days ago');
});
