// The main thread's part: it owns the configuration in force, the listening sockets and the shards, and brings the three together:
// at start, at every change, at the end. It moves no bytes, reads no file and knows no signal.

import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { monotonicMs } from '../core/base/clock.ts';
import { formatIp } from '../core/base/ip.ts';
import { type Change, describeChange, diff } from '../core/config/diff.ts';
import type { Config } from '../core/config/model.ts';
import { SHARD } from '../core/metrics/counters.ts';
import { FRONTENDS_MAX, NODES_MAX } from '../core/session/limits.ts';
import type { FrontendPlan, NodePlan } from '../core/session/plan.ts';
import type { Fault } from './channel.ts';
import { checkTargets } from './check-targets.ts';
import { EventLog } from './event-log.ts';
import { type ListenerSettings, ListenerSockets } from './listeners.ts';
import type { Logger } from './logger.ts';
import { NodeWatch, type NodeWatchOptions } from './node-watch.ts';
import { PlanRows } from './plan-rows.ts';
import { describeAddress, describeFrontend, hostNames, makePlan, type Plan, shardPlan } from './planner.ts';
import { type LookupAll, RESOLVE_INTERVAL_MS, Resolver } from './resolver.ts';
import { Serial } from './serial.ts';
import { SessionLogWriter } from './session-log-writer.ts';
import { ShardSet, type ShardSetOptions } from './shard-set.ts';
import type { SnapshotSource } from './snapshot.ts';

export interface SupervisorOptions extends ShardSetOptions, NodeWatchOptions {
  listeners: ListenerSettings;
  /** a path, `-` for stdout, or undefined */
  accessLog: string | undefined;
  /** for tests: how host names are resolved, if not by the system */
  lookupAll?: LookupAll;
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
  readonly #resolver: Resolver;
  readonly #rows: PlanRows;
  readonly #nodeWatch: NodeWatch;
  readonly #frontends = new Map<number, FrontendPlan>();
  readonly #nodes = new Map<number, NodePlan>();
  #accessLog: SessionLogWriter | undefined;
  #config: Config = EMPTY;
  #plan: Plan = NOTHING;
  #isDraining = false;
  #isStopped = false;
  #resolving: NodeJS.Timeout | undefined;
  /** configurations, from their names' resolution on: or an earlier one, whose name server is slow, would overtake a later one */
  readonly #configurations = new Serial();
  /** what touches plan, sockets and shards. A drain waits here, and for no name server */
  readonly #steps = new Serial();

  constructor(options: SupervisorOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    this.events = new EventLog(logger);
    this.#sockets = new ListenerSockets(options.listeners);
    this.#resolver = new Resolver(logger, options.lookupAll);
    this.shards = new ShardSet(
      options,
      (shard) => shardPlan(this.#plan, this.#rows.retired, (at) => this.#sockets.fdOf(at, shard)),
      logger,
      this.events,
    );
    this.#rows = new PlanRows(this.shards);
    this.#nodeWatch = new NodeWatch(this.shards, options, logger, this.events);
  }

  /** @throws RefusedError or ListenError; nothing listens then */
  start(config: Config): Promise<void> {
    return this.#configurations.run(async () => {
      await this.#resolver.refresh(hostNames(config));
      await this.#steps.run(() => this.#start(config));
    });
  }

  async #start(config: Config): Promise<void> {
    // The end may have come while names were resolved.
    if (this.isEnding) return;
    const plan = this.#planFor(config);
    this.#sockets.open(plan.services);
    this.#adopt(config, plan);
    await this.shards.start();
    this.#openAccessLog();
    this.#resolveLater();
  }

  /**
   * Puts another configuration into force. Sessions and listeners that the change does not concern are not touched.
   * @returns what changed @throws RefusedError or ListenError; the old configuration stays in force then
   */
  reload(config: Config): Promise<readonly Change[]> {
    return this.#configurations.run(async () => {
      await this.#resolver.refresh(hostNames(config));
      return this.#steps.run(() => this.#reload(config));
    });
  }

  async #reload(config: Config): Promise<readonly Change[]> {
    // What no longer listens must not listen again.
    if (this.isEnding) throw new RefusedError('the balancer is about to end');
    const changes = diff(this.#config, config);
    const plan = this.#planFor(config);
    this.#sockets.open(plan.services);
    this.#adopt(config, plan);
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
    clearTimeout(this.#resolving);
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

  #planFor(config: Config): Plan {
    const plan = makePlan(config, this.#rows, (host) => this.#resolver.addressOf(host));
    if (plan === undefined) {
      throw new RefusedError(
        `too many ports or nodes at once: ${FRONTENDS_MAX} ports and ${NODES_MAX} nodes are possible, ` +
          'those that this change removes and those whose last sessions still run included',
      );
    }
    return plan;
  }

  #adopt(config: Config, plan: Plan): void {
    this.#rows.commit(this.#plan, plan);
    this.#config = config;
    this.#plan = plan;
    this.#resolver.forgetOthers(hostNames(config));
    for (const frontend of plan.frontends) {
      this.#frontends.set(frontend.row, frontend);
      for (const node of frontend.nodes) this.#nodes.set(node.row, node);
    }
    this.#nodeWatch.update(plan.frontends, checkTargets(config, plan.frontends));
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

  #resolveLater(): void {
    this.#resolving = setTimeout(() => {
      this.#resolveAgain()
        .catch((error: Error) => this.#logger.error(`new addresses of nodes were not applied: ${error.message}`))
        .finally(() => this.#resolveLater());
    }, RESOLVE_INTERVAL_MS);
    this.#resolving.unref();
  }

  async #resolveAgain(): Promise<void> {
    await this.#resolver.refresh(hostNames(this.#config));
    await this.#steps.run(async () => {
      const plan = this.#planFor(this.#config);
      // Not what the resolver has learned just now: it may have come late, or with a change that was then refused.
      if (isDeepStrictEqual(nodeAddresses(plan), nodeAddresses(this.#plan))) return;
      // A drain may have begun meanwhile: what no longer listens must not listen again.
      this.#adopt(this.#config, { ...plan, services: this.#plan.services });
      await this.#applyPlan();
    });
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

function nodeAddresses({ frontends }: Plan): unknown {
  return frontends.map(({ nodes }) => nodes.map(({ ip }) => ip));
}
