// The list of running sessions, read from tables made by hand: which fit a filter, what is told of them, and that a slot whose owner
// changes while it is read is told of nobody.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DESTINATION_AT, DESTINATION_PORT_AT, ENDPOINTS_BYTES, SOURCE_PORT_AT } from '../../../core/base/ip.ts';
import {
  createSessionTable,
  FRONT,
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
import { ipOf } from '../../../testing/loopback.ts';
import { findSessions, listSessions, type SessionFilter, type SessionSource } from '../../../workers/session-list.ts';

const SLOTS = 8;
const NOW_MS = 5_000_000;
const WALL_CLOCK_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

let tables: SessionTable[];
let source: SessionSource;

afterEach(() => vi.restoreAllMocks());
beforeEach(() => {
  vi.spyOn(Date, 'now').mockReturnValue(WALL_CLOCK_MS);
  tables = [0, 1].map(() => createSessionTable(new SharedArrayBuffer(sessionTableBytes(SLOTS)), SLOTS));
  source = {
    tables,
    frontends: new Map([
      [3, { label: 'web', port: 80 }],
      [4, { label: 'web', port: 443 }],
      [5, { label: 'mail', port: 25 }],
    ]),
    nodes: new Map([
      [7, { label: 'web-1', address: '192.0.2.7:8080' }],
      [8, { label: 'web-2', address: 'node.example:8080' }],
    ]),
    nowMs: () => NOW_MS,
  };
});

interface Made {
  shard?: number;
  frontend?: number;
  /** -1: none yet */
  node?: number;
  client?: string;
  phase?: number;
}

function session({ shard = 0, frontend = 3, node = 7, client = '198.51.100.1', phase = PHASE_RELAYING }: Made = {}) {
  const table = tables[shard] as SessionTable;
  const slot = takeSlot(table);
  table.phase[slot] = phase;
  table.attempts[slot] = 1;
  table.frontend[slot] = frontend + 1;
  table.node[slot] = node + 1;
  table.acceptedMs[slot] = NOW_MS - 90_000;
  table.activeMs[slot] = NOW_MS - 250;
  table.bytesFrom[slot * 2 + FRONT] = 100;
  table.bytesTo[slot * 2 + FRONT] = 7000;
  const at = slot * ENDPOINTS_BYTES;
  table.endpoints.set(ipOf(client), at);
  table.endpoints.set(ipOf('2001:db8::80'), at + DESTINATION_AT);
  table.endpoints.set([0xc3, 0x50], at + SOURCE_PORT_AT);
  table.endpoints.set([0, 80], at + DESTINATION_PORT_AT);
  return { table, slot };
}

function ids(filter: SessionFilter = {}): string[] {
  return listSessions(source, filter, 100).sessions.map(({ id }) => id);
}

test('what is told of a session', () => {
  session();
  const [view] = listSessions(source, {}, 10).sessions;
  expect(view).toEqual({
    id: '0-0-0',
    nodebalancer: 'web',
    port: 80,
    client: '198.51.100.1:50000',
    local: '[2001:db8::80]:80',
    node: { label: 'web-1', address: '192.0.2.7:8080' },
    phase: 'relaying',
    started: new Date(WALL_CLOCK_MS - 90_000).toISOString(),
    idle_ms: 250,
    bytes_in: 100,
    bytes_out: 7000,
  });
});

test.for([
  [PHASE_CONNECTING, 'connecting'],
  [PHASE_RETRYING, 'retrying'],
  [PHASE_QUEUED, 'queued'],
  [PHASE_RELAYING, 'relaying'],
  [PHASE_RESETTING, 'closing'],
  [PHASE_LINGERING, 'closing'],
] as const)('phase %d is %s', ([phase, name]) => {
  session({ phase, node: -1 });
  expect(listSessions(source, {}, 10).sessions[0]).toMatchObject({ phase: name, node: null });
});

test('nobody in any table: an empty list', () => {
  expect(listSessions(source, {}, 10)).toEqual({ total: 0, sessions: [] });
});

test('the limit cuts the list, not the total', () => {
  for (let i = 0; i < 5; i++) session({ shard: i % 2 });
  expect(listSessions(source, {}, 2)).toMatchObject({ total: 5, sessions: [{ id: '0-0-0' }, { id: '0-1-0' }] });
  expect(listSessions(source, {}, 0)).toEqual({ total: 5, sessions: [] });
});

describe('a filter', () => {
  beforeEach(() => {
    session({ frontend: 3, node: 7, client: '198.51.100.1' });
    session({ frontend: 4, node: 8, client: '2001:db8::1' });
    session({ shard: 1, frontend: 5, node: -1, client: '198.51.100.1', phase: PHASE_QUEUED });
  });

  test.for<[SessionFilter, string[]]>([
    [{}, ['0-0-0', '0-1-0', '1-0-0']],
    [{ id: '0-1-0' }, ['0-1-0']],
    [{ id: '1-0-0' }, ['1-0-0']],
    [{ client: '198.51.100.1' }, ['0-0-0', '1-0-0']],
    [{ client: '::ffff:198.51.100.1' }, ['0-0-0', '1-0-0']],
    [{ client: '2001:DB8:0::1' }, ['0-1-0']],
    [{ nodebalancer: 'web' }, ['0-0-0', '0-1-0']],
    [{ port: 443 }, ['0-1-0']],
    [{ nodebalancer: 'web', port: 25 }, []],
    [{ nodeAddress: 'node.example:8080' }, ['0-1-0']],
    [{ client: '198.51.100.1', nodeAddress: '192.0.2.7:8080' }, ['0-0-0']],
    [{ client: '198.51.100.1', port: 443 }, []],
  ])('%j: %j', ([filter, expected]) => {
    expect(ids(filter)).toEqual(expected);
    expect(findSessions(source, filter).map(({ shard, slot, generation }) => `${shard}-${slot}-${generation}`)).toEqual(
      expected,
    );
  });

  test.for<SessionFilter>([
    { id: '0-1-1' },
    { id: '0-7-0' },
    { id: '0-99999-0' },
    { id: '2-0-0' },
    { id: '' },
    { id: '0-0' },
    { id: '0-0-0-0' },
    { id: 'all' },
    { client: '198.51.100.0/24' },
    { client: '198.51.100.1:50000' },
    { client: '' },
    { nodebalancer: 'toString' },
    { port: 0 },
    { nodeAddress: 'web-1' },
  ])('%j fits nobody', (filter) => {
    expect(ids(filter)).toEqual([]);
    expect(findSessions(source, filter)).toEqual([]);
  });
});

test('the next session in a slot has another id, and the old id is nobody', () => {
  const { table, slot } = session();
  giveSlot(table, slot);
  expect(ids()).toEqual([]);
  session();
  expect(ids()).toEqual(['0-0-1']);
  expect(ids({ id: '0-0-0' })).toEqual([]);
});

test('a generation that has wrapped is part of an id like any other', () => {
  const { table, slot } = session();
  table.generation[slot] = -(2 ** 31);
  expect(ids()).toEqual(['0-0--2147483648']);
  expect(ids({ id: '0-0--2147483648' })).toHaveLength(1);
});

test('one that was accepted this moment still has the endpoints of another: it is not told of before its first connect', () => {
  const { table, slot } = session({ phase: PHASE_CONNECTING });
  table.attempts[slot] = 0;
  expect(ids()).toEqual([]);
  table.attempts[slot] = 1;
  expect(ids()).toEqual(['0-0-0']);
});

test('one that ends while it is read is told of nowhere', () => {
  const { table, slot } = session();
  let reads = 0;
  const ending: SessionSource = {
    ...source,
    // Asked for while the session is described.
    nodes: {
      get: () => {
        reads++;
        giveSlot(table, slot);
        return undefined;
      },
    } as unknown as SessionSource['nodes'],
  };
  expect(listSessions(ending, {}, 10)).toEqual({ total: 0, sessions: [] });
  expect(reads).toBe(1);
});

test('a session whose frontend has no name is there all the same', () => {
  session({ frontend: 99, node: 99 });
  expect(listSessions(source, {}, 10).sessions[0]).toMatchObject({ nodebalancer: '', port: 0, node: null });
});
