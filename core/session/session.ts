// One session, from accept to close: the map of the data path. An event, a timer or the run queue steps a session; what a step
// does depends on its phase and is told in the file named after the stage:
//
//   accept.ts -> choose.ts -> connect.ts -> header.ts -> relay.ts -> close.ts
//
// A throw inside a step ends that one session, never the shard.

import { EPOLLERR, EPOLLHUP } from '../linux/kernel.ts';
import { add, SHARD } from '../metrics/counters.ts';
import {
  continueLingering,
  continueResetting,
  dropSession,
  endSession,
  giveUpSession,
  lingerTimedOut,
} from './close.ts';
import {
  connectTimedOut,
  continueConnect,
  frontGone,
  keepAlive,
  leaveConnect,
  queueTimedOut,
  resumeConnect,
  startConnect,
} from './connect.ts';
import { deadlineOf, isKeepaliveDue, timerOf } from './deadline.ts';
import { IN, type In, noteOutcome, WHO } from './outcome.ts';
import { hasPending } from './pending.ts';
import { noteEvent } from './readiness.ts';
import { relay, relayCopied } from './relay.ts';
import { enqueueBulk, type Shard } from './shard.ts';
import {
  BACK,
  FRONT,
  get,
  HIGH_WATER,
  PHASE_CONNECTING,
  PHASE_FREE,
  PHASE_LINGERING,
  PHASE_QUEUED,
  PHASE_RELAYING,
  PHASE_RESETTING,
  PHASE_RETRYING,
  READ_ENDED,
  type SessionTable,
  SPLICING,
  STEP_SLOT,
  WRITABLE,
} from './table.ts';

/** sessions of a crowd that are stepped between two signs of life */
const STEPS_PER_BEAT = 1024;

/** A connection was accepted into the slot. */
export function beginSession(shard: Shard, slot: number): void {
  guarded(shard, slot, startConnect);
}

/** A step that needs no more than its slot: should it throw, that one session ends, and should the thread die in it, is lost. */
function guarded(shard: Shard, slot: number, what: (shard: Shard, slot: number) => void): void {
  const { table } = shard;
  table.shared[STEP_SLOT] = slot + 1;
  try {
    what(shard, slot);
  } catch (error) {
    fault(shard, slot, error);
  }
  table.shared[STEP_SLOT] = 0;
}

/** An event of one of a session's sockets. @param side slot * 2 + FRONT or BACK @param mask EPOLL… bits */
export function sessionReady(shard: Shard, side: number, mask: number): void {
  const slot = side >> 1;
  const { table } = shard;
  // While a connect is pending, events of the back socket speak of the connect, not of bytes.
  const isConnectEvent = (side & 1) === BACK && get(table.phase, slot) === PHASE_CONNECTING;
  if (!isConnectEvent) noteEvent(table, side, mask);
  // What has come to its end has its time from now on, too (deadline.ts).
  if ((mask & (EPOLLERR | EPOLLHUP)) !== 0) table.activeMs[slot] = shard.nowMs;
  if (isBulk(table, slot)) enqueueBulk(shard, slot);
  else step(shard, slot, side & 1, mask);
}

/** A direction is spliced: what it has to move takes its time. */
function isBulk(table: SessionTable, slot: number): boolean {
  const flags = get(table.sideFlags, slot * 2 + FRONT) | get(table.sideFlags, slot * 2 + BACK);
  return (flags & SPLICING) !== 0 && get(table.phase, slot) === PHASE_RELAYING;
}

/** Goes on with a session because of an event, or of the run queue (mask 0). */
function step(shard: Shard, slot: number, which: number, mask: number): void {
  const { table } = shard;
  table.shared[STEP_SLOT] = slot + 1;
  try {
    shard.onStep?.(slot);
    switch (get(table.phase, slot)) {
      case PHASE_CONNECTING:
        if (which === BACK) continueConnect(shard, slot, mask);
        else if ((mask & (EPOLLERR | EPOLLHUP)) !== 0) frontGone(shard, slot);
        else if (mask === 0) resumeConnect(shard, slot);
        break;
      case PHASE_RETRYING:
        if ((mask & (EPOLLERR | EPOLLHUP)) !== 0) frontGone(shard, slot);
        break;
      case PHASE_QUEUED:
        if ((mask & (EPOLLERR | EPOLLHUP)) !== 0) frontGone(shard, slot);
        else if (mask === 0) startConnect(shard, slot);
        break;
      case PHASE_RELAYING:
        relay(shard, slot);
        break;
      case PHASE_RESETTING:
        continueResetting(shard, slot, which, mask);
        break;
      case PHASE_LINGERING:
        continueLingering(shard, slot);
        break;
    }
  } catch (error) {
    fault(shard, slot, error);
  }
  table.shared[STEP_SLOT] = 0;
}

/** Goes on with a session after its read and write were carried out with those of others (batch.ts). */
export function sessionCopied(shard: Shard, side: number, at: number, read: number, sent: number): void {
  const slot = side >> 1;
  const { table } = shard;
  table.shared[STEP_SLOT] = slot + 1;
  try {
    shard.onStep?.(slot);
    relayCopied(shard, side, at, read, sent);
  } catch (error) {
    fault(shard, slot, error);
  }
  table.shared[STEP_SLOT] = 0;
}

/** Its turn in the run queue. */
export function sessionContinues(shard: Shard, slot: number): void {
  const phase = get(shard.table.phase, slot);
  if (phase !== PHASE_FREE) step(shard, slot, FRONT, 0);
}

/** A session's timer fired. Activity may have moved the deadline meanwhile. */
export function sessionTimer(shard: Shard, slot: number): void {
  if (get(shard.table.phase, slot) !== PHASE_FREE) guarded(shard, slot, lookAtTime);
}

function lookAtTime(shard: Shard, slot: number): void {
  const phase = get(shard.table.phase, slot);
  if (isKeepaliveDue(shard, slot)) keepAlive(shard, slot);
  if (phase === PHASE_RESETTING) continueResetting(shard, slot, FRONT, 0);
  else if (shard.nowMs < deadlineOf(shard, slot) || hasTurn(shard, slot)) shard.wheel.arm(slot, timerOf(shard, slot));
  else expire(shard, slot, phase);
}

/** It waits for its turn: it is not silent, whatever its timer says. */
function hasTurn({ bulkQueue }: Shard, slot: number): boolean {
  return bulkQueue.isIn[slot] === 1;
}

function expire(shard: Shard, slot: number, phase: number): void {
  switch (phase) {
    case PHASE_CONNECTING:
      return connectTimedOut(shard, slot);
    case PHASE_RETRYING:
      return startConnect(shard, slot);
    case PHASE_QUEUED:
      return queueTimedOut(shard, slot);
    case PHASE_LINGERING:
      return lingerTimedOut(shard, slot);
    default:
      noteOutcome(shard.table, slot, whoIsSilent(shard, slot), IN.data);
      giveUpSession(shard, slot);
  }
}

/** Whom an idle session was waiting for: who does not take its bytes, or has not answered. */
function whoIsSilent(shard: Shard, slot: number) {
  const { table } = shard;
  const front = slot * 2 + FRONT;
  const back = slot * 2 + BACK;
  if (hasPending(table, back) || (get(table.sideFlags, front) & WRITABLE) === 0) return WHO.clientTimeout;
  if (hasPending(table, front) || (get(table.sideFlags, back) & WRITABLE) === 0) return WHO.nodeTimeout;
  if ((get(table.sideFlags, front) & READ_ENDED) !== 0) return WHO.nodeTimeout;
  const isUnanswered = get(table.bytesFrom, front) > 0 && get(table.bytesFrom, back) === 0;
  return isUnanswered ? WHO.nodeTimeout : WHO.clientTimeout;
}

/**
 * Ends a session on the operator's word, or at the drain deadline: at once, whatever is still on
 * its way.
 */
export function killSession(shard: Shard, slot: number): void {
  if (get(shard.table.phase, slot) === PHASE_FREE) return;
  noteOutcome(shard.table, slot, WHO.operator, phaseLetter(get(shard.table.phase, slot)));
  endSession(shard, slot);
}

/** A session by its slot, and the one of all that the slot has had. */
export interface SlotOwner {
  readonly slot: number;
  readonly generation: number;
}

/**
 * Ends these sessions on the operator's word. One that has ended meanwhile is left alone, for its slot may serve another.
 * @returns how many were ended
 */
export function killSessions(shard: Shard, owners: readonly SlotOwner[]): number {
  const { table } = shard;
  let killed = 0;
  for (const { slot, generation } of owners) {
    if (get(table.generation, slot) !== generation || get(table.phase, slot) === PHASE_FREE) continue;
    stepOneOfMany(shard, slot, killed++, killSession);
  }
  return killed;
}

/**
 * Ends the sessions that a node has: it went down, and they are not to wait for what never comes. Those that are still connecting to
 * it go on to another node.
 */
export function cutNode(shard: Shard, row: number): void {
  const { table } = shard;
  let ended = 0;
  for (let slot = 0; slot < get(table.shared, HIGH_WATER); slot++) {
    if (get(table.node, slot) !== row + 1 || get(table.phase, slot) === PHASE_FREE) continue;
    stepOneOfMany(shard, slot, ended++, cut);
  }
}

/** A step of one of a crowd that is stepped in one go, which may take seconds. @param before how many of them came before it */
export function stepOneOfMany(
  shard: Shard,
  slot: number,
  before: number,
  what: (shard: Shard, slot: number) => void,
): void {
  guarded(shard, slot, what);
  if ((before + 1) % STEPS_PER_BEAT === 0) shard.onBeat();
}

function cut(shard: Shard, slot: number): void {
  const { table } = shard;
  if (get(table.phase, slot) === PHASE_CONNECTING) return leaveConnect(shard, slot);
  noteOutcome(table, slot, WHO.node, phaseLetter(get(table.phase, slot)));
  endSession(shard, slot);
}

/** Our own mistake. The session ends; the shard and all other sessions go on. */
function fault(shard: Shard, slot: number, error: unknown): void {
  const { counters, table } = shard;
  add(counters.shard, SHARD.stepFaults, 1);
  shard.onFault(error);
  if (get(table.phase, slot) === PHASE_FREE) return;
  noteOutcome(table, slot, WHO.balancer, phaseLetter(get(table.phase, slot)));
  try {
    endSession(shard, slot);
  } catch (again) {
    shard.onFault(again);
    dropSession(shard, slot);
  }
}

export function phaseLetter(phase: number): In {
  if (phase === PHASE_QUEUED) return IN.queue;
  return phase === PHASE_CONNECTING || phase === PHASE_RETRYING ? IN.connect : IN.data;
}
