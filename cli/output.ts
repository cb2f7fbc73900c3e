// What verbs print: data on stdout, messages on stderr, written at once and to the end, and known to be written. Node.js's own streams
// tell of a full disk in an event behind the process's back, and the exit code was 0. A reader who goes away (EPIPE: `| head`) has seen
// enough: that is no failure, and nothing is said.
//
// Not for `run`, which nothing here may hold up: see messages.ts.

import { closeSync, fstatSync, fsyncSync, writeSync } from 'node:fs';
import { getSystemErrorMessage } from 'node:util';
import { EXIT_FAILURE, EXIT_OK } from './exit.ts';

const STDOUT = 1;
const STDERR = 2;
/** of a descriptor that somebody has set to non-blocking */
const FULL_MS = 10;
const READER_GONE = 'EPIPE';

interface Output {
  readonly fd: number;
  /** the first that went wrong; nothing is written after it */
  failure: unknown;
}

const stdout: Output = { fd: STDOUT, failure: undefined };
const stderr: Output = { fd: STDERR, failure: undefined };

/** Data. @returns whether all of it was written, now or ever before */
export function print(text: string): boolean {
  return write(stdout, text);
}

/** Messages. @returns whether all of them were written, now or ever before */
export function say(text: string): boolean {
  return write(stderr, text);
}

/** For data that there is only once: what was printed is on the disk, where it went to one. @returns whether all of it is */
export function printLasting(text: string): boolean {
  return write(stdout, text) && attempt(stdout, () => fstatSync(STDOUT).isFile() && fsyncSync(STDOUT));
}

/** The reader of stdout has gone away, and wants to hear no more. */
export function isReaderGone(): boolean {
  return codeOf(stdout.failure) === READER_GONE;
}

/** @returns what went wrong with a file or stream: `no space left on device (ENOSPC)` */
export function reasonOf(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : 0;
  return errno < 0 ? `${getSystemErrorMessage(errno)} (${codeOf(error)})` : String(error);
}

/** The last thing that a verb does. @param code of the verb @returns that of the process: nobody has what could not be printed */
export function finish(code: number): number {
  // A file system may tell only now that it had no room.
  attempt(stdout, () => fstatSync(STDOUT).isFile() && closeSync(STDOUT));
  if (hasFailed(stdout)) say(`balancer: stdout cannot be written: ${reasonOf(stdout.failure)}\n`);
  return code === EXIT_OK && (hasFailed(stdout) || hasFailed(stderr)) ? EXIT_FAILURE : code;
}

function hasFailed({ failure }: Output): boolean {
  return failure !== undefined && codeOf(failure) !== READER_GONE;
}

function write(output: Output, text: string): boolean {
  return attempt(output, () => writeAll(output.fd, Buffer.from(text)));
}

function attempt(output: Output, work: () => unknown): boolean {
  if (output.failure !== undefined) return false;
  try {
    work();
    return true;
  } catch (error) {
    output.failure = error;
    return false;
  }
}

export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_MS);
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
