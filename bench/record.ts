// Keeps a run: its report as JSON under bench/results/, and the page and pictures made anew from all recorded runs. Everything is
// made before anything is written, and every file takes its place in one step, the JSON first: from it the rest can
// be made again.

import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PICTURES_FOLDER, type TextFile } from './charts/picture.ts';
import { arrange, type History, type Recorded, readRecorded } from './history.ts';
import { benchmarksPage } from './page.ts';
import type { Report } from './report.ts';

const ROOT = join(import.meta.dirname, '..');
const RESULTS_FOLDER = 'bench/results';
const PAGE = 'BENCHMARKS.md';

export type Render = (report: Report) => Promise<TextFile[]>;

/** Rejects, with nothing written, when the page or a picture cannot be made. @returns the paths written, below `root` */
export async function recordRun(
  measured: Report,
  root: string = ROOT,
  render: Render = renderWithVega,
): Promise<string[]> {
  const run = withoutMachinePaths(measured, root);
  const recorded = readRecorded(join(root, RESULTS_FOLDER));
  const stamp = freeStamp(run.startedAt, recorded);
  const json = { path: `${RESULTS_FOLDER}/${stamp}.json`, text: `${JSON.stringify(run, null, 1)}\n` };
  const made = await makePage(arrange([...recorded, { stamp, run }]), render);
  return writeAll(root, [json, ...made]);
}

/** The page and the pictures from the recorded files alone. @returns the paths written, below `root` */
export async function rebuildPage(root: string = ROOT, render: Render = renderWithVega): Promise<string[]> {
  return writeAll(root, await makePage(readHistory(root), render));
}

export function readHistory(root: string = ROOT): History {
  return arrange(readRecorded(join(root, RESULTS_FOLDER)));
}

async function makePage(history: History, render: Render): Promise<TextFile[]> {
  const pictures = history.newest === undefined ? [] : await render(history.newest.run);
  return [...pictures, { path: PAGE, text: benchmarksPage(history) }];
}

/** Loaded only now: it takes its time, and is not there where development packages are left out. */
async function renderWithVega(report: Report): Promise<TextFile[]> {
  const { renderPictures } = await import('./charts/render.ts');
  return renderPictures(report);
}

/** Where this tree lies is nobody else's business. */
function withoutMachinePaths(report: Report, root: string): Report {
  const inJson = JSON.stringify(root).slice(1, -1);
  const withSlash = JSON.stringify(report).replaceAll(`${inJson}/`, './');
  // The root itself, not what merely begins like it.
  return JSON.parse(withSlash.replaceAll(new RegExp(`${RegExp.escape(inJson)}(?![\\w.-])`, 'g'), '.'));
}

/** Minute of the start; a run never takes the place of another. */
function freeStamp(startedAt: string, recorded: readonly Recorded<unknown>[]): string {
  const minute = startedAt.slice(0, 16).replaceAll(':', '');
  const taken = new Set(recorded.map(({ stamp }) => stamp));
  let stamp = minute;
  for (let count = 2; taken.has(stamp); count++) stamp = `${minute}-${count}`;
  return stamp;
}

function writeAll(root: string, files: readonly TextFile[]): string[] {
  const waiting: { from: string; to: string }[] = [];
  try {
    for (const { path, text } of files) {
      const to = join(root, path);
      const from = `${to}.${process.pid}.tmp`;
      mkdirSync(dirname(to), { recursive: true });
      waiting.push({ from, to });
      writeFileSync(from, text);
    }
    for (const { from, to } of waiting) renameSync(from, to);
  } catch (error) {
    for (const { from } of waiting) rmSync(from, { force: true });
    throw error;
  }
  removeStalePictures(root, files);
  return files.map(({ path }) => path);
}

/** What the newest run has no data for would otherwise stay, looking like a part of it. */
function removeStalePictures(root: string, files: readonly TextFile[]): void {
  const folder = join(root, PICTURES_FOLDER);
  const wanted = new Set(files.map(({ path }) => join(root, path)));
  if (![...wanted].some((path) => dirname(path) === folder)) return;
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.svg') && !wanted.has(join(folder, name))) rmSync(join(folder, name));
  }
}
