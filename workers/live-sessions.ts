// What running sessions have moved so far, by frontend and by node: their bytes reach the counters only when they end,
// until then a reader adds them from the session tables. It reads while shards write, and takes no lock.

import { BACK, FRONT, get, HIGH_WATER, PHASE_FREE, type SessionTable } from '../core/session/table.ts';

/** Bytes by row, with the names of the counters. */
export interface LiveSessions {
  sessions: number;
  readonly frontendBytesIn: Float64Array;
  readonly frontendBytesOut: Float64Array;
  readonly nodeBytesIn: Float64Array;
  readonly nodeBytesOut: Float64Array;
}

/** @param frontends rows @param nodes rows */
export function countLive(tables: readonly SessionTable[], frontends: number, nodes: number): LiveSessions {
  const live = {
    sessions: 0,
    frontendBytesIn: new Float64Array(frontends),
    frontendBytesOut: new Float64Array(frontends),
    nodeBytesIn: new Float64Array(nodes),
    nodeBytesOut: new Float64Array(nodes),
  };
  for (const table of tables) {
    const used = Math.min(Atomics.load(table.shared, HIGH_WATER), table.capacity);
    for (let slot = 0; slot < used; slot++) addSession(live, table, slot);
  }
  return live;
}

function addSession(live: LiveSessions, table: SessionTable, slot: number): void {
  const generation = Atomics.load(table.generation, slot);
  if (Atomics.load(table.phase, slot) === PHASE_FREE) return;
  const front = slot * 2 + FRONT;
  const back = slot * 2 + BACK;
  const frontend = get(table.frontend, slot) - 1;
  const node = get(table.node, slot) - 1;
  const fromFront = get(table.bytesFrom, front);
  const toFront = get(table.bytesTo, front);
  const fromBack = get(table.bytesFrom, back);
  const toBack = get(table.bytesTo, back);
  // It has ended meanwhile: what was read may be half of it and half of the next one.
  if (Atomics.load(table.generation, slot) !== generation || Atomics.load(table.phase, slot) === PHASE_FREE) return;
  live.sessions++;
  raise(live.frontendBytesIn, frontend, fromFront);
  raise(live.frontendBytesOut, frontend, toFront);
  raise(live.nodeBytesIn, node, fromBack);
  raise(live.nodeBytesOut, node, toBack);
}

/** @param row -1 while the session has none */
function raise(cells: Float64Array, row: number, value: number): void {
  if (row >= 0 && row < cells.length) cells[row] = get(cells, row) + value;
}
