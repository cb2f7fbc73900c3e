// Which rows sessions refer to, read from the session tables. They outlive the threads that write them; gauges do so too,
// but are made anew while a successor takes over. Run per change of configuration, never per connection; it takes no lock.
//
// Every session refers to its frontend and to the node that it has. One that still looks for a node refers to those that it
// has tried, too, and may choose any of its frontend. It chooses by the plan in force: what a change has taken from a
// frontend is chosen no more, and only a frontend that is gone altogether keeps its nodes until the last of its sessions has
// chosen (retired-frontends.ts). Who has begun to relay never chooses again.

import { TRIED_NODES_MAX } from '../core/session/limits.ts';
import { get, HIGH_WATER, isChoosing, PHASE_FREE, type SessionTable } from '../core/session/table.ts';

/** Rows. */
export interface RowUse {
  /** with sessions */
  readonly frontends: ReadonlySet<number>;
  /** with sessions that look for a node */
  readonly choosingFrontends: ReadonlySet<number>;
  readonly nodes: ReadonlySet<number>;
}

/** Exact for rows that no plan in force names: nobody comes to refer to them while this reads. @param tables of all shards */
export function findRowUse(tables: readonly SessionTable[]): RowUse {
  const use = { frontends: new Set<number>(), choosingFrontends: new Set<number>(), nodes: new Set<number>() };
  for (const table of tables) {
    const used = Math.min(Atomics.load(table.shared, HIGH_WATER), table.capacity);
    for (let slot = 0; slot < used; slot++) {
      const phase = Atomics.load(table.phase, slot);
      if (phase === PHASE_FREE) continue;
      const frontend = get(table.frontend, slot) - 1;
      use.frontends.add(frontend);
      use.nodes.add(get(table.node, slot) - 1);
      if (!isChoosing(phase)) continue;
      use.choosingFrontends.add(frontend);
      const from = slot * TRIED_NODES_MAX;
      for (let i = from; i < from + get(table.triedCount, slot); i++) use.nodes.add(get(table.tried, i));
    }
  }
  return use;
}
