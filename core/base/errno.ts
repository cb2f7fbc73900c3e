// Linux error numbers that the balancer tells apart (errno(3), asm-generic/errno.h; the same on x64 and arm64), and their
// names for people. Calls return them negated: `-EAGAIN`.

export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
const EIO = 5;
export const EBADF = 9;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EBUSY = 16;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const ENOSPC = 28;
export const EPIPE = 32;
export const EPROTO = 71;
export const ENOPROTOOPT = 92;
export const EAFNOSUPPORT = 97;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ENETUNREACH = 101;
export const ECONNABORTED = 103;
export const ECONNRESET = 104;
export const ENOBUFS = 105;
export const ENOTCONN = 107;
export const ETIMEDOUT = 110;
export const ECONNREFUSED = 111;
export const EHOSTUNREACH = 113;
export const EALREADY = 114;
export const EINPROGRESS = 115;

const NAMES: ReadonlyMap<number, readonly [name: string, meaning: string]> = new Map([
  [EPERM, ['EPERM', 'operation not permitted']],
  [ENOENT, ['ENOENT', 'no such thing']],
  [EINTR, ['EINTR', 'interrupted']],
  [EIO, ['EIO', 'input or output error']],
  [EBADF, ['EBADF', 'not an open descriptor']],
  [EAGAIN, ['EAGAIN', 'would block']],
  [ENOMEM, ['ENOMEM', 'out of memory']],
  [EACCES, ['EACCES', 'permission denied']],
  [EBUSY, ['EBUSY', 'busy']],
  [EINVAL, ['EINVAL', 'invalid argument']],
  [ENFILE, ['ENFILE', 'too many open files in the system']],
  [EMFILE, ['EMFILE', 'too many open files in this process']],
  [ENOSPC, ['ENOSPC', 'no space left']],
  [EPIPE, ['EPIPE', 'the other end is closed']],
  [EPROTO, ['EPROTO', 'protocol error']],
  [ENOPROTOOPT, ['ENOPROTOOPT', 'option not available']],
  [EAFNOSUPPORT, ['EAFNOSUPPORT', 'address family not supported']],
  [EADDRINUSE, ['EADDRINUSE', 'address already in use']],
  [EADDRNOTAVAIL, ['EADDRNOTAVAIL', 'address or local port not available']],
  [ENETUNREACH, ['ENETUNREACH', 'network unreachable']],
  [ECONNABORTED, ['ECONNABORTED', 'connection aborted']],
  [ECONNRESET, ['ECONNRESET', 'connection reset by peer']],
  [ENOBUFS, ['ENOBUFS', 'no buffer space']],
  [ENOTCONN, ['ENOTCONN', 'not connected']],
  [ETIMEDOUT, ['ETIMEDOUT', 'timed out']],
  [ECONNREFUSED, ['ECONNREFUSED', 'connection refused']],
  [EHOSTUNREACH, ['EHOSTUNREACH', 'no route to host']],
  [EALREADY, ['EALREADY', 'already in progress']],
  [EINPROGRESS, ['EINPROGRESS', 'in progress']],
]);

/** @param errno positive error number; 0 gives the empty string */
export function errnoName(errno: number): string {
  if (errno === 0) return '';
  return NAMES.get(errno)?.[0] ?? `errno ${errno}`;
}

/** `ECONNREFUSED (connection refused)` */
export function describeErrno(errno: number): string {
  const entry = NAMES.get(errno);
  return entry === undefined ? `errno ${errno}` : `${entry[0]} (${entry[1]})`;
}

/** What says nothing about the other side of a connection: we ran out of ports, descriptors, memory or watches. */
const SHORTAGES: ReadonlySet<number> = new Set([EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC]);

export function isLocalShortage(errno: number): boolean {
  return SHORTAGES.has(errno);
}
