// Copying for several sessions at once: where a turn of the event loop finds many with a few bytes to be passed on, their reads are one
// call, and their writes a second one. Requests and answers over kept connections come that way under load, and most of what one
// costs is the way into the kernel and back.
//
// Bytes of sessions whose turn has not come are in a thread's hands here. Should it die, its successor must find them: what is under way, and
// how far it has come, stands in shared memory (`cells`), and each step below leaves it true.

import {
  dropEvent,
  EPOLLIN,
  EPOLLOUT,
  eventGeneration,
  eventMask,
  eventTag,
  NOT_DONE,
  TRANSFERS_MAX,
} from '../linux/kernel.ts';
import { BATCH_READ_BYTES } from './limits.ts';
import { isCopyable, noteCopied } from './relay.ts';
import { sessionCopied } from './session.ts';
import type { ShardSettings } from './settings.ts';
import type { Shard } from './shard.ts';
import { spillRoom } from './spill.ts';
import { get, PHASE_RELAYING, STEP_SLOT } from './table.ts';
import { isSessionTag } from './tags.ts';

// Cells of `Batch.cells`.
/** what the entries have come to: one of the stages */
const STAGE = 0;
const COUNT = 1;
/** entries whose results are noted in the session table */
const NOTED = 2;
/** writes that are among the transfers */
const WRITES = 3;
/** the side that each entry reads from, and the bytes that were read */
const SIDES = 4;
const READS = SIDES + TRANSFERS_MAX;
const CELLS = READS + TRANSFERS_MAX;
export const BATCH_CELL_BYTES = CELLS * Int32Array.BYTES_PER_ELEMENT;

const IDLE = 0;
/** the transfers are the entries' reads */
const READING = 1;
/** the reads' results are in READS, the transfers are the first WRITES writes, one for each entry that has read something */
const WRITING = 2;

/** Buffers lie so far apart that their first bytes, which is all that most of them hold, do not share sets of the processor's cache. */
const BUFFER_GAP_BYTES = 9 * 64;

export interface Batch {
  readonly cells: Int32Array;
  /** offset of the first buffer in the arena */
  readonly buffersAt: number;
  /** bytes from one buffer to the next */
  readonly stride: number;
  /** bytes per read */
  readonly wanted: number;
  /** the event that each entry comes from */
  readonly events: Int32Array;
  /** by slot: one of its directions is an entry */
  readonly isEntered: Uint8Array;
  /** the kernel can do it */
  isOpen: boolean;
}

/** Bytes of all buffers. */
export function batchBufferBytes(settings: ShardSettings): number {
  return TRANSFERS_MAX * strideOf(settings);
}

function wantedOf({ bufferBytes }: ShardSettings): number {
  return Math.min(BATCH_READ_BYTES, bufferBytes);
}

function strideOf(settings: ShardSettings): number {
  return wantedOf(settings) + BUFFER_GAP_BYTES;
}

export function createBatch(cells: Int32Array, buffersAt: number, capacity: number, settings: ShardSettings): Batch {
  return {
    cells,
    buffersAt,
    stride: strideOf(settings),
    wanted: wantedOf(settings),
    events: new Int32Array(TRANSFERS_MAX),
    isEntered: new Uint8Array(capacity),
    isOpen: false,
  };
}

/** Serves those of a turn's events that are no more than bytes to be copied, if they are many, and takes them out of the list. */
export function copyTogether(shard: Shard, count: number): void {
  const { batch, settings } = shard;
  if (!batch.isOpen || settings.batchFrom === 0) return;
  for (let next = 0; count - next >= settings.batchFrom; ) {
    next = enter(shard, next, count);
    if (get(batch.cells, COUNT) >= settings.batchFrom) carryOut(shard);
    else leave(batch);
  }
}

/**
 * Makes entries of events from `first` on, until there is room for no more: what comes after the copy may hold bytes of the session's other
 * direction, before the next entry's turn comes. @returns the first event that was not looked at
 */
function enter(shard: Shard, first: number, count: number): number {
  const { arena, batch, kernel, layout, table } = shard;
  const { cells, events, isEntered } = batch;
  const room = Math.min(TRANSFERS_MAX, spillRoom(shard.spill) >> 1);
  let entries = 0;
  let index = first;
  for (; index < count && entries < room; index++) {
    const side = eventTag(arena, layout.eventsAt, index);
    const mask = eventMask(arena, layout.eventsAt, index);
    if (!isSessionTag(side) || (mask & EPOLLIN) === 0 || (mask & ~(EPOLLIN | EPOLLOUT)) !== 0) continue;
    const slot = side >> 1;
    // Stale events are left to the dispatcher, and so is the second one of a session.
    if (get(table.generation, slot) >>> 0 !== eventGeneration(arena, layout.eventsAt, index)) continue;
    if (get(table.phase, slot) !== PHASE_RELAYING || isEntered[slot] === 1 || !isCopyable(table, side)) continue;
    kernel.noteRecv(entries, get(table.fd, side) - 1, bufferAt(batch, entries), batch.wanted);
    cells[SIDES + entries] = side;
    events[entries] = index;
    isEntered[slot] = 1;
    entries++;
  }
  cells[COUNT] = entries;
  // Without any room for what a socket may not take, nothing is copied here.
  return room === 0 ? count : index;
}

function leave({ cells, isEntered }: Batch): void {
  for (let entry = 0; entry < get(cells, COUNT); entry++) isEntered[get(cells, SIDES + entry) >> 1] = 0;
}

function carryOut(shard: Shard): void {
  const { arena, batch, kernel, layout, table } = shard;
  const { cells } = batch;
  const count = get(cells, COUNT);
  cells[NOTED] = 0;
  cells[STAGE] = READING;
  kernel.transfer(count);
  for (let entry = 0; entry < count; entry++) cells[READS + entry] = kernel.transferred(entry);
  write(shard, count);
  let writes = 0;
  for (let entry = 0; entry < count; entry++) {
    const read = get(cells, READS + entry);
    const side = get(cells, SIDES + entry);
    batch.isEntered[side >> 1] = 0;
    const sent = read > 0 ? kernel.transferred(writes++) : NOT_DONE;
    // What was not read stays an event like others.
    if (read === NOT_DONE) continue;
    dropEvent(arena, layout.eventsAt, get(batch.events, entry));
    // In this order: a session that is being stepped is lost with the thread, and no entry any more.
    table.shared[STEP_SLOT] = (side >> 1) + 1;
    cells[NOTED] = entry + 1;
    sessionCopied(shard, side, bufferAt(batch, entry), read, sent);
  }
  cells[STAGE] = IDLE;
}

/** Writes what the entries have read. */
function write(shard: Shard, count: number): void {
  const { batch, kernel, table } = shard;
  const { cells } = batch;
  cells[WRITES] = 0;
  cells[STAGE] = WRITING;
  let writes = 0;
  for (let entry = 0; entry < count; entry++) {
    const read = get(cells, READS + entry);
    if (read <= 0) continue;
    const to = get(cells, SIDES + entry) ^ 1;
    kernel.noteSend(writes, get(table.fd, to) - 1, bufferAt(batch, entry), read);
    cells[WRITES] = ++writes;
  }
  if (writes > 0) kernel.transfer(writes);
}

/** What a predecessor had in its hands when it died: what it read and did not write goes on its way. */
export function recoverBatch(shard: Shard): void {
  const { batch, kernel, table } = shard;
  const { cells } = batch;
  const stage = get(cells, STAGE);
  if (stage === IDLE) return;
  let writes = 0;
  for (let entry = 0; entry < get(cells, COUNT); entry++) {
    const side = get(cells, SIDES + entry);
    const read = stage === READING ? kernel.transferred(entry) : get(cells, READS + entry);
    const isWritten = read > 0 && stage === WRITING && writes < get(cells, WRITES);
    const sent = isWritten ? kernel.transferred(writes++) : NOT_DONE;
    // The session that was being stepped is not to be saved (lifecycle.ts).
    const isNoted = entry < get(cells, NOTED) || (side >> 1) + 1 === get(table.shared, STEP_SLOT);
    if (read !== NOT_DONE && !isNoted) noteCopied(shard, side, bufferAt(batch, entry), read, sent);
  }
  cells[STAGE] = IDLE;
}

function bufferAt({ buffersAt, stride }: Batch, entry: number): number {
  return buffersAt + entry * stride;
}
