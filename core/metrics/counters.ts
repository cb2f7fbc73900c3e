// The counters of one shard: cells in shared memory that only this shard writes and everybody may read. One row for the shard,
// one per frontend, one per node; a row fills whole cache lines, so that shards do not disturb each other. A reader sums the
// rows of all shards. (Float64: exact up to 2^53.)

const CACHE_LINE_BYTES = 64;
const CELL_BYTES = 8;

export const SHARD_COUNTERS = [
  'accepted',
  'ended',
  'acceptErrors',
  'acceptPauses',
  'acceptsLimited',
  'turns',
  'bytesCopied',
  'bytesSpliced',
  'bytesSpilled',
  'readsWithoutRoom',
  'pipeRefusals',
  'bytesLost',
  'headerBytes',
  'bytesIn',
  'bytesOut',
  'logDropped',
  'stepFaults',
  'adoptions',
  'leavingListeners',
  'cutByClient',
  'cutByNode',
  'cutByBalancer',
] as const;

export const FRONTEND_COUNTERS = [
  'accepted',
  'ended',
  'active',
  'noNode',
  'bytesIn',
  'bytesOut',
  'throttled',
  'queued',
  'queueRefused',
  'queueTimeouts',
] as const;

export const NODE_COUNTERS = [
  'connects',
  'connectFailures',
  'connectTimeouts',
  'retries',
  'bytesIn',
  'bytesOut',
] as const;

export type ShardCounter = (typeof SHARD_COUNTERS)[number];
export type FrontendCounter = (typeof FRONTEND_COUNTERS)[number];
export type NodeCounter = (typeof NODE_COUNTERS)[number];

type Columns<T extends string> = Readonly<Record<T, number>>;

function columns<T extends string>(names: readonly T[]): Columns<T> {
  const entries = names.map((name, index) => [name, index] as const);
  return Object.fromEntries(entries) as Columns<T>;
}

/** Name -> column. */
export const SHARD = columns(SHARD_COUNTERS);
export const FRONTEND = columns(FRONTEND_COUNTERS);
export const NODE = columns(NODE_COUNTERS);

function stride(names: readonly string[]): number {
  const lines = Math.ceil((names.length * CELL_BYTES) / CACHE_LINE_BYTES);
  return (lines * CACHE_LINE_BYTES) / CELL_BYTES;
}

export const SHARD_STRIDE = stride(SHARD_COUNTERS);
export const FRONTEND_STRIDE = stride(FRONTEND_COUNTERS);
export const NODE_STRIDE = stride(NODE_COUNTERS);

export interface Counters {
  readonly shard: Float64Array;
  /** row * FRONTEND_STRIDE + column */
  readonly frontends: Float64Array;
  /** row * NODE_STRIDE + column */
  readonly nodes: Float64Array;
  /**
   * by row: sessions that have the node or are connecting to it. Integers, because a node with a limit is reserved by reading the
   * cells of all shards after raising one's own, and only atomic operations order the two.
   */
  readonly nodesActive: Int32Array;
}

export function countersBytes(frontends: number, nodes: number): number {
  const cells = SHARD_STRIDE + frontends * FRONTEND_STRIDE + nodes * NODE_STRIDE;
  return cells * CELL_BYTES + nodes * Int32Array.BYTES_PER_ELEMENT;
}

export function createCounters(memory: SharedArrayBuffer, frontends: number, nodes: number): Counters {
  const frontendsAt = SHARD_STRIDE * CELL_BYTES;
  const nodesAt = frontendsAt + frontends * FRONTEND_STRIDE * CELL_BYTES;
  const activeAt = nodesAt + nodes * NODE_STRIDE * CELL_BYTES;
  return {
    shard: new Float64Array(memory, 0, SHARD_STRIDE),
    frontends: new Float64Array(memory, frontendsAt, frontends * FRONTEND_STRIDE),
    nodes: new Float64Array(memory, nodesAt, nodes * NODE_STRIDE),
    nodesActive: new Int32Array(memory, activeAt, nodes),
  };
}

/** Adds to one cell. The single writer makes the plain read-modify-write safe. */
export function add(cells: Float64Array, cell: number, value: number): void {
  cells[cell] = (cells[cell] as number) + value;
}

/** One cell summed over the shards. */
export function sumCell(shards: readonly (Float64Array | Int32Array)[], cell: number): number {
  let sum = 0;
  for (const cells of shards) sum += cells[cell] ?? 0;
  return sum;
}
