// What the main thread does about the nodes' condition: it has them checked, says every change in one line with its reason, and ends
// the sessions of a node that went down where the operator wants that. The conditions themselves lie in shared memory; shards act on
// them without being told.

import { monotonicMs } from '../core/base/clock.ts';
import { forgetEjection, NO_TRIAL, type NodeEvent, noteMoved } from '../core/health/ejection.ts';
import {
  describeReason,
  HEALTH_DOWN,
  HEALTH_UNKNOWN,
  HEALTH_UP,
  type Health,
  REASON,
} from '../core/health/node-states.ts';
import { NODE, NODE_STRIDE, sumCell } from '../core/metrics/counters.ts';
import type { FrontendPlan, NodePlan } from '../core/session/plan.ts';
import { type CheckPlaces, checkPlaces, checksNeeded } from './check-places.ts';
import { nodeName } from './check-targets.ts';
import { Farewells } from './checks/attempt.ts';
import { createRunCheck } from './checks/run.ts';
import { SourceTurns } from './checks/source-turns.ts';
import type { CheckTarget } from './checks/target.ts';
import type { EventLog, NodeName } from './event-log.ts';
import type { Logger } from './logger.ts';
import type { NodeAddresses } from './node-addresses.ts';
import { Prober } from './prober.ts';
import { Rounds } from './rounds.ts';
import type { ShardSet } from './shard-set.ts';

export interface NodeWatchOptions {
  /** sessions of a node that goes down end after this time; undefined: they are kept */
  cutAfterMs: number | undefined;
  /** that active checks may have open */
  checkDescriptors: number;
  /** local addresses that checks connect from, those of sessions; none: the system chooses */
  sourceAddresses: readonly Uint8Array[];
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
  readonly #addresses: NodeAddresses;
  readonly #logger: Logger;
  readonly #events: EventLog;
  readonly #cutAfterMs: number | undefined;
  readonly #prober: Prober;
  readonly #places: CheckPlaces;
  readonly #rounds: Rounds;
  /** of the last update */
  #checksNeeded = 0;
  #checkedRows: ReadonlySet<number> = new Set();
  /** row -> when its sessions end */
  readonly #cuts = new Map<number, NodeJS.Timeout>();
  /** by row; nodes that are gone stay, for what their last sessions meet */
  readonly #nodes = new Map<number, KnownNode>();

  constructor(shards: ShardSet, addresses: NodeAddresses, options: NodeWatchOptions, logger: Logger, events: EventLog) {
    const { cutAfterMs, checkDescriptors, sourceAddresses } = options;
    this.#shards = shards;
    this.#addresses = addresses;
    this.#logger = logger;
    this.#events = events;
    this.#cutAfterMs = cutAfterMs;
    this.#places = checkPlaces(checkDescriptors);
    this.#prober = new Prober({
      states: shards.nodeStates,
      nowMs: monotonicMs,
      runCheck: createRunCheck(new Farewells(this.#places.farewells), new SourceTurns(sourceAddresses)),
      checksMax: this.#places.checks,
      onTransition: (target, health, text, why) => this.#checked(target, health, text, why),
      onAnswer: ({ row }, ip) => addresses.answeredAt(row, ip),
    });
    this.#rounds = new Rounds({
      failuresOf: (row) => this.#failuresOf(row),
      isOut: (row) => shards.nodeStates.isEjected[row] === 1,
      // A trial tells by itself how it went.
      mayGo: (row) => shards.nodeStates.trialAt[row] === NO_TRIAL && this.#isTriedInTurn(row),
      goOn: (row) => addresses.tryElsewhere(row, ''),
    });
    shards.onNodeEvent = (row, event, errno) => this.#met(row, event, errno);
  }

  /**
   * @param frontends all that are served from now on @param targets those of their nodes that are to be checked
   * @param stillOut rows of nodes that have moved without leaving their ejection behind
   */
  update(
    frontends: readonly FrontendPlan[],
    targets: readonly CheckTarget[],
    stillOut: ReadonlySet<number> = new Set(),
  ): void {
    for (const frontend of frontends) {
      for (const node of frontend.nodes) this.#know(node.row, knownNode(frontend, node), stillOut.has(node.row));
    }
    this.#warnOfShortage(checksNeeded(targets));
    this.#prober.update(targets);
    this.#checkedRows = new Set(targets.map(({ row }) => row));
    for (const row of [...this.#cuts.keys()]) if (!this.#checkedRows.has(row)) this.#keep(row);
  }

  #know(row: number, node: KnownNode, isStillOut: boolean): void {
    const before = this.#nodes.get(row);
    this.#nodes.set(row, node);
    if (before === undefined || before.ip === node.ip) return;
    noteMoved(this.#shards.nodeStates, row, monotonicMs());
    if (isStillOut) return;
    this.#keep(row);
    forgetEjection(this.#shards.nodeStates, row);
  }

  stop(): void {
    this.#prober.stop();
    this.#rounds.stop();
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

  #checked({ row }: CheckTarget, health: Health, text: string, why: string): void {
    if (health === 'down' && this.#addresses.failed(row, 'check', why)) return this.#leave(row);
    this.#tell(health === 'down' ? 'warn' : 'info', row, text);
    if (health === 'up') this.#addresses.succeeded(row, 'check');
    if (health !== 'down') return this.#keep(row);
    if (this.#cutAfterMs === undefined || this.#cuts.has(row)) return;
    this.#cutAfter(row, this.#cutAfterMs);
  }

  /** The node goes elsewhere: it is down where its sessions are, and those of a later time will not be told from them. */
  #leave(row: number): void {
    if (this.#cutAfterMs !== 0) return;
    this.#shards.cut(row).catch((error: Error) => this.#tellUncut(error));
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
      this.#tellUncut(error);
    }
    // A shard that was about to die, or had died, knows nothing of it. Whether the node is still down is looked at again then.
    if (!isDone && !this.#shards.isStopping && !this.#cuts.has(row)) this.#cutAfter(row, CUT_AGAIN_MS, true);
  }

  #tellUncut(error: unknown): void {
    this.#logger.error(
      `sessions of a node that is down were not cut: ${error instanceof Error ? error.message : error}`,
    );
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
    if (event === 'readmitted') {
      this.#addresses.succeeded(row, 'session');
      return this.#tell('info', row, `${name} is back: ${why}`);
    }
    if (event === 'none') return;
    const isTrial = event === 'trial-failed';
    const isDown = this.#shards.nodeStates.health[row] === HEALTH_DOWN;
    if (!isDown && this.#addresses.failed(row, 'session', why, isTrial)) return;
    const elsewhere = this.#isTriedInTurn(row) ? this.#addresses.tryElsewhere(row, why) : undefined;
    if (elsewhere !== undefined) this.#rounds.begin(row);
    const then = elsewhere === undefined ? '' : `, and is tried at ${elsewhere} then`;
    this.#tell('warn', row, `${name} ${isTrial ? 'stays' : 'is'} out for ${seconds} s${then}: ${why}`);
  }

  /** Connects that failed, of all shards. */
  #failuresOf(row: number): number {
    const cells = this.#shards.counters.map(({ nodes }) => nodes);
    const at = row * NODE_STRIDE;
    return sumCell(cells, at + NODE.connectFailures) + sumCell(cells, at + NODE.connectTimeouts);
  }

  /** Whether no check will find another of its addresses: there are none, or they have nothing against the present one. */
  #isTriedInTurn(row: number): boolean {
    const health = this.#shards.nodeStates.health[row];
    return health === HEALTH_UP || (health === HEALTH_UNKNOWN && !this.#checkedRows.has(row));
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
