// From what perf and strace say about system calls to how often each was made. Pure: their text in, values out.

/** name -> how often, with nothing that was never called. `total` is at least their sum: perf is asked about the usual ones only. */
export interface CallCounts {
  calls: Map<string, number>;
  total: number;
}

/** The same per connection, request or MiB. */
export interface CallRates {
  calls: Record<string, number>;
  total: number;
}

const ENTER = 'syscalls:sys_enter_';
/** every system call, whichever */
const ANY_CALL = 'raw_syscalls:sys_enter';

/** What relays of TCP connections use, in one dress or another. Each event costs perf some 30 ms to take down: all 350 of them
 * would take longer than the measurement. What is not here is still in the total. */
const USUAL_CALLS = [
  ...[
    'accept',
    'accept4',
    'bind',
    'connect',
    'getpeername',
    'getsockname',
    'getsockopt',
    'setsockopt',
    'shutdown',
    'socket',
  ],
  ...['close', 'fcntl', 'ioctl', 'pipe2', 'dup3'],
  ...['read', 'readv', 'recvfrom', 'recvmsg', 'write', 'writev', 'sendto', 'sendmsg', 'sendfile64', 'splice'],
  ...['epoll_ctl', 'epoll_wait', 'epoll_pwait', 'epoll_pwait2', 'poll', 'ppoll', 'io_uring_enter'],
  ...['futex', 'sched_yield', 'madvise', 'mmap', 'munmap', 'mprotect', 'gettid', 'getpid', 'timerfd_settime'],
] as const;

/** @param exists whether this kernel has the event: no two architectures have the same system calls */
export function callEvents(exists: (call: string) => boolean): string[] {
  return [ANY_CALL, ...USUAL_CALLS.filter(exists).map((call) => `${ENTER}${call}`)];
}

/** @param text of `perf stat -x,`: count, unit, event, … per line */
export function parsePerfCounts(text: string): CallCounts {
  const calls = new Map<string, number>();
  let total = 0;
  for (const line of text.split('\n')) {
    const [count = '', , event = ''] = line.split(',');
    // `<not counted>`: nothing happened while it was on.
    if (!/^\d+$/.test(count) || count === '0') continue;
    if (event === ANY_CALL) total = Number(count);
    else if (event.startsWith(ENTER)) calls.set(event.slice(ENTER.length), Number(count));
  }
  return { calls, total: Math.max(total, sumOf(calls)) };
}

/** @param text of `strace -c`: a table of % time, seconds, usecs/call, calls, errors (may be blank), name */
export function parseStraceCounts(text: string): CallCounts {
  const calls = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, count, name] = line.match(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?([a-z]\w*)$/) ?? [];
    if (count !== undefined && name !== undefined && name !== 'total') calls.set(name, Number(count));
  }
  return { calls, total: sumOf(calls) };
}

export function ratesOf({ calls, total }: CallCounts, units: number): CallRates {
  return {
    calls: Object.fromEntries([...calls].map(([name, count]) => [name, count / units])),
    total: total / units,
  };
}

function sumOf(calls: ReadonlyMap<string, number>): number {
  return [...calls.values()].reduce((sum, count) => sum + count, 0);
}
