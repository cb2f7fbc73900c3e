// Writes a file so that it is there as a whole or as it was before: beside it first, on the disk, then under its name. A backup that
// is cut off in the middle is worse than none.

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { writeAll } from './output.ts';

const PERMISSIONS = 0o7777;
/** less what the umask takes */
const NEW_MODE = 0o666;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * A file that is there keeps its permissions and its owner; a symbolic link is followed; what is no regular file (a FIFO, a device) is
 * written to as it is. @throws what Node.js throws: then nothing has changed, and nothing is left beside it
 */
export function writeWholeFile(path: string, text: string): void {
  const before = statSync(path, { throwIfNoEntry: false });
  if (before !== undefined && !before.isFile()) return writeInto(path, text);
  const target = targetOf(path, before !== undefined);
  const beside = `${target}.${process.pid}.new`;
  withoutSignals(() => {
    const { O_WRONLY, O_CREAT, O_EXCL } = constants;
    const mode = before === undefined ? NEW_MODE : before.mode & PERMISSIONS;
    const fd = openSync(beside, O_WRONLY | O_CREAT | O_EXCL, mode);
    try {
      fill(fd, text, before);
      renameSync(beside, target);
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
    syncDirectory(dirname(target));
  });
}

/** Also of a link whose target is still to be made. */
function targetOf(path: string, isThere: boolean): string {
  if (isThere) return realpathSync(path);
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink ? resolve(dirname(path), readlinkSync(path)) : path;
}

function writeInto(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    writeAll(fd, Buffer.from(text));
  } finally {
    closeSync(fd);
  }
}

function fill(fd: number, text: string, before: Stats | undefined): void {
  try {
    if (before !== undefined) keepRights(fd, before);
    writeAll(fd, Buffer.from(text));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function keepRights(fd: number, { uid, gid, mode }: Stats): void {
  try {
    fchownSync(fd, uid, gid);
  } catch {
    // Only root may give files away. Then it is ours, as one that is made anew would be.
  }
  fchmodSync(fd, mode & PERMISSIONS);
}

/** Of the new name. Not every file system can. */
function syncDirectory(path: string): void {
  try {
    const fd = openSync(path, constants.O_RDONLY);
    fsyncSync(fd);
    closeSync(fd);
  } catch {
    // The file itself is whole, under one name or the other.
  }
}

/** A signal in between would leave the half-written file behind. Who sends one finds the process at its end anyway. */
function withoutSignals(work: () => void): void {
  const ignore = (): void => {};
  for (const signal of SIGNALS) process.on(signal, ignore);
  try {
    work();
  } finally {
    for (const signal of SIGNALS) process.off(signal, ignore);
  }
}
