// What the supervisor and a shard's thread say to each other. A shard blocks in epoll_wait and runs no event loop: a message is
// posted on its port, then its eventfd is made readable, and it takes what is there. Two words need no message: the stop flag
// and the heartbeat are cells in shared memory.

import type { MessagePort } from 'node:worker_threads';
import type { NodeEvent } from '../core/health/ejection.ts';
import type { ShardPlan } from '../core/session/plan.ts';
import type { SlotOwner } from '../core/session/session.ts';
import type { ShardSettings } from '../core/session/settings.ts';
import type { ProcessMemory, ShardMemory } from '../core/session/shard.ts';

/** What the listener worker is started with. */
export interface ShardTask {
  index: number;
  shards: number;
  settings: ShardSettings;
  /** slots of the session table */
  capacity: number;
  memory: ShardMemory;
  processMemory: ProcessMemory;
  /** counters of all shards, by index: least connections and limits of nodes sum over them */
  counters: SharedArrayBuffer[];
  control: SharedArrayBuffer;
  wakeFd: number;
  port: MessagePort;
  plan: ShardPlan;
  /** a predecessor has left its table */
  adopts: boolean;
  cpu: number | undefined;
  allowFaults: boolean;
}

export type ToShard =
  | { id: number; kind: 'apply'; plan: ShardPlan }
  /** let go of listeners whose backlog could not be emptied in time */
  | { id: number; kind: 'abandon' }
  /** end the sessions of a node (by row) that went down */
  | { id: number; kind: 'cut'; row: number }
  /** end sessions on the operator's word */
  | { id: number; kind: 'kill'; slots: readonly SlotOwner[] }
  | { id: number; kind: 'fault'; fault: Fault };

export type FromShard =
  /** `sessions`: how many a `kill` has ended */
  | { kind: 'done'; id: number; sessions: number }
  | { kind: 'started'; threadId: number }
  /** what sessions met has changed a node's condition */
  | { kind: 'node'; row: number; event: NodeEvent; errno: number }
  | { kind: 'fault'; message: string }
  | { kind: 'warning'; message: string };

/** Ways in which a test may make a shard fail, where that was allowed at start. */
export const FAULTS = ['throw-in-step', 'throw', 'out-of-memory', 'block'] as const;
export type Fault = (typeof FAULTS)[number];

/** What threads tell each other without a message: one stop flag, then a row of cells per thread, a cache line each. */
export interface Control {
  readonly stop: Int32Array;
  /** by row * HEARTBEAT_STRIDE, of the shards alone: monotonic ms */
  readonly heartbeats: Float64Array;
  /** by row, those of the main thread and the control thread after the shards': see loop-lag.ts */
  readonly lags: readonly Float64Array[];
}

const CACHE_LINE_BYTES = 64;
export const HEARTBEAT_STRIDE = CACHE_LINE_BYTES / Float64Array.BYTES_PER_ELEMENT;

/** of a row: the heartbeat's cell comes first */
const LAG_AT_BYTES = Float64Array.BYTES_PER_ELEMENT;
const LAG_CELLS = 2;
/** the main thread and the control thread */
const OTHER_THREADS = 2;

export function controlBytes(shards: number): number {
  return CACHE_LINE_BYTES * (1 + shards + OTHER_THREADS);
}

export function createControl(memory: SharedArrayBuffer): Control {
  const rows = memory.byteLength / CACHE_LINE_BYTES - 1;
  const cellsOf = (row: number) => new Float64Array(memory, CACHE_LINE_BYTES * (1 + row) + LAG_AT_BYTES, LAG_CELLS);
  return {
    stop: new Int32Array(memory, 0, 1),
    heartbeats: new Float64Array(memory, CACHE_LINE_BYTES, (rows - OTHER_THREADS) * HEARTBEAT_STRIDE),
    lags: Array.from({ length: rows }, (_, row) => cellsOf(row)),
  };
}
