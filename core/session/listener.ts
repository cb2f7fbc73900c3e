// Listeners of one shard: which sockets it accepts from, pausing and resuming them. The sockets belong to the process: nothing
// here opens or closes one. Accepting itself is in accept.ts.

import { isWildcard } from '../base/ip.ts';
import { EPOLLIN } from '../linux/kernel.ts';
import { add, SHARD } from '../metrics/counters.ts';
import { acceptFrom } from './accept.ts';
import { ACCEPT_PAUSE_MS } from './limits.ts';
import type { ListenerPlan } from './plan.ts';
import type { Listener, Shard } from './shard.ts';

/** Event tags: the two top bits say what an event belongs to, the rest which one. */
export const TAG_SESSION = 0;
export const TAG_LISTENER = 0x4000_0000;
export const TAG_WAKE = 0x8000_0000;
export const TAG_KIND = 0xc000_0000;

/** Level-triggered: whatever is left in the backlog after a wake is reported again. */
function watchListener(shard: Shard, index: number, listener: Listener): void {
  shard.kernel.watch(shard.epollFd, listener.fd, EPOLLIN, (TAG_LISTENER | index) >>> 0, listener.serial);
}

/** Brings the set of listeners to what is planned; sockets that stay are not touched. */
export function applyListeners(shard: Shard, plans: readonly ListenerPlan[]): void {
  for (let index = shard.listeners.length - 1; index >= 0; index--) {
    const listener = shard.listeners[index];
    const plan = plans.find(({ fd }) => fd === listener?.fd);
    if (listener !== undefined && !listener.isLeaving && plan?.frontend !== listener.frontend)
      removeListener(shard, index);
  }
  for (const plan of plans) {
    if (!shard.listeners.some(({ fd }) => fd === plan.fd)) addListener(shard, plan);
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
  if (!listener.isLeaving) add(shard.counters.shard, SHARD.leavingListeners, 1);
  listener.isLeaving = true;
  if (drainBacklog(shard, listener)) forgetListener(shard, index);
}

/** @returns whether the backlog is empty; if not, nothing can be accepted now */
function drainBacklog(shard: Shard, listener: Listener): boolean {
  for (;;) {
    const accepted = acceptFrom(shard, listener);
    if (accepted !== 'more') return accepted === 'drained';
  }
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
  if (acceptFrom(shard, listener) === 'stop') pauseListener(shard, listener);
}

/** Clients wait in the backlog meanwhile. A listener never ends because of an error. */
function pauseListener(shard: Shard, listener: Listener): void {
  shard.kernel.unwatch(shard.epollFd, listener.fd);
  listener.isPaused = true;
  shard.resumeAtMs = Math.min(shard.resumeAtMs, shard.nowMs + ACCEPT_PAUSE_MS);
  add(shard.counters.shard, SHARD.acceptPauses, 1);
}

export function resumeListeners(shard: Shard): void {
  shard.resumeAtMs = Number.POSITIVE_INFINITY;
  for (let index = shard.listeners.length - 1; index >= 0; index--) {
    const listener = shard.listeners[index];
    if (listener === undefined || !listener.isPaused) continue;
    if (listener.isLeaving) resumeLeaving(shard, index, listener);
    else {
      listener.isPaused = false;
      watchListener(shard, index, listener);
    }
  }
}

function resumeLeaving(shard: Shard, index: number, listener: Listener): void {
  if (drainBacklog(shard, listener)) forgetListener(shard, index);
  else shard.resumeAtMs = Math.min(shard.resumeAtMs, shard.nowMs + ACCEPT_PAUSE_MS);
}
