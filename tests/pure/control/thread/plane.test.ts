// The data plane as the control thread has it: what it reads follows the plan that the main thread tells.

import { expect, test } from 'vitest';
import type { PlanView } from '../../../../control/thread/channel.ts';
import { ThreadPlane } from '../../../../control/thread/plane.ts';
import {
  createNodeStates,
  HEALTH_DOWN,
  HEALTH_UP,
  nodeStatesBytes,
  REASON,
  setHealth,
} from '../../../../core/health/node-states.ts';
import { NODES_MAX } from '../../../../core/session/limits.ts';
import type { FrontendPlan, NodePlan } from '../../../../core/session/plan.ts';
import { controlBytes } from '../../../../workers/channel.ts';

const nodeStates = new SharedArrayBuffer(nodeStatesBytes(NODES_MAX));
const states = createNodeStates(nodeStates, NODES_MAX);

const node = (row: number, ip: Uint8Array | undefined = new Uint8Array(16)) =>
  ({ row, label: `n${row}`, address: `10.0.0.${row}:80`, ip, mode: 'accept' }) as NodePlan;
const frontend = (label: string, port: number, nodes: NodePlan[], isPassive = true) =>
  ({ label, port, nodes, isPassive }) as FrontendPlan;
const planOf = (frontends: FrontendPlan[]): PlanView => ({
  frontends,
  services: [],
  config: { nodebalancers: [] },
  frontendNames: new Map(),
  nodeNames: new Map(),
});

test('the conditions of one frontend are those of its nodes now, and of the plan in force', () => {
  setHealth(states, 1, HEALTH_UP, REASON.connected, 0, 1);
  setHealth(states, 2, HEALTH_DOWN, REASON.timeout, 0, 1);
  states.isEjected[3] = 1;
  const nodes = [node(1), node(2), node(3), { ...node(4), ip: undefined }];
  const plan = planOf([
    frontend('web', 80, nodes),
    frontend('web', 443, nodes, false),
    frontend('shop', 80, [node(5)]),
  ]);
  const state = {
    memories: { shards: [], nodeStates, control: new SharedArrayBuffer(controlBytes(0)), capacity: 1 },
    startedMs: 0,
    connectionsMax: 1,
    settings: [],
    readiness: 'ready',
    isReloadGood: true,
    plan,
  } as const;
  const plane = new ThreadPlane(state, undefined, () => {});
  expect(Object.fromEntries(plane.conditions('web', 80) ?? [])).toEqual({
    '10.0.0.1:80': { health: 'up', is_ejected: false },
    '10.0.0.2:80': { health: 'down', is_ejected: false },
    '10.0.0.3:80': { health: 'unknown', is_ejected: true },
    // Without an address it is down to every shard.
    '10.0.0.4:80': { health: 'down', is_ejected: false },
  });
  // Without passive checks nobody is ejected.
  expect(plane.conditions('web', 443)?.get('10.0.0.3:80')).toEqual({ health: 'unknown', is_ejected: false });
  expect([...(plane.conditions('shop', 80)?.keys() ?? [])]).toEqual(['10.0.0.5:80']);
  expect(plane.conditions('shop', 443)).toBeUndefined();
  setHealth(states, 1, HEALTH_DOWN, REASON.timeout, 0, 2);
  expect(plane.conditions('web', 80)?.get('10.0.0.1:80')?.health).toBe('down');
  plane.receive({ kind: 'plan', plan: planOf([frontend('renamed', 80, nodes)]) });
  expect(plane.conditions('web', 80)).toBeUndefined();
  expect(plane.conditions('renamed', 80)?.get('10.0.0.1:80')?.health).toBe('down');
});
