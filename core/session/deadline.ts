// When a session's time is up. Activity does not move timers: it only writes `activeMs`, and a timer that fires early is armed
// again. Which timeout applies follows from the phase and the sides alone, so a successor can compute it too.

import { RESET_POLL_MS, RETRY_DELAY_DOUBLINGS_MAX, RETRY_DELAY_MS } from './limits.ts';
import { frontendOf, type Shard } from './shard.ts';
import {
  BACK,
  FRONT,
  get,
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
  WRITE_BROKEN,
  WRITE_ENDED,
} from './table.ts';

const ENDING = HUNG_UP | READ_ENDED | READ_FAILED | WRITE_ENDED | WRITE_BROKEN;

/** When the session's timer has something to look at. Monotonic milliseconds. */
export function timerOf(shard: Shard, slot: number): number {
  const deadlineMs = deadlineOf(shard, slot);
  return awaitsKeepalive(shard, slot) ? Math.min(deadlineMs, keepaliveMs(shard, slot)) : deadlineMs;
}

/** Whether a relaying session has lasted long enough to be watched over by keepalive, and is not yet. */
export function isKeepaliveDue(shard: Shard, slot: number): boolean {
  return awaitsKeepalive(shard, slot) && shard.nowMs >= keepaliveMs(shard, slot);
}

function awaitsKeepalive(shard: Shard, slot: number): boolean {
  const { table } = shard;
  return get(table.phase, slot) === PHASE_RELAYING && (get(table.sideFlags, slot * 2 + BACK) & KEPT_ALIVE) === 0;
}

function keepaliveMs(shard: Shard, slot: number): number {
  return get(shard.table.connectedMs, slot) + shard.settings.keepaliveSeconds * 1000;
}

/** When the session's time is up. Monotonic milliseconds. */
export function deadlineOf(shard: Shard, slot: number): number {
  const { settings, table } = shard;
  const phaseMs = get(table.phaseMs, slot);
  switch (get(table.phase, slot)) {
    case PHASE_CONNECTING:
      return phaseMs + settings.connectTimeoutMs;
    case PHASE_RETRYING:
      return phaseMs + retryDelayMs(get(table.attempts, slot));
    case PHASE_QUEUED:
      return phaseMs + frontendOf(shard, slot).plan.queueTimeoutMs;
    case PHASE_RESETTING:
      return shard.nowMs + RESET_POLL_MS;
    case PHASE_LINGERING:
      return phaseMs + settings.lingerTimeoutMs;
    default: {
      const flags = get(table.sideFlags, slot * 2 + FRONT) | get(table.sideFlags, slot * 2 + BACK);
      const { idleTimeoutMs, halfClosedTimeoutMs } = settings;
      const isEnding = (flags & ENDING) !== 0;
      return get(table.activeMs, slot) + (isEnding ? Math.min(idleTimeoutMs, halfClosedTimeoutMs) : idleTimeoutMs);
    }
  }
}

/** How long a connection whose nodes were all tried waits before the next attempt. @param attempts connects begun so far */
export function retryDelayMs(attempts: number): number {
  return RETRY_DELAY_MS * 2 ** Math.min(attempts - 1, RETRY_DELAY_DOUBLINGS_MAX);
}
