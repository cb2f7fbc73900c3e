// The main thread's part: it owns the configuration in force, the listening sockets and the shards, and brings the three together:
// at start, at every change, at the end. It moves no bytes, reads no file and knows no signal.

import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../core/base/clock.ts';
import { formatIp } from '../core/base/ip.ts';
import { type Change, describeChange, diff } from '../core/config/diff.ts';
import type { Config } from '../core/config/model.ts';
import { SHARD } from '../core/metrics/counters.ts';
import { FRONTENDS_MAX, NODES_MAX } from '../core/session/limits.ts';
import type { FrontendPlan, NodePlan } from '../core/session/plan.ts';
import { AddressWatch, type AddressWatchOptions, type Placement } from './address-watch.ts';
import type { Fault } from './channel.ts';
import { checkTargets } from './check-targets.ts';
import { isSame } from './choose-addresses.ts';
import { EventLog } from './event-log.ts';
import type { LineFault } from './lines/channel.ts';
import { type ListenerSettings, ListenerSockets } from './listeners.ts';
import type { Logger } from './logger.ts';
import { NodeWatch, type NodeWatchOptions } from './node-watch.ts';
import { PlanRows } from './plan-rows.ts';
import { describeAddress, describeFrontend, makePlan, type Plan, shardPlan } from './planner.ts';
import { Serial } from './serial.ts';
import { SessionLogWriter } from './session-log-writer.ts';
import { ShardSet, type ShardSetOptions } from './shard-set.ts';
import type { SnapshotSource } from './snapshot.ts';

export interface SupervisorOptions
  extends ShardSetOptions,
    Omit<NodeWatchOptions, 'sourceAddresses'>,
    AddressWatchOptions {
  listeners: ListenerSettings;
  /** a path, `-` for stdout, or undefined */
  accessLog: string | undefined;
}

/** A configuration that cannot be put into force, as sentences for the operator. Nothing of it was applied. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

const EMPTY: Config = { nodebalancers: [] };
const NOTHING: Plan = {
  frontends: [],
  services: [],
  rows: { nodebalancers: new Map(), frontends: new Map(), nodes: new Map() },
};
const DRAIN_POLL_MS = 20;

export class Supervisor {
  readonly shards: ShardSet;
  readonly events: EventLog;
  /** called with every plan that is put into force */
  onPlan: () => void = () => {};

  readonly #startedMs = monotonicMs();
  readonly #options: SupervisorOptions;
  readonly #logger: Logger;
  readonly #sockets: ListenerSockets;
  readonly #addresses: AddressWatch;
  readonly #rows: PlanRows;
  readonly #nodeWatch: NodeWatch;
  readonly #frontends = new Map<number, FrontendPlan>();
  readonly #nodes = new Map<number, NodePlan>();
  #accessLog: SessionLogWriter | undefined;
  #config: Config = EMPTY;
  #plan: Plan = NOTHING;
  #isDraining = false;
  #isStopped = false;
  /** configurations, from their names' resolution on: or an earlier one, whose name server is slow, would overtake a later one */
  readonly #configurations = new Serial();
  /** what touches plan, sockets and shards. A drain waits here, and for no name server */
  readonly #steps = new Serial();

  constructor(options: SupervisorOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    this.events = new EventLog(logger);
    this.#sockets = new ListenerSockets(options.listeners);
    this.#addresses = new AddressWatch(
      options,
      { config: () => this.#config, place: () => this.#steps.run(() => this.#place()) },
      logger,
      this.events,
    );
    this.shards = new ShardSet(
      options,
      (shard) => shardPlan(this.#plan, this.#rows.retired, (at) => this.#sockets.fdOf(at, shard)),
      logger,
      this.events,
    );
    this.#rows = new PlanRows(this.shards);
    const { sourceAddresses } = options.settings;
    const watchOptions = { ...options, sourceAddresses };
    this.#nodeWatch = new NodeWatch(this.shards, this.#addresses.nodes, watchOptions, logger, this.events);
  }

  /** @throws RefusedError or ListenError; nothing listens then */
  start(config: Config): Promise<void> {
    return this.#configurations.run(async () => {
      await this.#addresses.resolve(config);
      await this.#steps.run(() => this.#start(config));
    });
  }

  async #start(config: Config): Promise<void> {
    // The end may have come while names were resolved.
    if (this.isEnding) return;
    const { plan, placement } = this.#planFor(config);
    this.#sockets.open(plan.services);
    this.#adopt(config, plan, placement);
    await this.shards.start();
    this.#openAccessLog();
    this.#addresses.start();
  }

  /**
   * Puts another configuration into force. Sessions and listeners that the change does not concern are not touched.
   * @returns what changed @throws RefusedError or ListenError; the old configuration stays in force then
   */
  reload(config: Config): Promise<readonly Change[]> {
    return this.#configurations.run(async () => {
      await this.#addresses.resolve(config);
      return this.#steps.run(() => this.#reload(config));
    });
  }

  async #reload(config: Config): Promise<readonly Change[]> {
    // What no longer listens must not listen again.
    if (this.isEnding) throw new RefusedError('the balancer is about to end');
    const changes = diff(this.#config, config);
    const { plan, placement } = this.#planFor(config);
    this.#sockets.open(plan.services);
    this.#adopt(config, plan, placement);
    await this.#applyPlan();
    for (const change of changes) this.events.tell('info', { kind: 'configuration', message: describeChange(change) });
    return changes;
  }

  /** Stops accepting. @returns when every session has ended or the deadline has passed, with the sessions left */
  async drain(timeoutMs: number): Promise<number> {
    const startMs = performance.now();
    await this.#steps.run(async () => {
      this.#isDraining = true;
      this.#plan = { ...this.#plan, services: [] };
      this.onPlan();
      await this.#applyPlan(timeoutMs);
    });
    await this.#until(() => this.shards.live() === 0, timeoutMs - (performance.now() - startMs));
    return this.shards.live();
  }

  /** Ends everything now. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#addresses.stop();
    this.#nodeWatch.stop();
    await this.shards.stop();
    this.#sockets.closeOthers([]);
    await this.#accessLog?.close();
  }

  /** @returns whether there is a file, which is another one now */
  reopenLog(): boolean {
    return this.#accessLog?.reopen() ?? false;
  }

  async inject(shard: number, fault: Fault): Promise<void> {
    await this.shards.inject(shard, fault);
  }

  injectIntoLog(fault: LineFault): void {
    this.#accessLog?.inject(fault);
  }

  /** One line per address: what listens where, and what for. */
  describe(): string[] {
    return this.#plan.services.map((service) => {
      const frontend = this.#frontends.get(service.frontend);
      return `${describeAddress(service, formatIp)} ${frontend === undefined ? '' : describeFrontend(frontend)}`;
    });
  }

  /** Those that have ever been in force and whose row was not given away since: sessions of theirs may still run. By row. */
  names(): { frontends: ReadonlyMap<number, FrontendPlan>; nodes: ReadonlyMap<number, NodePlan> } {
    return { frontends: this.#frontends, nodes: this.#nodes };
  }

  /** It drains, or has stopped: nothing is begun any more. */
  get isEnding(): boolean {
    return this.#isDraining || this.#isStopped;
  }

  /** The configuration in force. */
  get config(): Config {
    return this.#config;
  }

  /** What there is to say about the running process. */
  snapshotSource(): SnapshotSource {
    const { shards } = this;
    return {
      startedMs: this.#startedMs,
      nowMs: monotonicMs,
      shards: this.#options.shards,
      connectionsMax: this.#options.settings.connectionsMax,
      frontends: this.#plan.frontends,
      services: this.#plan.services,
      counters: shards.counters,
      tables: shards.tables,
      states: shards.nodeStates,
    };
  }

  #planFor(config: Config): { plan: Plan; placement: Placement } {
    const placement = this.#addresses.choose(config);
    const plan = makePlan(config, this.#rows, (key) => placement.choices.get(key)?.ip);
    if (plan === undefined) {
      throw new RefusedError(
        `too many ports or nodes at once: ${FRONTENDS_MAX} ports and ${NODES_MAX} nodes are possible, ` +
          'those that this change removes and those whose last sessions still run included',
      );
    }
    return { plan, placement };
  }

  #adopt(config: Config, plan: Plan, placement: Placement): void {
    this.#rows.commit(this.#plan, plan);
    const stillOut = this.#addresses.commit(config, placement, plan.rows.nodes, config !== this.#config);
    this.#config = config;
    this.#plan = plan;
    for (const frontend of plan.frontends) {
      this.#frontends.set(frontend.row, frontend);
      for (const node of frontend.nodes) this.#nodes.set(node.row, node);
    }
    this.#watchNodes(stillOut);
    this.onPlan();
  }

  /**
   * Listeners that are gone are closed only when every shard has taken their backlog and let go. At the connection limit that takes
   * as long as other sessions take to end.
   */
  async #applyPlan(backlogTimeoutMs = this.#options.pace.backlogMs): Promise<void> {
    this.#sockets.hideOthers(this.#plan.services);
    await this.shards.apply();
    this.#logger.debug('every shard serves what is in force now');
    await this.#until(() => this.shards.sum(SHARD.leavingListeners) === 0, backlogTimeoutMs);
    if (this.shards.sum(SHARD.leavingListeners) > 0) await this.shards.abandon();
    this.#sockets.closeOthers(this.#plan.services);
  }

  async #until(condition: () => boolean, timeoutMs: number): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while (!condition() && performance.now() < deadlineMs) await sleep(DRAIN_POLL_MS);
  }

  /** Puts nodes where they are to be now: by what is known of their names and of this machine, and by where they failed. */
  async #place(): Promise<void> {
    if (this.#isStopped) return;
    const { plan, placement } = this.#planFor(this.#config);
    const before = this.#plan;
    // Not what was learned just now: it may have come late, or with a change that was then refused.
    const moved = movedNodes(before, plan);
    if (moved.length === 0) {
      this.#watchNodes(this.#addresses.commit(this.#config, placement, before.rows.nodes, false));
      return;
    }
    // A drain may have begun meanwhile: what no longer listens must not listen again.
    this.#adopt(this.#config, { ...plan, services: before.services }, placement);
    await this.#applyPlan();
    // Both ends of these sessions are ours: as long as they last, they keep as many from everybody else.
    await Promise.all(moved.filter(({ ip }) => ip === undefined).map(({ row }) => this.shards.cut(row)));
  }

  #watchNodes(stillOut: ReadonlySet<number>): void {
    const { frontends } = this.#plan;
    const targets = checkTargets(this.#config, frontends, (row) => this.#addresses.nodes.usableOf(row));
    this.#nodeWatch.update(frontends, targets, stillOut);
  }

  #openAccessLog(): void {
    const { accessLog } = this.#options;
    if (accessLog === undefined) return;
    const names = {
      frontend: (row: number) => this.#frontends.get(row),
      node: (row: number) => this.#nodes.get(row),
    };
    this.#accessLog = new SessionLogWriter(accessLog, this.shards.logs, names, this.#logger, () =>
      this.shards.sum(SHARD.logDropped),
    );
  }
}

/** Nodes of the second plan whose address is another than in the first. Both are of one configuration. */
function movedNodes(before: Plan, after: Plan): NodePlan[] {
  const nodesOf = ({ frontends }: Plan) => frontends.flatMap(({ nodes }) => nodes);
  const ips = new Map(nodesOf(before).map(({ row, ip }) => [row, ip]));
  return nodesOf(after).filter(({ row, ip }) => !isSame(ips.get(row), ip));
}
