// An API without a balancer behind it: a store in a temporary folder, a data plane that only remembers what it was told.

import type { FastifyInstance } from 'fastify';
import type { ApiContext, ApiSettings } from '../../../../control/api/context.ts';
import { loginKey } from '../../../../control/api/login-key.ts';
import { Logins } from '../../../../control/api/logins.ts';
import { createServer } from '../../../../control/api/server.ts';
import { Changes } from '../../../../control/changes.ts';
import type {
  DataPlane,
  PlaneEvent,
  Readiness,
  SessionFilter,
  SessionView,
  ShardCounts,
} from '../../../../control/data-plane.ts';
import { databasePath } from '../../../../control/store/database.ts';
import { LoginTable } from '../../../../control/store/login-table.ts';
import { openStore, type SqliteStore } from '../../../../control/store/sqlite-store.ts';
import { openStatistics } from '../../../../control/store/statistics.ts';
import { storeChecker } from '../../../../control/store/store-check.ts';
import { Tokens } from '../../../../control/store/tokens.ts';
import type { Config } from '../../../../core/config/model.ts';
import { type OwnAddresses, UNKNOWN_MACHINE } from '../../../../core/config/own-ports.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../../testing/temporary.ts';
import type { LoopLags } from '../../../../workers/loop-lag.ts';
import type { NodeCondition, Snapshot } from '../../../../workers/snapshot.ts';

const NO_TIMES = { buckets: [], sum: 0, count: 0 };
/** 2026-01-02 03:04:05 UTC */
export const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

export class StandInPlane implements DataPlane {
  file: string | undefined;
  config: Config = { nodebalancers: [] };
  /** thrown by the next apply */
  refusal: Error | undefined;
  applied = 0;
  ready: Readiness = 'ready';
  reloadGood = true;
  frontends: Snapshot['frontends'] = [];
  lags: LoopLags = { shards: [], main: 0, control: 0 };
  running: SessionView[] = [];
  killed: SessionFilter[] = [];
  readonly #listeners = new Set<(event: PlaneEvent) => void>();

  readonly fileConfig = (): Config | undefined => (this.file === undefined ? undefined : this.config);

  async apply(config: Config): Promise<readonly string[]> {
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal !== undefined) throw refusal;
    this.config = config;
    this.applied++;
    return [];
  }

  snapshot(): Snapshot {
    const { frontends } = this;
    return {
      version: '0.0.0',
      pid: 1,
      started: '2026-01-02T03:00:00.000Z',
      shards: 2,
      sessions: this.running.length,
      connections_max: 1000,
      frontends,
    };
  }

  conditions(nodebalancer: string, port: number): ReadonlyMap<string, NodeCondition> | undefined {
    const found = this.frontends.find((frontend) => frontend.nodebalancer === nodebalancer && frontend.port === port);
    return found === undefined ? undefined : new Map(found.nodes.map((node) => [node.address, node]));
  }

  histograms() {
    return { connect: NO_TIMES, firstByte: NO_TIMES, duration: NO_TIMES };
  }

  shardCounts(): readonly ShardCounts[] {
    return [];
  }

  loopLags(): LoopLags {
    return this.lags;
  }

  sessions(_filter: SessionFilter, limit: number) {
    return { total: this.running.length, sessions: this.running.slice(0, limit) };
  }

  async kill(filter: SessionFilter): Promise<number> {
    this.killed.push(filter);
    return this.running.length;
  }

  readiness(): Readiness {
    return this.ready;
  }

  isReloadGood(): boolean {
    return this.reloadGood;
  }

  settings(): ReturnType<DataPlane['settings']> {
    return [];
  }

  watch(listener: (event: PlaneEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: PlaneEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

export interface Lab {
  readonly app: FastifyInstance;
  readonly plane: StandInPlane;
  readonly store: SqliteStore;
  readonly context: ApiContext;
  readonly faults: unknown[];
  readonly audit: string[];
  clockMs: number;
  /** what of addresses is this machine */
  own: OwnAddresses;
  /** of the store */
  readonly directory: string;
  /** of scope read_write */
  readonly token: string;
  /** as the holder of a read_write token */
  ask(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
  readonly body: any;
  readonly headers: Readonly<Record<string, unknown>>;
}

export function startLab(settings: Partial<ApiSettings> = {}): Lab {
  const directory = makeTemporaryDirectory('api');
  const plane = new StandInPlane();
  const lab = { clockMs: START_MS, own: UNKNOWN_MACHINE };
  const now = (): number => lab.clockMs;
  const store = openStore(directory, now);
  const tokens = new Tokens(store.database, now);
  const { statistics } = openStatistics(directory);
  const full = {
    region: 'local',
    pageUrl: undefined,
    addresses: ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
    floating: [],
    ...settings,
  };
  const faults: unknown[] = [];
  const audit: string[] = [];
  const context: ApiContext = {
    settings: full,
    plane,
    own: () => lab.own,
    store,
    tokens,
    statistics,
    checkStore: storeChecker(store.database, databasePath(directory)),
    now,
    changes: new Changes({ store, plane, region: full.region, own: () => lab.own, now }),
    logins: new Logins(loginKey(directory).key, new LoginTable(store.database), tokens, now),
    audit: (line) => audit.push(line),
    fault: (error) => faults.push(error),
  };
  const app = createServer(context, { trusted: false });
  const { token } = tokens.create('tester', 'read_write');
  return Object.assign(lab, {
    directory,
    token,
    app,
    plane,
    store,
    context,
    faults,
    audit,
    ask: async (
      method: 'GET' | 'POST' | 'PUT' | 'DELETE',
      url: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ) => {
      const response = await app.inject({
        method,
        url,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const isJson = String(response.headers['content-type']).startsWith('application/json');
      return { status: response.statusCode, body: isJson ? response.json() : response.body, headers: response.headers };
    },
    close: async () => {
      await app.close();
      statistics.close();
      store.close();
      removeTemporaryDirectory(directory);
    },
  });
}

/** A node that is not there: tests of the API need none. */
export const NODE = { label: 'node-1', address: '10.0.0.1:80' };
