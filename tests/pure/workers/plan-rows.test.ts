// Rows over changes of the configuration while sessions run: what a session refers to is kept, all else may change hands. Sessions are
// slots of tables made by hand; shards apply each plan before the next one is made.

import { beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../../../core/config/model.ts';
import { NODES_MAX, TRIED_NODES_MAX } from '../../../core/session/limits.ts';
import type { FrontendPlan } from '../../../core/session/plan.ts';
import {
  createSessionTable,
  giveSlot,
  PHASE_CONNECTING,
  PHASE_LINGERING,
  PHASE_QUEUED,
  PHASE_RELAYING,
  PHASE_RESETTING,
  PHASE_RETRYING,
  type SessionTable,
  sessionTableBytes,
  takeSlot,
} from '../../../core/session/table.ts';
import { PlanRows } from '../../../workers/plan-rows.ts';
import { makePlan, type Plan } from '../../../workers/planner.ts';
import { configOf } from '../config/support.ts';

const SLOTS = 8;
const MANY = 900;
const EMPTY: Plan = {
  frontends: [],
  services: [],
  rows: { nodebalancers: new Map(), frontends: new Map(), nodes: new Map() },
};

let tables: SessionTable[];
let rows: PlanRows;
let plan: Plan;
let clearedNodes: number[];
/** the next generation of nodes that was never there */
let strange: number;

beforeEach(() => {
  tables = [0, 1].map(() => createSessionTable(new SharedArrayBuffer(sessionTableBytes(SLOTS)), SLOTS));
  clearedNodes = [];
  strange = 100;
  rows = new PlanRows({
    tables,
    clearFrontends: () => {},
    clearNodes: (cleared) => clearedNodes.push(...cleared),
  });
  plan = EMPTY;
});

/** Read once: with thousands of nodes, reading would be what the tests take their time for. */
const TEMPLATE = configOf(
  JSON.stringify({
    nodebalancers: [{ label: 'web', configs: [{ port: 80, nodes: [{ label: 'node', address: '10.0.0.1:80' }] }] }],
  }),
  'c.json',
);

/** @param ports port -> the addresses of its nodes */
function configFor(ports: Readonly<Record<number, readonly string[]>>): Config {
  const [nb] = TEMPLATE.nodebalancers;
  const [frontend] = nb?.configs ?? [];
  const [node] = frontend?.nodes ?? [];
  if (nb === undefined || frontend === undefined || node === undefined) throw new Error('a template');
  const configs = Object.entries(ports).map(([port, addresses]) => ({
    ...frontend,
    port: Number(port),
    nodes: addresses.map((address, i) => ({ ...node, label: `node-${i}`, address })),
  }));
  return { nodebalancers: [{ ...nb, configs }] };
}

/** @returns whether it could be put into force */
function reload(ports: Readonly<Record<number, readonly string[]>>): boolean {
  const next = makePlan(configFor(ports), rows, () => undefined);
  if (next === undefined) return false;
  rows.commit(plan, next);
  plan = next;
  return true;
}

/** Addresses that no other generation has. */
function generation(number: number, count = MANY): string[] {
  return Array.from({ length: count }, (_, i) => `10.${number}.${i >> 8}.${i & 255}:80`);
}

function frontendAt(port: number): FrontendPlan {
  const found = plan.frontends.find((frontend) => frontend.port === port);
  if (found === undefined) throw new Error(`no port ${port}`);
  return found;
}

function rowOf(port: number, address: string): number {
  return frontendAt(port).nodes.find((node) => node.address === address)?.row ?? -1;
}

interface Session {
  frontend: number;
  phase: number;
  node?: number;
  tried?: readonly number[];
}

/** @returns what ends it */
function session(shard: number, { frontend, phase, node = -1, tried = [] }: Session): () => void {
  const table = tables[shard] as SessionTable;
  const slot = takeSlot(table);
  table.frontend[slot] = frontend + 1;
  table.node[slot] = node + 1;
  table.tried.set(tried, slot * TRIED_NODES_MAX);
  table.triedCount[slot] = tried.length;
  table.phase[slot] = phase;
  return () => giveSlot(table, slot);
}

/** So many changes of all nodes that every row has to change hands that may. @returns the rows that some change gave away */
function exhaust(port: number): Set<number> {
  const given = new Set<number>();
  for (let i = 0; i < 6; i++) {
    expect(reload({ [port]: generation(strange++) })).toBe(true);
    for (const { row } of frontendAt(port).nodes) given.add(row);
  }
  return given;
}

describe('ten changes that each replace 900 nodes', () => {
  for (const phase of [PHASE_RELAYING, PHASE_RESETTING, PHASE_LINGERING]) {
    test(`are possible while one session lives (phase ${phase}), and its node's row is its own until it ends`, () => {
      reload({ 80: generation(0) });
      const own = rowOf(80, '10.0.0.7:80');
      const end = session(1, { frontend: frontendAt(80).row, phase, node: own });
      for (let i = 1; i <= 10; i++) {
        expect(reload({ 80: generation(i) }), `change ${i}`).toBe(true);
        expect(new Set(frontendAt(80).nodes.map(({ row }) => row)).size).toBe(MANY);
      }
      expect(exhaust(80).has(own)).toBe(false);
      end();
      expect(exhaust(80).has(own)).toBe(true);
    });
  }

  test('are possible as well when the frontend goes with them, each with a session that relays on', () => {
    for (let i = 0; i < 10; i++) {
      expect(reload({ [80 + i]: generation(i) }), `change ${i}`).toBe(true);
      const node = rowOf(80 + i, `10.${i}.0.7:80`);
      session(i % 2, { frontend: frontendAt(80 + i).row, phase: PHASE_RELAYING, node });
    }
  });

  test('are possible while others look for a node all the time: they choose by the plan in force', () => {
    reload({ 80: generation(0) });
    const { row } = frontendAt(80);
    for (const phase of [PHASE_CONNECTING, PHASE_RETRYING, PHASE_QUEUED]) session(0, { frontend: row, phase });
    for (let i = 1; i <= 10; i++) expect(reload({ 80: generation(i) }), `change ${i}`).toBe(true);
  });
});

describe('a session that looks for a node', () => {
  test('keeps the row of each that it has tried', () => {
    reload({ 80: generation(0) });
    const tried = ['10.0.0.1:80', '10.0.2.2:80'].map((address) => rowOf(80, address));
    const end = session(1, { frontend: frontendAt(80).row, phase: PHASE_CONNECTING, tried });
    const given = exhaust(80);
    expect(tried.filter((row) => given.has(row))).toEqual([]);
    end();
    const later = exhaust(80);
    expect(tried.filter((row) => later.has(row))).toEqual(tried);
  });

  for (const phase of [PHASE_CONNECTING, PHASE_RETRYING, PHASE_QUEUED]) {
    test(`of a frontend that is gone keeps all of its nodes, on whichever shard, until it has one (phase ${phase})`, () => {
      reload({ 80: generation(0, 50), 81: [] });
      const kept = frontendAt(80).nodes.map(({ row }) => row);
      const removed = frontendAt(80);
      const end = session(1, { frontend: removed.row, phase });
      reload({ 81: generation(1) });
      expect(rows.retired).toEqual([removed]);
      const given = exhaust(81);
      expect(kept.filter((row) => given.has(row))).toEqual([]);
      expect(rows.retired).toEqual([removed]);
      end();
      const later = exhaust(81);
      expect(kept.every((row) => later.has(row))).toBe(true);
      expect(rows.retired).toEqual([]);
    });
  }
});

describe('a frontend that is gone', () => {
  test('is told of at least until the change is through: its listeners may still hand it clients', () => {
    reload({ 80: generation(0, 2), 81: [] });
    const removed = frontendAt(80);
    reload({ 81: [] });
    expect(rows.retired).toEqual([removed]);
    reload({ 81: [], 82: [] });
    expect(rows.retired).toEqual([]);
  });

  test('is told of no longer once its sessions only relay; its row stays its own until they end', () => {
    reload({ 80: generation(0, 2) });
    const { row } = frontendAt(80);
    const end = session(0, { frontend: row, phase: PHASE_RELAYING, node: rowOf(80, '10.0.0.1:80') });
    reload({});
    reload({});
    expect(rows.retired).toEqual([]);
    const given = (from: number) => {
      expect(reload(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [from + i, []])))).toBe(true);
      return plan.frontends.map((frontend) => frontend.row);
    };
    expect([1000, 2000, 3000, 4000].flatMap(given)).not.toContain(row);
    end();
    expect([5000, 6000, 7000].flatMap(given)).toContain(row);
  });

  test('that comes back has its rows again, and is retired no more', () => {
    reload({ 80: generation(0, 3), 81: [] });
    const before = frontendAt(80);
    session(0, { frontend: before.row, phase: PHASE_QUEUED });
    reload({ 81: [] });
    reload({ 80: generation(0, 3), 81: [] });
    expect(frontendAt(80)).toEqual(before);
    expect([rows.retired, clearedNodes]).toEqual([[], []]);
  });

  // A successor writes the addresses of all frontends that it is told of by row: an old one must not overwrite a new one.
  test('shares no row with any that is served', () => {
    reload({ 80: generation(0, 50), 81: [] });
    session(0, { frontend: frontendAt(80).row, phase: PHASE_RELAYING, node: rowOf(80, '10.0.0.1:80') });
    session(1, { frontend: frontendAt(81).row, phase: PHASE_QUEUED });
    for (let i = 1; i <= 12; i++) {
      reload(i % 3 === 0 ? { 81: generation(i) } : { 82: generation(i) });
      const served = new Set(plan.frontends.flatMap(({ nodes }) => nodes.map(({ row }) => row)));
      const retired = rows.retired.flatMap(({ nodes }) => nodes.map(({ row }) => row));
      expect(retired.filter((row) => served.has(row))).toEqual([]);
    }
  });
});

test('more than there are rows at once is refused, and changes nothing', () => {
  reload({ 80: generation(0), 81: generation(1), 82: generation(2) });
  const before = plan;
  // These need more rows than were never used, and what a change removes is not free with it.
  expect(NODES_MAX).toBeLessThan(3 * MANY + 2 * MANY);
  expect(reload({ 80: generation(3), 81: generation(4) })).toBe(false);
  expect(reload({ 80: generation(0), 81: generation(1), 82: generation(2) })).toBe(true);
  expect(plan).toEqual(before);
});
