// The table of client addresses, one for all shards, in shared memory: (scope, client address) -> (value, time), for
// stickiness and the throttle. Owns its sets and their locks; must never keep a shard waiting, and does not know what a
// value means. It outlives the shards: a reload goes on with it, and a successor frees what its predecessor held.

import { assert } from '../base/assert.ts';
import { IP_BYTES } from '../base/ip.ts';

/** no such entry, or its set's lock was not to be had in time */
export const MISS = -1;

const WAYS = 64;

/**
 * Slots per client address, before the sets are rounded up to a power of two. An entry is lost early only where more
 * than 64 addresses fall into one set. With the table at its capacity, and nothing won by rounding, a set has 32 on
 * average, and 65 or more has one set in 5,000,000 (Poisson: 2.0e-7): a chance of 1 in 2,400 that a table of 65,536
 * addresses forgets any of them.
 */
const SLOTS_PER_ENTRY = 2;

/**
 * How often a taken lock is asked for again: about 10 us at some 50 ns each, then in naps, which are 0.2 ms each in truth, some 50 ms
 * in all. A holder needs less than 1 us; a longer one is cold, or its processor was taken from it, for a few time slices on a machine
 * with more to do than processors, tens of milliseconds where a hypervisor does the taking. Only a dead one stays away longer. Then it
 * counts as a miss: a connection that is placed as if new is cheaper than a shard that stands. Refused: a limit of 1 ms, because on a
 * busy machine clients that came over both shards at once reached another node, or passed the throttle, once in some thousand times.
 */
const LOCK_SPINS = 200;
const LOCK_NAPS = 250;
const LOCK_NAP_MS = 0.1;

/** The same for removals, which run on the main thread: it must not miss an entry. */
const REMOVAL_NAPS = 50;
const REMOVAL_NAP_MS = 1;

// Words (int32) of the header. The misses have a cache line of their own: the seed is read only.
const SEED = 0;
const SEEDED = 2;
const MISSES = 16;
const HEADER_BYTES = 128;

// Words of a set. Its slots below USED are taken, the others are free. A look-up compares the tags, which lie together
// with the lock, and reads the rest of the set only where one is equal.
const LOCK = 0;
const USED = 1;
const TAGS = 2;
const KEYS = TAGS + WAYS;
/** the address, then the scope */
const KEY_WORDS = IP_BYTES / 4 + 1;
const SCOPES = KEYS + KEY_WORDS - 1;
const VALUES = KEYS + WAYS * KEY_WORDS;
const TIMES = VALUES + WAYS;
/** in whole cache lines */
const SET_WORDS = (TIMES + 2 * WAYS + 15) & ~15;

export interface ClientTable {
  /** what this thread writes into a lock: shard + 1 */
  readonly owner: number;
  /** a power of two */
  readonly sets: number;
  readonly header: Int32Array;
  /** the sets, one after the other; each begins with its lock: 0 or its holder */
  readonly words: Int32Array;
  /** the same memory: for the times of the entries */
  readonly floats: Float64Array;
  /** of the call that is running: the key it looks for, and that key's tag */
  readonly key: Int32Array;
  readonly tag: Int32Array;
  /** of the hash that is being computed */
  readonly state: Int32Array;
}

/** @param entries client addresses that the table holds without forgetting one */
export function clientTableBytes(entries: number): number {
  return HEADER_BYTES + setsFor(entries) * SET_WORDS * 4;
}

function setsFor(entries: number): number {
  assert(Number.isSafeInteger(entries) && entries >= 1, 'a client table has room for at least one address');
  let sets = 1;
  while (sets * WAYS < SLOTS_PER_ENTRY * entries) sets *= 2;
  return sets;
}

/** Once, by whoever made the memory: under another seed no entry would be found again. */
export function seedClientTable(memory: SharedArrayBuffer): void {
  const header = new Int32Array(memory, 0, HEADER_BYTES / 4);
  assert(header[SEEDED] === 0, 'the client table has its seed');
  header.set(crypto.getRandomValues(new Int32Array(2)), SEED);
  Atomics.store(header, SEEDED, 1);
}

/**
 * A view for one thread.
 * @param memory `clientTableBytes(entries)` bytes, seeded; zero-filled but for that, or as others left it
 * @param owner shard + 1; a thread that is no shard has a number of its own
 */
export function createClientTable(memory: SharedArrayBuffer, entries: number, owner: number): ClientTable {
  assert(memory.byteLength === clientTableBytes(entries), 'the client table does not fit its memory');
  assert(owner >= 1, 'a lock of 0 is free');
  const header = new Int32Array(memory, 0, HEADER_BYTES / 4);
  assert(Atomics.load(header, SEEDED) === 1, 'the client table has no seed');
  return {
    owner,
    sets: setsFor(entries),
    header,
    words: new Int32Array(memory, HEADER_BYTES),
    floats: new Float64Array(memory, HEADER_BYTES),
    key: new Int32Array(KEY_WORDS),
    tag: new Int32Array(1),
    state: new Int32Array(4),
  };
}

/** @returns the value, or MISS when there is none or it is older than `sinceMs` */
export function findClient(
  table: ClientTable,
  scope: number,
  address: Uint8Array,
  at: number,
  sinceMs: number,
): number {
  const set = openSet(table, scope, address, at);
  if (set < 0) return MISS;
  const slot = slotOf(table, set);
  const value = slot >= 0 && timeAt(table, set, slot) >= sinceMs ? wordAt(table, set + VALUES + slot) : MISS;
  unlock(table, set);
  return value;
}

/**
 * Two shards that place the same new client at the same time both go by the one that was first.
 * @param value at least 0
 * @returns the value in force: that of a present entry, else the given one, which is now stored; MISS when the lock was
 * not to be had
 */
export function findOrAddClient(
  table: ClientTable,
  scope: number,
  address: Uint8Array,
  at: number,
  sinceMs: number,
  value: number,
  nowMs: number,
): number {
  const set = openSet(table, scope, address, at);
  if (set < 0) return MISS;
  const slot = slotOf(table, set);
  let inForce = value;
  if (slot >= 0 && timeAt(table, set, slot) >= sinceMs) inForce = wordAt(table, set + VALUES + slot);
  else put(table, set, slot, value, nowMs);
  unlock(table, set);
  return inForce;
}

/**
 * Where the entry has the value `from`, or is missing: the value `to`, from now on. Any other stays: another shard was first.
 * @returns the value in force; MISS when the lock was not to be had
 */
export function replaceClient(
  table: ClientTable,
  scope: number,
  address: Uint8Array,
  at: number,
  from: number,
  to: number,
  nowMs: number,
): number {
  const set = openSet(table, scope, address, at);
  if (set < 0) return MISS;
  const slot = slotOf(table, set);
  let value = slot < 0 ? from : wordAt(table, set + VALUES + slot);
  if (value === from) {
    put(table, set, slot, to, nowMs);
    value = to;
  }
  unlock(table, set);
  return value;
}

/**
 * Counts one more in the window that began at the entry's time; when that is over, a new one begins with this one.
 * @returns the new count; max + 1, and nothing is stored, when the window is full; MISS when the lock was not to be had
 */
export function countClient(
  table: ClientTable,
  scope: number,
  address: Uint8Array,
  at: number,
  windowMs: number,
  max: number,
  nowMs: number,
): number {
  const set = openSet(table, scope, address, at);
  if (set < 0) return MISS;
  const slot = slotOf(table, set);
  let count = 1;
  // Another shard's clock may be ahead: then the difference is below 0, and it is the same window.
  if (slot < 0 || nowMs - timeAt(table, set, slot) >= windowMs) put(table, set, slot, count, nowMs);
  else count = countUp(table, set + VALUES + slot, max);
  unlock(table, set);
  return count;
}

function countUp(table: ClientTable, valueAt: number, max: number): number {
  const count = wordAt(table, valueAt) + 1;
  // The limit may have been lowered since: the window can hold more than it.
  if (count > max) return max + 1;
  table.words[valueAt] = count;
  return count;
}

/**
 * After a thread's death: frees the sets whose locks it held. Such a set may be half written, so it is emptied: rather
 * forget than invent. The thread must have ended, and its successor must not have begun to use the table.
 */
export function releaseClientLocks(table: ClientTable, owner: number): void {
  const { words } = table;
  for (let set = 0; set < words.length; set += SET_WORDS) {
    if (Atomics.load(words, set + LOCK) !== owner) continue;
    words[set + USED] = 0;
    unlock(table, set);
  }
}

/** All entries of these scopes, in one pass over the table. For the main thread, rarely. */
export function removeClientScopes(table: ClientTable, scopes: ReadonlySet<number>): void {
  removeWhere(table, SCOPES, KEY_WORDS, scopes);
}

/** All entries with one of these values, in one pass over the table. For the main thread, rarely. */
export function removeClientValues(table: ClientTable, values: ReadonlySet<number>): void {
  removeWhere(table, VALUES, 1, values);
}

/** Looks at one word per slot: the first one's place in its set, and the distance from one to the next. */
function removeWhere(table: ClientTable, firstAt: number, distance: number, wanted: ReadonlySet<number>): void {
  const { words } = table;
  for (let set = 0; set < words.length; set += SET_WORDS) {
    // Memory that was never used stays untouched.
    if (Atomics.load(words, set + USED) === 0 || !napForLock(table, set, REMOVAL_NAPS, REMOVAL_NAP_MS)) continue;
    for (let slot = wordAt(table, set + USED) - 1; slot >= 0; slot--) {
      if (wanted.has(wordAt(table, set + firstAt + slot * distance))) removeSlot(table, set, slot);
    }
    unlock(table, set);
  }
}

/** Entries not older than `sinceMs`, for the status: takes no lock, so it is approximate while others write. */
export function clientCount(table: ClientTable, sinceMs: number): number {
  const { words } = table;
  let count = 0;
  for (let set = 0; set < words.length; set += SET_WORDS) {
    const used = Atomics.load(words, set + USED);
    for (let slot = 0; slot < used; slot++) if (timeAt(table, set, slot) >= sinceMs) count++;
  }
  return count;
}

/** Calls of all threads, so far, that went on without a set because its lock was not to be had. */
export function clientTableMisses(table: ClientTable): number {
  return Atomics.load(table.header, MISSES) >>> 0;
}

// Sets and their locks. A set is named by its first word. Between lock and unlock nothing throws and nothing allocates.

/** Locks the set of a key. @returns the set, or -1 when its lock was not to be had */
function openSet(table: ClientTable, scope: number, address: Uint8Array, at: number): number {
  const set = (hashKey(table, scope, address, at) & (table.sets - 1)) * SET_WORDS;
  for (let spin = 0; spin < LOCK_SPINS; spin++) {
    if (tryLock(table, set)) return set;
    Atomics.pause();
  }
  return napForLock(table, set, LOCK_NAPS, LOCK_NAP_MS) ? set : -1;
}

/** A holder that lost its processor may need ours: who waits for it sleeps between its tries. */
function napForLock(table: ClientTable, set: number, naps: number, napMs: number): boolean {
  for (let nap = 0; nap < naps; nap++) {
    if (tryLock(table, set)) return true;
    const holder = Atomics.load(table.words, set + LOCK);
    if (holder !== 0) Atomics.wait(table.words, set + LOCK, holder, napMs);
  }
  Atomics.add(table.header, MISSES, 1);
  return false;
}

/** Reads before it writes: who waits must not keep taking the cache line from the holder. */
function tryLock(table: ClientTable, set: number): boolean {
  const { words, owner } = table;
  return Atomics.load(words, set + LOCK) === 0 && Atomics.compareExchange(words, set + LOCK, 0, owner) === 0;
}

function unlock(table: ClientTable, set: number): void {
  Atomics.store(table.words, set + LOCK, 0);
}

// Slots of a locked set. Like `get` of table.ts, but each for one kind of array: a look-up reads dozens of them.

function wordAt(table: ClientTable, index: number): number {
  return table.words[index] as number;
}

function timeAt(table: ClientTable, set: number, slot: number): number {
  return table.floats[(set + TIMES) / 2 + slot] as number;
}

/** The slot of the key that the call looks for, or -1. */
function slotOf(table: ClientTable, set: number): number {
  const { words } = table;
  const tag = table.tag[0] as number;
  const used = wordAt(table, set + USED);
  for (let slot = 0; slot < used; slot++) {
    if (words[set + TAGS + slot] === tag && hasKey(table, set + KEYS + slot * KEY_WORDS)) return slot;
  }
  return -1;
}

function hasKey(table: ClientTable, keyAt: number): boolean {
  const { words, key } = table;
  for (let i = 0; i < KEY_WORDS; i++) if (words[keyAt + i] !== key[i]) return false;
  return true;
}

/** @param slot the key's, or -1 when it has none yet */
function put(table: ClientTable, set: number, slot: number, value: number, nowMs: number): void {
  const into = slot >= 0 ? slot : takeSlot(table, set);
  table.words[set + VALUES + into] = value;
  table.floats[(set + TIMES) / 2 + into] = nowMs;
}

/** A slot for the key that the call looks for: a free one, or that of the oldest entry, which any too old one is. */
function takeSlot(table: ClientTable, set: number): number {
  const { words, key } = table;
  const used = wordAt(table, set + USED);
  const slot = used < WAYS ? used : oldestSlot(table, set);
  words[set + TAGS + slot] = table.tag[0] as number;
  for (let i = 0; i < KEY_WORDS; i++) words[set + KEYS + slot * KEY_WORDS + i] = key[i] as number;
  if (used < WAYS) words[set + USED] = used + 1;
  return slot;
}

function oldestSlot(table: ClientTable, set: number): number {
  let oldest = 0;
  for (let slot = 1; slot < WAYS; slot++) {
    if (timeAt(table, set, slot) < timeAt(table, set, oldest)) oldest = slot;
  }
  return oldest;
}

/** The last entry moves into its place. */
function removeSlot(table: ClientTable, set: number, slot: number): void {
  const { words, floats } = table;
  const last = wordAt(table, set + USED) - 1;
  const keys = set + KEYS;
  words[set + TAGS + slot] = wordAt(table, set + TAGS + last);
  words.copyWithin(keys + slot * KEY_WORDS, keys + last * KEY_WORDS, keys + (last + 1) * KEY_WORDS);
  words[set + VALUES + slot] = wordAt(table, set + VALUES + last);
  floats[(set + TIMES) / 2 + slot] = timeAt(table, set, last);
  words[set + USED] = last;
}

// HalfSipHash-2-4 with a result of 64 bits (Aumasson and Bernstein; SipHash for 32-bit words) of the address and the
// scope: one half names the set, the other is the tag. Keyed, with a secret per process, because a client with an IPv6
// network to itself has addresses enough to choose 65 of one set and push others out of it. Refused: murmur3 with a
// secret seed, because inputs are known that collide under every seed; SipHash for 64-bit words, because such integers
// are allocated here.

/** the last word of the message: its length in the highest byte, and no bytes that are left over */
const MESSAGE_LENGTH = (KEY_WORDS * 4) << 24;

/**
 * Leaves the key and its tag in the table. @returns the other half of the hash, signed: half of the unsigned ones would
 * be allocated on the heap
 */
function hashKey(table: ClientTable, scope: number, address: Uint8Array, at: number): number {
  const { key, state } = table;
  readKey(key, scope, address, at);
  beginHash(table);
  for (let i = 0; i < KEY_WORDS; i++) absorb(state, key[i] as number);
  absorb(state, MESSAGE_LENGTH);
  const first = squeeze(state, 2, 0xee);
  table.tag[0] = squeeze(state, 1, 0xdd);
  return first;
}

function readKey(key: Int32Array, scope: number, address: Uint8Array, at: number): void {
  for (let i = 0; i < KEY_WORDS - 1; i++) {
    const from = at + 4 * i;
    const low = (address[from] ?? 0) | ((address[from + 1] ?? 0) << 8);
    key[i] = low | ((address[from + 2] ?? 0) << 16) | ((address[from + 3] ?? 0) << 24);
  }
  key[KEY_WORDS - 1] = scope;
}

function beginHash(table: ClientTable): void {
  const { header, state } = table;
  const seed0 = header[SEED] as number;
  const seed1 = header[SEED + 1] as number;
  // The constants of the paper; 0xee asks for 64 bits.
  state[0] = seed0;
  state[1] = seed1 ^ 0xee;
  state[2] = seed0 ^ 0x6c796765;
  state[3] = seed1 ^ 0x74656462;
}

function absorb(state: Int32Array, word: number): void {
  state[3] = (state[3] as number) ^ word;
  mix(state, 2);
  state[0] = (state[0] as number) ^ word;
}

function squeeze(state: Int32Array, index: number, mark: number): number {
  state[index] = (state[index] as number) ^ mark;
  mix(state, 4);
  return (state[1] as number) ^ (state[3] as number);
}

function mix(state: Int32Array, rounds: number): void {
  let v0 = state[0] as number;
  let v1 = state[1] as number;
  let v2 = state[2] as number;
  let v3 = state[3] as number;
  for (let round = 0; round < rounds; round++) {
    v0 = (v0 + v1) | 0;
    v1 = rotate(v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotate(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13) ^ v2;
    v2 = rotate(v2, 16);
  }
  state[0] = v0;
  state[1] = v1;
  state[2] = v2;
  state[3] = v3;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
