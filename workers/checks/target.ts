// What a check is asked and what it answers: the words that the prober and all kinds of checks share. Types only.

import type { Reason } from '../../core/health/node-states.ts';
import type { HeaderMode } from '../../core/proxy-protocol/template.ts';

/** A node to be checked, and how. */
export interface CheckTarget {
  /** of the node in the shared cells */
  readonly row: number;
  /** row of its frontend: no pool makes another one's checks wait */
  readonly frontend: number;
  /** for messages: `web-1 (192.0.2.10:8080) of web port 80` */
  readonly name: string;
  readonly check: 'connection' | 'http' | 'http_body';
  /** where the node is: 16 bytes; undefined: there is no address for it */
  readonly ip: Uint8Array | undefined;
  /** all that it may have: while it is down, they are checked in turn */
  readonly ips: readonly Uint8Array[];
  readonly port: number;
  /** the host as configured, an IPv6 address without brackets */
  readonly host: string;
  /** the version that the node expects in front of everything */
  readonly proxyProtocol: HeaderMode;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** failures in a row that take the node down */
  readonly attempts: number;
  readonly path: string;
  /** a regular expression that an http_body check looks for */
  readonly body: string;
}

/** What a check found. */
export interface CheckVerdict {
  readonly ok: boolean;
  readonly reason: Reason;
  /** an errno or an HTTP status, as the reason says */
  readonly detail: number;
  readonly tookMs: number;
}

/** `inconclusive`: it failed for want of something here, and says nothing about the node. */
export type CheckResult = CheckVerdict | 'inconclusive';

/** Starts one check. `done` is called once, never within this call, and never after the signal: that gives the check up and closes
 * what it still has open, the farewell of a finished one included. */
export type RunCheck = (target: CheckTarget, signal: AbortSignal, done: (result: CheckResult) => void) => void;
