// Stage 3, connect: opens the back socket and sees the connect through: success, failure, timeout, the next node. As long as no
// client byte was forwarded a failure costs the client nothing but time.

import { ECONNREFUSED, ETIMEDOUT, isLocalShortage } from '../base/errno.ts';
import { isIpv4 } from '../base/ip.ts';
import { noteConnectFailure, noteConnectSuccess } from '../health/ejection.ts';
import { userTimeoutMs } from '../linux/keepalive.ts';
import { EPOLLERR, EPOLLHUP, EPOLLOUT, NOWHERE } from '../linux/kernel.ts';
import { sockaddrBytes } from '../linux/sockaddr.ts';
import { add, FRONTEND, FRONTEND_STRIDE, NODE, NODE_STRIDE } from '../metrics/counters.ts';
import { record } from '../metrics/histogram.ts';
import { releaseNode } from './admission.ts';
import { ALL_FULL, ALL_TRIED, chooseNode, NO_NODE } from './choose.ts';
import { closeSide, endSession } from './close.ts';
import { retryDelayMs, timerOf } from './deadline.ts';
import { sendHeader } from './header.ts';
import { IN, type In, noteOutcome, WHO } from './outcome.ts';
import type { NodePlan } from './plan.ts';
import { callNext, hasQueueRoom, hasWaiting, isFirstInLine, joinQueue, leaveQueue } from './queue.ts';
import { noteEvent } from './readiness.ts';
import { relay } from './relay.ts';
import { enqueue, type Frontend, frontendOf, nodeAddressAt, type Shard, sourceAddressAt } from './shard.ts';
import {
  BACK,
  FRONT,
  get,
  KEPT_ALIVE,
  PHASE_CONNECTING,
  PHASE_QUEUED,
  PHASE_RELAYING,
  PHASE_RETRYING,
  READABLE,
  type SessionTable,
  WRITABLE,
} from './table.ts';
import { forgetTried, noteTried } from './tried.ts';

/** Begins the next attempt: chooses a node and connects. Ends the session where nothing is left to try. */
export function startConnect(shard: Shard, slot: number): void {
  const { table } = shard;
  const frontend = frontendOf(shard, slot);
  // Whoever comes now stands behind those who wait.
  if (get(table.attempts, slot) === 0 && mustQueue(shard, slot, frontend)) return waitForNode(shard, slot, frontend);
  // A loop, not recursion: a connect may fail at once, for every node in turn.
  for (;;) {
    const index = chooseNode(shard, frontend, slot);
    if (index === ALL_FULL) return waitForNode(shard, slot, frontend);
    leaveLine(shard, slot, frontend);
    if (index === ALL_TRIED) return retryLater(shard, slot);
    const node = index === NO_NODE ? undefined : frontend.nodes[index];
    if (node === undefined) return giveUpWithoutNode(shard, slot, frontend);
    const result = attempt(shard, slot, node);
    if (result === 0) return;
    if (!mayTryAgain(shard, slot, -result, IN.connect)) return;
  }
}

function mustQueue(shard: Shard, slot: number, { hasLimits, plan }: Frontend): boolean {
  return hasLimits && hasWaiting(shard, plan.row) && !isFirstInLine(shard, slot, plan.row);
}

/** Every node has as many sessions as it takes: the session waits for its turn, if there is room to wait. */
function waitForNode(shard: Shard, slot: number, frontend: Frontend): void {
  const { counters, table } = shard;
  if (table.phase[slot] === PHASE_QUEUED) return;
  if (!hasQueueRoom(shard, frontend)) {
    add(counters.frontends, frontend.plan.row * FRONTEND_STRIDE + FRONTEND.queueRefused, 1);
    noteOutcome(table, slot, WHO.node, IN.queue);
    return endSession(shard, slot);
  }
  joinQueue(shard, slot);
  shard.wheel.arm(slot, timerOf(shard, slot));
}

/** The session has nothing to wait for any more. Where there was a place for it there may be more: the next in line looks too. */
function leaveLine(shard: Shard, slot: number, { plan }: Frontend): void {
  if (shard.table.phase[slot] !== PHASE_QUEUED) return;
  leaveQueue(shard, slot);
  shard.table.phase[slot] = PHASE_CONNECTING;
  callNext(shard, plan.row);
}

/** It has waited for as long as it may. */
export function queueTimedOut(shard: Shard, slot: number): void {
  const { counters, table } = shard;
  add(counters.frontends, (get(table.frontend, slot) - 1) * FRONTEND_STRIDE + FRONTEND.queueTimeouts, 1);
  noteOutcome(table, slot, WHO.nodeTimeout, IN.queue);
  endSession(shard, slot);
}

/** @returns 0 while the connect is pending (or already done), -errno when it failed at once */
function attempt(shard: Shard, slot: number, node: NodePlan): number {
  const { counters, kernel, layout, table } = shard;
  table.phase[slot] = PHASE_CONNECTING;
  table.phaseMs[slot] = shard.nowMs;
  table.node[slot] = node.row + 1;
  table.attempts[slot] = get(table.attempts, slot) + 1;
  add(counters.nodes, node.row * NODE_STRIDE + NODE.connects, 1);

  const side = slot * 2 + BACK;
  const sourceAt = nextSourceAt(shard, node);
  const fd = kernel.openConnection(nodeAddressAt(layout, node.row), sourceAt, side, get(table.generation, slot));
  if (fd < 0) return fd;
  table.fd[side] = fd + 1;
  table.sideFlags[side] = 0;
  const rest = kernel.restOfConnection();
  if (rest < 0) return rest;
  shard.wheel.arm(slot, shard.nowMs + shard.settings.connectTimeoutMs);
  return 0;
}

/**
 * A node that vanished without a word shall not hold a session until the idle timeout. None of these options does anything in a
 * session's first `keepaliveSeconds`, and most end before: four calls saved for each.
 */
export function keepAlive(shard: Shard, slot: number): void {
  const { kernel, settings, table } = shard;
  const side = slot * 2 + BACK;
  const fd = get(table.fd, side) - 1;
  table.sideFlags[side] = get(table.sideFlags, side) | KEPT_ALIVE;
  kernel.setOption(fd, 'keepalive', 1);
  kernel.setOption(fd, 'keepalive-interval-s', settings.keepaliveSeconds);
  // Last: what the socket has been silent for already counts (tcp_sock_set_keepidle).
  kernel.setOption(fd, 'keepalive-idle-s', settings.keepaliveSeconds);
  kernel.setOption(fd, 'user-timeout-ms', userTimeoutMs(settings.keepaliveSeconds));
}

/** The next source address of the node's family, if any are configured: each adds a range of ephemeral ports. */
function nextSourceAt(shard: Shard, { ip }: NodePlan): number {
  const { sourceAddresses } = shard.settings;
  const isV4 = ip !== undefined && isIpv4(ip, 0);
  for (let i = 0; i < sourceAddresses.length; i++) {
    const index = shard.nextSourceAddress++ % sourceAddresses.length;
    const address = sourceAddresses[index];
    if (address !== undefined && isIpv4(address, 0) === isV4) return sourceAddressAt(shard.layout, index);
  }
  return NOWHERE;
}

/** An event of the back socket while its connect is pending. */
export function continueConnect(shard: Shard, slot: number, mask: number): void {
  const { kernel, table } = shard;
  const side = slot * 2 + BACK;
  const fd = get(table.fd, side) - 1;
  if ((mask & (EPOLLERR | EPOLLHUP)) !== 0) {
    const errno = kernel.takeError(fd);
    // A node may answer and reset in one go: then there is something to read, and the connect did succeed.
    if (errno !== 0 && kernel.unread(fd) <= 0) return connectFailed(shard, slot, errno);
    table.firstErrno[side] = Math.max(errno, 0);
  } else if ((mask & EPOLLOUT) === 0) {
    return;
  }
  if (awaitsClient(shard, slot, mask)) return enqueue(shard, slot);
  if (isSelfConnected(shard, slot, fd)) {
    // An orderly close would leave TIME_WAIT on the node's own port, and the node could not bind it.
    kernel.resetOnClose(fd);
    return connectFailed(shard, slot, ECONNREFUSED);
  }
  connected(shard, slot, mask);
}

/**
 * Whether the node is there and the header is put off for one turn of the event loop: the client is silent, but its first bytes, if it is to
 * speak first, are probably on their way. In one segment with the header they spare a segment, two calls, and as much at the node.
 */
function awaitsClient({ table }: Shard, slot: number, mask: number): boolean {
  const isSilent = (get(table.sideFlags, slot * 2 + FRONT) & READABLE) === 0;
  if (!isSilent || mask !== EPOLLOUT || isPutOff(table, slot)) return false;
  table.sideFlags[slot * 2 + BACK] = WRITABLE;
  return true;
}

/** Of a session that is connecting: the node is there. */
function isPutOff(table: SessionTable, slot: number): boolean {
  return (get(table.sideFlags, slot * 2 + BACK) & WRITABLE) !== 0;
}

/** The turn is over: a connect that was put off goes on. */
export function resumeConnect(shard: Shard, slot: number): void {
  if (isPutOff(shard.table, slot)) continueConnect(shard, slot, EPOLLOUT);
}

/** A connect to a local port from which nobody listens can meet itself, when the kernel picks that very port (RFC 793, 3.4). */
function isSelfConnected(shard: Shard, slot: number, fd: number): boolean {
  const { arena, kernel, layout, settings, table } = shard;
  const at = nodeAddressAt(layout, get(table.node, slot) - 1);
  if (arena.view.getUint16(at + 2, false) < settings.ephemeralPortMin) return false;
  if (kernel.localAddress(fd, layout.localAddressAt) < 0 || kernel.peerAddress(fd, layout.peerAddressAt) < 0)
    return false;
  // As long as the family says: behind a short address lies what a longer one left there.
  const bytes = sockaddrBytes(arena, layout.localAddressAt);
  for (let i = 0; i < bytes; i++) {
    if (arena.bytes[layout.localAddressAt + i] !== arena.bytes[layout.peerAddressAt + i]) return false;
  }
  return true;
}

function connected(shard: Shard, slot: number, mask: number): void {
  const { table } = shard;
  const side = slot * 2 + BACK;
  reportSuccess(shard, slot);
  record(shard.connectTimes, Math.round((shard.nowMs - get(table.phaseMs, slot)) * 1000));
  table.connectedMs[slot] = shard.nowMs;
  table.activeMs[slot] = shard.nowMs;
  table.sideFlags[side] = WRITABLE;
  noteEvent(table, side, mask);
  if (sendHeader(shard, slot)) beginRelaying(shard, slot);
}

/** Whoever relays has chosen: nodes that a change takes away from its frontend are nothing to it, but for its own. */
function beginRelaying(shard: Shard, slot: number): void {
  const { table } = shard;
  table.phase[slot] = PHASE_RELAYING;
  table.phaseMs[slot] = shard.nowMs;
  shard.wheel.arm(slot, timerOf(shard, slot));
  relay(shard, slot);
}

function reportSuccess(shard: Shard, slot: number): void {
  const row = get(shard.table.node, slot) - 1;
  const event = noteConnectSuccess(shard.nodeStates, row, shard.nowMs);
  if (event !== 'none') shard.onNodeEvent(row, event, 0);
}

/** Passive check: a connect that failed, for a reason that is the node's. */
function reportFailure(shard: Shard, slot: number, errno: number): void {
  const { isPassive, checkIntervalMs } = frontendOf(shard, slot).plan;
  const row = get(shard.table.node, slot) - 1;
  if (!isPassive || get(shard.table.phaseMs, slot) < get(shard.nodeStates.movedMs, row)) return;
  const trial = get(shard.table.trial, slot);
  const event = noteConnectFailure(shard.nodeStates, row, trial, checkIntervalMs, errno, shard.nowMs);
  if (event !== 'none') shard.onNodeEvent(row, event, errno);
}

/**
 * The pending connect failed, or the header could not be sent: the next node, while there is one.
 * @param phase what the outcome says if there is none
 */
export function connectFailed(shard: Shard, slot: number, errno: number, phase: In = IN.connect): void {
  if (mayTryAgain(shard, slot, errno, phase)) startConnect(shard, slot);
}

/** Books a failed attempt. @returns false when the session has ended with it */
function mayTryAgain(shard: Shard, slot: number, errno: number, phase: In): boolean {
  const { counters, settings, table } = shard;
  const row = get(table.node, slot) - 1;
  const isOurs = isLocalShortage(errno);
  if (!isOurs) {
    const column = errno === ETIMEDOUT ? NODE.connectTimeouts : NODE.connectFailures;
    add(counters.nodes, row * NODE_STRIDE + column, 1);
    if (phase === IN.connect) reportFailure(shard, slot, errno);
  }
  const mayRetry = get(table.attempts, slot) <= settings.connectRetries;
  if (mayRetry) {
    add(counters.nodes, row * NODE_STRIDE + NODE.retries, 1);
    leaveNode(shard, slot);
    return true;
  }
  table.firstErrno[slot * 2 + BACK] = errno;
  noteOutcome(table, slot, isOurs ? WHO.resource : errno === ETIMEDOUT ? WHO.nodeTimeout : WHO.node, phase);
  endSession(shard, slot);
  return false;
}

/** Lets go of the node of a failed attempt. */
function leaveNode(shard: Shard, slot: number): void {
  const { table } = shard;
  closeSide(shard, slot, BACK);
  const row = get(table.node, slot) - 1;
  noteTried(table, slot, row);
  table.firstErrno[slot * 2 + BACK] = 0;
  table.node[slot] = 0;
  table.connectedMs[slot] = 0;
  table.sideFlags[slot * 2 + BACK] = 0;
  releaseNode(shard, row);
  callNext(shard, get(table.frontend, slot) - 1);
}

export function connectTimedOut(shard: Shard, slot: number): void {
  if (isPutOff(shard.table, slot)) resumeConnect(shard, slot);
  else leaveConnect(shard, slot);
}

/** The connect is not waited for any longer. */
export function leaveConnect(shard: Shard, slot: number): void {
  connectFailed(shard, slot, ETIMEDOUT);
}

/** All nodes were tried: they get a moment, longer each time, and are then all tried again. */
function retryLater(shard: Shard, slot: number): void {
  const { table } = shard;
  table.phase[slot] = PHASE_RETRYING;
  table.phaseMs[slot] = shard.nowMs;
  forgetTried(table, slot);
  shard.wheel.arm(slot, shard.nowMs + retryDelayMs(get(table.attempts, slot)));
}

function giveUpWithoutNode(shard: Shard, slot: number, frontend: Frontend): void {
  add(shard.counters.frontends, frontend.plan.row * FRONTEND_STRIDE + FRONTEND.noNode, 1);
  noteOutcome(shard.table, slot, WHO.node, IN.connect);
  endSession(shard, slot);
}

/** The client is gone before a node was reached: nobody is left to connect for. */
export function frontGone(shard: Shard, slot: number): void {
  const { kernel, table } = shard;
  const side = slot * 2 + FRONT;
  table.firstErrno[side] = Math.max(0, kernel.takeError(get(table.fd, side) - 1));
  noteOutcome(table, slot, WHO.client, table.phase[slot] === PHASE_QUEUED ? IN.queue : IN.connect);
  endSession(shard, slot);
}
