// Low-water marks of long transfers: when one is raised, when it is lowered again, and that what lies below it is read. That nobody waits
// for bytes that never come is the simulation's business (tests/sim).

import { beforeEach, expect, test } from 'vitest';
import type { SocketOption } from '../../../core/linux/kernel.ts';
import { LOW_WATER_LOOK_MS } from '../../../core/session/limits.ts';
import { considerMark, lookAtMarks, marksDueMs } from '../../../core/session/low-water.ts';
import {
  FRONT,
  get,
  LOW_WATER,
  NO_DELAY,
  PHASE_FREE,
  PHASE_LINGERING,
  READABLE,
  WRITABLE,
} from '../../../core/session/table.ts';
import { type FakeShard, FRONT_FD, fakeShard, nodePlan, relaying, serve } from './support.ts';

const MARK = 1000;
const AFTER = 5000;
const RAISED = `${FRONT_FD} receive-low-water ${MARK}`;
const LOWERED = `${FRONT_FD} receive-low-water 1`;

let fake: FakeShard;
let asked: string[];
/** what setOption answers */
let answer: number;
let side: number;

beforeEach(() => {
  asked = [];
  answer = 0;
  fake = fakeShard(
    { lowWaterBytes: MARK, lowWaterAfterBytes: AFTER },
    {
      setOption: (fd: number, option: SocketOption, value: number) => {
        asked.push(`${fd} ${option} ${value}`);
        return answer;
      },
    },
  );
  serve(fake.shard, [nodePlan(0)]);
  side = relaying(fake.shard, WRITABLE | NO_DELAY, WRITABLE | NO_DELAY) * 2 + FRONT;
});

/** So many bytes were spliced from the side. */
function moves(bytes: number): void {
  const { shard } = fake;
  shard.table.bytesFrom[side] = get(shard.table.bytesFrom, side) + bytes;
  considerMark(shard, side);
}

/** @returns what the kernel was asked since the last time */
function look(): string[] {
  lookAtMarks(fake.shard);
  return asked.splice(0);
}

const has = (flag: number) => (get(fake.shard.table.sideFlags, side) & flag) !== 0;

test('a long transfer raises its mark once', () => {
  moves(AFTER - 1);
  expect([asked, marksDueMs(fake.shard)]).toEqual([[], Number.POSITIVE_INFINITY]);
  moves(1);
  expect([asked.splice(0), marksDueMs(fake.shard)]).toEqual([[RAISED], fake.shard.nowMs + LOW_WATER_LOOK_MS]);
  moves(AFTER);
  expect(asked).toEqual([]);
});

test('it stays up while bytes come, and goes down with the first look that finds none new: the side is read then', () => {
  moves(AFTER);
  asked.splice(0);
  moves(1);
  expect(look()).toEqual([]);
  moves(1);
  expect([look(), has(LOW_WATER), has(READABLE)]).toEqual([[], true, false]);
  expect([look(), has(LOW_WATER), has(READABLE)]).toEqual([[LOWERED], false, true]);
  expect(fake.shard.bulkQueue.count).toBe(1);
  expect([look(), marksDueMs(fake.shard)]).toEqual([[], Number.POSITIVE_INFINITY]);
});

test('after a pause it takes another long transfer', () => {
  moves(AFTER);
  look();
  moves(AFTER - 1);
  expect(asked).toEqual([]);
  moves(1);
  expect(asked).toEqual([RAISED]);
});

test('where the kernel will not lower it, the side is read all the same, and it is asked again', () => {
  moves(AFTER);
  asked.splice(0);
  answer = -105;
  expect([look(), has(LOW_WATER), has(READABLE)]).toEqual([[LOWERED], true, true]);
  expect(look()).toEqual([LOWERED]);
  answer = 0;
  expect([look(), has(LOW_WATER)]).toEqual([[LOWERED], false]);
});

test.each([
  ['has ended', PHASE_FREE],
  ['reads to throw away', PHASE_LINGERING],
])('nobody looks at a session that %s', (_, phase) => {
  moves(AFTER);
  asked.splice(0);
  fake.shard.table.phase[side >> 1] = phase;
  expect([look(), marksDueMs(fake.shard)]).toEqual([[], Number.POSITIVE_INFINITY]);
});

test('with a mark of 0 none is ever raised', () => {
  Object.assign(fake.shard.settings, { lowWaterBytes: 0 });
  moves(AFTER);
  expect(asked).toEqual([]);
});
