// One timer per slot of a shard's session table, in a hierarchical wheel (Varghese and Lauck, SOSP 1987): 4 levels of 64
// buckets, a tick of 16 ms. Arming and disarming are O(1); a timer is moved at most once per level on its way down.
// Owns which slots are armed and in which order they fall due. Must not read a clock, know what a timer is for, or allocate
// after construction; and it must not touch the memory of slots that were never armed, because an idle table is as large
// as MAX_CONNECTIONS and costs nothing only while its pages stay untouched. So zero means "none" everywhere, and ids are
// stored as id + 1.

import { assert } from './assert.ts';

export const TIMER_TICK_MS = 16;

const LEVELS = 4;
const LEVEL_BITS = 6;
const BUCKETS = 64;
const BUCKET_MASK = BUCKETS - 1;
const TOP = LEVELS - 1;

/** Ticks that one bucket of a level spans. */
const SPAN_TICKS: readonly number[] = [1, BUCKETS, BUCKETS ** 2, BUCKETS ** 3];
const TOP_SPAN_TICKS = BUCKETS ** TOP;

/** 4 levels of 64 buckets of 16 ms: 74 hours. A later deadline waits in the last bucket and is placed again from there. */
export const TIMER_RANGE_MS = TIMER_TICK_MS * BUCKETS ** LEVELS;

/*
 * Where a deadline lives is read off its tick, written in base 64, against the tick the wheel stands at:
 *
 *      now       3 . 17 . 40 .  9
 *      deadline  3 . 17 . 52 . 60     first differing digit: level 1, its value: bucket 52
 *
 * So on each level every occupied bucket lies ahead of now, and everything on a level falls due before anything on the next:
 * the next thing to do is the lowest bucket of the lowest occupied level. Placing by distance instead (as the first Linux
 * wheel did) would mix the levels, and the question "how long may I sleep" would need a look at each.
 * The top level alone is a ring: its bucket is the distance in top-level spans, at most 63, counted from now.
 */

export class TimerWheel {
  private readonly capacity: number;
  private readonly originMs: number;
  /** Per id: its deadline in ticks since the origin; meaningful exactly while armed. Ticks may pass 2^32, hence doubles. */
  private readonly deadlineTick: Float64Array;
  /** Per id: its bucket + 1, or 0 exactly while it is not armed. */
  private readonly bucketOf: Uint16Array;
  /** Per id: its neighbours in the bucket's list, + 1. */
  private readonly next: Uint32Array;
  private readonly previous: Uint32Array;
  /** Per bucket: the first id of its list, + 1. */
  private readonly heads = new Uint32Array(LEVELS * BUCKETS);
  /** Bit b of the two words of a level is set exactly while bucket b has a timer. */
  private readonly occupied = new Uint32Array(LEVELS * 2);
  /** Where the wheel stands. Nothing is due before it. */
  private nowTick = 0;
  /** The tick the last `advance` was asked for; behind it is `nowTick` only while that call runs (or threw). */
  private targetTick = 0;

  /** @param capacity ids are 0..capacity-1 */
  constructor(capacity: number, nowMs: number) {
    this.capacity = capacity;
    this.originMs = nowMs;
    this.deadlineTick = new Float64Array(capacity);
    this.bucketOf = new Uint16Array(capacity);
    this.next = new Uint32Array(capacity);
    this.previous = new Uint32Array(capacity);
  }

  /**
   * Sets the id's one timer; one that was set is moved.
   * @param deadlineMs on the clock of `advance`. One that has passed already falls due at the next tick, never in the
   * running `advance`: otherwise a callback that re-arms itself in the past would spin for ever.
   */
  arm(id: number, deadlineMs: number): void {
    assert(Number.isInteger(id) && id >= 0 && id < this.capacity, 'timer id out of range');
    assert(Number.isFinite(deadlineMs), 'a deadline is a finite number of milliseconds');
    this.disarm(id);
    // Rounded up here and down in `advance`: late by less than a tick, never early.
    const tick = Math.ceil((deadlineMs - this.originMs) / TIMER_TICK_MS);
    this.deadlineTick[id] = Math.max(tick, this.targetTick + 1);
    this.place(id);
  }

  /** Does nothing when the id is not armed. */
  disarm(id: number): void {
    const bucket = (this.bucketOf[id] ?? 0) - 1;
    if (bucket < 0) return;
    const next = this.next[id] ?? 0;
    const previous = this.previous[id] ?? 0;
    if (previous === 0) this.heads[bucket] = next;
    else this.next[previous - 1] = next;
    if (next !== 0) this.previous[next - 1] = previous;
    if (this.heads[bucket] === 0) this.mark(bucket, false);
    this.bucketOf[id] = 0;
  }

  isArmed(id: number): boolean {
    return (this.bucketOf[id] ?? 0) !== 0;
  }

  /**
   * Moves the wheel to `nowMs` and calls `expire` once for each id whose deadline has passed, in the order of their ticks. The
   * id is disarmed by then. The callback may arm and disarm any id, and may throw: the rest stays due. It must not call
   * `advance`. A jump of the clock costs one step per occupied bucket, not one per tick.
   */
  advance(nowMs: number, expire: (id: number) => void): void {
    const target = Math.floor((nowMs - this.originMs) / TIMER_TICK_MS);
    if (target < this.targetTick) return;
    this.targetTick = target;
    for (let level = this.lowestLevel(); level < LEVELS; level = this.lowestLevel()) {
      const bucket = this.firstBucket(level);
      const tick = this.startTick(level, bucket);
      if (tick > target) break;
      this.nowTick = tick;
      if (level === 0) this.expireBucket(bucket, expire);
      else this.cascade(level * BUCKETS + bucket);
    }
    this.nowTick = target;
  }

  /**
   * How long an event loop may sleep: until the next expiry or move between levels, rounded up to whole milliseconds.
   * @returns 0..capMs
   */
  msUntilNext(nowMs: number, capMs: number): number {
    const level = this.lowestLevel();
    if (level === LEVELS) return capMs;
    const atMs = this.originMs + this.startTick(level, this.firstBucket(level)) * TIMER_TICK_MS;
    return Math.min(Math.max(Math.ceil(atMs - nowMs), 0), capMs);
  }

  /** Takes the head anew each time, so that the callback may disarm its neighbours. Whatever it arms lands in another bucket,
   * because that is due after the target. */
  private expireBucket(bucket: number, expire: (id: number) => void): void {
    for (let head = this.heads[bucket] ?? 0; head !== 0; head = this.heads[bucket] ?? 0) {
      this.disarm(head - 1);
      expire(head - 1);
    }
  }

  /** Each id goes to a lower level; only one beyond the range may come to rest on the top level again, in another bucket. */
  private cascade(bucket: number): void {
    for (let head = this.heads[bucket] ?? 0; head !== 0; head = this.heads[bucket] ?? 0) {
      this.disarm(head - 1);
      this.place(head - 1);
    }
  }

  /** Links an unlinked id into the bucket of its deadline. */
  private place(id: number): void {
    const bucket = this.bucketFor(this.deadlineTick[id] ?? 0);
    const head = this.heads[bucket] ?? 0;
    this.next[id] = head;
    this.previous[id] = 0;
    if (head !== 0) this.previous[head - 1] = id + 1;
    else this.mark(bucket, true);
    this.heads[bucket] = id + 1;
    this.bucketOf[id] = bucket + 1;
  }

  private bucketFor(tick: number): number {
    const now = this.nowTick;
    if (tick - now < TOP_SPAN_TICKS * BUCKETS) {
      // Bitwise operators take both modulo 2^32; a carry past bit 31 then differs in the bits of the top level too.
      const differing = tick ^ now;
      if (differing >>> LEVEL_BITS === 0) return tick & BUCKET_MASK;
      if (differing >>> (2 * LEVEL_BITS) === 0) return BUCKETS + ((tick >>> LEVEL_BITS) & BUCKET_MASK);
      if (differing >>> (3 * LEVEL_BITS) === 0) return 2 * BUCKETS + ((tick >>> (2 * LEVEL_BITS)) & BUCKET_MASK);
    }
    // 63 and not 64 spans ahead: the bucket of now itself must stay empty, or "ahead" would have two meanings.
    const spansNow = Math.floor(now / TOP_SPAN_TICKS);
    const spans = Math.min(Math.floor(tick / TOP_SPAN_TICKS), spansNow + BUCKETS - 1);
    return TOP * BUCKETS + (spans % BUCKETS);
  }

  /** The tick at which a bucket is expired (level 0) or moved down. */
  private startTick(level: number, bucket: number): number {
    const span = SPAN_TICKS[level] ?? 1;
    const spansNow = Math.floor(this.nowTick / span);
    return (spansNow + ((bucket - (spansNow % BUCKETS) + BUCKETS) % BUCKETS)) * span;
  }

  /** @returns LEVELS when nothing is armed */
  private lowestLevel(): number {
    let level = 0;
    while (level < LEVELS && (this.occupied[2 * level] ?? 0) === 0 && (this.occupied[2 * level + 1] ?? 0) === 0)
      level++;
    return level;
  }

  /** The next occupied bucket of a level that has one. Below the top that is the lowest bit, as all lie ahead of now. */
  private firstBucket(level: number): number {
    const low = this.occupied[2 * level] ?? 0;
    const high = this.occupied[2 * level + 1] ?? 0;
    if (level < TOP) return lowestBit(low, high);
    const from = Math.floor(this.nowTick / TOP_SPAN_TICKS) % BUCKETS;
    // A shift takes its count modulo 32, so each word needs its own case.
    const lowAhead = from < 32 ? low & (-1 << from) : 0;
    const highAhead = from < 32 ? high : high & (-1 << (from - 32));
    return lowAhead === 0 && highAhead === 0 ? lowestBit(low, high) : lowestBit(lowAhead, highAhead);
  }

  private mark(bucket: number, occupied: boolean): void {
    const word = bucket >>> 5;
    const bit = 1 << (bucket & 31);
    this.occupied[word] = occupied ? (this.occupied[word] ?? 0) | bit : (this.occupied[word] ?? 0) & ~bit;
  }
}

/** Of a 64-bit word that is not zero. */
function lowestBit(low: number, high: number): number {
  return low !== 0 ? 31 - Math.clz32(low & -low) : 63 - Math.clz32(high & -high);
}

export function createTimerWheel(capacity: number, nowMs: number): TimerWheel {
  return new TimerWheel(capacity, nowMs);
}
