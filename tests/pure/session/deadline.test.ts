// When a session's time is up: by its phase, and while it relays by whether one of its sides has begun to end.

import { describe, expect, test } from 'vitest';
import { deadlineOf, isKeepaliveDue, timerOf } from '../../../core/session/deadline.ts';
import { RESET_POLL_MS, RETRY_DELAY_MS } from '../../../core/session/limits.ts';
import {
  HUNG_UP,
  KEPT_ALIVE,
  PHASE_CONNECTING,
  PHASE_LINGERING,
  PHASE_QUEUED,
  PHASE_RELAYING,
  PHASE_RESETTING,
  PHASE_RETRYING,
  READ_ENDED,
  READ_FAILED,
  READABLE,
  SPLICING,
  UNSURE,
  URGENT,
  WRITABLE,
  WRITE_BROKEN,
  WRITE_ENDED,
} from '../../../core/session/table.ts';
import { fakeShard, nodePlan, relaying, SETTINGS, serve } from './support.ts';

const PHASE_MS = 1200;
const ACTIVE_MS = 1500;
const NOW_MS = 2000;

function deadline(phase: number, frontFlags = 0, backFlags = 0, attempts = 1): number {
  const { shard } = fakeShard();
  const slot = relaying(shard, frontFlags, backFlags);
  shard.nowMs = NOW_MS;
  shard.table.phase[slot] = phase;
  shard.table.phaseMs[slot] = PHASE_MS;
  shard.table.activeMs[slot] = ACTIVE_MS;
  shard.table.attempts[slot] = attempts;
  return deadlineOf(shard, slot);
}

test('in the queue the frontend says how long; without one nobody could', () => {
  const { shard } = fakeShard();
  const slot = relaying(shard, 0, 0);
  shard.table.phase[slot] = PHASE_QUEUED;
  shard.table.phaseMs[slot] = PHASE_MS;
  expect(() => deadlineOf(shard, slot)).toThrow('without a frontend');
  serve(shard, [nodePlan(0)], { queueTimeoutMs: 700 });
  expect(deadlineOf(shard, slot)).toBe(PHASE_MS + 700);
});

const KEEPALIVE_MS = SETTINGS.keepaliveSeconds * 1000;

describe('keepalive, for sessions that last', () => {
  function connectedAt(connectedMs: number, nowMs: number, backFlags = 0) {
    const { shard } = fakeShard({ idleTimeoutMs: 10 * KEEPALIVE_MS });
    const slot = relaying(shard, 0, backFlags);
    shard.table.connectedMs[slot] = connectedMs;
    shard.table.activeMs[slot] = nowMs;
    shard.nowMs = nowMs;
    return { isDue: isKeepaliveDue(shard, slot), timerMs: timerOf(shard, slot), deadlineMs: deadlineOf(shard, slot) };
  }

  test('the timer comes for it first, the deadline stays what it is', () => {
    expect(connectedAt(500, 700)).toEqual({
      isDue: false,
      timerMs: 500 + KEEPALIVE_MS,
      deadlineMs: 700 + 10 * KEEPALIVE_MS,
    });
  });

  test('due from then on, and once', () => {
    expect(connectedAt(500, 500 + KEEPALIVE_MS - 1).isDue).toBe(false);
    expect(connectedAt(500, 500 + KEEPALIVE_MS).isDue).toBe(true);
    const { isDue, timerMs, deadlineMs } = connectedAt(500, 500 + KEEPALIVE_MS, KEPT_ALIVE);
    expect([isDue, timerMs]).toEqual([false, deadlineMs]);
  });

  test('a session whose time is up sooner does not wait for it', () => {
    const { shard } = fakeShard({ idleTimeoutMs: 1000 });
    const slot = relaying(shard, 0, 0);
    expect(timerOf(shard, slot)).toBe(deadlineOf(shard, slot));
  });

  test('only while it relays', () => {
    for (const phase of [PHASE_CONNECTING, PHASE_RETRYING, PHASE_RESETTING, PHASE_LINGERING]) {
      const { shard } = fakeShard();
      const slot = relaying(shard, 0, 0);
      shard.table.phase[slot] = phase;
      shard.nowMs += 2 * KEEPALIVE_MS;
      expect([phase, isKeepaliveDue(shard, slot)]).toEqual([phase, false]);
      expect(timerOf(shard, slot)).toBe(deadlineOf(shard, slot));
    }
  });
});

describe('before and after the relay, from when the phase began', () => {
  test('connecting', () => {
    expect(deadline(PHASE_CONNECTING)).toBe(PHASE_MS + SETTINGS.connectTimeoutMs);
  });

  test('lingering', () => {
    expect(deadline(PHASE_LINGERING)).toBe(PHASE_MS + SETTINGS.lingerTimeoutMs);
  });

  test('resetting: looked at again in a moment', () => {
    expect(deadline(PHASE_RESETTING)).toBe(NOW_MS + RESET_POLL_MS);
  });

  test('retrying: longer each time, but not for ever longer', () => {
    const delays = Array.from({ length: 12 }, (_, i) => deadline(PHASE_RETRYING, 0, 0, i + 1) - PHASE_MS);
    expect(delays.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 32, 64].map((n) => n * RETRY_DELAY_MS));
    expect(new Set(delays.slice(6)).size).toBe(1);
  });
});

describe('while relaying, from when a byte last moved', () => {
  const HARMLESS = { READABLE, WRITABLE, UNSURE, URGENT, SPLICING };
  const ENDING = { HUNG_UP, READ_ENDED, READ_FAILED, WRITE_ENDED, WRITE_BROKEN };

  test('both sides whole: the idle timeout, whatever else is known of them', () => {
    const idle = ACTIVE_MS + SETTINGS.idleTimeoutMs;
    expect(deadline(PHASE_RELAYING)).toBe(idle);
    const all = Object.values(HARMLESS).reduce((flags, flag) => flags | flag, 0);
    expect(deadline(PHASE_RELAYING, all, all)).toBe(idle);
  });

  test.for(Object.entries(ENDING))('%s on either side: the shorter one', ([, flag]) => {
    const halfClosed = ACTIVE_MS + SETTINGS.halfClosedTimeoutMs;
    expect(deadline(PHASE_RELAYING, flag, WRITABLE)).toBe(halfClosed);
    expect(deadline(PHASE_RELAYING, WRITABLE, flag)).toBe(halfClosed);
  });
});
