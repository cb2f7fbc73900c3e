// When a thread is called stuck: not before it has begun to beat, not while it beats, not because the whole process slept.

import { beforeEach, expect, test } from 'vitest';
import { createHeartbeat, Heartbeat } from '../../../../control/thread/heartbeat.ts';

const STEP_MS = 250;
const LIMIT_MS = 5000;
const START_LIMIT_MS = 60_000;

let nowMs: number;
let cell: Float64Array;
let heartbeat: Heartbeat;

beforeEach(() => {
  const memory = createHeartbeat();
  nowMs = 1000;
  cell = new Float64Array(memory);
  heartbeat = new Heartbeat(memory, LIMIT_MS, () => nowMs);
});

/** Looks as often as the watch does. @returns the time after which it was found stuck, or undefined */
function stuckAfter(totalMs: number, beats = false): number | undefined {
  for (let passedMs = STEP_MS; passedMs <= totalMs; passedMs += STEP_MS) {
    nowMs += STEP_MS;
    if (beats) cell[0] = nowMs;
    if (heartbeat.isStuck()) return passedMs;
  }
  return undefined;
}

test('a thread that has not beaten yet is starting, for a minute', () => {
  expect(stuckAfter(2 * START_LIMIT_MS)).toBe(START_LIMIT_MS + STEP_MS);
});

test('a thread that beats is not stuck; one that stops is, after the limit and not before', () => {
  expect(stuckAfter(10 * LIMIT_MS, true)).toBeUndefined();
  expect(stuckAfter(10 * LIMIT_MS)).toBe(LIMIT_MS + STEP_MS);
});

test('after the process was suspended it gets the whole limit again', () => {
  cell[0] = nowMs;
  nowMs += 10 * LIMIT_MS;
  expect(heartbeat.isStuck()).toBe(false);
  expect(stuckAfter(10 * LIMIT_MS)).toBe(LIMIT_MS + STEP_MS);
});
