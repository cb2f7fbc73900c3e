// Stage 6, close: the one gate through which every session ends, and the two ways of ending slowly:
// resetting (a side is to be reset, but our bytes are still on their way) and lingering (closing
// with input unread would become a reset and cut the tail of what we sent). A slot returns only
// here. Who gets a FIN and who a reset is told in cut.ts.

import { EAGAIN } from '../base/errno.ts';
import { ENDPOINTS_BYTES } from '../base/ip.ts';
import { EPOLLERR } from '../linux/kernel.ts';
import { add, FRONTEND, FRONTEND_STRIDE, NODE, NODE_STRIDE, SHARD } from '../metrics/counters.ts';
import { record } from '../metrics/histogram.ts';
import { beginRecord, commitRecord, endpointsIndex, LOG_FIELDS } from '../metrics/session-log.ts';
import { release, releaseNode } from './admission.ts';
import { resetIfCut } from './cut.ts';
import { LINGER_BYTES_PER_TURN, RESET_POLL_MS } from './limits.ts';
import { WHO } from './outcome.ts';
import { dropPending } from './pending.ts';
import { callNext, leaveQueue } from './queue.ts';
import { enqueue, type Shard } from './shard.ts';
import {
  BACK,
  FRONT,
  get,
  giveSlot,
  HUNG_UP,
  PHASE_FREE,
  PHASE_LINGERING,
  PHASE_QUEUED,
  PHASE_RESETTING,
  READ_FAILED,
  READABLE,
  type SessionTable,
  WRITE_BROKEN,
  WRITE_ENDED,
} from './table.ts';

const CLIENT = WHO.client.charCodeAt(0);
const NODE_ITSELF = WHO.node.charCodeAt(0);

const NO_SIDE = -1;

/** Closes one socket. The number is forgotten first: rather leak a descriptor than close somebody else's. */
export function closeSide(shard: Shard, slot: number, which: number): void {
  const { kernel, table } = shard;
  const side = slot * 2 + which;
  const fd = get(table.fd, side) - 1;
  if (fd < 0) return;
  table.fd[side] = 0;
  kernel.close(fd);
}

/** The same, of a side that a session has spoken to. */
function endSide(shard: Shard, slot: number, which: number): void {
  resetIfCut(shard.kernel, shard.table, slot * 2 + which);
  closeSide(shard, slot, which);
}

/**
 * Ends what is open of both. The second socket nearly always got the number after the first one's,
 * since both are the lowest that are free: then one call closes the two.
 */
function endSides(shard: Shard, slot: number): void {
  const { kernel, table } = shard;
  const front = slot * 2 + FRONT;
  const back = slot * 2 + BACK;
  const fd = get(table.fd, front) - 1;
  if (fd < 0 || get(table.fd, back) - 1 !== fd + 1) {
    endSide(shard, slot, FRONT);
    endSide(shard, slot, BACK);
    return;
  }
  resetIfCut(kernel, table, front);
  resetIfCut(kernel, table, back);
  table.fd[front] = 0;
  table.fd[back] = 0;
  kernel.closeTwo(fd);
}

/**
 * Ends a session now, whatever it has come to. What it still held is lost, and counted; both
 * sockets are closed, and what is in their send queues is lost too where a reset is due.
 */
export function endSession(shard: Shard, slot: number): void {
  const { table } = shard;
  dropPending(shard, slot, slot * 2 + FRONT);
  dropPending(shard, slot, slot * 2 + BACK);
  endSides(shard, slot);
  shard.wheel.disarm(slot);
  if (table.phase[slot] === PHASE_QUEUED) leaveQueue(shard, slot);
  countEnd(shard, slot);
  countCut(shard, slot);
  recordTimes(shard, slot);
  if (shard.settings.logSessions) logEnd(shard, slot);
  giveSlot(table, slot);
  release(shard);
  // A listener that waits at the connection limit, or for a descriptor, need not wait out its pause.
  if (shard.resumeAtMs !== Number.POSITIVE_INFINITY) shard.resumeAtMs = shard.nowMs;
}

/**
 * The last resort for a session whose orderly end has thrown: what can still be trusted is that its sockets must close and its slot
 * return. Its pipes and spill block are not given back; nobody knows what is in them.
 */
export function dropSession(shard: Shard, slot: number): void {
  endSide(shard, slot, FRONT);
  endSide(shard, slot, BACK);
  shard.wheel.disarm(slot);
  if (get(shard.table.phase, slot) === PHASE_FREE) return;
  if (shard.table.phase[slot] === PHASE_QUEUED) leaveQueue(shard, slot);
  if (get(shard.table.node, slot) !== 0) releaseNode(shard, get(shard.table.node, slot) - 1);
  add(shard.counters.shard, SHARD.ended, 1);
  const frontendRow = get(shard.table.frontend, slot) - 1;
  add(shard.counters.frontends, frontendRow * FRONTEND_STRIDE + FRONTEND.ended, 1);
  add(shard.counters.frontends, frontendRow * FRONTEND_STRIDE + FRONTEND.active, -1);
  callNext(shard, frontendRow);
  giveSlot(shard.table, slot);
  release(shard);
}

/** One side was reset: the other shall be too, as soon as its peer has all that came before. */
export function beginResetting(shard: Shard, slot: number, which: number): void {
  closeSide(shard, slot, 1 - which);
  resetWhenDelivered(shard, slot);
}

/**
 * The session's time is up: both sides are ended, as soon as their peers have all that was passed
 * on. Where that includes the FIN, the kernel sees to it after the close; but input that nobody has
 * read would make the close a reset, which must not overtake it.
 */
export function giveUpSession(shard: Shard, slot: number): void {
  for (let which = FRONT; which <= BACK; which++) {
    if (isGone(shard.table, slot * 2 + which) || isLeftToKernel(shard, slot * 2 + which)) endSide(shard, slot, which);
  }
  resetWhenDelivered(shard, slot);
}

/**
 * It was reset: nothing that is on its way to it will arrive. A hang-up is one where it does not
 * follow from both FINs.
 */
function isGone({ sideFlags }: SessionTable, side: number): boolean {
  const flags = get(sideFlags, side);
  return (flags & (WRITE_BROKEN | READ_FAILED)) !== 0 || (flags & (HUNG_UP | WRITE_ENDED)) === HUNG_UP;
}

function isLeftToKernel({ kernel, table }: Shard, side: number): boolean {
  return (get(table.sideFlags, side) & WRITE_ENDED) !== 0 && kernel.unread(get(table.fd, side) - 1) === 0;
}

function resetWhenDelivered(shard: Shard, slot: number): void {
  const { table } = shard;
  dropPending(shard, slot, slot * 2 + FRONT);
  dropPending(shard, slot, slot * 2 + BACK);
  table.phase[slot] = PHASE_RESETTING;
  table.phaseMs[slot] = shard.nowMs;
  table.unsentSeen[slot] = Number.POSITIVE_INFINITY;
  continueResetting(shard, slot, FRONT, 0);
}

/**
 * Linux does not say when a send queue has run empty: it is asked. As long as what is on its way
 * becomes less, the peers are given time.
 * @param which side an event came from @param mask of that event, or 0
 */
export function continueResetting(shard: Shard, slot: number, which: number, mask: number): void {
  const { settings, table } = shard;
  // After a reset of a side, its count would stand still for ever.
  const gone = (mask & EPOLLERR) !== 0 ? slot * 2 + which : NO_SIDE;
  const unsent = resetDelivered(shard, slot * 2 + FRONT, gone) + resetDelivered(shard, slot * 2 + BACK, gone);
  if (unsent < get(table.unsentSeen, slot)) {
    table.unsentSeen[slot] = unsent;
    table.phaseMs[slot] = shard.nowMs;
  }
  if (unsent > 0 && shard.nowMs < get(table.phaseMs, slot) + settings.lingerTimeoutMs) {
    shard.wheel.arm(slot, shard.nowMs + RESET_POLL_MS);
    return;
  }
  endSession(shard, slot);
}

/**
 * Resets a side once its peer has everything, or is gone.
 * @returns bytes that are still on their way to it
 */
function resetDelivered(shard: Shard, side: number, gone: number): number {
  const fd = get(shard.table.fd, side) - 1;
  if (fd < 0) return 0;
  const unsent = side === gone ? 0 : shard.kernel.unsent(fd);
  if (unsent > 0) return unsent;
  endSide(shard, side >> 1, side & 1);
  return 0;
}

/** The node is gone, the client has the whole answer and our FIN: read on, so that the close does not become a reset. */
export function beginLingering(shard: Shard, slot: number): void {
  const { table } = shard;
  closeSide(shard, slot, BACK);
  dropPending(shard, slot, slot * 2 + FRONT);
  table.phase[slot] = PHASE_LINGERING;
  table.phaseMs[slot] = shard.nowMs;
  table.unsentSeen[slot] = Number.POSITIVE_INFINITY;
  shard.wheel.arm(slot, shard.nowMs + shard.settings.lingerTimeoutMs);
  continueLingering(shard, slot);
}

/** Reads and throws away what the client still sends, until its FIN. */
export function continueLingering(shard: Shard, slot: number): void {
  const { kernel, layout, settings, table } = shard;
  const side = slot * 2 + FRONT;
  if ((get(table.sideFlags, side) & READABLE) === 0) return;
  for (let discarded = 0; discarded < LINGER_BYTES_PER_TURN; ) {
    const n = kernel.recv(get(table.fd, side) - 1, layout.scratchAt, settings.bufferBytes);
    if (n === -EAGAIN) {
      table.sideFlags[side] = get(table.sideFlags, side) & ~READABLE;
      return;
    }
    if (n <= 0) return endSession(shard, slot);
    discarded += n;
    table.bytesFrom[side] = get(table.bytesFrom, side) + n;
    table.bytesLost[slot] = get(table.bytesLost, slot) + n;
  }
  enqueue(shard, slot);
}

/** The linger timeout has passed. A client that still takes bytes of the answer gets more time. */
export function lingerTimedOut(shard: Shard, slot: number): void {
  const { kernel, settings, table } = shard;
  const unsent = kernel.unsent(get(table.fd, slot * 2 + FRONT) - 1);
  if (unsent <= 0 || unsent >= get(table.unsentSeen, slot)) return endSession(shard, slot);
  table.unsentSeen[slot] = unsent;
  table.phaseMs[slot] = shard.nowMs;
  shard.wheel.arm(slot, shard.nowMs + settings.lingerTimeoutMs);
}

/** Byte counts reach the shared counters at the end; a reader adds those of live sessions from the table. */
function countEnd(shard: Shard, slot: number): void {
  const { counters, table } = shard;
  const front = slot * 2 + FRONT;
  const back = slot * 2 + BACK;
  const bytesIn = get(table.bytesFrom, front) + get(table.bytesFrom, back);
  const bytesOut = get(table.bytesTo, front) + get(table.bytesTo, back);
  add(counters.shard, SHARD.ended, 1);
  add(counters.shard, SHARD.bytesIn, bytesIn);
  add(counters.shard, SHARD.bytesOut, bytesOut);
  add(counters.shard, SHARD.bytesLost, get(table.bytesLost, slot));
  add(counters.shard, SHARD.headerBytes, get(table.headerBytes, slot));
  const spliced = get(table.bytesSpliced, slot);
  add(counters.shard, SHARD.bytesSpliced, spliced);
  add(counters.shard, SHARD.bytesCopied, Math.max(0, bytesOut - spliced - get(table.headerBytes, slot)));
  const frontendRow = (get(table.frontend, slot) - 1) * FRONTEND_STRIDE;
  add(counters.frontends, frontendRow + FRONTEND.ended, 1);
  add(counters.frontends, frontendRow + FRONTEND.active, -1);
  add(counters.frontends, frontendRow + FRONTEND.bytesIn, get(table.bytesFrom, front));
  add(counters.frontends, frontendRow + FRONTEND.bytesOut, get(table.bytesTo, front));
  if (get(table.node, slot) === 0) return;
  const nodeRow = (get(table.node, slot) - 1) * NODE_STRIDE;
  releaseNode(shard, get(table.node, slot) - 1);
  callNext(shard, get(table.frontend, slot) - 1);
  add(counters.nodes, nodeRow + NODE.bytesIn, get(table.bytesFrom, back));
  add(counters.nodes, nodeRow + NODE.bytesOut, get(table.bytesTo, back));
}

/** Who has cut the session off. A node that refused or never answered has cut nothing: the frontend counts what no node could take. */
function countCut({ counters, table }: Shard, slot: number): void {
  const who = get(table.outcomeWho, slot);
  if (who === 0) return;
  if (who === CLIENT) add(counters.shard, SHARD.cutByClient, 1);
  else if (who !== NODE_ITSELF) add(counters.shard, SHARD.cutByBalancer, 1);
  else if (get(table.connectedMs, slot) !== 0) add(counters.shard, SHARD.cutByNode, 1);
}

function recordTimes(shard: Shard, slot: number): void {
  const { durations, firstByteTimes, nowMs, table } = shard;
  const acceptedMs = get(table.acceptedMs, slot);
  const firstByteMs = get(table.firstByteMs, slot);
  if (firstByteMs > 0) record(firstByteTimes, Math.round((firstByteMs - acceptedMs) * 1000));
  record(durations, Math.round(nowMs - acceptedMs));
}

const LOG_COLUMNS = LOG_FIELDS.length;

function logEnd(shard: Shard, slot: number): void {
  const { counters, log, table } = shard;
  const record = beginRecord(log);
  if (record < 0) {
    add(counters.shard, SHARD.logDropped, 1);
    return;
  }
  const front = slot * 2 + FRONT;
  const back = slot * 2 + BACK;
  const { numbers } = log;
  let at = record;
  // The order of LOG_FIELDS.
  numbers[at++] = get(table.connection, slot);
  numbers[at++] = get(table.acceptedMs, slot);
  numbers[at++] = get(table.connectedMs, slot);
  numbers[at++] = get(table.firstByteMs, slot);
  numbers[at++] = shard.nowMs;
  numbers[at++] = get(table.frontend, slot);
  numbers[at++] = get(table.node, slot);
  numbers[at++] = get(table.attempts, slot);
  numbers[at++] = get(table.bytesFrom, front);
  numbers[at++] = get(table.bytesTo, front);
  numbers[at++] = get(table.bytesFrom, back);
  numbers[at++] = get(table.bytesTo, back);
  numbers[at++] = get(table.bytesSpliced, slot);
  numbers[at++] = get(table.headerBytes, slot);
  numbers[at++] = get(table.outcomeWho, slot);
  numbers[at++] = get(table.outcomePhase, slot);
  numbers[at++] = get(table.firstErrno, front);
  numbers[at++] = get(table.firstErrno, back);
  const from = slot * ENDPOINTS_BYTES;
  const to = endpointsIndex(record);
  for (let i = 0; i < ENDPOINTS_BYTES; i++) log.bytes[to + i] = get(table.endpoints, from + i);
  if (at - record === LOG_COLUMNS) commitRecord(log);
}
