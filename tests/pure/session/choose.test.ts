// Which node a connection gets: what the policy says, without the nodes that this connection has already tried.

import { describe, expect, test, vi } from 'vitest';
import { ECONNREFUSED } from '../../../core/base/errno.ts';
import { NO_TRIAL, noteConnectFailure } from '../../../core/health/ejection.ts';
import { countersBytes, createCounters } from '../../../core/metrics/counters.ts';
import { releaseNode } from '../../../core/session/admission.ts';
import { ALL_FULL, ALL_TRIED, chooseNode, NO_NODE } from '../../../core/session/choose.ts';
import { FRONTENDS_MAX, NODES_MAX, TRIED_NODES_MAX } from '../../../core/session/limits.ts';
import type { FrontendPlan, NodePlan } from '../../../core/session/plan.ts';
import type { Frontend, Shard } from '../../../core/session/shard.ts';
import { pinClient } from '../../../core/session/stickiness.ts';
import { get, type SessionTable } from '../../../core/session/table.ts';
import { forgetTried, noteTried } from '../../../core/session/tried.ts';
import { fakeShard, nodePlan, serve } from './support.ts';

const SLOT = 1;
const NODES = [nodePlan(7), nodePlan(3), nodePlan(9)];

interface Scene {
  readonly shard: Shard;
  readonly frontend: Frontend;
  readonly table: SessionTable;
}

/** @param eligible which of the nodes are in mode accept; the others reject */
function scene(nodes: readonly NodePlan[], eligible: readonly number[], more: Partial<FrontendPlan> = {}): Scene {
  const { shard } = fakeShard();
  const plans = nodes.map((node, index) => ({
    ...node,
    mode: eligible[index] === 1 ? node.mode : ('reject' as const),
  }));
  return { shard, frontend: serve(shard, plans, more), table: shard.table };
}

function choose({ shard, frontend }: Scene, slot = SLOT): number {
  return chooseNode(shard, frontend, slot);
}

/** An attempt that was begun and has failed. */
function failAt({ table }: Scene, slot: number, row: number): void {
  table.attempts[slot] = get(table.attempts, slot) + 1;
  noteTried(table, slot, row);
}

function having(tried: readonly number[], made: Scene): Scene {
  for (const row of tried) failAt(made, SLOT, row);
  return made;
}

describe('a first choice', () => {
  test('is the policy’s, among the eligible', () => {
    const made = scene(NODES, [1, 0, 1]);
    const picks = Array.from({ length: 4 }, () => choose(made));
    expect(picks.sort()).toEqual([0, 0, 2, 2]);
  });

  test('counts the session at the node, which is given back by whoever lets go of it', () => {
    const made = scene(NODES, [1, 0, 0]);
    choose(made);
    expect(made.shard.counters.nodesActive[7]).toBe(1);
  });

  test('nobody is eligible: NO_NODE', () => {
    expect(choose(scene(NODES, [0, 0, 0]))).toBe(NO_NODE);
    expect(choose(scene([], []))).toBe(NO_NODE);
  });

  test('goes by the address of this slot’s client', () => {
    const made = scene(NODES, [1, 1, 1], { algorithm: 'source' });
    const picks = new Set<number>();
    for (let client = 0; client < 60; client++) {
      // 36 bytes of endpoints per slot; the client's address comes first.
      made.table.endpoints[SLOT * 36 + 15] = client;
      const pick = choose(made);
      expect(choose(made)).toBe(pick);
      made.table.endpoints[15] = client + 100;
      expect(choose(made)).toBe(pick);
      picks.add(pick);
    }
    expect([...picks].sort()).toEqual([0, 1, 2]);
  });
});

test('by source, a node that gets another name keeps its clients', () => {
  const picks = (nodes: readonly NodePlan[]) => {
    const made = scene(nodes, [1, 1, 1], { algorithm: 'source' });
    return Array.from({ length: 60 }, (_, client) => {
      made.table.endpoints[SLOT * 36 + 15] = client;
      return choose(made);
    });
  };
  expect(picks(NODES.map((node) => ({ ...node, label: `new-${node.label}` })))).toEqual(picks(NODES));
});

describe('another choice of the same connection', () => {
  test('leaves out what was tried, by row and not by place', () => {
    expect(choose(having([7, 9], scene(NODES, [1, 1, 1])))).toBe(1);
    expect(choose(having([3, 9], scene(NODES, [1, 1, 1])))).toBe(0);
    expect(choose(having([3, 7], scene(NODES, [1, 1, 1])))).toBe(2);
  });

  test('all eligible nodes tried: ALL_TRIED, although others are there that may not serve', () => {
    expect(choose(having([7, 9], scene(NODES, [1, 0, 1])))).toBe(ALL_TRIED);
  });

  test('none is eligible any more: NO_NODE', () => {
    expect(choose(having([7], scene(NODES, [0, 0, 0])))).toBe(NO_NODE);
  });

  test('a tried node that is gone from the frontend hinders nobody', () => {
    expect(choose(having([4242], scene(NODES, [0, 1, 0])))).toBe(1);
  });

  test('what one connection tried is no matter to another', () => {
    const made = having([3], scene(NODES, [0, 1, 0]));
    expect(choose(made)).toBe(ALL_TRIED);
    expect([choose(made, 0), choose(made, 2)]).toEqual([1, 1]);
    expect([...made.frontend.eligible]).toEqual([0, 1, 0]);
  });

  test('forgotten, all are open again', () => {
    const made = having([7, 3, 9], scene(NODES, [1, 0, 0]));
    forgetTried(made.table, SLOT);
    expect(choose(made)).toBe(0);
  });
});

describe('limits', () => {
  const LIMITED = [nodePlan(7, { maxConnections: 2 }), nodePlan(3, { maxConnections: 1 })];

  test('each node gets as many as it takes, then ALL_FULL; a place that is given back is taken', () => {
    const made = scene(LIMITED, [1, 1]);
    expect([choose(made), choose(made), choose(made)].sort()).toEqual([0, 0, 1]);
    expect(choose(made)).toBe(ALL_FULL);
    releaseNode(made.shard, 3);
    expect(choose(made)).toBe(1);
  });

  test('what other shards have taken counts', () => {
    const { shard } = fakeShard();
    const other = createCounters(
      new SharedArrayBuffer(countersBytes(FRONTENDS_MAX, NODES_MAX)),
      FRONTENDS_MAX,
      NODES_MAX,
    );
    const both = { ...shard, allCounters: [shard.counters, other] };
    const frontend = serve(both, LIMITED);
    other.nodesActive[7] = 2;
    expect([chooseNode(both, frontend, SLOT), chooseNode(both, frontend, SLOT)]).toEqual([1, ALL_FULL]);
  });

  test('tried and full: there is something to wait for', () => {
    const made = scene(LIMITED, [1, 1]);
    made.shard.counters.nodesActive[3] = 1;
    expect(choose(having([7], made))).toBe(ALL_FULL);
  });
});

test('one more than the memory holds is not remembered, and nothing else is overwritten', () => {
  const rows = Array.from({ length: TRIED_NODES_MAX + 1 }, (_, i) => 100 + i);
  const made = having(
    rows,
    scene(
      rows.map((row) => nodePlan(row)),
      rows.map(() => 1),
    ),
  );
  const { table } = made;
  expect(choose(made)).toBe(TRIED_NODES_MAX);
  expect([table.triedCount[SLOT], table.triedCount[SLOT + 1]]).toEqual([TRIED_NODES_MAX, 0]);
  expect(table.tried[(SLOT + 1) * TRIED_NODES_MAX]).toBe(0);
});

describe('an ejected node whose time is up', () => {
  function ejected(more: Partial<FrontendPlan> = {}): Scene & { outUntilMs: number } {
    const made = scene([nodePlan(7), nodePlan(3)], [1, 1], more);
    const { nodeStates, nowMs } = made.shard;
    for (let i = 0; i < 3; i++) noteConnectFailure(nodeStates, 7, NO_TRIAL, 5000, ECONNREFUSED, nowMs);
    const outUntilMs = nodeStates.outUntilMs[7] ?? 0;
    made.shard.nowMs = outUntilMs;
    return { ...made, outUntilMs };
  }

  test('is tried by one session, which has the trial on it, and no other has', () => {
    const made = ejected();
    const slots = [0, 1, 2, 3];
    const picks = slots.map((slot) => choose(made, slot));
    const trials = slots.map((slot) => made.table.trial[slot]);
    expect(picks.filter((index) => index === 0)).toHaveLength(1);
    expect(trials.map((trial) => trial !== NO_TRIAL)).toEqual(picks.map((index) => index === 0));
    expect(trials).toContain(made.shard.nodeStates.trialAt[7]);
  });

  test('leaves no trial on the session when it goes on to another node', () => {
    const made = ejected();
    for (let slot = 0; slot < 4; slot++) choose(made, slot);
    const slot = made.table.trial.findIndex((trial) => trial !== NO_TRIAL);
    failAt(made, slot, 7);
    expect(choose(made, slot)).toBe(1);
    expect(made.table.trial[slot]).toBe(NO_TRIAL);
  });

  test('leaves none either when another shard has pinned its client elsewhere meanwhile', () => {
    const made = ejected({ isSticky: true });
    const { frontend, shard, table } = made;
    vi.spyOn(frontend.policy, 'choose').mockImplementation(() => {
      pinClient(shard, frontend, SLOT, 1);
      return 0;
    });
    expect(choose(made)).toBe(1);
    expect(table.trial[SLOT]).toBe(NO_TRIAL);
    // Nor on the node: the next session may try it.
    expect(shard.nodeStates.trialAt[7]).toBe(NO_TRIAL);
  });
});
