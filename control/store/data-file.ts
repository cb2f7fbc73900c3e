// What stands in the data directory under the name of one of our files, looked at before it is
// opened: a directory, a FIFO that nobody writes to, somebody else's file. And small files that are
// written whole or not at all.

import { accessSync, constants, readFileSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';

const FILE_MODE = 0o600;

/**
 * @returns why this is no file that we can read and write, after its path: `is a directory,
 * expected a file`; undefined when all is well, or nothing is there
 */
function obstacleAt(path: string): string | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    // To open a FIFO would wait for whoever opens its other end.
    if (!stat.isFile()) return `is ${kindOf(stat)}, expected a file`;
    accessSync(path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return `cannot be read and written: ${reasonOf(error)}`;
  }
}

/**
 * @returns the first of these that is no file of ours, and why: `/var/lib/x is a directory,
 * expected a file`
 */
export function firstObstacle(paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const obstacle = obstacleAt(path);
    if (obstacle !== undefined) return `${path} ${obstacle}`;
  }
  return undefined;
}

/**
 * @throws an error whose message follows the path, `is a directory …`
 * @returns undefined when there is none
 */
export function readDataFile(path: string): Buffer | undefined {
  const obstacle = obstacleAt(path);
  if (obstacle !== undefined) throw new Error(obstacle);
  try {
    return readFileSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new Error(`cannot be read: ${reasonOf(error)}`);
  }
}

/** Its owner alone may read it. @throws an error whose message follows the path */
export function writeDataFile(path: string, content: string | Uint8Array): void {
  const obstacle = obstacleAt(path);
  if (obstacle !== undefined) throw new Error(obstacle);
  const fresh = `${path}.new`;
  try {
    // Whatever lies there, a link too, is not written to.
    rmSync(fresh, { force: true });
    writeFileSync(fresh, content, { mode: FILE_MODE, flag: 'wx', flush: true });
    renameSync(fresh, path);
  } catch (error) {
    forget(fresh);
    throw new Error(`cannot be written: ${reasonOf(error)}`);
  }
}

/** Half of a secret is not left lying about. */
function forget(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // What is in the way is not ours.
  }
}

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return 'a directory';
  if (stat.isFIFO()) return 'a FIFO';
  return stat.isSocket() ? 'a socket' : 'a device';
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM')
    return "no permission; run as the data directory's owner, or give it to this user";
  if (code === 'EROFS') return 'the file system is read-only';
  if (code === 'ENOSPC') return 'the disk is full';
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
