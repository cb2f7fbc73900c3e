// The session table of one shard: structs of arrays in shared memory, so that the supervisor can read it without asking and a
// successor can adopt it when the shard dies. It owns the slots; what the fields mean to a session is the other files' business.
//
// All zero is a free slot. Descriptors are therefore stored plus one: 0 means none.

import { assert } from '../base/assert.ts';
import { ENDPOINTS_BYTES } from '../base/ip.ts';
import { TRIED_NODES_MAX } from './limits.ts';

/** The two sides of a session. A direction is named by the side it reads from. */
export const FRONT = 0;
export const BACK = 1;

// The phases of a slot:
//
//   FREE --accept--> CONNECTING --connected--> RELAYING --both directions done--> FREE
//                     |      ^                   |
//                     |      '--- RETRYING <--.  '--a side was reset, or time is up--> RESETTING --all has arrived--> FREE
//                     |--failed, node left---'        '--the node is gone, the client has our FIN--> LINGERING --> FREE
//                     '--all nodes full--> QUEUED --a node has room--> CONNECTING
export const PHASE_FREE = 0;
/** set exactly while a back socket's connect is pending; until the header is out, for till then another node may get the session */
export const PHASE_CONNECTING = 1;
/** set exactly while a failed connect waits for its next attempt; there is no back socket */
export const PHASE_RETRYING = 2;
export const PHASE_RELAYING = 3;
/**
 * set exactly while the open sides are to be reset, and one still has bytes of ours on the way that
 * a reset would destroy
 */
export const PHASE_RESETTING = 4;
/** set exactly while only the front is open, has our FIN, and its input is read and thrown away */
export const PHASE_LINGERING = 5;
/** set exactly while the session stands in its frontend's queue; there is no back socket */
export const PHASE_QUEUED = 6;

/** Whether a session may yet choose a node, any of its frontend. One that does not will not again. */
export function isChoosing(phase: number): boolean {
  return phase === PHASE_CONNECTING || phase === PHASE_RETRYING || phase === PHASE_QUEUED;
}

// What is known of a side (`sideFlags`).
/** an edge said so, and no EAGAIN since */
export const READABLE = 1;
export const WRITABLE = 2;
/** an event carried PRI, HUP or ERR: a short read does not mean drained */
export const UNSURE = 4;
/** urgent data is or was in the stream: splice(2) would stop at the mark for ever */
export const URGENT = 8;
/** ERR or HUP was seen: nothing new comes, what is queued is still to be read */
export const HUNG_UP = 16;
/** the end of its stream was read */
export const READ_ENDED = 32;
/** its stream ended with an error instead */
export const READ_FAILED = 64;
/** our FIN was sent to it */
export const WRITE_ENDED = 128;
/** it takes no more bytes: what waits for it is dropped, and no more is read for it */
export const WRITE_BROKEN = 256;
/** the direction that reads from it moves bytes with splice(2) */
export const SPLICING = 512;
/** an event said that its FIN is there: a short read has reached the end */
export const FIN_SEEN = 1024;
/** the keepalive options are set, which a session gets only when it has lasted (back side only) */
export const KEPT_ALIVE = 2048;
/** TCP_NODELAY is set: what is written leaves at once, whatever is on its way */
export const NO_DELAY = 4096;
/** the shard is woken only when many bytes lie there: see low-water.ts */
export const LOW_WATER = 8192;
/** the direction that reads from it may have a pipe or a spill block; set before, taken away after: without it neither is looked up */
export const HOLDS = 16384;
/** the direction that reads from it has a streak: without it the streak is zero, and not looked up */
export const IN_STREAK = 32768;
/**
 * what was read of it may not be all that left its socket: it had urgent data once, or a dead shard
 * may have read without writing it down. Set for good.
 */
export const MISCOUNTED = 65536;

interface Field {
  readonly type: 'u8' | 'i32' | 'f64';
  /** elements per slot */
  readonly count: number;
}

/** Widest first, so that each array is aligned. `…2`: one element per side. */
const FIELDS = {
  /** counts up within a shard, from 1 */
  connection: { type: 'f64', count: 1 },
  acceptedMs: { type: 'f64', count: 1 },
  /** when the present phase began; 0 when free */
  phaseMs: { type: 'f64', count: 1 },
  connectedMs: { type: 'f64', count: 1 },
  /** when a byte last moved, or a side came to its end */
  activeMs: { type: 'f64', count: 1 },
  firstByteMs: { type: 'f64', count: 1 },
  /** bytes received from a side / given to a side */
  bytesFrom: { type: 'f64', count: 2 },
  bytesTo: { type: 'f64', count: 2 },
  /** the `bytesFrom` of a side when its low-water mark was last lowered; while it is up, when it was last looked at */
  pausedAt: { type: 'f64', count: 2 },
  bytesLost: { type: 'f64', count: 1 },
  bytesSpliced: { type: 'f64', count: 1 },
  /** bytes still on the way when a closing was last looked at: as long as it falls, the peer is alive */
  unsentSeen: { type: 'f64', count: 1 },
  generation: { type: 'i32', count: 1 },
  /** descriptor + 1 */
  fd: { type: 'i32', count: 2 },
  sideFlags: { type: 'i32', count: 2 },
  /** the first error of each socket (errno): send(2) and SO_ERROR consume a pending reset, and it must not be forgotten */
  firstErrno: { type: 'i32', count: 2 },
  /** row + 1 */
  frontend: { type: 'i32', count: 1 },
  node: { type: 'i32', count: 1 },
  tried: { type: 'i32', count: TRIED_NODES_MAX },
  triedCount: { type: 'i32', count: 1 },
  /** connects begun, over all nodes */
  attempts: { type: 'i32', count: 1 },
  /** of the present attempt: which trial of an ejected node it is (core/health/ejection.ts); 0 when it is none */
  trial: { type: 'i32', count: 1 },
  headerBytes: { type: 'i32', count: 1 },
  /** pipe + 1 of the direction that reads from a side, and the bytes in it */
  pipe: { type: 'i32', count: 2 },
  pipeFill: { type: 'i32', count: 2 },
  /** spill block + 1 of the direction that reads from a side, and the part of it that waits */
  spill: { type: 'i32', count: 2 },
  spillFrom: { type: 'i32', count: 2 },
  spillTo: { type: 'i32', count: 2 },
  /** bytes of the burst that the direction reading from a side is in: of big reads in a row, or spliced since the last pause */
  streak: { type: 'i32', count: 2 },
  phase: { type: 'u8', count: 1 },
  outcomeWho: { type: 'u8', count: 1 },
  outcomePhase: { type: 'u8', count: 1 },
  /** client, local address, client port, local port: see core/base/ip.ts */
  endpoints: { type: 'u8', count: ENDPOINTS_BYTES },
} as const satisfies Record<string, Field>;

type FieldName = keyof typeof FIELDS;
type ArrayOf<T extends Field['type']> = T extends 'u8' ? Uint8Array : T extends 'i32' ? Int32Array : Float64Array;
type Arrays = { readonly [K in FieldName]: ArrayOf<(typeof FIELDS)[K]['type']> };

/** What the shard itself leaves for its successor, before the arrays. */
const HEADER_BYTES = 64;
const SIZES = { u8: 1, i32: 4, f64: 8 } as const;

/** Cells of `SessionTable.shared` (int32). */
export const STEP_SLOT = 0;
export const HIGH_WATER = 1;
export const EPOLL_FD = 2;

export interface SessionTable extends Arrays {
  readonly capacity: number;
  /** STEP_SLOT: slot + 1 of the session being stepped · HIGH_WATER: slots ever used · EPOLL_FD: descriptor + 1 */
  readonly shared: Int32Array;
  /** stack of slots that were used and are free again */
  readonly free: Int32Array;
  freeCount: number;
}

export function sessionTableBytes(capacity: number): number {
  let bytes = HEADER_BYTES;
  for (const { type, count } of Object.values(FIELDS)) bytes += align8(capacity * count * SIZES[type]);
  return bytes;
}

function align8(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** @param memory `sessionTableBytes(capacity)` bytes, zero-filled or a predecessor's */
export function createSessionTable(memory: SharedArrayBuffer, capacity: number): SessionTable {
  assert(memory.byteLength === sessionTableBytes(capacity), 'the table does not fit its memory');
  let offset = HEADER_BYTES;
  const part = (length: number, size: number): number => {
    const from = offset;
    offset += align8(length * size);
    return from;
  };
  const u8 = (name: FieldName) => {
    const length = capacity * FIELDS[name].count;
    return new Uint8Array(memory, part(length, 1), length);
  };
  const i32 = (name: FieldName) => {
    const length = capacity * FIELDS[name].count;
    return new Int32Array(memory, part(length, 4), length);
  };
  const f64 = (name: FieldName) => {
    const length = capacity * FIELDS[name].count;
    return new Float64Array(memory, part(length, 8), length);
  };
  return {
    capacity,
    shared: new Int32Array(memory, 0, HEADER_BYTES / 4),
    free: new Int32Array(capacity),
    freeCount: 0,
    connection: f64('connection'),
    acceptedMs: f64('acceptedMs'),
    phaseMs: f64('phaseMs'),
    connectedMs: f64('connectedMs'),
    activeMs: f64('activeMs'),
    firstByteMs: f64('firstByteMs'),
    bytesFrom: f64('bytesFrom'),
    bytesTo: f64('bytesTo'),
    pausedAt: f64('pausedAt'),
    bytesLost: f64('bytesLost'),
    bytesSpliced: f64('bytesSpliced'),
    unsentSeen: f64('unsentSeen'),
    generation: i32('generation'),
    fd: i32('fd'),
    sideFlags: i32('sideFlags'),
    firstErrno: i32('firstErrno'),
    frontend: i32('frontend'),
    node: i32('node'),
    tried: i32('tried'),
    triedCount: i32('triedCount'),
    attempts: i32('attempts'),
    trial: i32('trial'),
    headerBytes: i32('headerBytes'),
    pipe: i32('pipe'),
    pipeFill: i32('pipeFill'),
    spill: i32('spill'),
    spillFrom: i32('spillFrom'),
    spillTo: i32('spillTo'),
    streak: i32('streak'),
    phase: u8('phase'),
    outcomeWho: u8('outcomeWho'),
    outcomePhase: u8('outcomePhase'),
    endpoints: u8('endpoints'),
  };
}

/** The value of a typed array at an index that our own logic made. One home for "it is there". */
export function get(array: Uint8Array | Int32Array | Float64Array, index: number): number {
  return array[index] as number;
}

/** Sets to zero what is not: a page that nobody has written costs no memory, and many fields of most sessions stay zero. */
export function clear(array: Uint8Array | Int32Array | Float64Array, index: number): void {
  if (array[index] !== 0) array[index] = 0;
}

/** @returns a free slot, or -1. The caller sets its phase. */
export function takeSlot(table: SessionTable): number {
  const slot = nextSlot(table);
  if (slot < 0) return slot;
  if (table.freeCount > 0) table.freeCount--;
  else table.shared[HIGH_WATER] = slot + 1;
  return slot;
}

/** The slot that will be taken next, or -1. */
export function nextSlot(table: SessionTable): number {
  if (table.freeCount > 0) return get(table.free, table.freeCount - 1);
  const slot = get(table.shared, HIGH_WATER);
  return slot < table.capacity ? slot : -1;
}

/**
 * Returns a slot. Its generation goes up, which makes events still on the way recognisable as stale; all else is zero, but for
 * what the next owner writes before anybody reads it (connection, endpoints, tried).
 */
export function giveSlot(table: SessionTable, slot: number): void {
  assert(table.phase[slot] !== PHASE_FREE, `slot ${slot} given back twice`);
  table.generation[slot] = (get(table.generation, slot) + 1) | 0;
  clearSlot(table, slot);
  table.free[table.freeCount++] = slot;
}

function clearSlot(table: SessionTable, slot: number): void {
  const two = slot * 2;
  for (let i = two; i < two + 2; i++) {
    clear(table.bytesFrom, i);
    clear(table.bytesTo, i);
    clear(table.pausedAt, i);
    clear(table.fd, i);
    clear(table.sideFlags, i);
    clear(table.firstErrno, i);
    clear(table.pipe, i);
    clear(table.pipeFill, i);
    clear(table.spill, i);
    clear(table.spillFrom, i);
    clear(table.spillTo, i);
    clear(table.streak, i);
  }
  clear(table.acceptedMs, slot);
  clear(table.phaseMs, slot);
  clear(table.connectedMs, slot);
  clear(table.activeMs, slot);
  clear(table.firstByteMs, slot);
  clear(table.bytesLost, slot);
  clear(table.bytesSpliced, slot);
  clear(table.unsentSeen, slot);
  clear(table.frontend, slot);
  clear(table.node, slot);
  clear(table.triedCount, slot);
  clear(table.attempts, slot);
  clear(table.trial, slot);
  clear(table.headerBytes, slot);
  clear(table.outcomeWho, slot);
  clear(table.outcomePhase, slot);
  // Last: a reader that still sees the phase sees a slot of the same generation or none.
  table.phase[slot] = PHASE_FREE;
}

/** The free stack of a table that a predecessor left. */
export function rebuildFreeSlots(table: SessionTable): void {
  table.freeCount = 0;
  for (let slot = get(table.shared, HIGH_WATER) - 1; slot >= 0; slot--) {
    if (table.phase[slot] === PHASE_FREE) table.free[table.freeCount++] = slot;
  }
}
