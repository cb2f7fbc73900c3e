// Everything that one life of the control thread is made of, put together: store, tokens, statistics, the plane, the servers.

import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { formatEndpoint } from '../../core/base/ip.ts';
import type { OwnAddresses } from '../../core/config/own-ports.ts';
import { localAddresses } from '../../workers/machine-addresses.ts';
import type { ApiContext } from '../api/context.ts';
import { shownAddresses } from '../api/host-addresses.ts';
import type { LoginKey } from '../api/login-key.ts';
import { Logins } from '../api/logins.ts';
import { createServer } from '../api/server.ts';
import { Changes } from '../changes.ts';
import { FirstLogin } from '../first-login.ts';
import { LOCAL_CONNECTIONS_MAX } from '../local-limits.ts';
import { Sampler } from '../sampler.ts';
import { databasePath } from '../store/database.ts';
import { FileStore } from '../store/file-store.ts';
import { LoginTable } from '../store/login-table.ts';
import type { SqliteStore } from '../store/sqlite-store.ts';
import { openStatistics } from '../store/statistics.ts';
import type { Store } from '../store/store.ts';
import { storeChecker } from '../store/store-check.ts';
import { Tokens } from '../store/tokens.ts';
import type { ControlTask, FromControl, PlaneState, StartProblem, ToPlane } from './channel.ts';
import { listenAtAddress, listenAtSocket, removeSocket } from './listening.ts';
import { ThreadPlane } from './plane.ts';

const FILE_MEMORY = 'file-inventory.json';

export interface ServiceOptions {
  readonly task: ControlTask;
  readonly database: SqliteStore;
  readonly loginKey: LoginKey;
  /** of the data plane */
  readonly state: PlaneState;
  /** to the main thread */
  readonly post: (message: FromControl) => void;
}

export class Service {
  readonly #task: ControlTask;
  readonly #plane: ThreadPlane;
  readonly #fileStore: FileStore | undefined;
  readonly #context: ApiContext;
  readonly #sampler: Sampler;
  readonly #post: (message: FromControl) => void;
  readonly #servers = new Set<FastifyInstance>();
  readonly #firstLogin: FirstLogin;
  /** whether the API is heard at its address */
  #isHeard = false;

  constructor({ task, database, loginKey, state, post }: ServiceOptions) {
    const { dataDir, file, region, addresses, floating } = task;
    this.#task = task;
    this.#post = post;
    const plane = new ThreadPlane(state, file, post);
    this.#plane = plane;
    this.#fileStore =
      file === undefined
        ? undefined
        : new FileStore({
            file,
            config: () => plane.config,
            memory: join(dataDir, FILE_MEMORY),
            region,
            now: Date.now,
            warn: (message) => this.#log('warn', message),
          });
    const store: Store = this.#fileStore ?? database;
    const tokens = new Tokens(database.database);
    for (const id of tokens.damaged)
      this.#log('warn', `token ${id} is not what was written, and good for nothing now: revoke it`);
    const { statistics, remark } = openStatistics(dataDir);
    for (const message of [remark, loginKey.remark]) if (message !== undefined) this.#log('warn', message);
    const fault = (error: unknown) =>
      this.#log('error', `control plane: ${error instanceof Error ? error.stack : error}`);
    const own = (): OwnAddresses => ({ local: localAddresses(), api: task.address });
    const logins = new Logins(loginKey.key, new LoginTable(database.database), tokens, Date.now);
    const pageUrl = pageUrlOf(task);
    this.#context = {
      settings: { region, addresses, floating, pageUrl },
      plane,
      own,
      store,
      changes: new Changes({ store, plane, region, own }),
      tokens,
      logins,
      statistics,
      checkStore: storeChecker(database.database, databasePath(dataDir)),
      now: Date.now,
      audit: (line) => this.#log('info', `api: ${line}`),
      fault,
    };
    this.#sampler = new Sampler({ plane, store, statistics, fault });
    this.#firstLogin = new FirstLogin({
      directory: dataDir,
      tokens,
      logins,
      pageUrl,
      isTerminal: task.isTerminal,
      show: (text) => post({ kind: 'notice', text }),
      warn: (message) => this.#log('warn', message),
    });
  }

  /** Begins to serve. @returns undefined, or why the API is not heard at its address yet */
  async start(): Promise<StartProblem | undefined> {
    const { address, dataDir, pace } = this.#task;
    this.#sampler.start();
    try {
      await listenAtSocket(this.#server(true), dataDir);
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      this.#log('warn', `commands such as "balancer token" will not find this process: ${reason}`);
    }
    const problem = await listenAtAddress(
      () => this.#server(false),
      address,
      pace.apiRetryMs,
      (where) => {
        this.#log('info', `the API listens on ${where} now`);
        this.#heard();
      },
    );
    if (problem === undefined) this.#heard();
    return problem;
  }

  /** What the main thread says about the data plane. */
  receive(message: ToPlane): void {
    this.#plane.receive(message);
    if (message.kind === 'plan') this.#fileStore?.refresh();
    if (message.kind === 'readiness') this.#offerFirstLogin();
  }

  async close(): Promise<void> {
    removeSocket(this.#task.dataDir);
    this.#sampler.stop();
    await Promise.all([...this.#servers].map((server) => server.close()));
  }

  #heard(): void {
    this.#isHeard = true;
    this.#offerFirstLogin();
  }

  /** Not before the data plane listens, too. */
  #offerFirstLogin(): void {
    if (this.#isHeard && this.#plane.readiness() === 'ready') this.#firstLogin.offer();
  }

  #server(trusted: boolean): FastifyInstance {
    const { connectionsMax, hosts, tls } = this.#task;
    const server = createServer(
      this.#context,
      trusted ? { trusted, connectionsMax: LOCAL_CONNECTIONS_MAX } : { trusted, tls, hosts, connectionsMax },
    );
    this.#servers.add(server);
    server.addHook('onClose', async () => {
      this.#servers.delete(server);
    });
    return server;
  }

  #log(level: 'info' | 'warn' | 'error', message: string): void {
    this.#post({ kind: 'log', level, message });
  }
}

/** An address that stands for all is named by one that a browser can open. */
function pageUrlOf({ address: { ip, port }, tls }: ControlTask): string {
  const { ipv4, ipv6 } = shownAddresses({ ipv4: ip.includes(':') ? '' : ip, ipv6: ip.includes(':') ? ip : null });
  return `${tls === undefined ? 'http' : 'https'}://${formatEndpoint(ipv6 ?? (ipv4 || '::1'), port)}`;
}
