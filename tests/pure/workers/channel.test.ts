// The cells that threads share without a message: one stop flag, and a row per shard, for the main thread and for the control thread, a
// cache line each.

import { describe, expect, test } from 'vitest';
import { createProcessMemory, LIVE_STRIDE } from '../../../core/session/shard.ts';
import { controlBytes, createControl, FAULTS, HEARTBEAT_STRIDE } from '../../../workers/channel.ts';
import { SETTINGS } from '../session/support.ts';

const CACHE_LINE_BYTES = 64;

describe.for([1, 2, 256])('control cells of %i shards', (shards) => {
  test('have a heartbeat for each, apart from each other and from the stop flag', () => {
    const memory = new SharedArrayBuffer(controlBytes(shards));
    const { stop, heartbeats, lags } = createControl(memory);
    for (let shard = 0; shard < shards; shard++) heartbeats[shard * HEARTBEAT_STRIDE] = 1000 + shard;
    Atomics.store(stop, 0, 1);
    for (const cells of lags.slice(shards)) cells.fill(1);
    const lines = new Uint8Array(memory);
    const used = Array.from({ length: memory.byteLength / CACHE_LINE_BYTES }, (_, line) =>
      lines.slice(line * CACHE_LINE_BYTES, (line + 1) * CACHE_LINE_BYTES).some((byte) => byte !== 0),
    );
    // Each line is used by one of them, and none is left over.
    expect(used).toEqual(new Array(1 + shards + 2).fill(true));
    for (const cells of lags) cells.fill(2);
    for (let shard = 0; shard < shards; shard++) expect(heartbeats[shard * HEARTBEAT_STRIDE]).toBe(1000 + shard);
    expect([stop.length, heartbeats.length, lags.length]).toEqual([1, shards * HEARTBEAT_STRIDE, shards + 2]);
  });

  test('are the same for everybody who looks', () => {
    const memory = new SharedArrayBuffer(controlBytes(shards));
    const supervisor = createControl(memory);
    const shard = createControl(memory);
    expect(shard.stop[0]).toBe(0);
    Atomics.store(supervisor.stop, 0, 1);
    shard.heartbeats[(shards - 1) * HEARTBEAT_STRIDE] = 0.5;
    expect([Atomics.load(shard.stop, 0), supervisor.heartbeats.at(-HEARTBEAT_STRIDE)]).toEqual([1, 0.5]);
  });
});

test('live sessions have a cache line per shard', () => {
  expect(LIVE_STRIDE * Int32Array.BYTES_PER_ELEMENT).toBe(CACHE_LINE_BYTES);
  expect(createProcessMemory(SETTINGS, 3).live.byteLength).toBe(3 * CACHE_LINE_BYTES);
});

test('each way to fail has a name of its own', () => {
  expect(new Set(FAULTS).size).toBe(FAULTS.length);
});
