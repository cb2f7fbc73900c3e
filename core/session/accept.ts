// Stage 1, accept: takes connections from a listener and gives each a slot. It stops at the balancer's own limit, before the
// system's; who is not accepted waits in the backlog.

import { EAGAIN, ECONNABORTED, EPERM, EPROTO } from '../base/errno.ts';
import { DESTINATION_AT, DESTINATION_PORT_AT, ENDPOINTS_BYTES, SOURCE_PORT_AT } from '../base/ip.ts';
import { type Arena, NOWHERE } from '../linux/kernel.ts';
import { readSockaddr } from '../linux/sockaddr.ts';
import { add, FRONTEND, FRONTEND_STRIDE, SHARD } from '../metrics/counters.ts';
import { release, reserve } from './admission.ts';
import { endSession } from './close.ts';
import { ACCEPTS_PER_WAKE_MAX } from './limits.ts';
import { IN, noteOutcome, WHO } from './outcome.ts';
import { beginSession } from './session.ts';
import type { Listener, Shard } from './shard.ts';
import {
  FRONT,
  get,
  HIGH_WATER,
  isChoosing,
  NO_DELAY,
  nextSlot,
  PHASE_CONNECTING,
  type SessionTable,
  STEP_SLOT,
  takeSlot,
  WRITABLE,
} from './table.ts';
import { isThrottled } from './throttle.ts';

/** `drained`: the backlog is empty · `more`: the budget is used up · `stop`: nothing can be accepted now */
export type Accepted = 'drained' | 'more' | 'stop';

export function acceptFrom(shard: Shard, listener: Listener): Accepted {
  const { kernel, layout, table } = shard;
  const turn = get(shard.counters.shard, SHARD.turns);
  // Too few in the last turn, or the listener would not be here again.
  if (listener.fullTurn === turn - 1)
    listener.acceptsPerWake = Math.min(2 * listener.acceptsPerWake, ACCEPTS_PER_WAKE_MAX);
  const { acceptsPerWake } = listener;
  const localAt = isAskedForDestination(shard, listener) ? layout.localAddressAt : NOWHERE;
  for (let i = 0; i < acceptsPerWake; i++) {
    const slot = nextSlot(table);
    if (slot < 0 || !reserve(shard)) {
      add(shard.counters.shard, SHARD.acceptsLimited, 1);
      return 'stop';
    }
    const generation = get(table.generation, slot);
    const fd = kernel.acceptConnection(listener.fd, layout.peerAddressAt, localAt, slot * 2 + FRONT, generation);
    if (fd < 0) {
      release(shard);
      if (fd === -EAGAIN) {
        listener.acceptsPerWake = Math.max(1, i);
        return 'drained';
      }
      add(shard.counters.shard, SHARD.acceptErrors, 1);
      if (!isClientGone(-fd)) return 'stop';
      continue;
    }
    const frontend = shard.frontends[listener.frontend];
    if (frontend !== undefined && frontend.plan.throttle > 0 && isThrottled(shard, frontend))
      refuse(shard, listener, fd);
    else if (!begin(shard, listener, localAt, fd)) return 'stop';
  }
  listener.fullTurn = turn;
  return 'more';
}

/**
 * Errors of the one connection that was taken off the backlog (accept(2)); the next one may be fine. All others speak of ourselves:
 * out of descriptors or memory.
 */
function isClientGone(errno: number): boolean {
  return errno === ECONNABORTED || errno === EPROTO || errno === EPERM;
}

/** A client that connects more often than it may: it hears so at once, and costs no node anything. It is no session. */
function refuse(shard: Shard, listener: Listener, fd: number): void {
  const { counters, kernel } = shard;
  kernel.resetOnClose(fd);
  kernel.close(fd);
  release(shard);
  add(counters.frontends, listener.frontend * FRONTEND_STRIDE + FRONTEND.throttled, 1);
}

/**
 * @param localAt where the accepted socket's own address lies, or NOWHERE
 * @returns false when we lack what it takes to watch over a socket: the next connection would fare no better
 */
function begin(shard: Shard, listener: Listener, localAt: number, fd: number): boolean {
  const { table, kernel, counters } = shard;
  const slot = takeSlot(table);
  // A death from here on costs this one session.
  table.shared[STEP_SLOT] = slot + 1;
  table.fd[slot * 2 + FRONT] = fd + 1;
  table.frontend[slot] = listener.frontend + 1;
  table.phase[slot] = PHASE_CONNECTING;
  add(counters.shard, SHARD.accepted, 1);
  table.connection[slot] = get(counters.shard, SHARD.accepted);
  table.acceptedMs[slot] = shard.nowMs;
  table.activeMs[slot] = shard.nowMs;
  // TCP_NODELAY is inherited from the listening socket.
  table.sideFlags[slot * 2 + FRONT] = WRITABLE | NO_DELAY;
  add(counters.frontends, listener.frontend * FRONTEND_STRIDE + FRONTEND.accepted, 1);
  add(counters.frontends, listener.frontend * FRONTEND_STRIDE + FRONTEND.active, 1);
  readEndpoints(shard, listener, localAt, slot);
  if (kernel.restOfConnection() < 0) {
    noteOutcome(table, slot, WHO.resource, IN.accept);
    const { resumeAtMs } = shard;
    endSession(shard, slot);
    // This end has set nothing free that a paused listener waits for.
    shard.resumeAtMs = resumeAtMs;
    table.shared[STEP_SLOT] = 0;
    return false;
  }
  beginSession(shard, slot);
  return true;
}

/** The endpoints block: who connected, and to which of our addresses. */
function readEndpoints({ arena, layout, table }: Shard, listener: Listener, localAt: number, slot: number): void {
  const { endpoints } = table;
  const at = slot * ENDPOINTS_BYTES;
  readSockaddr(arena, layout.peerAddressAt, endpoints, at, at + SOURCE_PORT_AT);
  if (localAt !== NOWHERE) return readDestination(arena, localAt, table, slot);
  endpoints.set(listener.ip, at + DESTINATION_AT);
  endpoints[at + DESTINATION_PORT_AT] = listener.port >> 8;
  endpoints[at + DESTINATION_PORT_AT + 1] = listener.port & 0xff;
}

/**
 * A frontend sends headers from now on. Sessions that were accepted before, and are not connected yet, learn which of our addresses
 * their clients have come to.
 */
export function nameDestinations({ arena, kernel, layout, table }: Shard, frontend: number): void {
  for (let slot = 0; slot < get(table.shared, HIGH_WATER); slot++) {
    if (get(table.frontend, slot) !== frontend + 1 || !isChoosing(get(table.phase, slot))) continue;
    if (kernel.localAddress(get(table.fd, slot * 2 + FRONT) - 1, layout.localAddressAt) < 0) continue;
    readDestination(arena, layout.localAddressAt, table, slot);
  }
}

function readDestination(arena: Arena, addressAt: number, { endpoints }: SessionTable, slot: number): void {
  const at = slot * ENDPOINTS_BYTES;
  readSockaddr(arena, addressAt, endpoints, at + DESTINATION_AT, at + DESTINATION_PORT_AT);
}

/** Whether the kernel must say which of our addresses a client has come to: one that listens on a single address knows. */
function isAskedForDestination({ frontends, settings }: Shard, { frontend, isWildcard }: Listener): boolean {
  return isWildcard && (settings.logSessions || frontends[frontend]?.sendsHeader === true);
}
