// What a frontend makes of its nodes' condition: who is eligible now, when that has to be looked at again, and the growing share of
// a node in its slow start.

import { describe, expect, test } from 'vitest';
import { ON_TRIAL } from '../../../core/balance/pool.ts';
import { ECONNREFUSED } from '../../../core/base/errno.ts';
import { EJECTION_MS, NO_TRIAL, noteConnectFailure, noteConnectSuccess } from '../../../core/health/ejection.ts';
import { HEALTH_DOWN, HEALTH_UP, REASON, setHealth } from '../../../core/health/node-states.ts';
import { releaseNode } from '../../../core/session/admission.ts';
import { chooseNode } from '../../../core/session/choose.ts';
import { STICKY_MS } from '../../../core/session/limits.ts';
import { refreshPool } from '../../../core/session/node-pool.ts';
import type { FrontendPlan, NodePlan } from '../../../core/session/plan.ts';
import { fakeShard, nodePlan, serve } from './support.ts';

const START_MS = 1_000_000;
const SLOT = 1;

function scene(nodes: readonly NodePlan[], more: Partial<FrontendPlan> = {}) {
  const { shard } = fakeShard();
  shard.nowMs = START_MS;
  const frontend = serve(shard, nodes, more);
  const at = (nowMs: number) => {
    shard.nowMs = nowMs;
    refreshPool(shard, frontend);
    return [...frontend.eligible];
  };
  const eject = (row: number) => {
    for (let i = 0; i < 3; i++) noteConnectFailure(shard.nodeStates, row, NO_TRIAL, 5000, ECONNREFUSED, shard.nowMs);
  };
  const down = (row: number) => setHealth(shard.nodeStates, row, HEALTH_DOWN, REASON.timeout, 0, shard.nowMs);
  const up = (row: number) => setHealth(shard.nodeStates, row, HEALTH_UP, REASON.connected, 0, shard.nowMs);
  const picks = (count: number) =>
    Array.from({ length: count }, () => {
      const index = chooseNode(shard, frontend, SLOT);
      const row = frontend.nodes[index]?.row;
      if (row !== undefined) releaseNode(shard, row);
      return index;
    });
  return { shard, frontend, at, eject, down, up, picks };
}

const PAIR = [nodePlan(1), nodePlan(2)];

describe('who is eligible', () => {
  test('follows what checks say, at once', () => {
    const { at, down, up } = scene(PAIR);
    expect(at(START_MS)).toEqual([1, 1]);
    down(2);
    expect(at(START_MS)).toEqual([1, 0]);
    up(2);
    expect(at(START_MS)).toEqual([1, 1]);
  });

  test('follows ejections, and sees by itself when a trial is due', () => {
    const { at, eject } = scene(PAIR);
    at(START_MS);
    eject(2);
    expect(at(START_MS)).toEqual([1, 0]);
    expect(at(START_MS + EJECTION_MS - 1)).toEqual([1, 0]);
    expect(at(START_MS + EJECTION_MS)).toEqual([1, ON_TRIAL]);
  });

  test('a node on trial gets one session, all others go elsewhere until it has succeeded', () => {
    const { at, eject, picks, shard } = scene(PAIR);
    eject(2);
    at(START_MS + EJECTION_MS);
    const during = picks(20);
    expect(during.filter((index) => index === 1)).toHaveLength(1);
    noteConnectSuccess(shard.nodeStates, 2, shard.nowMs);
    expect(picks(20).filter((index) => index === 1)).toHaveLength(10);
  });

  test('is not concerned by ejections where passive checks are off', () => {
    const { at, eject } = scene(PAIR, { isPassive: false });
    eject(2);
    expect(at(START_MS)).toEqual([1, 1]);
  });

  test('nobody without an address', () => {
    expect(scene([nodePlan(1), nodePlan(2, { ip: undefined })]).at(START_MS)).toEqual([1, 0]);
  });
});

for (const algorithm of ['roundrobin', 'leastconn'] as const) {
  test(`slow start, ${algorithm}: a node that comes back gets little at first, and its full share in the end`, () => {
    const { at, down, up, picks } = scene([nodePlan(1), nodePlan(2, { slowStartMs: 10_000 })], { algorithm });
    down(2);
    at(START_MS);
    up(2);
    const shareAt = (nowMs: number) => {
      at(nowMs);
      return picks(200).filter((index) => index === 1).length;
    };
    const begin = shareAt(START_MS + 100);
    const half = shareAt(START_MS + 5000);
    const full = shareAt(START_MS + 10_000);
    if (algorithm === 'roundrobin') {
      // 0.05 of 1.05, 0.5 of 1.5, 1 of 2.
      expect([begin, half, full].map((count) => Math.round(count / 10))).toEqual([1, 7, 10]);
    } else {
      // No sessions overlap here: the heavier takes them all, until both weigh the same.
      expect([begin, half, full]).toEqual([0, 0, 100]);
    }
  });
}

test('a node that was there from the start has no slow start', () => {
  const { up, picks } = scene([nodePlan(1), nodePlan(2, { slowStartMs: 10_000 })]);
  up(2);
  expect(picks(100).filter((index) => index === 1)).toHaveLength(50);
});

describe('stickiness', () => {
  test('holds for half an hour from the first connection, not from the last', () => {
    const { picks, shard } = scene(PAIR, { isSticky: true });
    const [first = -1, ...rest] = picks(10);
    expect(new Set(rest)).toEqual(new Set([first]));
    shard.nowMs = START_MS + STICKY_MS;
    expect(picks(1)).toEqual([first]);
    shard.nowMs = START_MS + STICKY_MS + 1;
    // Round robin goes on: whoever is next.
    const [next = -1] = picks(1);
    expect(next).not.toBe(first);
    expect(new Set(picks(10))).toEqual(new Set([next]));
  });

  test('moves the client of a node that is down, and keeps it where it went', () => {
    const { picks, down, up } = scene(PAIR, { isSticky: true });
    const [first = -1] = picks(1);
    down(first + 1);
    const [second = -1] = picks(1);
    expect(second).toBe(1 - first);
    up(first + 1);
    expect(new Set(picks(10))).toEqual(new Set([second]));
  });

  test('a full node keeps its client’s place: this connection goes elsewhere, the next ones come back', () => {
    const nodes = [nodePlan(1, { maxConnections: 1 }), nodePlan(2, { maxConnections: 1 })];
    const { picks, shard, frontend } = scene(nodes, { isSticky: true });
    const [first = -1] = picks(1);
    const row = frontend.nodes[first]?.row ?? -1;
    shard.counters.nodesActive[row] = 1;
    expect(picks(3)).toEqual([1 - first, 1 - first, 1 - first]);
    shard.counters.nodesActive[row] = 0;
    expect(picks(1)).toEqual([first]);
  });
});
