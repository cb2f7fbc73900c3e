// The queue of a frontend whose nodes all have as many sessions as they take: who waits longest goes first. Each shard has its own
// queues; a place that this shard frees goes to its first in line at once, those that other shards free are found by asking every few
// milliseconds. Waiting costs a slot and nothing else.

import { add, FRONTEND, FRONTEND_STRIDE } from '../metrics/counters.ts';
import { QUEUE_POLL_MS } from './limits.ts';
import { enqueue, type Frontend, type Shard } from './shard.ts';
import { get, HIGH_WATER, PHASE_QUEUED } from './table.ts';

/** Doubly linked lists of slots + 1, one per frontend row. 0 ends a list: who never queues touches no memory. */
export interface Queues {
  readonly head: Int32Array;
  readonly tail: Int32Array;
  readonly next: Int32Array;
  readonly previous: Int32Array;
  /** sessions that wait, over all lists */
  length: number;
}

const NOBODY = 0;

export function createQueues(frontends: number, capacity: number): Queues {
  const list = (length: number) => new Int32Array(length);
  return { head: list(frontends), tail: list(frontends), next: list(capacity), previous: list(capacity), length: 0 };
}

export function hasWaiting({ queues }: Shard, frontendRow: number): boolean {
  return queues.head[frontendRow] !== NOBODY;
}

export function isFirstInLine({ queues }: Shard, slot: number, frontendRow: number): boolean {
  return queues.head[frontendRow] === slot + 1;
}

/** Whether one more may wait, over all shards. A moment old, as everything that others count. */
export function hasQueueRoom(shard: Shard, { plan }: Frontend): boolean {
  const cell = plan.row * FRONTEND_STRIDE + FRONTEND.queued;
  let waiting = 0;
  for (const { frontends } of shard.allCounters) waiting += get(frontends, cell);
  return waiting < plan.queueSize;
}

/** Puts a session at the end of its frontend's line. Its phase is QUEUED from here on. */
export function joinQueue(shard: Shard, slot: number): void {
  const { queues, table } = shard;
  table.phase[slot] = PHASE_QUEUED;
  table.phaseMs[slot] = shard.nowMs;
  append(shard, slot);
  if (queues.length === 1) shard.queuesPolledMs = shard.nowMs;
}

function append(shard: Shard, slot: number): void {
  const { counters, queues, table } = shard;
  const row = get(table.frontend, slot) - 1;
  const last = get(queues.tail, row);
  queues.previous[slot] = last;
  queues.next[slot] = NOBODY;
  if (last === NOBODY) queues.head[row] = slot + 1;
  else queues.next[last - 1] = slot + 1;
  queues.tail[row] = slot + 1;
  queues.length++;
  add(counters.frontends, row * FRONTEND_STRIDE + FRONTEND.queued, 1);
}

/** Takes a session out of the line, whose place in it does not matter. The caller gives it another phase. */
export function leaveQueue(shard: Shard, slot: number): void {
  const { counters, queues, table } = shard;
  const row = get(table.frontend, slot) - 1;
  const before = get(queues.previous, slot);
  const after = get(queues.next, slot);
  if (before === NOBODY) queues.head[row] = after;
  else queues.next[before - 1] = after;
  if (after === NOBODY) queues.tail[row] = before;
  else queues.previous[after - 1] = before;
  queues.previous[slot] = NOBODY;
  queues.next[slot] = NOBODY;
  queues.length--;
  add(counters.frontends, row * FRONTEND_STRIDE + FRONTEND.queued, -1);
}

/** There may be a place: the first in line looks for it in the next turn. */
export function callNext(shard: Shard, frontendRow: number): void {
  const first = get(shard.queues.head, frontendRow);
  if (first !== NOBODY) enqueue(shard, first - 1);
}

/** When the lines are to be looked at again, or Infinity. */
export function queuePollMs({ queues, queuesPolledMs }: Shard): number {
  return queues.length === 0 ? Number.POSITIVE_INFINITY : queuesPolledMs + QUEUE_POLL_MS;
}

/** Other shards may have freed places. */
export function pollQueues(shard: Shard): void {
  shard.queuesPolledMs = shard.nowMs;
  for (let row = 0; row < shard.queues.head.length; row++) callNext(shard, row);
}

/** The lines of a table that a predecessor left, in the order in which the sessions joined them. */
export function rebuildQueues(shard: Shard): void {
  const { table } = shard;
  const waiting: number[] = [];
  for (let slot = 0; slot < get(table.shared, HIGH_WATER); slot++) {
    if (table.phase[slot] === PHASE_QUEUED) waiting.push(slot);
  }
  const since = (a: number, b: number) => get(table.phaseMs, a) - get(table.phaseMs, b);
  waiting.sort((a, b) => since(a, b) || get(table.connection, a) - get(table.connection, b));
  for (const slot of waiting) append(shard, slot);
}
