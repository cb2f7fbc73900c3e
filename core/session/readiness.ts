// What is known of a side between edges: may it be read, may it be written, has it ended. Events and results of reads go in;
// the flags of table.ts come out. It moves no bytes and closes nothing.

import { EAGAIN, ECONNRESET, EPIPE } from '../base/errno.ts';
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP } from '../linux/kernel.ts';
import { IN, noteOutcome, WHO } from './outcome.ts';
import type { Shard } from './shard.ts';
import {
  FIN_SEEN,
  FRONT,
  get,
  HUNG_UP,
  MISCOUNTED,
  READ_ENDED,
  READ_FAILED,
  READABLE,
  type SessionTable,
  UNSURE,
  URGENT,
  WRITABLE,
} from './table.ts';

/** Then a short read proves nothing: it may have stopped at an urgent mark, or in front of an error. */
const DOUBTFUL = EPOLLPRI | EPOLLHUP | EPOLLERR;

/** Takes an event's mask into the flags of `side` (an index of the two-per-slot arrays). */
export function noteEvent(table: SessionTable, side: number, mask: number): void {
  let flags = get(table.sideFlags, side);
  if ((mask & (EPOLLIN | EPOLLRDHUP | DOUBTFUL)) !== 0) flags |= READABLE;
  if ((mask & (EPOLLOUT | EPOLLHUP | EPOLLERR)) !== 0) flags |= WRITABLE;
  if ((mask & EPOLLRDHUP) !== 0) flags |= FIN_SEEN;
  if ((mask & DOUBTFUL) !== 0) flags |= UNSURE;
  if ((mask & EPOLLPRI) !== 0) flags |= URGENT | MISCOUNTED;
  if ((mask & (EPOLLHUP | EPOLLERR)) !== 0) flags |= HUNG_UP;
  table.sideFlags[side] = flags;
}

/**
 * Takes the result of a read from one side into its flags and counters.
 * @param n result of recv(2) or splice(2) @param wanted bytes asked for
 * @returns bytes read, 0 when there were none: nothing there, the end of the stream, or an error
 */
export function noteRead(shard: Shard, slot: number, from: number, n: number, wanted: number): number {
  const { table } = shard;
  const side = slot * 2 + from;
  const flags = get(table.sideFlags, side);
  if (n > 0) {
    table.bytesFrom[side] = get(table.bytesFrom, side) + n;
    table.activeMs[slot] = shard.nowMs;
    if (from !== FRONT && table.firstByteMs[slot] === 0) table.firstByteMs[slot] = shard.nowMs;
    // A short read has emptied the queue, unless an event left that in doubt. Where the FIN was in the queue too, it was read with
    // the last bytes (tcp_recvmsg looks for more until it meets it), and asking again would only confirm it.
    if (n < wanted && (flags & UNSURE) === 0) {
      table.sideFlags[side] = (flags & FIN_SEEN) === 0 ? flags & ~READABLE : flags | READ_ENDED;
    }
    return n;
  }
  if (n === -EAGAIN) {
    table.sideFlags[side] = flags & ~(READABLE | UNSURE | URGENT);
    return 0;
  }
  if (n < 0) noteFirstErrno(table, side, -n);
  // The other direction has its time from now on, however long this one has been silent.
  table.activeMs[slot] = shard.nowMs;
  const failed = n < 0 || hasFailed(shard, side);
  table.sideFlags[side] = flags | (failed ? READ_FAILED : READ_ENDED);
  if (failed) noteOutcome(table, slot, from === FRONT ? WHO.client : WHO.node, IN.data);
  return 0;
}

/**
 * Whether a stream whose end was just read has come to it by a reset: where a write or SO_ERROR has
 * consumed the error, the end looks like an orderly one. After EPIPE it may be: that is what a
 * write hears when the peer's FIN came before its reset. But a splice(2) that meets the reset
 * between two of its steps consumes it too, says how far it came, and the next one hears EPIPE.
 */
function hasFailed(shard: Shard, side: number): boolean {
  const { firstErrno } = shard.table;
  if (get(firstErrno, side) === EPIPE && !hasFinCome(shard, side)) firstErrno[side] = ECONNRESET;
  const errno = get(firstErrno, side);
  return errno !== 0 && errno !== EPIPE;
}

/**
 * The kernel counts a FIN as one byte received, which nobody can have read. In every doubt there
 * was none: a FIN would be a promise.
 */
function hasFinCome({ kernel, table }: Shard, side: number): boolean {
  if ((get(table.sideFlags, side) & MISCOUNTED) !== 0) return false;
  const fd = get(table.fd, side) - 1;
  return kernel.received(fd) - get(table.bytesFrom, side) - kernel.unread(fd) === 1;
}

/** Keeps the first error of a socket. */
export function noteFirstErrno(table: SessionTable, side: number, errno: number): void {
  if (get(table.firstErrno, side) === 0) table.firstErrno[side] = errno;
}
