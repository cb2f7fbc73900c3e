// Keeping a run: either all of it is there, in its place and without this machine's paths, or nothing has changed.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TextFile } from '../../../bench/charts/picture.ts';
import { benchmarksPage } from '../../../bench/page.ts';
import { readHistory, rebuildPage, recordRun } from '../../../bench/record.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';
import { sampleReport } from './sample-report.ts';

const ROOT = join(import.meta.dirname, '../../..');
const JSON_FILE = 'bench/results/2026-01-02T0304.json';
const report = sampleReport();

let root: string;
beforeEach(() => {
  root = makeTemporaryDirectory('record');
});
afterEach(() => {
  removeTemporaryDirectory(root);
});

const drawsOne = async (): Promise<TextFile[]> => [{ path: 'bench/pictures/one-light.svg', text: '<svg/>' }];
const throws = async (): Promise<TextFile[]> => {
  throw new Error('no ink');
};

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function write(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** Every file below the root, with what is in it. */
function contents(): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'utf8')]),
  );
}

test('a run becomes a file, pictures and a page, and the file gives the run back', async () => {
  const paths = await recordRun(report, root, drawsOne);
  expect(paths).toEqual([JSON_FILE, 'bench/pictures/one-light.svg', 'BENCHMARKS.md']);
  expect(Object.keys(contents()).sort()).toEqual(paths.map((path) => join(root, path)).sort());
  expect(JSON.parse(read(JSON_FILE))).toEqual(report);
  expect(read('BENCHMARKS.md')).toBe(benchmarksPage(readHistory(root)));
  expect(read('BENCHMARKS.md')).toContain('The run of 2026-01-02');
});

test('where this tree lies stays out of it', async () => {
  const there = `${root}/bin/balancer.js --in ${root} --beside ${root}-other/x`;
  const measured = { ...report, commandLine: there, notes: [`left out: ${root}/cli/main.ts is missing`] };
  await recordRun(measured, root, drawsOne);
  const kept: typeof report = JSON.parse(read(JSON_FILE));
  expect(kept.commandLine).toBe(`./bin/balancer.js --in . --beside ${root}-other/x`);
  expect(kept.notes).toEqual(['left out: ./cli/main.ts is missing']);
});

test('a run of the same minute takes nobody’s place', async () => {
  await recordRun(report, root, drawsOne);
  const [path] = await recordRun({ ...report, notes: ['the second'] }, root, drawsOne);
  expect(path).toBe('bench/results/2026-01-02T0304-2.json');
  expect(JSON.parse(read(JSON_FILE))).toEqual(report);
  expect(read('BENCHMARKS.md')).toContain('- note: the second');
});

test('a renderer that throws leaves everything as it was', async () => {
  await recordRun(report, root, drawsOne);
  const before = contents();
  await expect(recordRun({ ...report, startedAt: '2026-02-03T04:05:06.000Z' }, root, throws)).rejects.toThrow('no ink');
  expect(contents()).toEqual(before);
});

test('a file that cannot be written leaves no other behind', async () => {
  mkdirSync(join(root, 'bench'));
  // A file where a folder has to be.
  write('bench/pictures', '');
  await expect(recordRun(report, root, drawsOne)).rejects.toThrow('EEXIST');
  expect(Object.keys(contents())).toEqual([join(root, 'bench/pictures')]);
});

describe('the page made anew', () => {
  test('comes from the files alone', async () => {
    await recordRun(report, root, drawsOne);
    const page = read('BENCHMARKS.md');
    write('BENCHMARKS.md', 'typed by hand');
    expect(await rebuildPage(root, drawsOne)).toEqual(['bench/pictures/one-light.svg', 'BENCHMARKS.md']);
    expect(read('BENCHMARKS.md')).toBe(page);
  });

  test('loses the pictures that the newest run has not, and touches nothing else there', async () => {
    await recordRun(report, root, drawsOne);
    write('bench/pictures/stale-dark.svg', '<svg/>');
    write('bench/pictures/README.md', 'words');
    await rebuildPage(root, drawsOne);
    expect(readdirSync(join(root, 'bench/pictures')).sort()).toEqual(['README.md', 'one-light.svg']);
  });

  test('needs no recorded run, and stands a file that is not one', async () => {
    write('bench/results/notes.json', 'not JSON');
    expect(await rebuildPage(root, throws)).toEqual(['BENCHMARKS.md']);
    expect(read('BENCHMARKS.md')).toContain('Not readable, and left out: notes.');
  });
});

const recorded = readHistory(ROOT);

test.skipIf(recorded.newest === undefined)('the page of this tree is what its recorded runs say', () => {
  expect(readFileSync(join(ROOT, 'BENCHMARKS.md'), 'utf8')).toBe(benchmarksPage(recorded));
});

test('the runs recorded in this tree can all be read', () => {
  expect(recorded.unreadable).toEqual([]);
  expect(recorded.earlier.length + (recorded.newest === undefined ? 0 : 1)).toBeGreaterThan(0);
});
