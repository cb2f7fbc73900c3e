// One shard's world: everything that the functions of the data path share, created once. It holds state and hands it out; what
// happens to a connection is in the files named after the stages: accept, choose, connect, header, relay, close.

import type { Policy } from '../balance/policy.ts';
import type { Pool } from '../balance/pool.ts';
import { createTurns, type Turns, turnsBytes } from '../balance/turns.ts';
import { assert } from '../base/assert.ts';
import { IP_BYTES } from '../base/ip.ts';
import { createSlotRing, pushSlot, type SlotRing } from '../base/slot-ring.ts';
import type { TimerWheel } from '../base/timer-wheel.ts';
import { createTimerWheel } from '../base/timer-wheel.ts';
import type { NodeEvent } from '../health/ejection.ts';
import { createNodeStates, type NodeStates, nodeStatesBytes } from '../health/node-states.ts';
import { type Arena, EVENT_BYTES, type Kernel, SOCKADDR_BYTES, TRANSFERS_BYTES } from '../linux/kernel.ts';
import { PipePool, pipePoolBytes } from '../linux/pipe-pool.ts';
import { type Counters, countersBytes, createCounters } from '../metrics/counters.ts';
import { createHistogram, HISTOGRAM_BYTES, type Histogram } from '../metrics/histogram.ts';
import { createSessionLog, type SessionLog, sessionLogBytes } from '../metrics/session-log.ts';
import type { HeaderTemplate } from '../proxy-protocol/template.ts';
import { BATCH_CELL_BYTES, type Batch, batchBufferBytes, createBatch } from './batch.ts';
import { type ClientTable, clientTableBytes, createClientTable, seedClientTable } from './client-table.ts';
import {
  EVENTS_PER_WAIT,
  FRONTENDS_MAX,
  HEADER_BYTES_MAX,
  LOG_RECORDS,
  NODES_MAX,
  SOURCE_ADDRESSES_MAX,
} from './limits.ts';
import type { FrontendPlan, NodePlan } from './plan.ts';
import { createQueues, type Queues } from './queue.ts';
import type { ShardSettings } from './settings.ts';
import { createSpillSlab, type SpillSlab } from './spill.ts';
import { createSessionTable, get, type SessionTable, sessionTableBytes } from './table.ts';

/** The shared memory of one shard. It outlives the thread: a successor goes on with it. */
export interface ShardMemory {
  table: SharedArrayBuffer;
  arena: SharedArrayBuffer;
  pipes: SharedArrayBuffer;
  counters: SharedArrayBuffer;
  connectTimes: SharedArrayBuffer;
  firstByteTimes: SharedArrayBuffer;
  durations: SharedArrayBuffer;
  log: SharedArrayBuffer;
  turns: SharedArrayBuffer;
}

/** The memory that all shards of the process share, and the main thread with them. */
export interface ProcessMemory {
  /** live sessions per shard, one cache line each */
  live: SharedArrayBuffer;
  nodeStates: SharedArrayBuffer;
  stickyClients: SharedArrayBuffer;
  throttledClients: SharedArrayBuffer;
}

/** int32 cells between two shards' cells in `ProcessMemory.live` */
export const LIVE_STRIDE = 16;

/** A frontend as sessions use it. Replaced as a whole when its plan changes. */
export interface Frontend extends Pool {
  readonly plan: FrontendPlan;
  /** those of the plan, in the order that the policy was given */
  readonly nodes: readonly NodePlan[];
  readonly policy: Policy;
  /** those of `eligible` that the present choice may take: scratch */
  readonly candidates: Uint8Array;
  /** row of a node -> its index in `nodes` */
  readonly indexOf: ReadonlyMap<number, number>;
  /** a node takes only so many sessions */
  readonly hasLimits: boolean;
  /** a node expects a header */
  readonly sendsHeader: boolean;
  /** of the node states that `eligible` follows from, and when it must be computed again although they are the same */
  epoch: number;
  refreshAtMs: number;
}

export interface Listener {
  readonly fd: number;
  frontend: number;
  readonly ip: Uint8Array;
  readonly port: number;
  /** bound to every address: the one a client connected to has to be asked for */
  readonly isWildcard: boolean;
  /** recognises events of a listener that had this place before */
  readonly serial: number;
  /**
   * As many as lately came at once: to ask until the answer is "no more" would cost a call for each connection where they come one by
   * one. Doubled while it is too few; what is left in the backlog is reported again.
   */
  acceptsPerWake: number;
  /** the turn in which that many came, and perhaps more */
  fullTurn: number;
  isPaused: boolean;
  /** no longer planned; set exactly while clients wait in its backlog that cannot be accepted now */
  isLeaving: boolean;
}

export interface Shard {
  readonly index: number;
  readonly shards: number;
  readonly settings: ShardSettings;
  readonly kernel: Kernel;
  readonly arena: Arena;
  readonly layout: ArenaLayout;
  readonly table: SessionTable;
  readonly wheel: TimerWheel;
  readonly pipes: PipePool;
  /** what is copied for several sessions at once */
  readonly batch: Batch;
  readonly spill: SpillSlab;
  readonly counters: Counters;
  /** those of all shards, this one's included */
  readonly allCounters: readonly Counters[];
  readonly nodeStates: NodeStates;
  /** whose turn it is in each frontend, on this shard */
  readonly turns: Turns;
  /** which node a client returns to, and how often it has come in this second */
  readonly stickyClients: ClientTable;
  readonly throttledClients: ClientTable;
  /** an address to be looked up, and its port: scratch */
  readonly clientKey: Uint8Array;
  /** sessions that wait for a node */
  readonly queues: Queues;
  queuesPolledMs: number;
  readonly connectTimes: Histogram;
  /** from accept to the node's first byte */
  readonly firstByteTimes: Histogram;
  /** of whole sessions, in milliseconds instead of microseconds: 49 days fit, and sessions do last for days */
  readonly durations: Histogram;
  readonly log: SessionLog;
  readonly live: Int32Array;
  readonly wakeFd: number;
  /** called when another thread has woken this one */
  readonly onWake: () => void;
  /** called within long work that is no turn, so that nobody takes the shard for stuck */
  readonly onBeat: () => void;
  /** called with what was thrown inside a session's step */
  readonly onFault: (error: unknown) => void;
  /** called when what sessions met has changed a node's condition; the error of the last of them, or 0 */
  readonly onNodeEvent: (row: number, event: NodeEvent, errno: number) => void;
  /** called by the timer wheel; made once, so that turning it allocates nothing */
  onTimer: (slot: number) => void;
  /** for tests: called within a step of a session */
  onStep: ((slot: number) => void) | undefined;

  epollFd: number;
  /** the time of the present turn */
  nowMs: number;
  /** waits in a row that returned as many events as they could */
  fullWaits: number;
  /** another thread wants something: `onWake` is to be called in this turn */
  isWoken: boolean;
  /** by row */
  readonly frontends: (Frontend | undefined)[];
  /** by row of the node: what it gets before the client's bytes */
  readonly headers: (HeaderTemplate | undefined)[];
  readonly listeners: Listener[];
  listenerSerial: number;
  /** when paused listeners are looked at again; Infinity when none is paused */
  resumeAtMs: number;
  nextSourceAddress: number;

  /** sessions that have more to do although no event will say so */
  readonly runQueue: SlotRing;
  /** those of them that have much to move: they share what a turn moves at most, behind all others */
  readonly bulkQueue: SlotRing;
  /** sides whose low-water mark is up, and when they were last looked at */
  readonly marked: SlotRing;
  marksLookedMs: number;
  /** bytes that the bulk queue has moved in this turn */
  bulkBytes: number;
}

export interface ArenaLayout {
  eventsAt: number;
  /** the sockaddrs of a connection's two ends, as accepting or connecting finds them */
  peerAddressAt: number;
  localAddressAt: number;
  fdsAt: number;
  congestionAt: number;
  congestionBytes: number;
  sourceAddressesAt: number;
  /** one sockaddr per node row, ready for connect(2) */
  nodeAddressesAt: number;
  /** header and copied bytes pass through here */
  scratchAt: number;
  batchCellsAt: number;
  batchBuffersAt: number;
  transfersAt: number;
  spillAt: number;
  spillBlocks: number;
  spillBlockBytes: number;
  bytes: number;
}

const SOCKADDR_ROOM = 32;
const CONGESTION_NAME_MAX = 16;
/** an address and a port, as readSockaddr writes them */
const SOURCE_KEY_BYTES = IP_BYTES + 2;

export function nodeAddressAt(layout: ArenaLayout, row: number): number {
  return layout.nodeAddressesAt + row * SOCKADDR_ROOM;
}

export function sourceAddressAt(layout: ArenaLayout, index: number): number {
  return layout.sourceAddressesAt + index * SOCKADDR_ROOM;
}

/** @param kernelBytes what the kernel implementation keeps for itself at the end */
export function arenaLayout(settings: ShardSettings, kernelBytes: number): ArenaLayout {
  let bytes = 0;
  const part = (size: number): number => {
    const at = bytes;
    bytes += (size + 63) & ~63;
    return at;
  };
  const spillBlockBytes = settings.bufferBytes + HEADER_BYTES_MAX;
  const spillBlocks = Math.max(1, Math.floor(settings.spillBytes / spillBlockBytes));
  return {
    eventsAt: part(EVENTS_PER_WAIT * EVENT_BYTES),
    peerAddressAt: part(SOCKADDR_BYTES),
    localAddressAt: part(SOCKADDR_BYTES),
    fdsAt: part(8),
    congestionAt: part(CONGESTION_NAME_MAX),
    congestionBytes: settings.backCongestion.length,
    sourceAddressesAt: part(SOURCE_ADDRESSES_MAX * SOCKADDR_ROOM),
    nodeAddressesAt: part(NODES_MAX * SOCKADDR_ROOM),
    scratchAt: part(HEADER_BYTES_MAX + settings.bufferBytes),
    batchCellsAt: part(BATCH_CELL_BYTES),
    batchBuffersAt: part(batchBufferBytes(settings)),
    transfersAt: part(TRANSFERS_BYTES),
    spillAt: part(spillBlocks * spillBlockBytes),
    spillBlocks,
    spillBlockBytes,
    bytes: bytes + kernelBytes,
  };
}

export function createShardMemory(settings: ShardSettings, capacity: number, kernelBytes: number): ShardMemory {
  return {
    table: new SharedArrayBuffer(sessionTableBytes(capacity)),
    arena: new SharedArrayBuffer(arenaLayout(settings, kernelBytes).bytes),
    pipes: new SharedArrayBuffer(pipePoolBytes(settings.pipes)),
    counters: new SharedArrayBuffer(countersBytes(FRONTENDS_MAX, NODES_MAX)),
    connectTimes: new SharedArrayBuffer(HISTOGRAM_BYTES),
    firstByteTimes: new SharedArrayBuffer(HISTOGRAM_BYTES),
    durations: new SharedArrayBuffer(HISTOGRAM_BYTES),
    log: new SharedArrayBuffer(sessionLogBytes(LOG_RECORDS)),
    turns: new SharedArrayBuffer(turnsBytes(FRONTENDS_MAX, NODES_MAX)),
  };
}

export function createProcessMemory(settings: ShardSettings, shards: number): ProcessMemory {
  const clients = () => {
    const memory = new SharedArrayBuffer(clientTableBytes(settings.clientTableEntries));
    seedClientTable(memory);
    return memory;
  };
  return {
    live: new SharedArrayBuffer(shards * LIVE_STRIDE * Int32Array.BYTES_PER_ELEMENT),
    nodeStates: new SharedArrayBuffer(nodeStatesBytes(NODES_MAX)),
    stickyClients: clients(),
    throttledClients: clients(),
  };
}

export interface ShardOptions {
  index: number;
  shards: number;
  settings: ShardSettings;
  /** slots of the table */
  capacity: number;
  kernel: Kernel;
  /** what the kernel implementation keeps for itself at the end of the arena */
  kernelBytes: number;
  memory: ShardMemory;
  processMemory: ProcessMemory;
  /** `counters` of the memory of every shard, by index */
  countersOfAll: readonly SharedArrayBuffer[];
  wakeFd: number;
  onWake: () => void;
  onBeat: () => void;
  onFault: (error: unknown) => void;
  onNodeEvent: (row: number, event: NodeEvent, errno: number) => void;
}

/** A shard without epoll, listeners or sessions; `openShard` or `adoptShard` brings it to life. */
export function createShard(options: ShardOptions): Shard {
  const { kernel, settings, memory, processMemory, capacity, index } = options;
  const { clientTableEntries } = settings;
  const allCounters = options.countersOfAll.map((cells) => createCounters(cells, FRONTENDS_MAX, NODES_MAX));
  const counters = allCounters[index];
  assert(counters !== undefined, 'a shard is one of the shards');
  const layout = arenaLayout(settings, options.kernelBytes);
  const { fdsAt, batchCellsAt, batchBuffersAt, spillAt, spillBlocks, spillBlockBytes } = layout;
  const batchCells = new Int32Array(
    kernel.arena.bytes.buffer,
    batchCellsAt,
    BATCH_CELL_BYTES / Int32Array.BYTES_PER_ELEMENT,
  );
  return {
    index,
    shards: options.shards,
    settings,
    kernel,
    arena: kernel.arena,
    layout,
    table: createSessionTable(memory.table, capacity),
    wheel: createTimerWheel(capacity, kernel.nowMs()),
    pipes: new PipePool(kernel, {
      memory: memory.pipes,
      pipes: settings.pipes,
      pipeBytes: settings.pipeBytes,
      fdsAt,
    }),
    batch: createBatch(batchCells, batchBuffersAt, capacity, settings),
    spill: createSpillSlab(spillAt, spillBlocks, spillBlockBytes),
    counters,
    allCounters,
    nodeStates: createNodeStates(processMemory.nodeStates, NODES_MAX),
    turns: createTurns(memory.turns, FRONTENDS_MAX, NODES_MAX),
    stickyClients: createClientTable(processMemory.stickyClients, clientTableEntries, index + 1),
    throttledClients: createClientTable(processMemory.throttledClients, clientTableEntries, index + 1),
    clientKey: new Uint8Array(SOURCE_KEY_BYTES),
    queues: createQueues(FRONTENDS_MAX, capacity),
    queuesPolledMs: 0,
    connectTimes: createHistogram(memory.connectTimes, 0),
    firstByteTimes: createHistogram(memory.firstByteTimes, 0),
    durations: createHistogram(memory.durations, 0),
    log: createSessionLog(memory.log, LOG_RECORDS),
    live: new Int32Array(processMemory.live),
    wakeFd: options.wakeFd,
    onWake: options.onWake,
    onBeat: options.onBeat,
    onFault: options.onFault,
    onNodeEvent: options.onNodeEvent,
    onTimer: () => {},
    onStep: undefined,
    epollFd: -1,
    nowMs: kernel.nowMs(),
    fullWaits: 0,
    isWoken: false,
    frontends: new Array<Frontend | undefined>(FRONTENDS_MAX).fill(undefined),
    headers: new Array<HeaderTemplate | undefined>(NODES_MAX).fill(undefined),
    listeners: [],
    listenerSerial: 0,
    resumeAtMs: Number.POSITIVE_INFINITY,
    nextSourceAddress: 0,
    runQueue: createSlotRing(capacity),
    bulkQueue: createSlotRing(capacity),
    marked: createSlotRing(capacity * 2),
    marksLookedMs: 0,
    bulkBytes: 0,
  };
}

export function frontendOf(shard: Shard, slot: number): Frontend {
  const frontend = shard.frontends[get(shard.table.frontend, slot) - 1];
  assert(frontend !== undefined, 'a session without a frontend');
  return frontend;
}

/** Lets a session go on in the next turn, behind the others. */
export function enqueue(shard: Shard, slot: number): void {
  pushSlot(shard.runQueue, slot);
}

/** Lets a session that has much to move go on when the others have had their turn. */
export function enqueueBulk(shard: Shard, slot: number): void {
  pushSlot(shard.bulkQueue, slot);
}
