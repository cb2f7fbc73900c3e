// Every file of the data directory may be something else than it should: a directory, a FIFO that
// nobody writes to, empty, too short. What cannot be done without is refused in words that name the
// file; what can be made anew is, and that is said. Nothing waits for ever.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loginKey } from '../../../../control/api/login-key.ts';
import { readDataFile, writeDataFile } from '../../../../control/store/data-file.ts';
import { openStore } from '../../../../control/store/sqlite-store.ts';
import { openStatistics } from '../../../../control/store/statistics.ts';
import { StoreError } from '../../../../control/store/store.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../../testing/temporary.ts';

let directory: string;
beforeEach(() => {
  directory = makeTemporaryDirectory('data');
});
afterEach(() => removeTemporaryDirectory(directory));

const OBSTACLES: readonly [kind: string, put: (path: string) => void][] = [
  ['a directory', (path) => mkdirSync(join(path, 'inside'), { recursive: true })],
  ['a FIFO', (path) => execFileSync('mkfifo', [path])],
];

/** @returns what was thrown */
function refusal(work: () => unknown): StoreError {
  try {
    work();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe.each(OBSTACLES)('%s', (kind, put) => {
  test.each(['balancer.db', 'balancer.db-wal', 'balancer.db-journal', 'balancer.db.exists'])(
    'as %s: the store is refused, and nothing is touched',
    (name) => {
      openStore(directory).close();
      const path = join(directory, name);
      rmSync(path, { force: true });
      put(path);
      const { message } = refusal(() => openStore(directory));
      expect(message).toContain(`${path} is ${kind}, expected a file`);
      expect(message).toMatch(/Nothing was changed/);
      expect(statSync(path).isFile()).toBe(false);
    },
  );

  test('as login.key: refused, with the way out', () => {
    const path = join(directory, 'login.key');
    put(path);
    const { message } = refusal(() => loginKey(directory));
    expect(message).toContain(`${path}, is ${kind}, expected a file. Move it away`);
  });

  test.each(['statistics.db', 'statistics.db-wal'])('as %s: statistics are kept in memory', (name) => {
    put(join(directory, name));
    const { statistics, remark } = openStatistics(directory);
    expect(remark).toContain(`${join(directory, name)} is ${kind}, expected a file`);
    statistics.close();
  });
});

describe('the key of logins', () => {
  const path = () => join(directory, 'login.key');

  test('is made once, and kept', () => {
    const { key, remark } = loginKey(directory);
    expect([key.length, remark]).toEqual([32, undefined]);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(loginKey(directory)).toEqual({ key, remark: undefined });
  });

  test.each([0, 5, 31, 33, 100_000])('of %i bytes is made anew, and that is said', (bytes) => {
    writeFileSync(path(), Buffer.alloc(bytes));
    const { key, remark } = loginKey(directory);
    expect(remark).toContain(`${path()} had ${bytes} bytes, expected 32`);
    expect(readFileSync(path())).toEqual(key);
  });

  test('that cannot be written is refused in words', () => {
    expect(refusal(() => loginKey('/proc/nowhere')).message).toMatch(/login\.key, cannot be written: ENOENT/);
  });
});

test('a file is written whole, for its owner alone, and not through a link that lies in its way', () => {
  const path = join(directory, 'some');
  const elsewhere = join(directory, 'elsewhere');
  writeFileSync(elsewhere, 'untouched');
  execFileSync('ln', ['-s', elsewhere, `${path}.new`]);
  writeDataFile(path, 'text');
  expect(readDataFile(path)?.toString()).toBe('text');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(elsewhere, 'utf8')).toBe('untouched');
  expect(existsSync(`${path}.new`)).toBe(false);
  expect(readDataFile(join(directory, 'none'))).toBeUndefined();
  expect(() => writeDataFile(dirname(path), 'text')).toThrow(/is a directory, expected a file/);
});
