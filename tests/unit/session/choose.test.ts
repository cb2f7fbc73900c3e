// Which node a connection gets: what the policy says, without the nodes that this connection has already tried.

import { describe, expect, test } from 'vitest';
import { ALL_TRIED, chooseNode, forgetTried, NO_NODE, noteTried } from '../../../core/session/choose.ts';
import { TRIED_NODES_MAX } from '../../../core/session/limits.ts';
import { createSessionTable, type SessionTable, sessionTableBytes } from '../../../core/session/table.ts';
import { frontendOf, nodePlan } from './support.ts';

const SLOT = 1;
const NODES = [nodePlan(7), nodePlan(3), nodePlan(9)];

function makeTable(): SessionTable {
  return createSessionTable(new SharedArrayBuffer(sessionTableBytes(3)), 3);
}

function tried(...rows: number[]): SessionTable {
  const table = makeTable();
  for (const row of rows) noteTried(table, SLOT, row);
  return table;
}

describe('a first choice', () => {
  test('is the policy’s, among the eligible', () => {
    const frontend = frontendOf(NODES, [1, 0, 1]);
    const table = makeTable();
    const picks = Array.from({ length: 4 }, () => chooseNode(frontend, table, SLOT));
    expect(picks.sort()).toEqual([0, 0, 2, 2]);
  });

  test('nobody is eligible: NO_NODE', () => {
    expect(chooseNode(frontendOf(NODES, [0, 0, 0]), makeTable(), SLOT)).toBe(NO_NODE);
    expect(chooseNode(frontendOf([], []), makeTable(), SLOT)).toBe(NO_NODE);
  });

  test('goes by the address of this slot’s client', () => {
    const frontend = frontendOf(NODES, [1, 1, 1], 'source');
    const table = makeTable();
    const picks = new Set<number>();
    for (let client = 0; client < 60; client++) {
      // 36 bytes of endpoints per slot; the client's address comes first.
      table.endpoints[SLOT * 36 + 15] = client;
      const pick = chooseNode(frontend, table, SLOT);
      expect(chooseNode(frontend, table, SLOT)).toBe(pick);
      table.endpoints[15] = client + 100;
      expect(chooseNode(frontend, table, SLOT)).toBe(pick);
      picks.add(pick);
    }
    expect([...picks].sort()).toEqual([0, 1, 2]);
  });
});

describe('another choice of the same connection', () => {
  test('leaves out what was tried, by row and not by place', () => {
    const frontend = frontendOf(NODES, [1, 1, 1]);
    expect(chooseNode(frontend, tried(7, 9), SLOT)).toBe(1);
    expect(chooseNode(frontend, tried(3, 9), SLOT)).toBe(0);
    expect(chooseNode(frontend, tried(3, 7), SLOT)).toBe(2);
  });

  test('all eligible nodes tried: ALL_TRIED, although others are there that may not serve', () => {
    expect(chooseNode(frontendOf(NODES, [1, 0, 1]), tried(7, 9), SLOT)).toBe(ALL_TRIED);
  });

  test('none is eligible any more: NO_NODE', () => {
    expect(chooseNode(frontendOf(NODES, [0, 0, 0]), tried(7), SLOT)).toBe(NO_NODE);
  });

  test('a tried node that is gone from the frontend hinders nobody', () => {
    expect(chooseNode(frontendOf(NODES, [0, 1, 0]), tried(4242), SLOT)).toBe(1);
  });

  test('what one connection tried is no matter to another', () => {
    const frontend = frontendOf(NODES, [0, 1, 0]);
    const table = tried(3);
    expect(chooseNode(frontend, table, SLOT)).toBe(ALL_TRIED);
    expect([chooseNode(frontend, table, 0), chooseNode(frontend, table, 2)]).toEqual([1, 1]);
    expect([...frontend.eligible]).toEqual([0, 1, 0]);
  });

  test('forgotten, all are open again', () => {
    const table = tried(7, 3, 9);
    forgetTried(table, SLOT);
    expect(chooseNode(frontendOf(NODES, [1, 0, 0]), table, SLOT)).toBe(0);
  });
});

test('one more than the memory holds is not remembered, and nothing else is overwritten', () => {
  const rows = Array.from({ length: TRIED_NODES_MAX + 1 }, (_, i) => 100 + i);
  const table = tried(...rows);
  const nodes = rows.map((row) => nodePlan(row, { ip: undefined }));
  const frontend = frontendOf(
    nodes,
    rows.map(() => 1),
  );
  expect(chooseNode(frontend, table, SLOT)).toBe(TRIED_NODES_MAX);
  expect([table.triedCount[SLOT], table.triedCount[SLOT + 1]]).toEqual([TRIED_NODES_MAX, 0]);
  expect(table.tried[(SLOT + 1) * TRIED_NODES_MAX]).toBe(0);
});
