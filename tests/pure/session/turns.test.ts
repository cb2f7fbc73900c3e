// A frontend that is changed goes on where it was, whatever the change: two equal nodes take strict turns, with a change before each
// session. So does every shard for itself, and a successor of a dead one.

import { describe, expect, test } from 'vitest';
import { ECONNREFUSED } from '../../../core/base/errno.ts';
import { EJECTION_MS, NO_TRIAL, noteConnectFailure, noteConnectSuccess } from '../../../core/health/ejection.ts';
import { HEALTH_DOWN, HEALTH_UP, REASON, setHealth } from '../../../core/health/node-states.ts';
import { releaseNode } from '../../../core/session/admission.ts';
import { chooseNode } from '../../../core/session/choose.ts';
import { applyPlan } from '../../../core/session/frontends.ts';
import type { FrontendPlan, NodePlan } from '../../../core/session/plan.ts';
import type { Shard } from '../../../core/session/shard.ts';
import { ipOf } from '../../../testing/loopback.ts';
import { type FakeShard, fakeShard, frontendPlan, nodePlan, serve } from './support.ts';

const SLOT = 1;
const START_MS = 1_000_000;
const A = 5;
const B = 3;
const C = 8;
const ALGORITHMS = ['roundrobin', 'leastconn'] as const;

/** The row of who has the next connection, which ends at once. */
function next(shard: Shard): number {
  const [frontend] = shard.frontends;
  if (frontend === undefined) throw new Error('nothing is served');
  const row = frontend.nodes[chooseNode(shard, frontend, SLOT)]?.row ?? -1;
  if (row >= 0) releaseNode(shard, row);
  return row;
}

function many(shard: Shard, times: number): number[] {
  return Array.from({ length: times }, () => next(shard));
}

function shardAt(nowMs: number, ...made: Parameters<typeof fakeShard>): FakeShard {
  const fake = fakeShard(...made);
  fake.shard.nowMs = nowMs;
  return fake;
}

function successorOf({ memory, processMemory }: FakeShard): FakeShard {
  return shardAt(START_MS, {}, {}, { memory, processMemory });
}

const pair = (more: Partial<NodePlan> = {}, first: Partial<NodePlan> = {}) => [nodePlan(A, first), nodePlan(B, more)];
const takingTurns = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? A : B));

type Change = (i: number) => [nodes: readonly NodePlan[], more?: Partial<FrontendPlan>];

const CHANGES: Record<string, Change> = {
  nothing: () => [pair()],
  'the label of the second node': (i) => [pair({ label: `two-${i}` })],
  'the label of the first node': (i) => [pair({}, { label: `one-${i}` })],
  'all labels': (i) => [pair({ label: `two-${i}` }, { label: `one-${i}` })],
  'the weight of both': (i) => [pair({ weight: 1 + (i % 7) }, { weight: 1 + (i % 7) })],
  'the weight of both, by little': (i) => [pair({ weight: 50 + i }, { weight: 50 + i })],
  'a limit': (i) => [pair({ maxConnections: i % 3 })],
  'the slow start of nodes that were always there': (i) => [pair({ slowStartMs: 1000 * i })],
  'the header of a node': (i) => [pair({ proxyProtocol: i % 2 === 0 ? 'v2' : 'none' })],
  'their order': (i) => [i % 2 === 0 ? pair() : pair().toReversed()],
  'their order, now and then': (i) => [i % 4 < 2 ? pair() : pair().toReversed()],
  'the address that a name resolves to': (i) => [pair({ ip: ipOf(`192.0.2.${100 + i}`) })],
  'a third node that rejects': (i) => [i % 2 === 0 ? pair() : [...pair(), nodePlan(C, { mode: 'reject' })]],
  'a third node that is a backup': (i) => [i % 2 === 0 ? pair() : [nodePlan(C, { mode: 'backup' }), ...pair()]],
  'the name and the timeouts': (i) => [
    pair(),
    { label: `web-${i}`, queueTimeoutMs: 1000 + i, checkIntervalMs: 10 + i },
  ],
  'the size of the queue and passive checks': (i) => [pair(), { queueSize: i, isPassive: i % 2 === 0 }],
  'the throttle': (i) => [pair(), { throttle: i }],
  'the algorithm': (i) => [pair(), { algorithm: ALGORITHMS[i % 2] ?? 'roundrobin' }],
};

describe.each(ALGORITHMS)('%s: nodes take turns over each change of', (algorithm) => {
  test.each(Object.entries(CHANGES))('%s', (_, change) => {
    const { shard } = shardAt(START_MS);
    const met = takingTurns.map((_, i) => {
      const [nodes, more] = change(i);
      serve(shard, nodes, { algorithm, ...more });
      return next(shard);
    });
    expect(met).toEqual(takingTurns);
  });

  test.each(Object.entries(CHANGES))('%s, with a death before each', (_, change) => {
    let fake = shardAt(START_MS);
    const met = takingTurns.map((_, i) => {
      const [nodes, more] = change(i);
      fake = successorOf(fake);
      serve(fake.shard, nodes, { algorithm, ...more });
      return next(fake.shard);
    });
    expect(met).toEqual(takingTurns);
  });
});

describe.each(ALGORITHMS)('%s', (algorithm) => {
  test('a frontend that was removed, and comes back, goes on', () => {
    const { shard } = shardAt(START_MS);
    const met = takingTurns.map(() => {
      applyPlan(shard, { frontends: [], listeners: [] });
      serve(shard, pair(), { algorithm });
      return next(shard);
    });
    expect(met).toEqual(takingTurns);
  });

  test('also where the shard has died while it was gone', () => {
    let fake = shardAt(START_MS);
    const met = takingTurns.map(() => {
      fake = successorOf(fake);
      applyPlan(fake.shard, { frontends: [], listeners: [] });
      serve(fake.shard, pair(), { algorithm });
      return next(fake.shard);
    });
    expect(met).toEqual(takingTurns);
  });

  test('a successor that is told of a change which its predecessor never heard of goes on', () => {
    const fake = shardAt(START_MS);
    serve(fake.shard, [...pair(), nodePlan(C)], { algorithm });
    expect(many(fake.shard, 2)).toEqual([A, B]);
    const { shard } = successorOf(fake);
    serve(shard, [nodePlan(C, { label: 'three' }), nodePlan(A)], { algorithm });
    expect(many(shard, 3)).toEqual([C, A, C]);
  });

  test('a node that goes down and comes back does so as if nothing had changed', () => {
    const chosen = (isChanged: boolean) => {
      const { shard } = shardAt(START_MS);
      serve(shard, pair(), { algorithm });
      return takingTurns.map((_, i) => {
        // Down for every second pair of sessions.
        if (i % 4 === 2) setHealth(shard.nodeStates, B, HEALTH_DOWN, REASON.timeout, 0, shard.nowMs);
        if (i % 4 === 0) setHealth(shard.nodeStates, B, HEALTH_UP, REASON.connected, 0, shard.nowMs);
        if (isChanged) serve(shard, pair({ label: `two-${i}` }), { algorithm });
        return next(shard);
      });
    };
    expect(chosen(true)).toEqual(chosen(false));
    expect(chosen(true)).toContain(B);
  });

  test('a node that is ejected, tried and back', () => {
    const { shard } = shardAt(START_MS);
    const met = (changes: number) =>
      Array.from({ length: changes }, (_, i) => {
        serve(shard, pair({ label: `two-${i}` }), { algorithm });
        return next(shard);
      });
    expect(met(3)).toEqual([A, B, A]);
    for (let i = 0; i < 3; i++) noteConnectFailure(shard.nodeStates, B, NO_TRIAL, 5000, ECONNREFUSED, shard.nowMs);
    expect(met(2)).toEqual([A, A]);
    shard.nowMs += EJECTION_MS;
    expect(met(1)).toEqual([B]);
    noteConnectSuccess(shard.nodeStates, B, shard.nowMs);
    expect(met(4)).toEqual([A, B, A, B]);
  });

  test('backups take turns while they serve, and where they were when they serve again', () => {
    const { shard } = shardAt(START_MS);
    const backup = { mode: 'backup' } as const;
    const set = (health: number) => setHealth(shard.nodeStates, C, health, REASON.timeout, 0, shard.nowMs);
    const met = Array.from({ length: 9 }, (_, i) => {
      set(i % 3 === 0 ? HEALTH_UP : HEALTH_DOWN);
      serve(shard, [nodePlan(C, { label: `main-${i}` }), ...pair(backup, backup)], { algorithm });
      return next(shard);
    });
    expect(met).toEqual([C, A, B, C, A, B, C, A, B]);
  });

  test('every shard takes turns for itself', () => {
    const shards = [0, 1].map((index) => shardAt(START_MS, {}, {}, { index, shards: 2 }).shard);
    const met = shards.map((shard) =>
      Array.from({ length: 6 }, (_, i) => {
        serve(shard, pair({ label: `two-${i}` }), { algorithm });
        return next(shard);
      }),
    );
    expect(met).toEqual([
      [A, B, A, B, A, B],
      [B, A, B, A, B, A],
    ]);
  });
});

test('a node that comes back slowly goes on with its share over changes', () => {
  const countsOf = (isChanged: boolean) => {
    const { shard } = shardAt(START_MS);
    const slow = { slowStartMs: 10_000 };
    serve(shard, pair(slow));
    setHealth(shard.nodeStates, B, HEALTH_DOWN, REASON.timeout, 0, shard.nowMs);
    next(shard);
    setHealth(shard.nodeStates, B, HEALTH_UP, REASON.connected, 0, shard.nowMs);
    return Array.from({ length: 100 }, (_, i) => {
      shard.nowMs += 100;
      if (isChanged) serve(shard, pair({ ...slow, label: `two-${i}` }));
      return next(shard);
    });
  };
  expect(countsOf(true)).toEqual(countsOf(false));
});

test('a change that a shard has in force already is none: its frontend stays the same object', () => {
  const { shard } = shardAt(START_MS);
  const before = serve(shard, pair());
  applyPlan(shard, { frontends: [frontendPlan(pair())], listeners: [] });
  expect(shard.frontends[0]).toBe(before);
});
