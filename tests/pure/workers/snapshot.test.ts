// The snapshot of a process, taken from memories made by hand: counters of two shards, running sessions in their
// tables, and the condition of nodes.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ECONNREFUSED } from '../../../core/base/errno.ts';
import { parseIp } from '../../../core/base/ip.ts';
import {
  createNodeStates,
  HEALTH_DOWN,
  HEALTH_UP,
  type NodeStates,
  nodeStatesBytes,
  REASON,
  setHealth,
} from '../../../core/health/node-states.ts';
import {
  type Counters,
  countersBytes,
  createCounters,
  FRONTEND,
  FRONTEND_STRIDE,
  type FrontendCounter,
  NODE,
  NODE_STRIDE,
  type NodeCounter,
} from '../../../core/metrics/counters.ts';
import type { FrontendPlan, NodePlan } from '../../../core/session/plan.ts';
import {
  BACK,
  createSessionTable,
  FRONT,
  giveSlot,
  PHASE_RELAYING,
  type SessionTable,
  sessionTableBytes,
  takeSlot,
} from '../../../core/session/table.ts';
import { type FrontendSnapshot, type SnapshotSource, takeSnapshot } from '../../../workers/snapshot.ts';

const FRONTENDS = 4;
const NODES = 8;
const SLOTS = 4;
const NOW_MS = 1_000_000;
const WALL_CLOCK_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

let shards: Counters[];
let tables: SessionTable[];
let states: NodeStates;

afterEach(() => vi.restoreAllMocks());
beforeEach(() => {
  vi.spyOn(Date, 'now').mockReturnValue(WALL_CLOCK_MS);
  shards = [0, 1].map(() => createCounters(new SharedArrayBuffer(countersBytes(FRONTENDS, NODES)), FRONTENDS, NODES));
  tables = [0, 1].map(() => createSessionTable(new SharedArrayBuffer(sessionTableBytes(SLOTS)), SLOTS));
  states = createNodeStates(new SharedArrayBuffer(nodeStatesBytes(NODES)), NODES);
});

function ip(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === undefined) throw new Error(`${text} is no address`);
  return bytes;
}

function node(row: number, more: Partial<NodePlan> = {}): NodePlan {
  return {
    row,
    label: `node-${row}`,
    address: `192.0.2.${row}:8080`,
    ip: ip(`192.0.2.${row}`),
    port: 8080,
    weight: 50,
    mode: 'accept',
    maxConnections: 0,
    slowStartMs: 0,
    proxyProtocol: 'v2',
    hasChecksum: false,
    ...more,
  };
}

function frontend(row: number, nodes: NodePlan[], more: Partial<FrontendPlan> = {}): FrontendPlan {
  return {
    row,
    label: 'web',
    port: 80,
    algorithm: 'roundrobin',
    proxyProtocol: 'none',
    isSticky: false,
    isPassive: true,
    checkIntervalMs: 5000,
    queueSize: 10,
    queueTimeoutMs: 5000,
    throttle: 0,
    throttleRow: 0,
    nodes,
    ...more,
  };
}

function source(frontends: FrontendPlan[], more: Partial<SnapshotSource> = {}): SnapshotSource {
  return {
    startedMs: NOW_MS - 60_000,
    nowMs: () => NOW_MS,
    shards: shards.length,
    connectionsMax: 1000,
    frontends,
    services: [],
    counters: shards,
    tables,
    states,
    ...more,
  };
}

function only(plan: FrontendPlan): FrontendSnapshot {
  const [first, ...others] = takeSnapshot(source([plan])).frontends;
  if (first === undefined || others.length > 0) throw new Error('not exactly one frontend');
  return first;
}

function count(shard: number, row: number, counts: Partial<Record<FrontendCounter, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    const cells = shards[shard]?.frontends as Float64Array;
    cells[row * FRONTEND_STRIDE + FRONTEND[name as FrontendCounter]] = value;
  }
}

function countNode(shard: number, row: number, counts: Partial<Record<NodeCounter, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    const cells = shards[shard]?.nodes as Float64Array;
    cells[row * NODE_STRIDE + NODE[name as NodeCounter]] = value;
  }
}

interface Running {
  frontend: number;
  /** row, or none yet */
  node?: number;
  /** from the client, to it, from the node, to it */
  bytes: readonly [number, number, number, number];
}

function run(shard: number, session: Running): number {
  const table = tables[shard] as SessionTable;
  const slot = takeSlot(table);
  table.phase[slot] = PHASE_RELAYING;
  table.frontend[slot] = session.frontend + 1;
  table.node[slot] = session.node === undefined ? 0 : session.node + 1;
  [
    table.bytesFrom[slot * 2 + FRONT],
    table.bytesTo[slot * 2 + FRONT],
    table.bytesFrom[slot * 2 + BACK],
    table.bytesTo[slot * 2 + BACK],
  ] = session.bytes as [number, number, number, number];
  return slot;
}

/** A time of the monotonic clock as the wall clock shows it. */
function expectTime(text: string | null, monotonicMs: number): void {
  expect(text).toBe(new Date(WALL_CLOCK_MS - NOW_MS + monotonicMs).toISOString());
}

describe('the process', () => {
  test('says who it is and since when', () => {
    const snapshot = takeSnapshot(source([]));
    expect(snapshot).toMatchObject({ pid: process.pid, shards: 2, sessions: 0, connections_max: 1000, frontends: [] });
    expect(snapshot.version).toMatch(/^\d+\.\d+\.\d+/);
    expectTime(snapshot.started, NOW_MS - 60_000);
  });

  test('has the sessions of all shards, those of removed frontends too', () => {
    run(0, { frontend: 0, node: 0, bytes: [1, 1, 1, 1] });
    run(1, { frontend: 3, node: 7, bytes: [1, 1, 1, 1] });
    const { sessions, frontends } = takeSnapshot(source([frontend(0, [node(0)])]));
    expect(sessions).toBe(2);
    expect(frontends).toHaveLength(1);
  });
});

test('each address is written once for a plan, however many frontends and snapshots there are', () => {
  let looks = 0;
  const services = Array.from({ length: 4 }, (_, row) => ({
    ip: ip(`192.0.2.${row}`),
    port: 80,
    get frontend() {
      looks++;
      return row;
    },
  }));
  const plans = services.map((_, row) => frontend(row, []));
  for (let i = 0; i < 3; i++) {
    const { frontends } = takeSnapshot(source(plans, { services }));
    expect(frontends.map(({ addresses }) => addresses)).toEqual([0, 1, 2, 3].map((row) => [`192.0.2.${row}:80`]));
  }
  expect(looks).toBe(services.length);
});

describe('a frontend', () => {
  test('is told with its settings and the addresses it has', () => {
    const plan = frontend(2, [], { label: 'mail', port: 25, algorithm: 'source', proxyProtocol: 'v1', isSticky: true });
    const services = [
      { ip: ip('0.0.0.0'), port: 25, frontend: 2 },
      { ip: ip('192.0.2.9'), port: 80, frontend: 1 },
      { ip: ip('::'), port: 25, frontend: 2 },
    ];
    expect(takeSnapshot(source([plan], { services })).frontends[0]).toMatchObject({
      nodebalancer: 'mail',
      port: 25,
      addresses: ['0.0.0.0:25', '[::]:25'],
      algorithm: 'source',
      stickiness: 'table',
      proxy_protocol: 'v1',
      nodes: [],
    });
  });

  test('sums its counters over the shards, and no other row', () => {
    const counts = { active: 1, queued: 2, accepted: 30, ended: 29, throttled: 4 };
    const rare = { noNode: 5, queueRefused: 6, queueTimeouts: 7, bytesIn: 100, bytesOut: 200 };
    count(0, 1, { ...counts, ...rare });
    count(1, 1, { ...counts, ...rare, accepted: 1000 });
    count(0, 2, { accepted: 9_000_000 });
    expect(only(frontend(1, []))).toMatchObject({
      stickiness: 'none',
      sessions: 2,
      queued: 4,
      accepted: 1030,
      ended: 58,
      throttled: 8,
      no_node: 10,
      queue_refused: 12,
      queue_timeouts: 14,
      bytes_in: 200,
      bytes_out: 400,
    });
  });

  test('has changed when the last of its nodes has', () => {
    expect(only(frontend(0, [node(0), node(1)])).changed).toBeNull();
    setHealth(states, 0, HEALTH_UP, REASON.connected, 0, NOW_MS - 90_000);
    setHealth(states, 1, HEALTH_UP, REASON.connected, 0, NOW_MS - 30_000);
    setHealth(states, 2, HEALTH_UP, REASON.connected, 0, NOW_MS);
    expectTime(only(frontend(0, [node(0), node(1)])).changed, NOW_MS - 30_000);
  });
});

describe('the health of a frontend', () => {
  const down = (...rows: number[]) => {
    for (const row of rows) setHealth(states, row, HEALTH_DOWN, REASON.timeout, 0, NOW_MS);
  };
  const eject = (...rows: number[]) => {
    for (const row of rows) states.isEjected[row] = 1;
  };
  const nothing = () => {};
  const three = frontend(0, [node(0), node(1), node(2)]);
  const one = (more: Partial<NodePlan>) => frontend(0, [node(0, more)]);

  test.for<[string, () => void, FrontendPlan, FrontendSnapshot['health'], string]>([
    ['nodes that nobody has checked', nothing, three, 'up', '3 of 3 nodes take connections'],
    ['one that is down', () => down(1), three, 'up', '2 of 3 nodes take connections'],
    ['one that is left', () => down(1, 2), three, 'up', '1 of 3 nodes takes connections'],
    ['none that is up', () => down(0, 1, 2), three, 'down', '0 of 3 nodes take connections'],
    ['one that is ejected', () => eject(1), three, 'up', '2 of 3 nodes take connections'],
    [
      'only its backup',
      () => down(0),
      frontend(0, [node(0), node(1, { mode: 'backup' })]),
      'up',
      '1 of 2 nodes takes connections',
    ],
    [
      'a backup that is not needed',
      nothing,
      frontend(0, [node(0), node(1, { mode: 'backup' })]),
      'up',
      '1 of 2 nodes takes connections',
    ],
    ['a node that drains', nothing, one({ mode: 'drain' }), 'down', '0 of 1 node takes connections'],
    ['a node that is rejected', nothing, one({ mode: 'reject' }), 'down', '0 of 1 node takes connections'],
    ['a node without an address', nothing, one({ ip: undefined }), 'down', '0 of 1 node takes connections'],
    ['no nodes', nothing, frontend(0, []), 'down', 'it has no nodes'],
  ])('with %s', ([, prepare, plan, health, reason]) => {
    prepare();
    expect(only(plan)).toMatchObject({ health, reason });
  });

  test('with nothing but ejected nodes is up, because they are tried after all', () => {
    down(0);
    eject(1, 2);
    const reason = '2 of 3 nodes take connections, though sessions could not connect';
    expect(only(three)).toMatchObject({ health: 'up', reason });
  });

  test('does not mind what ejected a node when failures of sessions do not count any more', () => {
    eject(0);
    expect(only({ ...three, isPassive: false })).toMatchObject({
      health: 'up',
      reason: '3 of 3 nodes take connections',
    });
  });

  test('comes with how many nodes are up, down and unknown', () => {
    setHealth(states, 0, HEALTH_UP, REASON.connected, 0, NOW_MS);
    down(1);
    const plan = frontend(0, [node(0), node(1), node(2), node(3, { ip: undefined })]);
    expect(only(plan).nodes_status).toEqual({ up: 1, down: 2, unknown: 1 });
  });
});

describe('a node', () => {
  const of = (plan: NodePlan, more: Partial<FrontendPlan> = {}) => only(frontend(0, [plan], more)).nodes[0];

  test('that nobody knows yet', () => {
    expect(of(node(5, { mode: 'backup', weight: 7, maxConnections: 20 }))).toEqual({
      label: 'node-5',
      address: '192.0.2.5:8080',
      weight: 7,
      mode: 'backup',
      health: 'unknown',
      is_ejected: false,
      reason: 'not checked',
      changed: null,
      check: { at: null, took_ms: 0, total: 0, failed: 0 },
      sessions: 0,
      max_connections: 20,
      connects: 0,
      connect_failures: 0,
      connect_timeouts: 0,
      retries: 0,
      bytes_in: 0,
      bytes_out: 0,
    });
  });

  test('that was checked has the reason and the times', () => {
    setHealth(states, 5, HEALTH_DOWN, REASON.connectError, ECONNREFUSED, NOW_MS - 20_000);
    states.checkedMs[5] = NOW_MS - 10_000;
    states.checkTookMs[5] = 1.23456;
    states.checks[5] = 12;
    states.checkFailures[5] = 3;
    const found = of(node(5));
    expect(found).toMatchObject({
      health: 'down',
      is_ejected: false,
      reason: 'ECONNREFUSED (connection refused)',
      check: { took_ms: 1.235, total: 12, failed: 3 },
    });
    expectTime(found?.changed ?? null, NOW_MS - 20_000);
    expectTime(found?.check.at ?? null, NOW_MS - 10_000);
  });

  test('that was ejected says what sessions met, unless their failures do not count any more', () => {
    states.isEjected[5] = 1;
    states.ejectionErrno[5] = ECONNREFUSED;
    setHealth(states, 5, HEALTH_UP, REASON.connected, 0, NOW_MS);
    const reason = 'sessions could not connect to it: ECONNREFUSED (connection refused)';
    expect(of(node(5))).toMatchObject({ health: 'up', is_ejected: true, reason });
    const unheard = { is_ejected: false, reason: 'it takes connections' };
    expect(of(node(5), { isPassive: false })).toMatchObject(unheard);
  });

  test('without an address is down', () => {
    expect(of(node(5, { ip: undefined }))).toMatchObject({
      health: 'down',
      reason: 'its host name cannot be resolved, or leads back here',
    });
  });

  test('sums its counters over the shards, and no other row', () => {
    countNode(0, 5, { connects: 10, connectFailures: 2, connectTimeouts: 3, retries: 4, bytesIn: 5, bytesOut: 6 });
    countNode(1, 5, {
      connects: 100,
      connectFailures: 20,
      connectTimeouts: 30,
      retries: 40,
      bytesIn: 50,
      bytesOut: 60,
    });
    countNode(0, 4, { connects: 9_000_000 });
    for (const [shard, sessions] of [3, 4].entries()) {
      const { nodesActive } = shards[shard] as Counters;
      nodesActive[5] = sessions;
      nodesActive[6] = 99;
    }
    expect(of(node(5))).toMatchObject({
      sessions: 7,
      connects: 110,
      connect_failures: 22,
      connect_timeouts: 33,
      retries: 44,
      bytes_in: 55,
      bytes_out: 66,
    });
  });
});

describe('bytes of running sessions', () => {
  test('are added to those of the ended ones, on each side', () => {
    count(0, 1, { bytesIn: 1000, bytesOut: 2000 });
    countNode(1, 5, { bytesIn: 3000, bytesOut: 4000 });
    run(0, { frontend: 1, node: 5, bytes: [1, 2, 3, 4] });
    run(1, { frontend: 1, node: 5, bytes: [10, 20, 30, 40] });
    run(1, { frontend: 1, bytes: [100, 0, 0, 0] });
    const found = only(frontend(1, [node(5)]));
    expect(found).toMatchObject({ bytes_in: 1111, bytes_out: 2022 });
    expect(found.nodes[0]).toMatchObject({ bytes_in: 3033, bytes_out: 4044 });
  });

  test('end with the session, and go to nobody else', () => {
    const first = run(0, { frontend: 1, node: 5, bytes: [1, 2, 3, 4] });
    run(0, { frontend: 2, node: 6, bytes: [50, 60, 70, 80] });
    giveSlot(tables[0] as SessionTable, first);
    const { sessions, frontends } = takeSnapshot(source([frontend(1, [node(5)]), frontend(2, [node(6)])]));
    expect(sessions).toBe(1);
    expect(frontends.map(({ bytes_in }) => bytes_in)).toEqual([0, 50]);
    expect(frontends.map(({ nodes }) => nodes[0]?.bytes_in)).toEqual([0, 70]);
  });

  test('of a slot that changes hands while it is read count for nobody', () => {
    const table = tables[0] as SessionTable;
    const slot = run(0, { frontend: 1, node: 5, bytes: [1, 2, 3, 4] });
    // The session ends, and the next one begins, between two of the reader's looks.
    const bytesFrom = new Proxy(table.bytesFrom, {
      get: (target, name) => {
        table.generation[slot] = (table.generation[slot] ?? 0) + 1;
        return Reflect.get(target, name, target);
      },
    });
    tables[0] = { ...table, bytesFrom };
    const { sessions, frontends } = takeSnapshot(source([frontend(1, [node(5)])]));
    expect(sessions).toBe(0);
    expect(frontends[0]).toMatchObject({ bytes_in: 0, bytes_out: 0 });
    expect(frontends[0]?.nodes[0]).toMatchObject({ bytes_in: 0, bytes_out: 0 });
  });
});

test('a snapshot is plain data: as JSON it is the same', () => {
  run(0, { frontend: 1, node: 5, bytes: [1, 2, 3, 4] });
  const snapshot = takeSnapshot(source([frontend(1, [node(5)])]));
  expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
});
