// The event loop of one shard, one turn at a time: wait, hand each event to what it belongs to, run timers and those who have
// more to do. It never blocks longer than WAIT_MS_MAX; who calls it looks at the stop flag between turns.

import { describeErrno } from '../base/errno.ts';
import { shiftSlot } from '../base/slot-ring.ts';
import { eventGeneration, eventMask, eventTag } from '../linux/kernel.ts';
import { add, SHARD } from '../metrics/counters.ts';
import { copyTogether } from './batch.ts';
import { BULK_BYTES_PER_TURN, EVENTS_PER_WAIT, FULL_WAITS_MAX, WAIT_MS_MAX } from './limits.ts';
import { listenerReady, resumeListeners } from './listener.ts';
import { lookAtMarks, marksDueMs } from './low-water.ts';
import { pollQueues, queuePollMs } from './queue.ts';
import { sessionContinues, sessionReady } from './session.ts';
import type { Shard } from './shard.ts';
import { get } from './table.ts';
import { TAG_KIND, TAG_LISTENER, TAG_SESSION, TAG_WAKE } from './tags.ts';

export function turn(shard: Shard): void {
  const { arena, kernel, layout } = shard;
  const count = kernel.wait(shard.epollFd, layout.eventsAt, EVENTS_PER_WAIT, waitMs(shard));
  // Not to be lived with: a loop that hears of nothing. A successor opens a new epoll.
  if (count < 0) throw new Error(`epoll_wait of shard ${shard.index} failed: ${describeErrno(-count)}`);
  shard.nowMs = kernel.nowMs();
  add(shard.counters.shard, SHARD.turns, 1);
  // Those that were there before this turn's events; who is queued meanwhile waits for the next turn.
  const queued = shard.runQueue.count;
  copyTogether(shard, count);
  for (let i = 0; i < count; i++) {
    const mask = eventMask(arena, layout.eventsAt, i);
    if (mask === 0) continue;
    dispatch(shard, eventTag(arena, layout.eventsAt, i), eventGeneration(arena, layout.eventsAt, i), mask);
  }
  if (shard.isWoken) hearOthers(shard);
  for (let i = 0; i < queued; i++) sessionContinues(shard, shiftSlot(shard.runQueue));
  moveBulk(shard);
  if (isAllHeard(shard, count)) shard.wheel.advance(shard.nowMs, shard.onTimer);
  if (shard.nowMs >= shard.resumeAtMs) resumeListeners(shard);
  if (shard.nowMs >= queuePollMs(shard)) pollQueues(shard);
  if (shard.nowMs >= marksDueMs(shard)) lookAtMarks(shard);
}

/**
 * Whether timers may speak: a wait that was full has left events behind, and what a timer takes for silence may be among them. After
 * the process was suspended that is so for every connect under way.
 */
function isAllHeard(shard: Shard, count: number): boolean {
  shard.fullWaits = count < EVENTS_PER_WAIT ? 0 : (shard.fullWaits + 1) % FULL_WAITS_MAX;
  return shard.fullWaits === 0;
}

function waitMs(shard: Shard): number {
  if (shard.runQueue.count + shard.bulkQueue.count > 0) return 0;
  const timersMs = shard.wheel.msUntilNext(shard.nowMs, WAIT_MS_MAX);
  const resumeMs = Math.ceil(shard.resumeAtMs - shard.nowMs);
  const queueMs = Math.ceil(queuePollMs(shard) - shard.nowMs);
  const marksMs = Math.ceil(marksDueMs(shard) - shard.nowMs);
  return Math.max(0, Math.min(timersMs, resumeMs, queueMs, marksMs));
}

function dispatch(shard: Shard, tag: number, generation: number, mask: number): void {
  switch ((tag & TAG_KIND) >>> 0) {
    case TAG_SESSION: {
      const slot = tag >> 1;
      // An earlier event of this batch may have closed this side, or ended the session; the slot may be somebody else's by now.
      const isCurrent = get(shard.table.generation, slot) >>> 0 === generation && get(shard.table.fd, tag) !== 0;
      if (isCurrent) sessionReady(shard, tag, mask);
      return;
    }
    case TAG_LISTENER:
      return listenerReady(shard, tag & ~TAG_KIND, generation);
    case TAG_WAKE:
      shard.isWoken = true;
  }
}

/**
 * What another thread wants is done behind the events: it may give a session another back socket, and an event of the old one, further
 * down the same list, would be taken for the new one's.
 */
function hearOthers(shard: Shard): void {
  shard.isWoken = false;
  shard.kernel.takeWake(shard.wakeFd);
  shard.onWake();
}

/**
 * Big transfers go last, and only as many of them as move so much together: everybody else's next event waits no longer than that takes,
 * however many there are.
 */
function moveBulk(shard: Shard): void {
  const { bulkQueue } = shard;
  shard.bulkBytes = 0;
  for (let left = bulkQueue.count; left > 0 && shard.bulkBytes < BULK_BYTES_PER_TURN; left--) {
    sessionContinues(shard, shiftSlot(bulkQueue));
  }
}
