// Every test file runs, in one tier: none falls between the folders, and none is where it cannot be.

import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parseReplayed, REPLAYED_FILE } from '../../../testing/suite/seeds.ts';
import { TIERS, testFiles, tiersOf } from '../../../testing/suite/tiers.ts';
import config from '../../../vitest.config.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const FILES = testFiles();

test('every test file belongs to exactly one tier', () => {
  expect(FILES.length).toBeGreaterThan(100);
  expect(FILES.filter((file) => tiersOf(file).length !== 1)).toEqual([]);
});

test('each tier has files, and `npm test` runs each but the thorough one', () => {
  for (const tier of TIERS) {
    expect(FILES.filter((file) => tiersOf(file).includes(tier)).length, tier.name).toBeGreaterThan(0);
  }
  const names = (config.test?.projects ?? []).map((project) =>
    typeof project === 'object' && 'test' in project ? project.test?.name : project,
  );
  expect(names).toEqual(TIERS.filter((tier) => !tier.isThorough).map(({ name }) => name));
});

test('what shares a thread with its neighbours replaces no module and no global that they use', () => {
  const shared = TIERS.filter((tier) => !tier.isIsolated).map(({ name }) => name);
  const wrong = FILES.filter((file) => shared.some((name) => file.startsWith(`tests/${name}/`))).filter((file) =>
    // Put together here, or this file would be one of them.
    new RegExp(['vi\\.mock\\(', 'process\\.chdir', 'vi\\.stubGlobal'].join('|')).test(
      readFileSync(join(ROOT, file), 'utf8').replace(/'[^'\n]*'/g, ''),
    ),
  );
  expect(wrong).toEqual([]);
});

test('the seeds that every run replays name files that are there', () => {
  const replayed = parseReplayed(readFileSync(join(ROOT, REPLAYED_FILE), 'utf8'));
  expect(replayed.filter(({ file }) => !existsSync(join(ROOT, file)))).toEqual([]);
});
