// What a successor does with sessions that it cannot go on with, where the simulation's kernel never fails: they end at once, or go on
// elsewhere, and all others are served.

import { expect, test } from 'vitest';
import { ENOMEM } from '../../../core/base/errno.ts';
import { FRONTEND, SHARD } from '../../../core/metrics/counters.ts';
import { takeRecord } from '../../../core/metrics/session-log.ts';
import { adoptShard } from '../../../core/session/lifecycle.ts';
import { outcomeCode } from '../../../core/session/outcome.ts';
import { isCopyable } from '../../../core/session/relay.ts';
import {
  BACK,
  FRONT,
  get,
  HIGH_WATER,
  MISCOUNTED,
  NO_DELAY,
  PHASE_CONNECTING,
  PHASE_FREE,
  PHASE_RELAYING,
  WRITABLE,
} from '../../../core/session/table.ts';
import { BACK_FD, FRONT_FD, fakeShard, nodePlan, relaying, serve } from './support.ts';

const UNWATCHABLE_FD = 40;
const NEXT_FD = 50;

/** A shard whose predecessor had two sessions, with the descriptors of one of them its own. */
function twoSessions() {
  const fake = fakeShard(
    { logSessions: true },
    {
      openEpoll: () => 5,
      prepareConnections: () => {},
      watch: (_epollFd, fd) => (fd === UNWATCHABLE_FD ? -ENOMEM : 0),
      openConnection: () => NEXT_FD,
      restOfConnection: () => 0,
    },
  );
  const { shard } = fake;
  serve(shard, [nodePlan(0), nodePlan(1)]);
  const [odd, other] = [relaying(shard, 0, 0), relaying(shard, 0, 0)] as const;
  shard.counters.shard[SHARD.accepted] = 2;
  shard.counters.frontends[FRONTEND.accepted] = 2;
  expect(get(shard.table.shared, HIGH_WATER)).toBe(2);
  return { ...fake, odd, other };
}

test('a session of which a socket cannot be watched ends at once: it would be silent until the idle timeout', () => {
  const { calls, odd, other, shard } = twoSessions();
  shard.table.fd[odd * 2 + FRONT] = UNWATCHABLE_FD + 1;
  shard.table.fd[odd * 2 + BACK] = UNWATCHABLE_FD + 2;
  expect(adoptShard(shard)).toBe(0);
  expect([odd, other].map((slot) => shard.table.phase[slot])).toEqual([PHASE_FREE, PHASE_RELAYING]);
  const both = [UNWATCHABLE_FD, UNWATCHABLE_FD + 1];
  expect(calls).toEqual([...both.map((fd) => `reset ${fd}`), ...both.map((fd) => `close ${fd}`)]);
  const record = takeRecord(shard.log);
  expect(outcomeCode(record?.outcomeWho ?? 0, record?.outcomePhase ?? 0)).toBe('RD');
  expect([shard.counters.frontends[FRONTEND.active], Atomics.load(shard.live, 0)]).toEqual([1, 1]);
});

test('of a session that goes on it is not certain how much was read: its predecessor may not have come to write it down', () => {
  const { other, shard } = twoSessions();
  expect(adoptShard(shard)).toBe(0);
  for (const side of [other * 2 + FRONT, other * 2 + BACK]) {
    expect(get(shard.table.sideFlags, side) & MISCOUNTED).toBe(MISCOUNTED);
    // It is served together with others all the same, once it is known what there is to read and to
    // write.
    shard.table.sideFlags[side] = WRITABLE | NO_DELAY | MISCOUNTED;
    expect(isCopyable(shard.table, other * 2 + FRONT)).toBe(side % 2 === BACK);
  }
});

test('a session that connects to a node which is in no plan any more goes on to another', () => {
  const { calls, odd, other, shard } = twoSessions();
  shard.table.phase[odd] = PHASE_CONNECTING;
  shard.table.node[odd] = 7 + 1;
  shard.table.attempts[odd] = 1;
  expect(adoptShard(shard)).toBe(0);
  expect(calls).toEqual([`close ${BACK_FD}`]);
  expect(shard.table.phase[odd]).toBe(PHASE_CONNECTING);
  expect(shard.headers[get(shard.table.node, odd) - 1]).toBeDefined();
  expect(get(shard.table.fd, odd * 2 + BACK)).toBe(NEXT_FD + 1);
  expect(get(shard.table.fd, odd * 2 + FRONT)).toBe(FRONT_FD + 1);
  expect(shard.table.phase[other]).toBe(PHASE_RELAYING);
});
