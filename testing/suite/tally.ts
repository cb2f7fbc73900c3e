// What a run came to, in words: a line per tier, the slowest files, the closing line. Values only.

import { TIERS } from './tiers.ts';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface FileResult extends Counts {
  readonly tier: string;
  /** from the project's root */
  readonly file: string;
  /** on one clock with the other files' */
  readonly startMs: number;
  readonly endMs: number;
}

export interface TierResult extends Counts {
  readonly tier: string;
  readonly files: number;
  /** from its first file's start to its last file's end */
  readonly seconds: number;
}

const SLOWEST_SHOWN = 10;

export function sumOf(results: readonly Counts[]): Counts {
  const sum = (key: keyof Counts) => results.reduce((total, result) => total + result[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

/** In the order of the tiers; those of which nothing ran are left out. */
export function tierResults(results: readonly FileResult[]): TierResult[] {
  return TIERS.flatMap(({ name }) => {
    const own = results.filter(({ tier }) => tier === name);
    if (own.length === 0) return [];
    const startMs = Math.min(...own.map((file) => file.startMs));
    const endMs = Math.max(...own.map((file) => file.endMs));
    return [{ tier: name, files: own.length, ...sumOf(own), seconds: Math.round((endMs - startMs) / 100) / 10 }];
  });
}

/** One line for each tier, in columns. */
export function formatTiers(tiers: readonly TierResult[], seed: number): string {
  const row = (cells: readonly string[]) =>
    cells.map((cell, index) => cell.padStart([8, 10, 13, 11, 12, 9][index] ?? 0));
  const lines = tiers.map(({ tier, files, passed, failed, skipped, seconds }) =>
    row([tier, `${files} files`, `${passed} passed`, `${failed} failed`, `${skipped} skipped`, `${seconds} s`]).join(
      '',
    ),
  );
  return [...lines.map((line) => `${line}   seed ${seed}`), ''].join('\n');
}

export function formatSlowest(results: readonly FileResult[]): string {
  const seconds = ({ startMs, endMs }: FileResult) => (endMs - startMs) / 1000;
  const slowest = [...results].sort((a, b) => seconds(b) - seconds(a)).slice(0, SLOWEST_SHOWN);
  const lines = slowest.map((result) => `${seconds(result).toFixed(1).padStart(8)} s  ${result.file}`);
  return ['The slowest files:', ...lines, ''].join('\n');
}

/** What CI reads: alone on its line, the last one. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
}
