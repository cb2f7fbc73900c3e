// Outcome codes: who ended a session, and in which phase. Two letters for the log, the table for people. The first outcome of a
// session wins and is never overwritten.

import { get, type SessionTable } from './table.ts';

/** Who. The character codes are what the table stores. */
export const WHO = {
  normal: '-',
  client: 'C',
  node: 'S',
  balancer: 'P',
  resource: 'R',
  operator: 'K',
  clientTimeout: 'c',
  nodeTimeout: 's',
} as const;

/** In which phase. */
export const IN = { none: '-', accept: 'A', queue: 'Q', connect: 'C', header: 'H', data: 'D' } as const;

const WHO_TEXT: Readonly<Record<string, string>> = {
  '-': 'both sides finished',
  C: 'the client aborted',
  S: 'the node aborted or could not be used',
  P: 'the balancer ended it after an internal error',
  R: 'a local resource ran out (ports, descriptors, memory)',
  K: 'the operator ended it',
  c: 'the client did nothing for too long',
  s: 'the node did nothing for too long',
};

const IN_TEXT: Readonly<Record<string, string>> = {
  '-': '',
  A: 'while it was being accepted',
  Q: 'while it waited for a node with room',
  C: 'while a node was being connected',
  H: 'while the PROXY header was being sent',
  D: 'while data was being relayed',
};

export type Who = (typeof WHO)[keyof typeof WHO];
export type In = (typeof IN)[keyof typeof IN];

/** Notes how a session ends, unless that is known already. */
export function noteOutcome(table: SessionTable, slot: number, who: Who, phase: In): void {
  if (get(table.outcomeWho, slot) !== 0) return;
  table.outcomeWho[slot] = who.charCodeAt(0);
  table.outcomePhase[slot] = phase.charCodeAt(0);
}

/** The two letters, `--` for a session that ended orderly. */
export function outcomeCode(who: number, phase: number): string {
  return who === 0 ? '--' : String.fromCharCode(who, phase);
}

/** `SC` -> "the node aborted or could not be used, while a node was being connected" */
export function describeOutcome(code: string): string {
  const who = WHO_TEXT[code[0] ?? ''];
  const phase = IN_TEXT[code[1] ?? ''];
  if (who === undefined || phase === undefined) return `unknown outcome ${code}`;
  return phase === '' ? who : `${who}, ${phase}`;
}

export function outcomeCodes(): { who: readonly string[]; phases: readonly string[] } {
  return { who: Object.keys(WHO_TEXT), phases: Object.keys(IN_TEXT) };
}
