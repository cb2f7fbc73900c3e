// What the main thread does about the nodes' condition: it has them checked, says every change in one line with its reason, and ends
// the sessions of a node that went down where the operator wants that. The conditions themselves lie in shared memory; shards act on
// them without being told.

import { monotonicMs } from '../core/base/clock.ts';
import type { NodeEvent } from '../core/health/ejection.ts';
import { describeReason, HEALTH_DOWN, type Health, REASON } from '../core/health/node-states.ts';
import type { FrontendPlan } from '../core/session/plan.ts';
import { nodeName } from './check-targets.ts';
import type { CheckTarget } from './checks/target.ts';
import type { Logger } from './logger.ts';
import { Prober } from './prober.ts';
import type { ShardSet } from './shard-set.ts';

export class NodeWatch {
  readonly #shards: ShardSet;
  readonly #logger: Logger;
  readonly #cutAfterMs: number | undefined;
  readonly #prober: Prober;
  /** row -> when its sessions end */
  readonly #cuts = new Map<number, NodeJS.Timeout>();
  #names: ReadonlyMap<number, string> = new Map();

  /** @param cutAfterMs sessions of a node that goes down end after this; undefined: they are kept */
  constructor(shards: ShardSet, cutAfterMs: number | undefined, logger: Logger) {
    this.#shards = shards;
    this.#logger = logger;
    this.#cutAfterMs = cutAfterMs;
    this.#prober = new Prober({
      states: shards.nodeStates,
      nowMs: monotonicMs,
      onTransition: (target, health, text) => this.#checked(target, health, text),
    });
    shards.onNodeEvent = (row, event, errno) => this.#met(row, event, errno);
  }

  /** @param frontends all that are served from now on @param targets those of their nodes that are to be checked */
  update(frontends: readonly FrontendPlan[], targets: readonly CheckTarget[]): void {
    this.#names = new Map(
      frontends.flatMap((frontend) => frontend.nodes.map((node) => [node.row, nodeName(frontend, node)] as const)),
    );
    this.#prober.update(targets);
    const checked = new Set(targets.map(({ row }) => row));
    for (const row of [...this.#cuts.keys()]) if (!checked.has(row)) this.#keep(row);
  }

  stop(): void {
    this.#prober.stop();
    for (const row of [...this.#cuts.keys()]) this.#keep(row);
  }

  #checked({ row }: CheckTarget, health: Health, text: string): void {
    if (health !== 'down') {
      this.#logger.info(text);
      return this.#keep(row);
    }
    this.#logger.warn(text);
    if (this.#cutAfterMs === undefined || this.#cuts.has(row)) return;
    this.#cuts.set(
      row,
      setTimeout(() => void this.#cut(row), this.#cutAfterMs),
    );
  }

  async #cut(row: number): Promise<void> {
    this.#cuts.delete(row);
    if (this.#shards.nodeStates.health[row] !== HEALTH_DOWN) return;
    this.#logger.warn(`node ${this.#names.get(row)} is still down: its sessions are cut`);
    try {
      await this.#shards.cut(row);
    } catch (error) {
      this.#logger.error(
        `sessions of a node that is down were not cut: ${error instanceof Error ? error.message : error}`,
      );
    }
  }

  #keep(row: number): void {
    clearTimeout(this.#cuts.get(row));
    this.#cuts.delete(row);
  }

  /** What sessions met. The reason in the shared cells may be another by now: checks write there too. */
  #met(row: number, event: NodeEvent, errno: number): void {
    const name = `node ${this.#names.get(row) ?? row}`;
    const outUntilMs = this.#shards.nodeStates.outUntilMs[row] ?? 0;
    const seconds = Math.max(0, Math.round((outUntilMs - monotonicMs()) / 1000));
    const why = describeReason(event === 'readmitted' ? REASON.sessionSucceeded : REASON.sessionsFailed, errno);
    if (event === 'ejected') this.#logger.warn(`${name} is out for ${seconds} s: ${why}`);
    else if (event === 'trial-failed') this.#logger.warn(`${name} stays out for ${seconds} s: ${why}`);
    else if (event === 'readmitted') this.#logger.info(`${name} is back: ${why}`);
  }
}
