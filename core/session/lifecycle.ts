// The life of a shard: opening it, adopting what a dead predecessor left in shared memory, draining, ending. The descriptors of
// sessions belong to the process; so whatever the table names is still open when the thread that served it is gone.

import { assert } from '../base/assert.ts';
import { EPOLLIN } from '../linux/kernel.ts';
import { writeSockaddr } from '../linux/sockaddr.ts';
import { add, FRONTEND, FRONTEND_STRIDE, SHARD } from '../metrics/counters.ts';
import { recoverBatch } from './batch.ts';
import { releaseClientLocks } from './client-table.ts';
import { endSession } from './close.ts';
import { leaveConnect } from './connect.ts';
import { timerOf } from './deadline.ts';
import { rebuildMarks } from './low-water.ts';
import { noteOutcome, WHO } from './outcome.ts';
import { rebuildQueues } from './queue.ts';
import { killSession, phaseLetter, sessionTimer, stepOneOfMany } from './session.ts';
import { LIVE_STRIDE, type Shard, sourceAddressAt } from './shard.ts';
import { adoptSpill } from './spill.ts';
import {
  clear,
  EPOLL_FD,
  get,
  HIGH_WATER,
  MISCOUNTED,
  PHASE_CONNECTING,
  PHASE_FREE,
  PHASE_RELAYING,
  READABLE,
  rebuildFreeSlots,
  STEP_SLOT,
  UNSURE,
  WRITABLE,
} from './table.ts';
import { SESSION_EVENTS, TAG_WAKE } from './tags.ts';

/** slots adopted between two signs of life */
const SLOTS_PER_BEAT = 4096;

/** Brings a new shard to life; it listens nowhere yet. @returns 0 or -errno */
export function openShard(shard: Shard): number {
  const { arena, batch, kernel, layout, settings, table } = shard;
  // Where the kernel cannot, each session is served for itself.
  batch.isOpen = settings.batchFrom > 0 && kernel.openTransfers(layout.transfersAt) === 0;
  for (let i = 0; i < layout.congestionBytes; i++) {
    arena.bytes[layout.congestionAt + i] = settings.backCongestion.charCodeAt(i);
  }
  for (const [index, ip] of settings.sourceAddresses.entries()) {
    writeSockaddr(arena, sourceAddressAt(layout, index), ip, 0, 0);
  }
  shard.onTimer = (slot) => sessionTimer(shard, slot);
  const epollFd = kernel.openEpoll();
  if (epollFd < 0) return epollFd;
  shard.epollFd = epollFd;
  table.shared[EPOLL_FD] = epollFd + 1;
  kernel.prepareConnections(epollFd, SESSION_EVENTS, layout.congestionAt, layout.congestionBytes);
  return kernel.watch(epollFd, shard.wakeFd, EPOLLIN, TAG_WAKE >>> 0, 0);
}

/**
 * Takes over the table of a predecessor whose thread has exited. Every socket goes into a new epoll: only an ADD reports an
 * edge again that the predecessor had already taken. At most the one session that was being stepped is lost. The frontends of the
 * sessions are there already (frontends.ts); listeners come later.
 * @returns 0 or -errno
 */
export function adoptShard(shard: Shard): number {
  const { kernel, table } = shard;
  const oldEpollFd = get(table.shared, EPOLL_FD) - 1;
  table.shared[EPOLL_FD] = 0;
  if (oldEpollFd >= 0) kernel.close(oldEpollFd);
  const opened = openShard(shard);
  if (opened < 0) return opened;
  adoptResources(shard);
  recoverBatch(shard);
  releaseClientLocks(shard.stickyClients, shard.index + 1);
  releaseClientLocks(shard.throttledClients, shard.index + 1);
  const unwatched: number[] = [];
  for (let slot = 0; slot < get(table.shared, HIGH_WATER); slot++) {
    if (slot % SLOTS_PER_BEAT === 0) shard.onBeat();
    if (table.phase[slot] !== PHASE_FREE && !adoptSession(shard, slot)) unwatched.push(slot);
  }
  rebuildFreeSlots(table);
  for (let at = FRONTEND.queued; at < shard.counters.frontends.length; at += FRONTEND_STRIDE)
    clear(shard.counters.frontends, at);
  rebuildQueues(shard);
  rebuildMarks(shard);
  endStepped(shard);
  for (const [index, slot] of unwatched.entries()) stepOneOfMany(shard, slot, index, endUnwatched);
  recount(shard);
  leaveUnknownNodes(shard);
  add(shard.counters.shard, SHARD.adoptions, 1);
  return 0;
}

/** Pipes and spill blocks: what no session names is free. A pipe's fill is what the kernel says it is. */
function adoptResources(shard: Shard): void {
  const { kernel, pipes, spill, table } = shard;
  const heldPipes = new Set<number>();
  const heldBlocks = new Set<number>();
  for (let side = 0; side < get(table.shared, HIGH_WATER) * 2; side++) {
    const pipe = get(table.pipe, side) - 1;
    if (pipe >= 0) {
      heldPipes.add(pipe);
      table.pipeFill[side] = Math.max(0, kernel.unread(pipes.readFd(pipe)));
    }
    if (get(table.spill, side) > 0) heldBlocks.add(get(table.spill, side) - 1);
  }
  pipes.adopt((pipe) => heldPipes.has(pipe));
  adoptSpill(spill, heldBlocks);
}

/** @returns false when one of its sockets cannot be watched: it would be silent until the idle timeout */
function adoptSession(shard: Shard, slot: number): boolean {
  const { kernel, table } = shard;
  let isWatched = true;
  for (let side = slot * 2; side < slot * 2 + 2; side++) {
    const fd = get(table.fd, side) - 1;
    const maybe = get(table.phase, slot) === PHASE_RELAYING ? READABLE | WRITABLE | UNSURE : 0;
    table.sideFlags[side] = (get(table.sideFlags, side) & ~(READABLE | WRITABLE)) | maybe | MISCOUNTED;
    if (fd < 0) continue;
    if (kernel.watch(shard.epollFd, fd, SESSION_EVENTS, side, get(table.generation, slot)) < 0) isWatched = false;
  }
  shard.wheel.arm(slot, timerOf(shard, slot));
  return isWatched;
}

function endUnwatched(shard: Shard, slot: number): void {
  const { table } = shard;
  if (table.phase[slot] === PHASE_FREE) return;
  noteOutcome(table, slot, WHO.resource, phaseLetter(get(table.phase, slot)));
  endSession(shard, slot);
}

/** Sessions that were connecting to a node which a change has taken away since: nobody knows any more what header it wanted. */
function leaveUnknownNodes(shard: Shard): void {
  const { headers, table } = shard;
  let left = 0;
  for (let slot = 0; slot < get(table.shared, HIGH_WATER); slot++) {
    const row = get(table.node, slot) - 1;
    if (table.phase[slot] !== PHASE_CONNECTING || row < 0 || headers[row] !== undefined) continue;
    stepOneOfMany(shard, slot, left++, leaveConnect);
  }
}

/** The session that was being stepped when the predecessor died: nobody knows how far the step had come. */
function endStepped(shard: Shard): void {
  const { table } = shard;
  const slot = get(table.shared, STEP_SLOT) - 1;
  table.shared[STEP_SLOT] = 0;
  if (slot < 0 || table.phase[slot] === PHASE_FREE) return;
  noteOutcome(table, slot, WHO.balancer, phaseLetter(get(table.phase, slot)));
  endSession(shard, slot);
}

/** Gauges follow from the table; and what was accepted and is not active has ended. */
function recount(shard: Shard): void {
  const { counters, live, table } = shard;
  for (let at = FRONTEND.active; at < counters.frontends.length; at += FRONTEND_STRIDE) clear(counters.frontends, at);
  // Aside, and then all at once: other shards go by these cells where a node has a limit.
  const nodesActive = new Int32Array(counters.nodesActive.length);
  let active = 0;
  for (let slot = 0; slot < get(table.shared, HIGH_WATER); slot++) {
    if (table.phase[slot] === PHASE_FREE) continue;
    active++;
    add(counters.frontends, (get(table.frontend, slot) - 1) * FRONTEND_STRIDE + FRONTEND.active, 1);
    const row = get(table.node, slot) - 1;
    if (row >= 0) nodesActive[row] = get(nodesActive, row) + 1;
  }
  for (let row = 0; row < nodesActive.length; row++) {
    const active = get(nodesActive, row);
    if (get(counters.nodesActive, row) !== active) Atomics.store(counters.nodesActive, row, active);
  }
  for (let row = 0; row < counters.frontends.length; row += FRONTEND_STRIDE) {
    const accepted = get(counters.frontends, row + FRONTEND.accepted);
    if (accepted > 0)
      counters.frontends[row + FRONTEND.ended] = accepted - get(counters.frontends, row + FRONTEND.active);
  }
  counters.shard[SHARD.ended] = get(counters.shard, SHARD.accepted) - active;
  counters.shard[SHARD.leavingListeners] = 0;
  Atomics.store(live, shard.index * LIVE_STRIDE, active);
}

export function activeSessions(shard: Shard): number {
  return get(shard.counters.shard, SHARD.accepted) - get(shard.counters.shard, SHARD.ended);
}

/** Ends every session: the drain deadline has passed, or the operator is in a hurry. */
export function killAll(shard: Shard): void {
  for (let slot = 0; slot < get(shard.table.shared, HIGH_WATER); slot++) killSession(shard, slot);
}

/** Closes what the shard itself opened. Its sessions have ended, its listeners belong to the process. */
export function closeShard(shard: Shard): void {
  assert(activeSessions(shard) === 0, 'a shard closed with live sessions');
  shard.pipes.closeAll();
  if (shard.batch.isOpen) shard.kernel.closeTransfers();
  shard.table.shared[EPOLL_FD] = 0;
  shard.kernel.close(shard.epollFd);
}
