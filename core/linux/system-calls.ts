// The system calls that the project makes, straight into the kernel, whose answer they return: 0 or more, or -errno. Nothing else of
// the running balancer declares a foreign function. (Linux on x64 and arm64.)
//
// Not through libc: its functions answer -1 and leave the error in a variable of the thread, which takes a second call to read. Before
// that V8 may put freshly compiled code in place or collect garbage, wait for a lock of its own, and leave *that* error there: of 29 million
// calls that failed with EBADF, in threads that compiled much, three were read as EAGAIN. A session whose reset is taken for "nothing
// there yet" waits for ever.

import koffi from 'koffi';
import { assert } from '../base/assert.ts';
import { type CallName, callNumber } from './call-numbers.ts';
import { chainCode, singleCallCode } from './machine-code.ts';

/** C types, as koffi writes them. */
type Parameter = 'int' | 'uint32_t' | 'size_t' | 'uintptr_t';

/** A system call: a number for each parameter, addresses too (below 2^47). @returns 0 or more, or -errno */
export type SystemCall<Parameters extends readonly Parameter[]> = (
  ...args: { [Index in keyof Parameters]: number }
) => number;

const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const NO_FILE = -1;

const PAGE_BYTES = 4096;
/** Each function begins on a line of the cache. */
const LINE_BYTES = 64;

/** The C library, for the memory that the functions lie in. */
const libc = koffi.load(null);
const mmap = libc.func('mmap', 'intptr_t', ['uintptr_t', 'size_t', 'int', 'int', 'int', 'intptr_t']);
const mprotect = libc.func('mprotect', 'int', ['uintptr_t', 'size_t', 'int']);
/** libgcc's: a processor may hold what was in this memory before as instructions (arm64). */
const clearCache = libc.func('__clear_cache', 'void', ['uintptr_t', 'uintptr_t']);

/** One page of functions, of this thread: written, then sealed, then called. Never writable and executable at once. */
class Functions {
  readonly #base = Number(mmap(0, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, NO_FILE, 0));
  #bytes = 0;

  /**
   * Its result is an int: of a ssize_t that is the lower half, which is enough, since nobody here asks for 2 GiB, and a number that V8 keeps as a
   * small integer costs 13 ns less than one that it has to box (of 265 ns for a recv that fails).
   */
  add<const P extends readonly Parameter[]>(code: Uint8Array, parameters: P): SystemCall<P> {
    assert(this.#base > 0 && this.#bytes + code.length <= PAGE_BYTES, 'memory for a system call');
    const address = this.#base + this.#bytes;
    koffi.encode(address, koffi.array('uint8_t', code.length), code);
    this.#bytes += Math.ceil(code.length / LINE_BYTES) * LINE_BYTES;
    return koffi.decode(address, koffi.proto(null, 'int', [...parameters]));
  }

  seal(): void {
    assert(mprotect(this.#base, PAGE_BYTES, PROT_READ | PROT_EXEC) === 0, 'system calls may be executed');
    clearCache(this.#base, this.#base + this.#bytes);
  }
}

/** Where shared memory lies in this process. The caller keeps the memory alive for as long as it uses the number. */
export function addressOf(memory: SharedArrayBuffer): number {
  return Number(koffi.address(new Uint8Array(memory)));
}

const functions = new Functions();

/** @param parameters the first; the kernel sees 0 for those left out */
function call<const P extends readonly Parameter[]>(name: CallName, ...parameters: P): SystemCall<P> {
  return functions.add(singleCallCode(process.arch, callNumber(name), parameters.length), parameters);
}

/** A literal, whose fields V8 takes for constants. */
export const systemCalls = {
  // sockets
  socket: call('socket', 'int', 'int', 'int'),
  setsockopt: call('setsockopt', 'int', 'int', 'int', 'uintptr_t', 'uint32_t'),
  getsockopt: call('getsockopt', 'int', 'int', 'int', 'uintptr_t', 'uintptr_t'),
  bind: call('bind', 'int', 'uintptr_t', 'uint32_t'),
  listen: call('listen', 'int', 'int'),
  accept4: call('accept4', 'int', 'uintptr_t', 'uintptr_t', 'int'),
  connect: call('connect', 'int', 'uintptr_t', 'uint32_t'),
  getsockname: call('getsockname', 'int', 'uintptr_t', 'uintptr_t'),
  getpeername: call('getpeername', 'int', 'uintptr_t', 'uintptr_t'),
  recvfrom: call('recvfrom', 'int', 'uintptr_t', 'size_t', 'int'),
  sendto: call('sendto', 'int', 'uintptr_t', 'size_t', 'int'),
  shutdown: call('shutdown', 'int', 'int'),
  ioctl: call('ioctl', 'int', 'uint32_t', 'uintptr_t'),
  // descriptors and pipes
  close: call('close', 'int'),
  close_range: call('close_range', 'uint32_t', 'uint32_t'),
  pipe2: call('pipe2', 'uintptr_t', 'int'),
  fcntl: call('fcntl', 'int', 'int', 'int'),
  read: call('read', 'int', 'uintptr_t', 'size_t'),
  write: call('write', 'int', 'uintptr_t', 'size_t'),
  splice: call('splice', 'int', 'uintptr_t', 'int', 'uintptr_t', 'size_t', 'uint32_t'),
  // events
  epoll_create1: call('epoll_create1', 'int'),
  epoll_ctl: call('epoll_ctl', 'int', 'int', 'int', 'uintptr_t'),
  // arm64 has no epoll_wait; without a signal mask this one is the same.
  epoll_pwait: call('epoll_pwait', 'int', 'uintptr_t', 'int', 'int'),
  eventfd2: call('eventfd2', 'uint32_t', 'int'),
  // asynchronous I/O
  io_setup: call('io_setup', 'uint32_t', 'uintptr_t'),
  io_destroy: call('io_destroy', 'uintptr_t'),
  io_submit: call('io_submit', 'uintptr_t', 'int', 'uintptr_t'),
  io_getevents: call('io_getevents', 'uintptr_t', 'int', 'int', 'uintptr_t'),
  // the process
  prlimit64: call('prlimit64', 'int', 'int', 'uintptr_t', 'uintptr_t'),
  sched_setaffinity: call('sched_setaffinity', 'int', 'size_t', 'uintptr_t'),
  sched_yield: call('sched_yield'),
  exit_group: call('exit_group', 'int'),
};

/** Makes the calls of a chain (chain.ts). @returns the last result */
export const runChain = functions.add(chainCode(process.arch), ['uintptr_t', 'int']);

functions.seal();
