// Listeners of one shard: which sockets it accepts from, pausing and resuming them. The sockets belong to the process: nothing
// here opens or closes one. Accepting itself is in accept.ts.

import { isWildcard } from '../base/ip.ts';
import { EPOLLIN } from '../linux/kernel.ts';
import { add, SHARD } from '../metrics/counters.ts';
import { acceptFrom } from './accept.ts';
import { ACCEPT_PAUSE_MS } from './limits.ts';
import type { ListenerPlan } from './plan.ts';
import type { Listener, Shard } from './shard.ts';
import { TAG_LISTENER } from './tags.ts';

/** Level-triggered: whatever is left in the backlog after a wake is reported again. */
function watchListener(shard: Shard, index: number, listener: Listener): void {
  const tag = (TAG_LISTENER | index) >>> 0;
  const watched = shard.kernel.watch(shard.epollFd, listener.fd, EPOLLIN, tag, listener.serial);
  listener.isPaused = watched < 0;
  // Want of kernel memory, or of watches (max_user_watches): tried again like any pause.
  if (listener.isPaused) resumeSoon(shard, ACCEPT_PAUSE_MS);
}

function resumeSoon(shard: Shard, inMs: number): void {
  shard.resumeAtMs = Math.min(shard.resumeAtMs, shard.nowMs + inMs);
}

/** Brings the set of listeners to what is planned; sockets that stay are not touched, at most their frontend is another one. */
export function applyListeners(shard: Shard, plans: readonly ListenerPlan[]): void {
  for (let index = shard.listeners.length - 1; index >= 0; index--) {
    const listener = shard.listeners[index];
    if (listener === undefined || listener.isLeaving) continue;
    const plan = plans.find(({ fd }) => fd === listener.fd);
    if (plan === undefined) removeListener(shard, index);
    else listener.frontend = plan.frontend;
  }
  for (const plan of plans) {
    if (!shard.listeners.some(({ fd, isLeaving }) => fd === plan.fd && !isLeaving)) addListener(shard, plan);
  }
}

/** Lets go of listeners whose backlog could not be emptied in time: their sockets are about to be closed. */
export function abandonLeaving(shard: Shard): void {
  for (let index = shard.listeners.length - 1; index >= 0; index--) {
    if (shard.listeners[index]?.isLeaving === true) forgetListener(shard, index);
  }
}

function addListener(shard: Shard, plan: ListenerPlan): void {
  const listener: Listener = {
    fd: plan.fd,
    frontend: plan.frontend,
    ip: plan.ip,
    port: plan.port,
    isWildcard: isWildcard(plan.ip),
    serial: ++shard.listenerSerial,
    acceptsPerWake: 1,
    fullTurn: -1,
    isPaused: false,
    isLeaving: false,
  };
  shard.listeners.push(listener);
  watchListener(shard, shard.listeners.length - 1, listener);
}

/** Takes what is still in the backlog, then lets go: whoever has connected is served, if need be later. */
function removeListener(shard: Shard, index: number): void {
  const listener = shard.listeners[index];
  if (listener === undefined) return;
  if (!listener.isPaused) pauseListener(shard, listener);
  listener.isLeaving = true;
  add(shard.counters.shard, SHARD.leavingListeners, 1);
  continueLeaving(shard, index, listener);
}

/** One more round of a listener that goes. Bounded, for sessions that end at once make room for ever more. */
function continueLeaving(shard: Shard, index: number, listener: Listener): void {
  const accepted = acceptFrom(shard, listener);
  if (accepted === 'drained') forgetListener(shard, index);
  else resumeSoon(shard, accepted === 'more' ? 0 : ACCEPT_PAUSE_MS);
}

function forgetListener(shard: Shard, index: number): void {
  add(shard.counters.shard, SHARD.leavingListeners, -1);
  const last = shard.listeners.pop();
  if (last === undefined || index === shard.listeners.length) return;
  // The last one moves into the gap; its tag changes with its place.
  shard.listeners[index] = last;
  if (last.isPaused) return;
  shard.kernel.unwatch(shard.epollFd, last.fd);
  watchListener(shard, index, last);
}

/** One wake of a listener. */
export function listenerReady(shard: Shard, index: number, serial: number): void {
  const listener = shard.listeners[index];
  if (listener === undefined || listener.serial !== serial || listener.isPaused) return;
  if (acceptFrom(shard, listener) !== 'stop') return;
  pauseListener(shard, listener);
  add(shard.counters.shard, SHARD.acceptPauses, 1);
}

/** Clients wait in the backlog meanwhile. A listener never ends because of an error. */
function pauseListener(shard: Shard, listener: Listener): void {
  shard.kernel.unwatch(shard.epollFd, listener.fd);
  listener.isPaused = true;
  resumeSoon(shard, ACCEPT_PAUSE_MS);
}

export function resumeListeners(shard: Shard): void {
  shard.resumeAtMs = Number.POSITIVE_INFINITY;
  for (let index = shard.listeners.length - 1; index >= 0; index--) {
    const listener = shard.listeners[index];
    if (listener === undefined || !listener.isPaused) continue;
    if (listener.isLeaving) continueLeaving(shard, index, listener);
    else watchListener(shard, index, listener);
  }
}
