// Makes the data directory, or says in one sentence why there can be none.
//
// Not with mkdir's own `recursive`: it takes ENOENT for a parent that is missing, makes the parent, which is there, and begins again,
// for ever. Linux says ENOENT also where a file system takes no directories at all, as below /proc.

import { lstatSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { getSystemErrorMessage } from 'node:util';

const MODE = 0o700;
/** limits.h: of one name, and of a path without the zero at its end */
const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4095;
/** A disk that is full today. */
const TEMPORARY: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

export class DirectoryError extends Error {
  override readonly name = 'DirectoryError';
  /** whether it may go by itself */
  readonly isTemporary: boolean;

  /** @param at the part of the path where it fails */
  constructor(directory: string, at: string, reason: string, code = '') {
    super(`the directory ${directory} cannot be made: ${at === directory ? '' : `${at}: `}${reason}`);
    this.isTemporary = TEMPORARY.has(code);
  }
}

/** @param directory an absolute path; whoever is missing on the way is made, too @throws DirectoryError */
export function makeDirectory(directory: string): void {
  refuseIfTooLong(directory);
  for (const at of partsOf(directory)) makeOne(directory, at);
}

/** Before anything is made: what is above a name that is too long would stay behind. */
function refuseIfTooLong(directory: string): void {
  const name = directory.split('/').find((part) => Buffer.byteLength(part) > NAME_BYTES_MAX);
  if (name !== undefined) throw new DirectoryError(directory, name, `a name has at most ${NAME_BYTES_MAX} bytes`);
  if (Buffer.byteLength(directory) > PATH_BYTES_MAX)
    throw new DirectoryError(directory, directory, `a path has at most ${PATH_BYTES_MAX} bytes`);
}

/** `/a/b` -> `/`, `/a`, `/a/b` */
function partsOf(directory: string): string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [...partsOf(parent), directory];
}

function makeOne(directory: string, at: string): void {
  if (isDirectory(directory, at)) return;
  try {
    mkdirSync(at, { mode: MODE });
  } catch (error) {
    const code = codeOf(error);
    // Somebody else was quicker.
    if (code === 'EEXIST' && isDirectory(directory, at)) return;
    const reason = code === 'ENOENT' ? 'this file system takes no directories' : reasonOf(error);
    throw new DirectoryError(directory, at, `${reason} (${code})`, code);
  }
}

/** @throws DirectoryError where there is something else */
function isDirectory(directory: string, at: string): boolean {
  const stat = look(directory, at, statSync);
  if (stat === undefined) {
    if (look(directory, at, lstatSync) === undefined) return false;
    throw new DirectoryError(directory, at, 'it is a symbolic link that leads nowhere');
  }
  if (!stat.isDirectory()) throw new DirectoryError(directory, at, 'it is there, and is no directory');
  return true;
}

function look(directory: string, at: string, statOf: (path: string) => Stats): Stats | undefined {
  try {
    return statOf(at);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return undefined;
    throw new DirectoryError(directory, at, `${reasonOf(error)} (${code})`, code);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function reasonOf(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : 0;
  return errno < 0 ? getSystemErrorMessage(errno) : String(error);
}
