// The data plane as the control plane sees it: what it can be told, and what can be read of it. The main thread is behind it; the
// control thread's end is in thread/.

import type { Config } from '../core/config/model.ts';
import type { ShardCounter } from '../core/metrics/counters.ts';
import type { LoggedEvent } from '../workers/event-log.ts';
import type { LoopLags } from '../workers/loop-lag.ts';
import type { SessionFilter, SessionView } from '../workers/session-list.ts';
import type { NodeCondition, Snapshot } from '../workers/snapshot.ts';

export type { SessionFilter, SessionView } from '../workers/session-list.ts';

/** Why a configuration was not put into force; nothing of it was. */
export class RefusedChange extends Error {
  override readonly name = 'RefusedChange';
  /** the address that could not be listened on, where that is the reason */
  readonly listen: { readonly ip: string; readonly port: number } | undefined;
  constructor(message: string, listen?: { readonly ip: string; readonly port: number }) {
    super(message);
    this.listen = listen;
  }
}

/** What happened, for whoever watches: its message is the log line. */
export interface PlaneEvent extends LoggedEvent {
  /** ISO 8601 in UTC, with milliseconds */
  readonly time: string;
}

export type Readiness = 'starting' | 'ready' | 'draining';

/** Setting, where it comes from, and what it is: for people. */
export interface EffectiveSetting {
  readonly name: string;
  readonly value: string;
  readonly source: 'environment' | 'default';
  readonly meaning: string;
}

/** The counters of one shard, by name. */
export type ShardCounts = Readonly<Record<ShardCounter, number>>;

export interface DataPlane {
  /** @returns when every shard has applied it, with what changed @throws RefusedChange: nothing has changed then */
  apply(config: Config): Promise<readonly string[]>;
  snapshot(): Snapshot;
  /** What a snapshot says of one frontend's nodes, by address. @returns undefined while there is none of that name and port */
  conditions(nodebalancer: string, port: number): ReadonlyMap<string, NodeCondition> | undefined;
  /** Counts over all shards since the process started. */
  histograms(): {
    readonly connect: HistogramView;
    readonly firstByte: HistogramView;
    readonly duration: HistogramView;
  };
  /** One per shard, since the process started. */
  shardCounts(): readonly ShardCounts[];
  /** How late the event loops of all threads came round, lately. */
  loopLags(): LoopLags;
  /** @param limit at most so many; `total` says how many fit */
  sessions(filter: SessionFilter, limit: number): { readonly total: number; readonly sessions: readonly SessionView[] };
  /** @returns how many were ended */
  kill(filter: SessionFilter): Promise<number>;
  readiness(): Readiness;
  /** false: the file was read again and refused, and the configuration before it is in force */
  isReloadGood(): boolean;
  settings(): readonly EffectiveSetting[];
  /** the configuration file that is the only truth of this process; undefined when the store is */
  readonly file: string | undefined;
  /** the configuration in force, when it comes from that file */
  readonly fileConfig: () => Config | undefined;
  /** @returns a function that ends it */
  watch(listener: (event: PlaneEvent) => void): () => void;
}

export interface HistogramView {
  /** ascending: a bound in seconds, and how many values are at most that; the last, +Inf, is `count` */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
  /** seconds */
  readonly sum: number;
  readonly count: number;
}
