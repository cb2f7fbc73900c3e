// Stage 5, relay: moves bytes both ways until both directions have ended. One `pump`, used for each direction; it copies at
// first and splices when that pays. What becomes of a session whose directions have ended is decided in settle.ts.

import { assert } from '../base/assert.ts';
import { EAGAIN, EINVAL } from '../base/errno.ts';
import { NOT_DONE } from '../linux/kernel.ts';
import { add, SHARD } from '../metrics/counters.ts';
import { RELAY_BYTES_PER_TURN } from './limits.ts';
import { considerMark } from './low-water.ts';
import { IN, noteOutcome, WHO } from './outcome.ts';
import { dropPending, hasPending, hasRoom, hold, releasePipe, releaseSpill, takePipe } from './pending.ts';
import { noteFirstErrno, noteRead } from './readiness.ts';
import { settle } from './settle.ts';
import { enqueue, enqueueBulk, type Shard } from './shard.ts';
import { spillBlockAt } from './spill.ts';
import {
  BACK,
  FRONT,
  get,
  HOLDS,
  IN_STREAK,
  KEPT_ALIVE,
  MISCOUNTED,
  NO_DELAY,
  READ_ENDED,
  READ_FAILED,
  READABLE,
  type SessionTable,
  SPLICING,
  UNSURE,
  URGENT,
  WRITABLE,
  WRITE_BROKEN,
  WRITE_ENDED,
} from './table.ts';

/** bursts below this on average are better copied: three calls for a splice, two for a copy */
const TRICKLE_BYTES = 16384;

/** reads from this on speak for a bulk transfer; twice the trickle, so that a direction does not flutter between the two ways */
const BULK_READ_BYTES = 2 * TRICKLE_BYTES;

/** far more than any threshold, far from the end of an int32 */
const STREAK_MAX = 2 ** 30;

export function relay(shard: Shard, slot: number): void {
  pump(shard, slot, FRONT);
  pump(shard, slot, BACK);
  settle(shard, slot);
}

/** Moves bytes from one side to the other until one of them cannot go on, or the turn's budget is used up. */
function pump(shard: Shard, slot: number, from: number): void {
  const { sideFlags } = shard.table;
  const src = slot * 2 + from;
  const dst = slot * 2 + (1 - from);
  let moved = 0;
  for (;;) {
    if (hasPending(shard.table, src) && !flush(shard, slot, src, dst)) return;
    const flags = get(sideFlags, src);
    if ((flags & (READ_ENDED | READ_FAILED)) !== 0) {
      if ((flags & READ_ENDED) !== 0) passFin(shard, src, dst);
      return releasePipe(shard, src);
    }
    // Never read what the other side is known not to take. Whoever does not go on needs no pipe.
    const mayWrite = (get(sideFlags, dst) & (WRITABLE | WRITE_BROKEN)) === WRITABLE;
    if ((flags & READABLE) === 0 || !mayWrite) return releasePipe(shard, src);
    if (moved >= RELAY_BYTES_PER_TURN) return enqueueBulk(shard, slot);
    // splice(2) answers EAGAIN for ever at an urgent mark; recv(2) only stops there once.
    const splices = (flags & (SPLICING | URGENT)) === SPLICING;
    const n = splices ? spliceOnce(shard, slot, src) : copyOnce(shard, slot, src, dst);
    if (n < 0) return;
    moved += n;
    shard.bulkBytes += n;
  }
}

/**
 * Sets TCP_NODELAY, or a write would wait until the one before is acknowledged (RFC 9293, 3.7.4). The first on a connection waits for
 * nothing if it fits a segment, and many sessions write no more than that to their node: they are spared the call.
 */
export function sendAtOnce(shard: Shard, side: number): void {
  const { kernel, table } = shard;
  const flags = get(table.sideFlags, side);
  if ((flags & NO_DELAY) !== 0) return;
  table.sideFlags[side] = flags | NO_DELAY;
  kernel.setOption(get(table.fd, side) - 1, 'no-delay', 1);
}

/** @returns bytes read, 0 for none, or -1 when the direction has to wait for the other side */
function copyOnce(shard: Shard, slot: number, src: number, dst: number): number {
  const { kernel, layout, settings, table } = shard;
  if (!hasRoom(shard, src)) return passOnly(shard, slot, src, dst);
  const wanted = settings.bufferBytes;
  const got = noteRead(shard, slot, src & 1, kernel.recv(get(table.fd, src) - 1, layout.scratchAt, wanted), wanted);
  if (got === 0) return 0;
  sendAtOnce(shard, dst);
  const to = get(table.fd, dst) - 1;
  const isLast = (get(table.sideFlags, src) & READ_ENDED) !== 0;
  const sent = isLast ? sendLast(shard, src, dst, got) : kernel.send(to, layout.scratchAt, got);
  noteSent(shard, src, layout.scratchAt, got, sent);
  noteStreak(shard, src, got, wanted);
  return got;
}

/** The last bytes of a direction share a segment with the FIN behind them: one packet less for everybody on the way. */
function sendLast(shard: Shard, src: number, dst: number, bytes: number): number {
  const { kernel, layout, table } = shard;
  const to = get(table.fd, dst) - 1;
  // Where the other direction has ended too, the close that follows says it.
  if ((get(table.sideFlags, src) & WRITE_ENDED) !== 0) return kernel.sendMore(to, layout.scratchAt, bytes);
  const sent = kernel.sendLast(to, layout.scratchAt, bytes);
  if (sent === bytes) table.sideFlags[dst] = get(table.sideFlags, dst) | WRITE_ENDED;
  return sent;
}

/**
 * Takes the result of the write that follows a read by copying. What was not taken is held; the caller has made sure of room.
 * @param src the side that was read from @param at where the bytes lie @param sent result of send(2)
 */
function noteSent(shard: Shard, src: number, at: number, got: number, sent: number): void {
  const { table } = shard;
  const slot = src >> 1;
  const dst = src ^ 1;
  if (sent < 0 && sent !== -EAGAIN) {
    table.bytesLost[slot] = get(table.bytesLost, slot) + got;
    return breakWrite(shard, slot, src, dst, -sent);
  }
  const taken = Math.max(sent, 0);
  table.bytesTo[dst] = get(table.bytesTo, dst) + taken;
  if (taken < got) {
    table.sideFlags[dst] = get(table.sideFlags, dst) & ~WRITABLE;
    hold(shard, slot, src, at + taken, got - taken);
  }
}

/** Whether the next bytes from this side are simply to be read and written: nothing waits, nothing ends, and nobody stalls. */
export function isCopyable(table: SessionTable, src: number): boolean {
  const from = get(table.sideFlags, src);
  const to = get(table.sideFlags, src ^ 1);
  return (
    (from & ~(READABLE | NO_DELAY | KEPT_ALIVE | IN_STREAK | MISCOUNTED)) === WRITABLE &&
    (to & ~(READABLE | KEPT_ALIVE | IN_STREAK | HOLDS | MISCOUNTED)) === (WRITABLE | NO_DELAY)
  );
}

/**
 * A read and a write that were carried out with those of other sessions (batch.ts), of a direction that was copyable. What they leave to be
 * done is done now.
 * @param at where the bytes lie @param n result of recv(2) @param sent result of send(2); NOT_DONE: it was not carried out
 */
export function relayCopied(shard: Shard, src: number, at: number, n: number, sent: number): void {
  const { table } = shard;
  const slot = src >> 1;
  noteCopied(shard, src, at, n, sent);
  const isDone = (get(table.sideFlags, src) & (READABLE | READ_ENDED | READ_FAILED)) === 0;
  if (!isDone || (get(table.sideFlags, src ^ 1) & WRITE_BROKEN) !== 0) relay(shard, slot);
}

/** The same, but nothing else is done: for a successor. */
export function noteCopied(shard: Shard, src: number, at: number, n: number, sent: number): void {
  const { batch, kernel, table } = shard;
  const slot = src >> 1;
  table.sideFlags[src] = get(table.sideFlags, src) | READABLE;
  const got = noteRead(shard, slot, src & 1, n, batch.wanted);
  if (got === 0) return;
  noteSent(shard, src, at, got, sent === NOT_DONE ? kernel.send(get(table.fd, src ^ 1) - 1, at, got) : sent);
  noteStreak(shard, src, got, batch.wanted);
}

/**
 * A copy that keeps nothing: only what the other side takes leaves the queue it is in. For when there is neither a spill block nor
 * a pipe to hold the rest; peers that do not read must not stop those that do.
 */
function passOnly(shard: Shard, slot: number, src: number, dst: number): number {
  const { counters, kernel, layout, settings, table } = shard;
  const from = get(table.fd, src) - 1;
  const seen = kernel.peek(from, layout.scratchAt, settings.bufferBytes);
  if (seen <= 0) return noteRead(shard, slot, src & 1, seen, settings.bufferBytes);
  add(counters.shard, SHARD.readsWithoutRoom, 1);
  sendAtOnce(shard, dst);
  const sent = kernel.send(get(table.fd, dst) - 1, layout.scratchAt, seen);
  if (sent < 0 && sent !== -EAGAIN) {
    breakWrite(shard, slot, src, dst, -sent);
    return -1;
  }
  const taken = Math.max(sent, 0);
  if (taken < seen) table.sideFlags[dst] = get(table.sideFlags, dst) & ~WRITABLE;
  // In pieces only where an urgent mark has arrived meanwhile: recv(2) stops there once.
  for (let left = taken; left > 0; ) {
    const n = kernel.discard(from, left);
    assert(n > 0, 'bytes that were seen are gone');
    left -= n;
  }
  table.bytesTo[dst] = get(table.bytesTo, dst) + taken;
  return taken === 0 ? -1 : noteRead(shard, slot, src & 1, taken, taken);
}

/**
 * Big reads show a bulk transfer: from some point on it is spliced. They need not be full ones: where we are faster than the sender
 * every third read is short, for as long as the transfer lasts (seen: gigabytes copied at twice the cost).
 * @param bytes of a read that asked for `wanted`; one that got all it asked for is big, however little that was
 */
function noteStreak(shard: Shard, src: number, bytes: number, wanted: number): void {
  const { settings, table } = shard;
  if (settings.splice === 'off') return;
  const before = streakOf(table, src);
  const isBig = bytes >= Math.min(BULK_READ_BYTES, wanted);
  const streak = isBig ? before + bytes : before >> 1;
  if (streak !== before) setStreak(table, src, streak);
  if (streak >= settings.spliceAfterBytes || settings.splice === 'on') {
    table.sideFlags[src] = get(table.sideFlags, src) | SPLICING;
  }
}

function streakOf(table: SessionTable, side: number): number {
  return (get(table.sideFlags, side) & IN_STREAK) === 0 ? 0 : get(table.streak, side);
}

function setStreak(table: SessionTable, side: number, streak: number): void {
  const flags = get(table.sideFlags, side);
  table.streak[side] = Math.min(streak, STREAK_MAX);
  table.sideFlags[side] = streak > 0 ? flags | IN_STREAK : flags & ~IN_STREAK;
}

/**
 * One splice from the socket into the direction's empty pipe; `pump` empties it before the next. Only into an empty pipe does
 * EAGAIN mean that the socket is drained: a pipe can be full with a few small segments, one to a slot.
 * @returns bytes read, or 0
 */
function spliceOnce(shard: Shard, slot: number, src: number): number {
  const { kernel, pipes, table } = shard;
  const pipe = takePipe(shard, src);
  if (pipe < 0) {
    table.sideFlags[src] = get(table.sideFlags, src) & ~SPLICING;
    setStreak(table, src, 0);
    return 0;
  }
  const wanted = pipes.size(pipe);
  const n = kernel.splice(get(table.fd, src) - 1, pipes.writeFd(pipe), wanted);
  if (n > 0) {
    table.pipeFill[src] = n;
    setStreak(table, src, streakOf(table, src) + n);
    considerMark(shard, src);
    // A short splice proves nothing: slots may have run out before bytes did. `wanted` = n keeps the side readable.
    return noteRead(shard, slot, src & 1, n, n);
  }
  return spliceStopped(shard, slot, src, n);
}

/** A splice that read nothing. The pipe goes back; after a small burst, and in every doubt, the direction copies again. */
function spliceStopped(shard: Shard, slot: number, src: number, n: number): number {
  const { settings, table } = shard;
  releasePipe(shard, src);
  // Half of what was before counts on: the mean of the last bursts decides, not one short one in the midst of a transfer.
  const burst = streakOf(table, src);
  const isTrickle = burst < TRICKLE_BYTES && settings.splice !== 'on';
  setStreak(table, src, isTrickle ? 0 : burst >> 1);
  if (n !== -EAGAIN || isTrickle) table.sideFlags[src] = get(table.sideFlags, src) & ~SPLICING;
  // Not the end of the stream: splice(2) also answers 0 in front of an urgent mark once the FIN is there, with bytes behind the
  // mark. What it is, recv(2) tells.
  if (n !== 0 && n !== -EINVAL) noteRead(shard, slot, src & 1, n, 0);
  return 0;
}

/** Passes on what waits of the direction that reads from `src`. @returns false while some of it still waits */
function flush(shard: Shard, slot: number, src: number, dst: number): boolean {
  if ((get(shard.table.sideFlags, dst) & WRITABLE) === 0) return false;
  sendAtOnce(shard, dst);
  return flushPipe(shard, slot, src, dst) && flushSpill(shard, slot, src, dst);
}

function flushPipe(shard: Shard, slot: number, src: number, dst: number): boolean {
  const { kernel, pipes, table } = shard;
  let fill = get(table.pipeFill, src);
  const pipe = get(table.pipe, src) - 1;
  while (fill > 0) {
    const n = kernel.splice(pipes.readFd(pipe), get(table.fd, dst) - 1, fill);
    if (n <= 0) return writeStopped(shard, slot, src, dst, n);
    fill -= n;
    table.pipeFill[src] = fill;
    table.bytesTo[dst] = get(table.bytesTo, dst) + n;
    table.bytesSpliced[slot] = get(table.bytesSpliced, slot) + n;
    table.activeMs[slot] = shard.nowMs;
  }
  return true;
}

function flushSpill(shard: Shard, slot: number, src: number, dst: number): boolean {
  const { kernel, spill, table } = shard;
  if (get(table.spill, src) === 0) return true;
  const block = get(table.spill, src) - 1;
  for (;;) {
    const from = get(table.spillFrom, src);
    const left = get(table.spillTo, src) - from;
    if (left === 0) break;
    const n = kernel.send(get(table.fd, dst) - 1, spillBlockAt(spill, block) + from, left);
    if (n <= 0) return writeStopped(shard, slot, src, dst, n);
    table.spillFrom[src] = from + n;
    table.bytesTo[dst] = get(table.bytesTo, dst) + n;
    table.activeMs[slot] = shard.nowMs;
  }
  releaseSpill(shard, src);
  return true;
}

/** A write that took nothing. @returns false while the bytes wait, true when there is nothing left to wait for */
function writeStopped(shard: Shard, slot: number, src: number, dst: number, n: number): boolean {
  const { table } = shard;
  if (n === -EAGAIN || n === 0) {
    table.sideFlags[dst] = get(table.sideFlags, dst) & ~WRITABLE;
    return false;
  }
  breakWrite(shard, slot, src, dst, -n);
  return true;
}

/** A write error stops its own direction only: what the broken side still has to say is read to its end. */
export function breakWrite(shard: Shard, slot: number, src: number, dst: number, errno: number): void {
  const { table } = shard;
  noteFirstErrno(table, dst, errno);
  table.activeMs[slot] = shard.nowMs;
  table.sideFlags[dst] = get(table.sideFlags, dst) | WRITE_BROKEN | READABLE | UNSURE;
  noteOutcome(table, slot, (dst & 1) === FRONT ? WHO.client : WHO.node, IN.data);
  dropPending(shard, slot, src);
  // The front is pumped first: it has had its turn.
  if ((dst & 1) === FRONT) enqueue(shard, slot);
}

/** The source has ended and all its bytes are passed on: so is its FIN, once. */
function passFin(shard: Shard, src: number, dst: number): void {
  const { kernel, table } = shard;
  const flags = get(table.sideFlags, dst);
  if ((flags & (WRITE_ENDED | WRITE_BROKEN)) !== 0) return;
  table.sideFlags[dst] = flags | WRITE_ENDED;
  // Where the other direction has ended too, the close that follows says it.
  if ((get(table.sideFlags, src) & WRITE_ENDED) === 0) kernel.shutdownWrite(get(table.fd, dst) - 1);
}
