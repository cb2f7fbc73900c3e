// The C library, loaded once per thread, and the one way to call it: `-errno` instead of -1, EINTR retried. Nothing else in
// the project declares a foreign function. (Linux with glibc, x64 and arm64.)

import koffi from 'koffi';
import { EINTR } from '../base/errno.ts';

const libc = koffi.load(null);

/** A libc function with integer arguments and an integer result; addresses are passed as numbers (below 2^47). */
export type Call = (...args: number[]) => number;

/**
 * Declares a libc function whose result is an int, or a ssize_t of which the lower half is enough: nobody here asks for 2 GiB, and a
 * number that V8 keeps as a small integer costs 13 ns less than one that it has to box (of 265 ns for a recv that fails).
 * @param args C types of the arguments
 */
export function declare(name: string, args: readonly string[]): Call {
  return libc.func(name, 'int', [...args]);
}

/** The error of the call just made. It must be the very next thing to happen: any other call may overwrite errno. */
export function lastError(): number {
  return -koffi.errno();
}

/** True when the call just made was only interrupted. Leaves errno as it is. */
export function interrupted(): boolean {
  return koffi.errno() === EINTR;
}

/** Where shared memory lies in this process. The caller keeps the memory alive for as long as it uses the number. */
export function addressOf(memory: SharedArrayBuffer): number {
  return Number(koffi.address(new Uint8Array(memory)));
}
