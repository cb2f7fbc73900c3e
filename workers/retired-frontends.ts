// Frontends that a change has removed while sessions of theirs still looked for a node. Those go on as if nothing had
// happened: they wait, try again, and choose by the last plan that their frontend had. A shard keeps it; a successor has to be
// told. Owns these plans; asks nobody.

import type { FrontendPlan } from '../core/session/plan.ts';
import type { RowUse } from './row-use.ts';

export class RetiredFrontends {
  /** by row */
  readonly #plans = new Map<number, FrontendPlan>();

  /** What shards are still to be told. */
  get plans(): FrontendPlan[] {
    return [...this.#plans.values()];
  }

  /** Those of the rows of nodes that are in no plan in force which no session refers to, nor can choose. */
  unneeded(rows: readonly number[], { choosingFrontends, nodes: used }: RowUse): number[] {
    const kept = new Set(used);
    for (const { row, nodes } of this.#plans.values()) {
      if (choosingFrontends.has(row)) for (const node of nodes) kept.add(node.row);
    }
    return rows.filter((row) => !kept.has(row));
  }

  /**
   * A change comes into force.
   * @param use at this moment. It says nothing yet about the frontends that this change removes: their listeners' backlog
   * is still to be accepted
   */
  update(before: readonly FrontendPlan[], now: readonly FrontendPlan[], { choosingFrontends }: RowUse): void {
    for (const row of [...this.#plans.keys()]) if (!choosingFrontends.has(row)) this.#plans.delete(row);
    for (const plan of before) this.#plans.set(plan.row, plan);
    for (const { row } of now) this.#plans.delete(row);
  }
}
