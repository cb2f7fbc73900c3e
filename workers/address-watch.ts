// Keeps nodes where they are to be: names are looked up again and again, the machine is asked for its own addresses, and what fails is
// heard of. When any of that may move a node, somebody is told to place them anew. What is chosen is node-addresses.ts's affair, and
// putting it into force the supervisor's.

import { monotonicMs } from '../core/base/clock.ts';
import type { Config } from '../core/config/model.ts';
import type { OwnAddresses } from '../core/config/own-ports.ts';
import type { EventLog } from './event-log.ts';
import type { Logger } from './logger.ts';
import { localAddresses } from './machine-addresses.ts';
import { type Choices, NodeAddresses } from './node-addresses.ts';
import { hostNames } from './planner.ts';
import { type LookupAll, RESOLVE_INTERVAL_MS, Resolver } from './resolver.ts';
import type { Assignment } from './rows.ts';

/** The machine is asked so often which addresses it has: a circle that a new one makes lasts no longer. */
export const MACHINE_INTERVAL_MS = 1000;

export interface AddressWatchOptions {
  /** where the API listens: no node is there */
  readonly api?: OwnAddresses['api'];
  /** whoever wrote the configuration was told of what is remarkable in it as it was read */
  readonly readsFile?: boolean;
  /** for tests: how host names are resolved, and which addresses the machine has, if not by the system */
  readonly lookupAll?: LookupAll;
  readonly localAddresses?: () => readonly string[];
}

/** What the watch is for. */
export interface Placing {
  /** the configuration in force */
  readonly config: () => Config;
  /** puts its nodes where they are to be by now */
  readonly place: () => Promise<void>;
}

/** Where the nodes of a configuration are to be, not yet in force. */
export interface Placement {
  readonly choices: Choices;
  /** addresses of the machine that it goes by */
  readonly local: readonly string[];
}

export class AddressWatch {
  readonly nodes: NodeAddresses;
  readonly #resolver: Resolver;
  readonly #options: AddressWatchOptions;
  readonly #placing: Placing;
  readonly #logger: Logger;
  #local: readonly string[] = [];
  /** set exactly from the moment in which nodes are to be placed until somebody has looked where */
  #isDue = false;
  #resolving: NodeJS.Timeout | undefined;
  #asking: NodeJS.Timeout | undefined;

  constructor(options: AddressWatchOptions, placing: Placing, logger: Logger, events: EventLog) {
    this.#options = options;
    this.#placing = placing;
    this.#logger = logger;
    this.#resolver = new Resolver(logger, options.lookupAll);
    this.nodes = new NodeAddresses(events, monotonicMs);
    this.nodes.onChange = () => this.#place();
  }

  /** Looks the names of a configuration up. @returns when each has answered, or was waited for */
  resolve(config: Config): Promise<void> {
    return this.#resolver.refresh(hostNames(config));
  }

  /** Changes nothing. */
  choose(config: Config): Placement {
    this.#isDue = false;
    const local = this.#askMachine();
    const own = { local, api: this.#options.api };
    return { local, choices: this.nodes.choose(config, own, (host) => this.#resolver.answersOf(host)) };
  }

  /** @param isNew the configuration was not in force before @returns rows of nodes that have moved and are still out */
  commit(config: Config, { choices, local }: Placement, rows: Assignment, isNew: boolean): ReadonlySet<number> {
    this.#local = local;
    this.#resolver.forgetOthers(hostNames(config));
    return this.nodes.commit(choices, rows, isNew && this.#options.readsFile === true);
  }

  start(): void {
    this.#resolveLater();
    this.#asking = setInterval(() => {
      if (this.#askMachine().join() !== this.#local.join()) this.#place();
    }, MACHINE_INTERVAL_MS);
    this.#asking.unref();
  }

  stop(): void {
    clearTimeout(this.#resolving);
    clearInterval(this.#asking);
  }

  #askMachine(): readonly string[] {
    return (this.#options.localAddresses ?? localAddresses)();
  }

  #resolveLater(): void {
    this.#resolving = setTimeout(() => {
      void this.resolve(this.#placing.config()).finally(() => {
        this.#place();
        this.#resolveLater();
      });
    }, RESOLVE_INTERVAL_MS);
    this.#resolving.unref();
  }

  /** Once for all that comes together: a machine that dies takes many nodes with it. */
  #place(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#placing
      .place()
      .catch((error: Error) => this.#logger.error(`new addresses of nodes were not applied: ${error.message}`));
  }
}
