// Sessions ended on the operator's word: those that are meant and no others, in whatever phase, and each counted and recorded as any end.

import { expect, test } from 'vitest';
import { SHARD } from '../../../core/metrics/counters.ts';
import { percentileUs, sumHistograms } from '../../../core/metrics/histogram.ts';
import { takeRecord } from '../../../core/metrics/session-log.ts';
import { beginResetting, endSession } from '../../../core/session/close.ts';
import { IN, type In, noteOutcome, outcomeCode, WHO, type Who } from '../../../core/session/outcome.ts';
import { cutNode, killSessions } from '../../../core/session/session.ts';
import { BACK, FRONT, get, giveSlot, HOLDS, PHASE_FREE, STEP_SLOT } from '../../../core/session/table.ts';
import { BACK_FD, FRONT_FD, fakeShard, nodePlan, relaying, serve } from './support.ts';

function three() {
  const made = fakeShard({ logSessions: true });
  serve(made.shard, [nodePlan(0)]);
  return { ...made, slots: [0, 0, 0].map(() => relaying(made.shard, 0, 0)) as [number, number, number] };
}

test('those that are named end, with outcome K, and the others go on', () => {
  const { shard, slots } = three();
  const [first, kept, last] = slots;
  const owner = (slot: number) => ({ slot, generation: get(shard.table.generation, slot) });
  expect(killSessions(shard, [owner(first), owner(last)])).toBe(2);
  expect(slots.map((slot) => shard.table.phase[slot] === PHASE_FREE)).toEqual([true, false, true]);
  const record = takeRecord(shard.log);
  expect(outcomeCode(record?.outcomeWho ?? 0, record?.outcomePhase ?? 0)).toBe('KD');
  expect(get(shard.table.shared, STEP_SLOT)).toBe(0);
  expect(killSessions(shard, [owner(kept)])).toBe(1);
});

test('a slot that has another owner by now, or none, is left alone', () => {
  const { shard, slots } = three();
  const [gone, reused] = slots;
  const owners = [gone, reused].map((slot) => ({ slot, generation: get(shard.table.generation, slot) }));
  giveSlot(shard.table, gone);
  giveSlot(shard.table, reused);
  // The free slots are a stack: this takes `reused`.
  expect(relaying(shard, 0, 0)).toBe(reused);
  expect(killSessions(shard, owners)).toBe(0);
  expect(killSessions(shard, [{ slot: 7, generation: 0 }])).toBe(0);
  expect(shard.table.phase[reused]).not.toBe(PHASE_FREE);
});

test('a side that was about to be reset, because the other one was, is reset', () => {
  for (const [open, gone, fd] of [
    [FRONT, BACK, FRONT_FD],
    [BACK, FRONT, BACK_FD],
  ] as const) {
    const { calls, shard, unsent } = fakeShard();
    serve(shard, [nodePlan(0)]);
    const slot = relaying(shard, 0, 0);
    unsent.set(fd, 1000);
    beginResetting(shard, slot, open);
    expect(calls.splice(0)).toEqual([`close ${open === FRONT ? BACK_FD : FRONT_FD}`]);
    expect(get(shard.table.fd, slot * 2 + gone)).toBe(0);
    expect(killSessions(shard, [{ slot, generation: 0 }])).toBe(1);
    expect(calls).toEqual([`reset ${fd}`, `close ${fd}`]);
  }
});

test('a crowd that is ended in one go gives signs of life, whoever ends it', () => {
  const crowd = 2048;
  for (const isCut of [false, true]) {
    const { shard } = fakeShard({ connectionsMax: crowd });
    serve(shard, [nodePlan(0)]);
    let beats = 0;
    Object.assign(shard, { onBeat: () => beats++ });
    const owners = Array.from({ length: crowd }, () => ({ slot: relaying(shard, 0, 0), generation: 0 }));
    if (isCut) cutNode(shard, 0);
    else killSessions(shard, owners);
    expect(owners.every(({ slot }) => shard.table.phase[slot] === PHASE_FREE)).toBe(true);
    expect(beats).toBe(2);
  }
});

test('a session that cannot be ended in order is dropped, and the next one is still killed', () => {
  const faults: unknown[] = [];
  const { calls, shard } = fakeShard();
  Object.assign(shard, { onFault: (error: unknown) => faults.push(error) });
  serve(shard, [nodePlan(0)]);
  const slots = [relaying(shard, 0, 0), relaying(shard, 0, 0)];
  // A pipe that nobody has taken from the pool cannot be given back to it. Two: the end is tried
  // twice.
  for (const side of slots.flatMap((slot) => [slot * 2 + FRONT, slot * 2 + BACK])) {
    shard.table.sideFlags[side] = HOLDS;
    shard.table.pipe[side] = 1;
  }
  expect(
    killSessions(
      shard,
      slots.map((slot) => ({ slot, generation: 0 })),
    ),
  ).toBe(2);
  expect(slots.every((slot) => shard.table.phase[slot] === PHASE_FREE)).toBe(true);
  expect(faults.length).toBeGreaterThan(0);
  const dropped = [`reset ${FRONT_FD}`, `close ${FRONT_FD}`, `reset ${BACK_FD}`, `close ${BACK_FD}`];
  expect(calls).toEqual([...dropped, ...dropped]);
});

test('the end of a session records how long it lasted, in milliseconds, and when the first byte of its node came', () => {
  const { shard } = fakeShard();
  serve(shard, [nodePlan(0)]);
  const { durations, firstByteTimes, table } = shard;
  const days = 3 * 86_400_000;
  shard.nowMs = 2 * days;
  for (const [lastedMs, firstByteMs] of [
    [days, 40],
    [20, 0],
  ] as const) {
    const slot = relaying(shard, 0, 0);
    table.acceptedMs[slot] = shard.nowMs - lastedMs;
    table.firstByteMs[slot] = firstByteMs === 0 ? 0 : shard.nowMs - lastedMs + firstByteMs;
    endSession(shard, slot);
  }
  const lasted = sumHistograms([durations]);
  expect([lasted.count, lasted.sumUs, lasted.maxUs]).toEqual([2, days + 20, days]);
  expect(percentileUs(lasted, 50)).toBe(20);
  // A session without an answer has no first byte.
  expect(sumHistograms([firstByteTimes])).toMatchObject({ count: 1, sumUs: 40_000 });
});

test('who has cut a session off is counted; a node that only refused has cut nothing', () => {
  const { shard } = fakeShard();
  serve(shard, [nodePlan(0)]);
  const { shard: counts } = shard.counters;
  const cuts = () => [SHARD.cutByClient, SHARD.cutByNode, SHARD.cutByBalancer].map((column) => counts[column]);
  const end = (who: Who | undefined, phase: In, connectedMs = 1) => {
    const slot = relaying(shard, 0, 0);
    shard.table.connectedMs[slot] = connectedMs;
    if (who !== undefined) noteOutcome(shard.table, slot, who, phase);
    endSession(shard, slot);
    return cuts();
  };
  expect(end(undefined, IN.none)).toEqual([0, 0, 0]);
  expect(end(WHO.client, IN.data)).toEqual([1, 0, 0]);
  expect(end(WHO.node, IN.data)).toEqual([1, 1, 0]);
  expect(end(WHO.node, IN.connect, 0)).toEqual([1, 1, 0]);
  expect(end(WHO.operator, IN.data)).toEqual([1, 1, 1]);
  expect(end(WHO.nodeTimeout, IN.data)).toEqual([1, 1, 2]);
});
