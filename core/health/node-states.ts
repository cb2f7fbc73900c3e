// The condition of every node, by row, in memory that all threads share: the main thread writes what active checks find, shards
// write what real sessions meet, and everybody may read without asking. It owns the cells and says when they have changed; what
// follows from a check or from a failed connect is told in rise-fall.ts and ejection.ts. All zero is a node nobody knows yet.

import { describeErrno } from '../base/errno.ts';

// Values of `health`: what active checks say.
export const HEALTH_UNKNOWN = 0;
export const HEALTH_UP = 1;
export const HEALTH_DOWN = 2;

export type Health = 'unknown' | 'up' | 'down';
const HEALTH_NAMES: readonly Health[] = ['unknown', 'up', 'down'];

/** Why a node is in the condition it is in; some have a detail: an errno or an HTTP status. */
export const REASON = {
  notChecked: 0,
  connected: 1,
  status: 2,
  bodyMatched: 3,
  bodyDiffers: 4,
  connectError: 5,
  timeout: 6,
  noAnswer: 7,
  notHttp: 8,
  /** of an ejection: the last of the failed connects */
  sessionsFailed: 9,
  /** of the end of an ejection */
  sessionSucceeded: 10,
  /** its host name has never been resolved, or what it has is no node's */
  noAddress: 11,
} as const;

export type Reason = (typeof REASON)[keyof typeof REASON];

const REASON_TEXT: Readonly<Record<Reason, (detail: number) => string>> = {
  [REASON.notChecked]: () => 'not checked',
  [REASON.connected]: () => 'it takes connections',
  [REASON.status]: (status) => `it answers with status ${status}`,
  [REASON.bodyMatched]: () => 'the body of its answer matches check_body',
  [REASON.bodyDiffers]: () => 'the body of its answer does not match check_body',
  [REASON.connectError]: (errno) => describeErrno(errno),
  [REASON.timeout]: () => 'no answer within check_timeout',
  [REASON.noAnswer]: () => 'it closed the connection without an answer',
  [REASON.notHttp]: () => 'its answer is not HTTP',
  [REASON.sessionsFailed]: (errno) => `sessions could not connect to it: ${describeErrno(errno)}`,
  [REASON.sessionSucceeded]: () => 'a session connected to it again',
  [REASON.noAddress]: () => 'its host name cannot be resolved, or leads back here',
};

export function describeReason(reason: number, detail: number): string {
  return REASON_TEXT[reason as Reason](detail);
}

/**
 * Why a node is in its condition: what checks say, and what sessions met. Each has cells of its own, for either may be the later word,
 * and the earlier still hold.
 * @param countsSessions what sessions meet counts (check_passive)
 */
export function conditionReason(states: NodeStates, row: number, countsSessions: boolean): string {
  const byChecks = describeReason(states.reason[row] ?? 0, states.detail[row] ?? 0);
  if (!countsSessions) return byChecks;
  const isDown = states.health[row] === HEALTH_DOWN;
  if (states.isEjected[row] === 1) {
    const bySessions = describeReason(REASON.sessionsFailed, states.ejectionErrno[row] ?? 0);
    return isDown ? `${byChecks}; ${bySessions}` : bySessions;
  }
  const isBack = (states.backMs[row] ?? 0) > (states.healthMs[row] ?? 0);
  return isBack && !isDown ? describeReason(REASON.sessionSucceeded, 0) : byChecks;
}

export function healthName(health: number): Health {
  return HEALTH_NAMES[health] ?? 'unknown';
}

/** Widest first, so that each array is aligned. Times are monotonic milliseconds, 0 is never. */
const FIELDS = {
  /** when health or ejection last changed, and health alone */
  changedMs: 'f64',
  healthMs: 'f64',
  /** when the last check ended */
  checkedMs: 'f64',
  /** how long the last check took */
  checkTookMs: 'f64',
  checks: 'f64',
  checkFailures: 'f64',
  /** the last two failed connects with no success since, the older one first */
  olderFailureMs: 'f64',
  lastFailureMs: 'f64',
  /** of an ejected node: until then no session tries it */
  outUntilMs: 'f64',
  /** when the last ejection ended */
  backMs: 'f64',
  /** connects that were begun before this moment speak of an address that the node has left */
  movedMs: 'f64',
  /** when the node came back, for its slow start; 0 when it has been there from the beginning */
  rampFromMs: 'f64',
  health: 'i32',
  /** of health */
  reason: 'i32',
  detail: 'i32',
  /** 1 exactly while the node is ejected */
  isEjected: 'i32',
  /** what the last of the failed connects met that ejected it, or kept it out */
  ejectionErrno: 'i32',
  /** how often it was ejected, one time soon after the other */
  ejections: 'i32',
  /** when the present trial began, in milliseconds modulo 2^32; 0 (NO_TRIAL) while there is none */
  trialAt: 'i32',
} as const satisfies Record<string, 'f64' | 'i32'>;

type FieldName = keyof typeof FIELDS;
type Arrays = { readonly [K in FieldName]: (typeof FIELDS)[K] extends 'f64' ? Float64Array : Int32Array };

export interface NodeStates extends Arrays {
  readonly rows: number;
  /** one cell: rises with every change that may make another set of nodes eligible */
  readonly epoch: Int32Array;
}

const HEADER_BYTES = 64;
const SIZES = { f64: 8, i32: 4 } as const;

export function nodeStatesBytes(rows: number): number {
  return HEADER_BYTES + Object.values(FIELDS).reduce((bytes, type) => bytes + rows * SIZES[type], 0);
}

/** @param memory `nodeStatesBytes(rows)` bytes, zero-filled at first */
export function createNodeStates(memory: SharedArrayBuffer, rows: number): NodeStates {
  let offset = HEADER_BYTES;
  const arrays = Object.fromEntries(
    Object.entries(FIELDS).map(([name, type]) => {
      const at = offset;
      offset += rows * SIZES[type];
      return [name, type === 'f64' ? new Float64Array(memory, at, rows) : new Int32Array(memory, at, rows)];
    }),
  );
  return { ...(arrays as unknown as Arrays), rows, epoch: new Int32Array(memory, 0, 1) };
}

/** Tells all shards that what they computed from the cells is old. */
export function noteChange(states: NodeStates): void {
  Atomics.add(states.epoch, 0, 1);
}

export function epochOf(states: NodeStates): number {
  return Atomics.load(states.epoch, 0);
}

/** A row for its next owner: nothing is known of it. */
export function clearNodeState(states: NodeStates, row: number): void {
  for (const name of Object.keys(FIELDS) as FieldName[]) states[name][row] = 0;
  noteChange(states);
}

/** What a check has changed. A node that was down and is up again begins its slow start. */
export function setHealth(
  states: NodeStates,
  row: number,
  health: number,
  reason: Reason,
  detail: number,
  nowMs: number,
): void {
  const cameBack = states.health[row] === HEALTH_DOWN && health === HEALTH_UP;
  if (cameBack) states.rampFromMs[row] = nowMs;
  states.health[row] = health;
  states.reason[row] = reason;
  states.detail[row] = detail;
  states.healthMs[row] = nowMs;
  states.changedMs[row] = nowMs;
  noteChange(states);
}
