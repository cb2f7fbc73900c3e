// Statistics: sums by interval, an hour and a day back, a month's bytes; and a file that cannot be read.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openStatistics, type Statistics } from '../../../../control/store/statistics.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../../testing/temporary.ts';

const START = Date.UTC(2026, 0, 31, 23, 50, 0);
const SECOND = 1000;
const HOUR = 3600 * SECOND;

let directory: string;
let statistics: Statistics;
beforeEach(() => {
  directory = makeTemporaryDirectory('statistics');
  statistics = openStatistics(directory).statistics;
});
afterEach(() => {
  statistics.close();
  removeTemporaryDirectory(directory);
});

function record(time: number, id: number, connections: number, bytesIn = 0, bytesOut = 0): void {
  statistics.record(time, new Map([[id, { connections, bytesIn, bytesOut }]]));
}

test('samples add up in their intervals; one without any is zero', () => {
  record(START, 7, 1, 10, 20);
  record(START + 5 * SECOND, 7, 2, 30, 40);
  record(START + 30 * SECOND, 7, 4);
  expect(statistics.hour(7, START + 40 * SECOND)?.points).toEqual([
    { time: START, connections: 3, bytesIn: 40, bytesOut: 60 },
    { time: START + 10 * SECOND, connections: 0, bytesIn: 0, bytesOut: 0 },
    { time: START + 20 * SECOND, connections: 0, bytesIn: 0, bytesOut: 0 },
    { time: START + 30 * SECOND, connections: 4, bytesIn: 0, bytesOut: 0 },
  ]);
  expect(statistics.day(7, START + 40 * SECOND)?.points).toEqual([
    { time: START, connections: 7, bytesIn: 40, bytesOut: 60 },
  ]);
  expect(statistics.hour(8, START)).toBeUndefined();
});

test('what is older than an hour, or a day, is gone', () => {
  record(START, 7, 1);
  record(START + 2 * HOUR, 7, 2);
  expect(statistics.hour(7, START + 2 * HOUR)?.points).toHaveLength(1);
  expect(statistics.day(7, START + 2 * HOUR)?.points).toHaveLength(25);
  record(START + 25 * HOUR, 7, 4);
  const day = statistics.day(7, START + 25 * HOUR)?.points ?? [];
  expect(day[0]).toMatchObject({ time: START + 2 * HOUR, connections: 2 });
});

test("a month's bytes begin anew with the next one", () => {
  record(START, 7, 1, 100, 200);
  record(START + 5 * SECOND, 7, 1, 1, 2);
  expect(statistics.transfer(7, START)).toEqual({ bytesIn: 101, bytesOut: 202 });
  record(START + HOUR, 7, 1, 5, 5);
  expect(statistics.transfer(7, START + HOUR)).toEqual({ bytesIn: 5, bytesOut: 5 });
  expect(statistics.transfer(8, START)).toBeUndefined();
});

test('a transfer that was asked for before is up to date, whichever month is asked for', () => {
  record(START, 7, 1, 100, 200);
  expect(statistics.transfer(7, START)).toEqual({ bytesIn: 100, bytesOut: 200 });
  record(START + SECOND, 7, 1, 1, 2);
  record(START + SECOND, 8, 1, 3, 4);
  expect(statistics.transfer(7, START)).toEqual({ bytesIn: 101, bytesOut: 202 });
  expect(statistics.transfer(8, START)).toEqual({ bytesIn: 3, bytesOut: 4 });
  record(START + HOUR, 7, 1, 5, 5);
  expect(statistics.transfer(7, START + HOUR)).toEqual({ bytesIn: 5, bytesOut: 5 });
  expect(statistics.transfer(7, START)).toEqual({ bytesIn: 101, bytesOut: 202 });
  // February has 28 days in 2026: its last moment, and the one after it.
  const march = Date.UTC(2026, 2, 1);
  record(march, 7, 1, 9, 9);
  expect(statistics.transfer(7, march - 1)).toEqual({ bytesIn: 5, bytesOut: 5 });
  expect(statistics.transfer(7, march)).toEqual({ bytesIn: 9, bytesOut: 9 });
});

test('whoever asks makes no statement anew', () => {
  record(START, 7, 1, 100, 200);
  const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
  for (const id of [7, 8]) {
    statistics.transfer(id, START);
    statistics.hour(id, START);
    statistics.day(id, START);
  }
  expect(prepare).not.toHaveBeenCalled();
  prepare.mockRestore();
});

test('they outlive a restart', () => {
  record(START, 7, 3);
  statistics.close();
  statistics = openStatistics(directory).statistics;
  expect(statistics.hour(7, START)?.points).toMatchObject([{ connections: 3 }]);
});

test('what is in the way of the file is left alone: they are kept in memory, and that is said', () => {
  statistics.close();
  const path = join(directory, 'statistics.db');
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  mkdirSync(join(path, 'inside'), { recursive: true });
  const opened = openStatistics(directory);
  statistics = opened.statistics;
  expect(opened.remark).toContain('will not outlive this process');
  expect(existsSync(join(path, 'inside'))).toBe(true);
  record(START, 7, 1);
  expect(statistics.hour(7, START)?.points).toHaveLength(1);
});

test('a file that cannot be read is replaced, and that is said', () => {
  statistics.close();
  writeFileSync(join(directory, 'statistics.db'), 'garbage that is no database at all');
  const opened = openStatistics(directory);
  statistics = opened.statistics;
  expect(opened.remark).toContain('begin anew');
  record(START, 7, 1);
  expect(statistics.hour(7, START)?.points).toHaveLength(1);
});
