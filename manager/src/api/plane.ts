// The data plane as the API tells of it: its state at one moment.

import type { Mode } from './types.ts';

export interface NodeState {
  readonly label: string;
  readonly address: string;
  readonly mode: Mode;
  readonly health: 'up' | 'down' | 'unknown';
  readonly is_ejected: boolean;
  readonly reason: string;
  readonly changed: string | null;
  readonly sessions: number;
  readonly connects: number;
  readonly connect_failures: number;
  readonly connect_timeouts: number;
  /** active checks; `at` is when the last one ended */
  readonly check: {
    readonly at: string | null;
    readonly took_ms: number;
    readonly total: number;
    readonly failed: number;
  };
  readonly bytes_in: number;
  readonly bytes_out: number;
}

export interface FrontendState {
  readonly nodebalancer: string;
  readonly port: number;
  readonly addresses: readonly string[];
  readonly sessions: number;
  readonly queued: number;
  readonly accepted: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly nodes_status: { readonly up: number; readonly down: number; readonly unknown: number };
  readonly nodes: readonly NodeState[];
}

export interface PlaneState {
  readonly sessions: number;
  readonly connections_max: number;
  readonly frontends: readonly FrontendState[];
}
