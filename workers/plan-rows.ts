// The rows of all that a plan names: who gets which, when one may change hands, which frontends that are gone shards are still to be
// told of. What refers to a row is read from the sessions themselves (row-use.ts).

import { NODEBALANCERS_MAX } from '../core/config/limits.ts';
import { FRONTENDS_MAX, NODES_MAX } from '../core/session/limits.ts';
import type { FrontendPlan } from '../core/session/plan.ts';
import type { SessionTable } from '../core/session/table.ts';
import type { Plan, RowSources } from './planner.ts';
import { RetiredFrontends } from './retired-frontends.ts';
import { findRowUse } from './row-use.ts';
import { Rows } from './rows.ts';

/** Who has what belongs to rows; in production the shards. */
export interface RowOwner {
  /** one per shard */
  readonly tables: readonly SessionTable[];
  clearFrontends(rows: ReadonlySet<number>): void;
  clearNodes(rows: ReadonlySet<number>): void;
}

export class PlanRows implements RowSources {
  readonly nodebalancers: Rows;
  readonly frontends: Rows;
  readonly nodes: Rows;
  readonly #owner: RowOwner;
  readonly #retired = new RetiredFrontends();

  constructor(owner: RowOwner) {
    this.#owner = owner;
    // Nothing refers to one for longer than the throttle remembers: a second.
    this.nodebalancers = new Rows(
      2 * NODEBALANCERS_MAX,
      (rows) => [...rows],
      () => {},
    );
    this.frontends = new Rows(
      FRONTENDS_MAX,
      (rows) => this.#idleFrontends(rows),
      (rows) => owner.clearFrontends(rows),
    );
    this.nodes = new Rows(
      NODES_MAX,
      (rows) => this.#retired.unneeded(rows, findRowUse(owner.tables)),
      (rows) => owner.clearNodes(rows),
    );
  }

  /** Frontends that are served no longer, but have sessions that still look for a node. */
  get retired(): FrontendPlan[] {
    return this.#retired.plans;
  }

  /** A plan comes into force in the place of another, and before any shard applies it. */
  commit(before: Plan, { frontends, rows }: Plan): void {
    this.#retired.update(before.frontends, frontends, findRowUse(this.#owner.tables));
    this.nodebalancers.commit(rows.nodebalancers);
    this.frontends.commit(rows.frontends);
    this.nodes.commit(rows.nodes);
  }

  #idleFrontends(rows: readonly number[]): number[] {
    const { frontends: used } = findRowUse(this.#owner.tables);
    return rows.filter((row) => !used.has(row));
  }
}
