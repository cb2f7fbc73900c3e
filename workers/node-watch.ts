// What the main thread does about the nodes' condition: it has them checked, says every change in one line with its reason, and ends
// the sessions of a node that went down where the operator wants that. The conditions themselves lie in shared memory; shards act on
// them without being told.

import { monotonicMs } from '../core/base/clock.ts';
import { type NodeEvent, noteMoved } from '../core/health/ejection.ts';
import { describeReason, HEALTH_DOWN, type Health, REASON } from '../core/health/node-states.ts';
import type { FrontendPlan, NodePlan } from '../core/session/plan.ts';
import { type CheckPlaces, checkPlaces, checksNeeded } from './check-places.ts';
import { nodeName } from './check-targets.ts';
import { Farewells } from './checks/attempt.ts';
import { createRunCheck } from './checks/run.ts';
import type { CheckTarget } from './checks/target.ts';
import type { EventLog, NodeName } from './event-log.ts';
import type { Logger } from './logger.ts';
import { Prober } from './prober.ts';
import type { ShardSet } from './shard-set.ts';

export interface NodeWatchOptions {
  /** sessions of a node that goes down end after this time; undefined: they are kept */
  cutAfterMs: number | undefined;
  /** that active checks may have open */
  checkDescriptors: number;
}

/** a cut that a shard has not heard of is repeated after this time */
const CUT_AGAIN_MS = 1000;

interface KnownNode {
  /** for messages */
  readonly text: string;
  readonly node: NodeName;
  /** where it is, in text */
  readonly ip: string;
}

export class NodeWatch {
  readonly #shards: ShardSet;
  readonly #logger: Logger;
  readonly #events: EventLog;
  readonly #cutAfterMs: number | undefined;
  readonly #prober: Prober;
  readonly #places: CheckPlaces;
  /** of the last update */
  #checksNeeded = 0;
  /** row -> when its sessions end */
  readonly #cuts = new Map<number, NodeJS.Timeout>();
  /** by row; nodes that are gone stay, for what their last sessions meet */
  readonly #nodes = new Map<number, KnownNode>();

  constructor(shards: ShardSet, { cutAfterMs, checkDescriptors }: NodeWatchOptions, logger: Logger, events: EventLog) {
    this.#shards = shards;
    this.#logger = logger;
    this.#events = events;
    this.#cutAfterMs = cutAfterMs;
    this.#places = checkPlaces(checkDescriptors);
    this.#prober = new Prober({
      states: shards.nodeStates,
      nowMs: monotonicMs,
      runCheck: createRunCheck(new Farewells(this.#places.farewells)),
      checksMax: this.#places.checks,
      onTransition: (target, health, text) => this.#checked(target, health, text),
    });
    shards.onNodeEvent = (row, event, errno) => this.#met(row, event, errno);
  }

  /** @param frontends all that are served from now on @param targets those of their nodes that are to be checked */
  update(frontends: readonly FrontendPlan[], targets: readonly CheckTarget[]): void {
    for (const frontend of frontends) {
      for (const node of frontend.nodes) this.#know(node.row, knownNode(frontend, node));
    }
    this.#warnOfShortage(checksNeeded(targets));
    this.#prober.update(targets);
    const checked = new Set(targets.map(({ row }) => row));
    for (const row of [...this.#cuts.keys()]) if (!checked.has(row)) this.#keep(row);
  }

  #know(row: number, node: KnownNode): void {
    const before = this.#nodes.get(row);
    this.#nodes.set(row, node);
    if (before !== undefined && before.ip !== node.ip) noteMoved(this.#shards.nodeStates, row, monotonicMs());
  }

  stop(): void {
    this.#prober.stop();
    for (const row of [...this.#cuts.keys()]) this.#keep(row);
  }

  /** Once, as long as the need is the same: updates come with every host name that resolves anew. */
  #warnOfShortage(needed: number): void {
    const isNew = needed !== this.#checksNeeded;
    this.#checksNeeded = needed;
    const { checks } = this.#places;
    if (!isNew || needed <= checks) return;
    this.#logger.warn(
      `health checks: ${checks} at a time are possible with this limit of open files, and up to ${needed} are needed ` +
        'when nodes do not answer: some may be found DOWN late',
    );
  }

  #checked({ row }: CheckTarget, health: Health, text: string): void {
    this.#tell(health === 'down' ? 'warn' : 'info', row, text);
    if (health !== 'down') return this.#keep(row);
    if (this.#cutAfterMs === undefined || this.#cuts.has(row)) return;
    this.#cutAfter(row, this.#cutAfterMs);
  }

  /** @param isAgain a shard has not heard of it before */
  #cutAfter(row: number, afterMs: number, isAgain = false): void {
    this.#cuts.set(
      row,
      setTimeout(() => void this.#cut(row, isAgain), afterMs),
    );
  }

  async #cut(row: number, isAgain: boolean): Promise<void> {
    this.#cuts.delete(row);
    if (this.#shards.nodeStates.health[row] !== HEALTH_DOWN) return;
    if (!isAgain) this.#tell('warn', row, `node ${this.#nodes.get(row)?.text} is still down: its sessions are cut`);
    let isDone = false;
    try {
      isDone = await this.#shards.cut(row);
    } catch (error) {
      this.#logger.error(
        `sessions of a node that is down were not cut: ${error instanceof Error ? error.message : error}`,
      );
    }
    // A shard that was about to die, or had died, knows nothing of it. Whether the node is still down is looked at again then.
    if (!isDone && !this.#shards.isStopping && !this.#cuts.has(row)) this.#cutAfter(row, CUT_AGAIN_MS, true);
  }

  #tell(level: 'info' | 'warn', row: number, message: string): void {
    const node = this.#nodes.get(row)?.node;
    this.#events.tell(level, { kind: 'node', message, ...(node === undefined ? {} : { node }) });
  }

  #keep(row: number): void {
    clearTimeout(this.#cuts.get(row));
    this.#cuts.delete(row);
  }

  /** What sessions met. The message says why: the shared cells may speak of a later failure by now. */
  #met(row: number, event: NodeEvent, errno: number): void {
    const name = `node ${this.#nodes.get(row)?.text ?? row}`;
    const outUntilMs = this.#shards.nodeStates.outUntilMs[row] ?? 0;
    const seconds = Math.max(0, Math.round((outUntilMs - monotonicMs()) / 1000));
    const why = describeReason(event === 'readmitted' ? REASON.sessionSucceeded : REASON.sessionsFailed, errno);
    if (event === 'ejected') this.#tell('warn', row, `${name} is out for ${seconds} s: ${why}`);
    else if (event === 'trial-failed') this.#tell('warn', row, `${name} stays out for ${seconds} s: ${why}`);
    else if (event === 'readmitted') this.#tell('info', row, `${name} is back: ${why}`);
  }
}

function knownNode(frontend: FrontendPlan, node: NodePlan): KnownNode {
  const { label, address, ip } = node;
  return {
    text: nodeName(frontend, node),
    node: { nodebalancer: frontend.label, port: frontend.port, label, address },
    ip: String(ip),
  };
}
