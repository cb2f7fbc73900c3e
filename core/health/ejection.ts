// Passive checks: what failed connects of real sessions do to a node. Three in a row within a check interval eject it, that is,
// take it out for a while, longer each time; then one session at a time may try it, until one succeeds. Functions of shared cells and
// a time; any shard may call them at any moment. Two shards that meet may count one failure less, never more than one ejection.
//
//   in --third failure within the interval--> out --time is up--> trial: one session --succeeds--> in
//                                              ^-------------------------fails-----'

import { type NodeStates, noteChange } from './node-states.ts';

/** The first ejection takes this long, each further one twice as long as the one before. */
export const EJECTION_MS = 5000;
export const EJECTION_MS_MAX = 60_000;

/** A node that is ejected again within this time after it came back has not got better. */
export const RELAPSE_MS = 60_000;

/** A node that has moved is still connected to at its old address for this long. */
const MOVE_MS = 1000;

/** A session that is no trial of an ejected node. */
export const NO_TRIAL = 0;

/** What became of the node by what a session met. */
export type NodeEvent = 'none' | 'ejected' | 'readmitted' | 'trial-failed';

/**
 * A session could not connect to the node.
 * @param trial what claimTrial gave the session, or NO_TRIAL
 * @param withinMs three failures in a row count within this time
 */
export function noteConnectFailure(
  states: NodeStates,
  row: number,
  trial: number,
  withinMs: number,
  errno: number,
  nowMs: number,
): NodeEvent {
  if (Atomics.load(states.isEjected, row) === 1) return noteFailureOutside(states, row, trial, errno, nowMs);
  const older = cell(states.olderFailureMs, row);
  states.olderFailureMs[row] = cell(states.lastFailureMs, row);
  states.lastFailureMs[row] = nowMs;
  if (older === 0 || nowMs - older > withinMs) return 'none';
  const backMs = cell(states.backMs, row);
  const isRelapse = backMs > 0 && nowMs - backMs <= RELAPSE_MS;
  const ejections = isRelapse ? Atomics.load(states.ejections, row) + 1 : 1;
  // Before the word that says it: whoever reads that finds a time in the future.
  states.outUntilMs[row] = nowMs + ejectionMs(ejections);
  if (Atomics.compareExchange(states.isEjected, row, 0, 1) !== 0) return 'none';
  Atomics.store(states.ejections, row, ejections);
  Atomics.store(states.trialAt, row, NO_TRIAL);
  states.ejectionErrno[row] = errno;
  changed(states, row, nowMs);
  return 'ejected';
}

/**
 * Only of the trial that is under way does it say anything. Other sessions were under way before the ejection, or came because every
 * node is ejected, or are a trial that took too long.
 */
function noteFailureOutside(states: NodeStates, row: number, trial: number, errno: number, nowMs: number): NodeEvent {
  if (trial === NO_TRIAL || Atomics.compareExchange(states.trialAt, row, trial, NO_TRIAL) !== trial) return 'none';
  const ejections = Atomics.add(states.ejections, row, 1) + 1;
  states.outUntilMs[row] = nowMs + ejectionMs(ejections);
  states.ejectionErrno[row] = errno;
  changed(states, row, nowMs);
  return 'trial-failed';
}

/**
 * A session has connected to the node. Before its time is up that is a session that came because every node is ejected: one that
 * fails every other time would be in and out with each of them. After that any session shows that the node takes connections again,
 * be it the trial or not.
 */
export function noteConnectSuccess(states: NodeStates, row: number, nowMs: number): NodeEvent {
  if (cell(states.lastFailureMs, row) !== 0) {
    states.lastFailureMs[row] = 0;
    states.olderFailureMs[row] = 0;
  }
  if (Atomics.load(states.isEjected, row) === 0 || nowMs < cell(states.outUntilMs, row)) return 'none';
  states.backMs[row] = nowMs;
  states.rampFromMs[row] = nowMs;
  if (Atomics.compareExchange(states.isEjected, row, 1, 0) !== 1) return 'none';
  Atomics.store(states.trialAt, row, NO_TRIAL);
  changed(states, row, nowMs);
  return 'readmitted';
}

/** Whether an ejected node may be tried by the next session. @param trialMs a trial that is older was given up */
export function isTrialDue(states: NodeStates, row: number, trialMs: number, nowMs: number): boolean {
  return nowMs >= trialDueMs(states, row, trialMs, nowMs);
}

/** When an ejected node may be tried (next). */
export function trialDueMs(states: NodeStates, row: number, trialMs: number, nowMs: number): number {
  const outUntilMs = cell(states.outUntilMs, row);
  const trialAt = Atomics.load(states.trialAt, row);
  if (trialAt === NO_TRIAL) return outUntilMs;
  const ageMs = (asTrialAt(nowMs) - trialAt) | 0;
  // An age out of range is of a clock that went round, some 24 days later: that trial is over.
  return ageMs < 0 || ageMs >= trialMs ? outUntilMs : Math.max(outUntilMs, nowMs + trialMs - ageMs);
}

/** Makes the caller's session the one that tries the node. @returns the trial, or NO_TRIAL when another session was first */
export function claimTrial(states: NodeStates, row: number, trialMs: number, nowMs: number): number {
  const before = Atomics.load(states.trialAt, row);
  if (!isTrialDue(states, row, trialMs, nowMs)) return NO_TRIAL;
  const trial = asTrialAt(nowMs);
  if (Atomics.compareExchange(states.trialAt, row, before, trial) !== before) return NO_TRIAL;
  noteChange(states);
  return trial;
}

/** The session goes to another node: the next one may try this. @param trial what claimTrial gave it, or NO_TRIAL */
export function giveUpTrial(states: NodeStates, row: number, trial: number): void {
  if (trial === NO_TRIAL || Atomics.compareExchange(states.trialAt, row, trial, NO_TRIAL) !== trial) return;
  noteChange(states);
}

/** The node is elsewhere now: what sessions are about to meet at its old address is not judged. */
export function noteMoved(states: NodeStates, row: number, nowMs: number): void {
  // A little later: until every shard has heard of it.
  states.movedMs[row] = nowMs + MOVE_MS;
}

/** A node begins anew, as one that has moved does where it has not failed yet: nothing that sessions met counts any more. */
export function forgetEjection(states: NodeStates, row: number): void {
  Atomics.store(states.isEjected, row, 0);
  Atomics.store(states.ejections, row, 0);
  Atomics.store(states.trialAt, row, NO_TRIAL);
  for (const cells of [states.outUntilMs, states.lastFailureMs, states.olderFailureMs, states.backMs]) cells[row] = 0;
  noteChange(states);
}

function ejectionMs(ejections: number): number {
  return Math.min(EJECTION_MS * 2 ** Math.min(ejections - 1, 10), EJECTION_MS_MAX);
}

/** Names a trial, too: of one node no two can begin within a millisecond. */
function asTrialAt(nowMs: number): number {
  return nowMs | 0 || NO_TRIAL + 1;
}

function changed(states: NodeStates, row: number, nowMs: number): void {
  states.changedMs[row] = nowMs;
  noteChange(states);
}

function cell(cells: Float64Array, row: number): number {
  return cells[row] ?? 0;
}
