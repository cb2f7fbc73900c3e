// How late event loops come round: the longest delay is told for half a minute at least, for a minute at most; a shard that is in a long
// turn right now is late already.

import { beforeEach, expect, test } from 'vitest';
import { WAIT_MS_MAX } from '../../../core/session/limits.ts';
import { type Control, controlBytes, createControl, HEARTBEAT_STRIDE } from '../../../workers/channel.ts';
import { CONTROL, LAG_WINDOW_MS, LoopLag, MAIN, noteStuck, readLoopLags } from '../../../workers/loop-lag.ts';

const SHARDS = 2;
const START_MS = 1_000_000;

let memory: SharedArrayBuffer;
let control: Control;
let nowMs: number;

beforeEach(() => {
  memory = new SharedArrayBuffer(controlBytes(SHARDS));
  control = createControl(memory);
  nowMs = START_MS;
  beat(0);
  beat(1);
});

function beat(shard: number): void {
  control.heartbeats[shard * HEARTBEAT_STRIDE] = nowMs;
}

/** As another thread reads it. */
const read = () => readLoopLags(createControl(memory), nowMs);

test('each thread has the longest of its delays', () => {
  const [first, second, main, api] = [0, 1, MAIN, CONTROL].map((row) => new LoopLag(control, row));
  expect(read()).toEqual({ shards: [0, 0], main: 0, control: 0 });
  for (const delayMs of [1, 5, 3]) first?.note(delayMs, nowMs);
  second?.note(7, nowMs);
  main?.note(11, nowMs);
  api?.note(13, nowMs);
  // A timer that is early is not late.
  main?.note(-2, nowMs);
  expect(read()).toEqual({ shards: [5, 7], main: 11, control: 13 });
});

test('a delay is told for half a minute at least, and for a minute at most', () => {
  const lag = new LoopLag(control, 0);
  const told = () => read().shards[0];
  const round = (delayMs: number) => {
    beat(0);
    lag.note(delayMs, nowMs);
  };
  round(1);
  // At the end of a window, and at the begin of one.
  nowMs = START_MS + LAG_WINDOW_MS - 1;
  round(50);
  for (; nowMs < START_MS + 2 * LAG_WINDOW_MS - 1; nowMs += 250) {
    round(1);
    expect(told()).toBe(50);
  }
  nowMs = START_MS + 3 * LAG_WINDOW_MS;
  round(70);
  for (; nowMs < START_MS + 4 * LAG_WINDOW_MS; nowMs += 250) {
    round(2);
    expect(told()).toBe(70);
  }
  for (; nowMs < START_MS + 5 * LAG_WINDOW_MS + 1000; nowMs += 250) round(2);
  expect(told()).toBe(2);
});

test('a shard that does not come round is late, as far as it did not wait for events', () => {
  const lag = new LoopLag(control, 1);
  lag.note(3, nowMs);
  nowMs += WAIT_MS_MAX;
  beat(0);
  expect(read().shards).toEqual([0, 3]);
  nowMs += 1200;
  expect(read().shards).toEqual([1200 - WAIT_MS_MAX, 1200]);
});

test('one that was given up for stuck is told as such, after its successor has begun', () => {
  new LoopLag(control, 1).note(3, nowMs);
  noteStuck(control, 1, 2100);
  expect(read().shards).toEqual([0, 2100]);
  new LoopLag(control, 1).note(1, nowMs);
  noteStuck(control, 0, 5);
  expect(read().shards).toEqual([5, 2100]);
});

test('a successor leaves what its predecessor has seen, for a window', () => {
  new LoopLag(control, 0).note(40, nowMs);
  const lag = new LoopLag(control, 0);
  lag.note(2, nowMs);
  expect(read().shards[0]).toBe(40);
  nowMs += LAG_WINDOW_MS;
  beat(0);
  lag.note(2, nowMs);
  expect(read().shards[0]).toBe(2);
});
