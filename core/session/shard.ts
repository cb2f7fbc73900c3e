// One shard's world: everything that the functions of the data path share, created once. It holds state and hands it out; what
// happens to a connection is in the files named after the stages: accept, choose, connect, header, relay, close.

import type { Policy } from '../balance/policy.ts';
import type { TimerWheel } from '../base/timer-wheel.ts';
import { createTimerWheel } from '../base/timer-wheel.ts';
import { type Arena, EVENT_BYTES, type Kernel, SOCKADDR_BYTES } from '../linux/kernel.ts';
import { PipePool, pipePoolBytes } from '../linux/pipe-pool.ts';
import { type Counters, countersBytes, createCounters } from '../metrics/counters.ts';
import { createHistogram, HISTOGRAM_BYTES, type Histogram } from '../metrics/histogram.ts';
import { createSessionLog, type SessionLog, sessionLogBytes } from '../metrics/session-log.ts';
import type { HeaderTemplate } from '../proxy-protocol/template.ts';
import {
  EVENTS_PER_WAIT,
  FRONTENDS_MAX,
  HEADER_BYTES_MAX,
  LOG_RECORDS,
  NODES_MAX,
  SOURCE_ADDRESSES_MAX,
} from './limits.ts';
import type { FrontendPlan, NodePlan } from './plan.ts';
import type { ShardSettings } from './settings.ts';
import { createSpillSlab, type SpillSlab } from './spill.ts';
import { createSessionTable, type SessionTable, sessionTableBytes } from './table.ts';

/** The shared memory of one shard. It outlives the thread: a successor goes on with it. */
export interface ShardMemory {
  table: SharedArrayBuffer;
  arena: SharedArrayBuffer;
  pipes: SharedArrayBuffer;
  counters: SharedArrayBuffer;
  connectTimes: SharedArrayBuffer;
  log: SharedArrayBuffer;
  /** live sessions per shard, one cache line each; shared by all shards */
  live: SharedArrayBuffer;
}

/** int32 cells between two shards' cells in `ShardMemory.live` */
export const LIVE_STRIDE = 16;

/** A frontend as sessions use it. Replaced as a whole when its plan changes. */
export interface Frontend {
  readonly plan: FrontendPlan;
  readonly nodes: readonly NodePlan[];
  readonly policy: Policy;
  /** nodes that may take a new session, by index into `nodes` */
  readonly eligible: Uint8Array;
  /** the same without the nodes that one connection has tried */
  readonly untried: Uint8Array;
  readonly header: HeaderTemplate;
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
  readonly spill: SpillSlab;
  readonly counters: Counters;
  readonly connectTimes: Histogram;
  readonly log: SessionLog;
  readonly live: Int32Array;
  readonly wakeFd: number;
  /** called when another thread has woken this one */
  readonly onWake: () => void;
  /** called within long work that is no turn, so that nobody takes the shard for stuck */
  readonly onBeat: () => void;
  /** called with what was thrown inside a session's step */
  readonly onFault: (error: unknown) => void;
  /** called by the timer wheel; made once, so that turning it allocates nothing */
  onTimer: (slot: number) => void;
  /** for tests: called within a step of a session */
  onStep: ((slot: number) => void) | undefined;

  epollFd: number;
  /** the time of the present turn */
  nowMs: number;
  /** by row */
  readonly frontends: (Frontend | undefined)[];
  readonly listeners: Listener[];
  listenerSerial: number;
  /** when paused listeners are looked at again; Infinity when none is paused */
  resumeAtMs: number;
  nextSourceAddress: number;

  /** slots that have more to do although no event will say so: a ring, each slot in it at most once */
  readonly runQueue: Int32Array;
  runHead: number;
  runCount: number;
  readonly isQueued: Uint8Array;
}

export interface ArenaLayout {
  eventsAt: number;
  /** the sockaddr of the connection being accepted or connected */
  addressAt: number;
  /** a second one to compare it with */
  peerAddressAt: number;
  fdsAt: number;
  congestionAt: number;
  congestionBytes: number;
  sourceAddressesAt: number;
  /** one sockaddr per node row, ready for connect(2) */
  nodeAddressesAt: number;
  /** header and copied bytes pass through here */
  scratchAt: number;
  spillAt: number;
  spillBlocks: number;
  spillBlockBytes: number;
  bytes: number;
}

const SOCKADDR_ROOM = 32;
const CONGESTION_NAME_MAX = 16;

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
    addressAt: part(SOCKADDR_BYTES),
    peerAddressAt: part(SOCKADDR_BYTES),
    fdsAt: part(8),
    congestionAt: part(CONGESTION_NAME_MAX),
    congestionBytes: settings.backCongestion.length,
    sourceAddressesAt: part(SOURCE_ADDRESSES_MAX * SOCKADDR_ROOM),
    nodeAddressesAt: part(NODES_MAX * SOCKADDR_ROOM),
    scratchAt: part(HEADER_BYTES_MAX + settings.bufferBytes),
    spillAt: part(spillBlocks * spillBlockBytes),
    spillBlocks,
    spillBlockBytes,
    bytes: bytes + kernelBytes,
  };
}

export function createShardMemory(
  settings: ShardSettings,
  capacity: number,
  kernelBytes: number,
  live: SharedArrayBuffer,
): ShardMemory {
  return {
    table: new SharedArrayBuffer(sessionTableBytes(capacity)),
    arena: new SharedArrayBuffer(arenaLayout(settings, kernelBytes).bytes),
    pipes: new SharedArrayBuffer(pipePoolBytes(settings.pipes)),
    counters: new SharedArrayBuffer(countersBytes(FRONTENDS_MAX, NODES_MAX)),
    connectTimes: new SharedArrayBuffer(HISTOGRAM_BYTES),
    log: new SharedArrayBuffer(sessionLogBytes(LOG_RECORDS)),
    live,
  };
}

export function createLiveCells(shards: number): SharedArrayBuffer {
  return new SharedArrayBuffer(shards * LIVE_STRIDE * Int32Array.BYTES_PER_ELEMENT);
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
  wakeFd: number;
  onWake: () => void;
  onBeat: () => void;
  onFault: (error: unknown) => void;
}

/** A shard without epoll, listeners or sessions; `openShard` or `adoptShard` brings it to life. */
export function createShard(options: ShardOptions): Shard {
  const { kernel, settings, memory, capacity } = options;
  const layout = arenaLayout(settings, options.kernelBytes);
  const { fdsAt, spillAt, spillBlocks, spillBlockBytes } = layout;
  return {
    index: options.index,
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
    spill: createSpillSlab(spillAt, spillBlocks, spillBlockBytes),
    counters: createCounters(memory.counters, FRONTENDS_MAX, NODES_MAX),
    connectTimes: createHistogram(memory.connectTimes, 0),
    log: createSessionLog(memory.log, LOG_RECORDS),
    live: new Int32Array(memory.live),
    wakeFd: options.wakeFd,
    onWake: options.onWake,
    onBeat: options.onBeat,
    onFault: options.onFault,
    onTimer: () => {},
    onStep: undefined,
    epollFd: -1,
    nowMs: kernel.nowMs(),
    frontends: new Array<Frontend | undefined>(FRONTENDS_MAX).fill(undefined),
    listeners: [],
    listenerSerial: 0,
    resumeAtMs: Number.POSITIVE_INFINITY,
    nextSourceAddress: 0,
    runQueue: new Int32Array(capacity),
    runHead: 0,
    runCount: 0,
    isQueued: new Uint8Array(capacity),
  };
}

/** Lets a session go on in the next turn, behind the others. */
export function enqueue(shard: Shard, slot: number): void {
  if (shard.isQueued[slot] === 1) return;
  shard.isQueued[slot] = 1;
  const capacity = shard.runQueue.length;
  shard.runQueue[(shard.runHead + shard.runCount) % capacity] = slot;
  shard.runCount++;
}
