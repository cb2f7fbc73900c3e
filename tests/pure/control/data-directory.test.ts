// The data directory: made with all that is missing on the way, or one sentence that says why not, and where. Never a search that
// does not end.

import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DirectoryError, makeDirectory } from '../../../control/data-directory.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';

let parent = '';
beforeEach(() => {
  parent = makeTemporaryDirectory('data-directory');
});
afterEach(() => removeTemporaryDirectory(parent));

function problemOf(directory: string): string {
  try {
    makeDirectory(directory);
  } catch (error) {
    expect(error).toBeInstanceOf(DirectoryError);
    if (error instanceof DirectoryError) return error.message;
  }
  throw new Error(`${directory} was made`);
}

describe('is made', () => {
  test('with what is missing on the way, for its owner alone', () => {
    makeDirectory(join(parent, 'a/b/c'));
    for (const part of ['a', 'a/b', 'a/b/c']) expect(statSync(join(parent, part)).mode & 0o777).toBe(0o700);
  });

  test('once: one that is there stays as it is', () => {
    const directory = join(parent, 'a');
    mkdirSync(directory);
    chmodSync(directory, 0o750);
    makeDirectory(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o750);
  });

  test('through symbolic links', () => {
    mkdirSync(join(parent, 'real'));
    symlinkSync('real', join(parent, 'link'));
    makeDirectory(join(parent, 'link/data'));
    expect(statSync(join(parent, 'real/data')).isDirectory()).toBe(true);
  });
});

describe('cannot be made', () => {
  test.for([
    [
      '/proc/balancer',
      /^the directory \/proc\/balancer cannot be made: this file system takes no directories \(ENOENT\)$/,
    ],
    [
      '/proc/a/b',
      /^the directory \/proc\/a\/b cannot be made: \/proc\/a: this file system takes no directories \(ENOENT\)$/,
    ],
    ['/sys/balancer', /^the directory \/sys\/balancer cannot be made: .+ \((EPERM|EACCES|EROFS)\)$/],
    ['/dev/null/x', /^the directory \/dev\/null\/x cannot be made: \/dev\/null: it is there, and is no directory$/],
  ] as const)('%s', ([directory, says]) => {
    expect(problemOf(directory)).toMatch(says);
  });

  test('where a file is in the way, at its place or above it', () => {
    const file = join(parent, 'file');
    writeFileSync(file, '');
    expect(problemOf(file)).toBe(`the directory ${file} cannot be made: it is there, and is no directory`);
    expect(problemOf(join(file, 'x'))).toBe(
      `the directory ${file}/x cannot be made: ${file}: it is there, and is no directory`,
    );
  });

  test('where a symbolic link leads nowhere, or round and round', () => {
    const [dangling, loop] = [join(parent, 'dangling'), join(parent, 'loop')];
    symlinkSync('nothing', dangling);
    symlinkSync('loop', loop);
    expect(problemOf(join(dangling, 'x'))).toContain(`${dangling}: it is a symbolic link that leads nowhere`);
    expect(problemOf(loop)).toMatch(/\(ELOOP\)$/);
  });

  test('with a name or a path that is too long, and nothing above it is made either', () => {
    expect(problemOf(join(parent, 'a', 'x'.repeat(256)))).toMatch(/a name has at most 255 bytes$/);
    expect(problemOf(join(parent, 'a', 'xx/'.repeat(1400)))).toMatch(/a path has at most 4095 bytes$/);
    expect(existsSync(join(parent, 'a'))).toBe(false);
  });
});
