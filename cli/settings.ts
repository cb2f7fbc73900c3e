// From what the operator set and what the machine has to the settings of the process: defaults filled in, limits of the machine
// respected, and a word about every value that could not be taken as it was given.

import { availableParallelism, cpus, homedir } from 'node:os';
import { join } from 'node:path';
import { LOCAL_CONNECTIONS_MAX, STATUS_CLIENTS_MAX } from '../control/local-limits.ts';
import {
  ephemeralPortMin,
  pipeBytesAllowed,
  pipeBytesMax,
  raiseDescriptorLimit,
  somaxconn,
} from '../core/linux/process.ts';
import { NODES_MAX, SOURCE_ADDRESSES_MAX } from '../core/session/limits.ts';
import { FAREWELLS_MAX } from '../workers/check-places.ts';
import type { LogLevel } from '../workers/logger.ts';
import { PACE, type Pace } from '../workers/pace.ts';
import type { SupervisorOptions } from '../workers/supervisor.ts';
import { type Environment, PREFIX, VARIABLES } from './environment.ts';

export interface ProcessSettings {
  supervisor: SupervisorOptions;
  /** directory of the store and of the local sockets */
  dataDir: string;
  drainDelayMs: number;
  drainTimeoutMs: number;
  logLevel: LogLevel;
  warnings: string[];
}

/** Descriptors for everything that is not a session: Node.js itself, epoll and eventfd, files, a changed set of listeners. */
const DESCRIPTORS_RESERVED = 256;
/** of active checks: a share of all, since nodes may come later; enough for some at least, and no more than nodes are possible */
const CHECK_DESCRIPTORS_SHARE = 1 / 16;
const CHECK_DESCRIPTORS_MIN = 128;
const CHECK_DESCRIPTORS_MAX = NODES_MAX + FAREWELLS_MAX;
/** of the API, by the same reasoning: as many as its clients may hold, and not one that was promised to a session */
const API_DESCRIPTORS_SHARE = 1 / 16;
const API_DESCRIPTORS_MIN = 16;
const API_DESCRIPTORS_MAX = 1000;
/** where descriptors are few, neither of the two first gets more than this */
const RESERVED_SHARE_MAX = 1 / 8;
/** what an idle process with its shards was seen to hold, with some to spare */
const OWN_DESCRIPTORS = 24;
const SHARD_DESCRIPTORS = 10;
/** pipes are a luxury: where descriptors are few, sessions come first */
const DESCRIPTORS_PER_PIPE_MIN = 16;
const SYSTEM_DATA_DIR = '/var/lib/balancer';
/** a table is as long as there may be sessions: beyond this nobody has measured */
const CONNECTIONS_MAX = 1_000_000;
const HEAP_MEGABYTES = 128;
/** of each shard; its pages are touched only as they are used */
const SPILL_BYTES = 64 << 20;
/** low-water marks that a transfer must have moved before one is raised: what may then be delayed by some milliseconds has taken more already */
const LOW_WATER_AFTER = 64;

/** What a test may change that no operator can. */
export interface ForTests {
  readonly allowFaults: boolean;
  readonly pace: Pace;
}

export const NOT_FOR_TESTS: ForTests = { allowFaults: false, pace: PACE };

/** @param addresses addresses and ports to listen on */
export function processSettings(
  env: Environment,
  addresses: number,
  { allowFaults, pace }: ForTests = NOT_FOR_TESTS,
): ProcessSettings {
  const warnings: string[] = [];
  const shards = env.workers ?? availableParallelism();
  // Linux rounds up to a power of two of pages (pipe(7)): what is counted must be what is used.
  const pipeBytes = Math.min(2 ** Math.ceil(Math.log2(env.pipeBytes ?? VARIABLES.pipeBytes.default)), pipeBytesMax());
  warnOfCuts(env, pipeBytes, warnings);
  const lowWaterBytes = env.lowWaterBytes ?? VARIABLES.lowWaterBytes.default;
  const descriptors = raiseDescriptorLimit();
  const pipes = pipesPerShard(env, shards, pipeBytes, descriptors);
  return {
    supervisor: {
      shards,
      cpus: env.cpuAffinity ?? [],
      heapMegabytes: HEAP_MEGABYTES,
      allowFaults,
      pace,
      accessLog: accessLogOf(env),
      cutAfterMs: env.onNodeDown?.cutAfterMs,
      checkDescriptors: checkDescriptorsOf(descriptors),
      listeners: {
        shards,
        backlog: backlogOf(env, warnings),
        keepaliveSeconds: env.keepaliveSeconds ?? VARIABLES.keepaliveSeconds.default,
        congestion: env.frontCongestion,
        floating: new Set(env.floatingAddresses ?? []),
      },
      settings: {
        connectionsMax: connectionsOf(
          env,
          descriptors,
          OWN_DESCRIPTORS + shards * SHARD_DESCRIPTORS,
          addresses * shards + 2 * pipes * shards,
          warnings,
        ),
        connectTimeoutMs: env.connectTimeoutMs ?? VARIABLES.connectTimeoutMs.default,
        connectRetries: env.connectRetries ?? VARIABLES.connectRetries.default,
        idleTimeoutMs: env.idleTimeoutMs ?? VARIABLES.idleTimeoutMs.default,
        halfClosedTimeoutMs: env.halfClosedTimeoutMs ?? VARIABLES.halfClosedTimeoutMs.default,
        lingerTimeoutMs: env.lingerTimeoutMs ?? VARIABLES.lingerTimeoutMs.default,
        keepaliveSeconds: env.keepaliveSeconds ?? VARIABLES.keepaliveSeconds.default,
        bufferBytes: env.bufferBytes ?? VARIABLES.bufferBytes.default,
        splice: env.splice ?? VARIABLES.splice.default,
        batchFrom: env.batchFrom ?? VARIABLES.batchFrom.default,
        spliceAfterBytes: env.spliceAfterBytes ?? VARIABLES.spliceAfterBytes.default,
        lowWaterBytes,
        lowWaterAfterBytes: LOW_WATER_AFTER * lowWaterBytes,
        pipeBytes,
        pipes,
        spillBytes: SPILL_BYTES,
        backCongestion: env.backCongestion ?? '',
        sourceAddresses: (env.sourceAddresses ?? []).slice(0, SOURCE_ADDRESSES_MAX),
        ephemeralPortMin: ephemeralPortMin(),
        clientTableEntries: env.clientTableEntries ?? VARIABLES.clientTableEntries.default,
        throttleIpv6Prefix: env.throttleIpv6Prefix ?? VARIABLES.throttleIpv6Prefix.default,
        logSessions: accessLogOf(env) !== undefined,
      },
    },
    dataDir: env.dataDir ?? defaultDataDir(),
    drainDelayMs: env.drainDelayMs ?? VARIABLES.drainDelayMs.default,
    drainTimeoutMs: env.drainTimeoutMs ?? VARIABLES.drainTimeoutMs.default,
    logLevel: env.logLevel ?? VARIABLES.logLevel.default,
    warnings,
  };
}

/** Where a running balancer is found when nobody says otherwise. */
export function defaultDataDir(): string {
  if (process.getuid?.() === 0) return SYSTEM_DATA_DIR;
  const { XDG_STATE_HOME: stateHome } = process.env;
  // The specification of that variable: a path that is not absolute is to be ignored.
  if (stateHome?.startsWith('/')) return join(stateHome, 'balancer');
  try {
    return join(homedir(), '.local/state/balancer');
  } catch {
    // A user without an entry in the list of users, as in many containers, has no home.
    return SYSTEM_DATA_DIR;
  }
}

function accessLogOf(env: Environment): string | undefined {
  return env.accessLog === 'off' ? undefined : env.accessLog;
}

/** Without privileges at most half of what the user may have, so that other programs of the same user find some too. */
function pipesPerShard(env: Environment, shards: number, pipeBytes: number, descriptors: number): number {
  if (env.splice === 'off') return 0;
  const total = Math.min(env.pipeTotalBytes ?? VARIABLES.pipeTotalBytes.default, pipeBytesAllowed() / 2);
  return Math.floor(Math.min(total / pipeBytes, descriptors / DESCRIPTORS_PER_PIPE_MIN) / shards);
}

function warnOfCuts(env: Environment, pipeBytes: number, warnings: string[]): void {
  if (env.pipeBytes !== undefined && pipeBytes < env.pipeBytes) {
    warnings.push(
      `${PREFIX}PIPE_BYTES is ${env.pipeBytes}, but fs.pipe-max-size allows ${pipeBytes}: using ${pipeBytes}`,
    );
  }
  const allowed = pipeBytesAllowed() / 2;
  if (env.pipeTotalBytes !== undefined && env.pipeTotalBytes > allowed) {
    warnings.push(
      `${PREFIX}PIPE_TOTAL_BYTES is ${env.pipeTotalBytes}, but half of fs.pipe-user-pages-soft is ${allowed}: using ${allowed}`,
    );
  }
  const sources = env.sourceAddresses?.length ?? 0;
  if (sources > SOURCE_ADDRESSES_MAX) {
    warnings.push(`${PREFIX}SOURCE_ADDRESSES has ${sources} addresses: using the first ${SOURCE_ADDRESSES_MAX}`);
  }
  const missing = (env.cpuAffinity ?? []).filter((cpu) => cpu >= cpus().length);
  if (missing.length > 0)
    warnings.push(`${PREFIX}CPU_AFFINITY names CPUs that this machine does not have: ${missing.join(', ')}`);
}

function backlogOf(env: Environment, warnings: string[]): number {
  const max = somaxconn();
  if (env.backlog !== undefined && env.backlog > max) {
    warnings.push(`${PREFIX}BACKLOG is ${env.backlog}, but net.core.somaxconn allows ${max}: using ${max}`);
  }
  return Math.min(env.backlog ?? VARIABLES.backlog.default, max);
}

/** @returns how many descriptors active checks may have open, out of so many that the process may have */
export function checkDescriptorsOf(descriptors: number): number {
  const atLeast = Math.min(CHECK_DESCRIPTORS_MIN, descriptors * RESERVED_SHARE_MAX);
  return Math.floor(Math.min(CHECK_DESCRIPTORS_MAX, Math.max(atLeast, descriptors * CHECK_DESCRIPTORS_SHARE)));
}

/** @returns how many connections the API may have at its address, out of so many descriptors that the process may have */
export function apiConnectionsOf(descriptors: number): number {
  const share = Math.floor(descriptors * API_DESCRIPTORS_SHARE);
  return Math.min(API_DESCRIPTORS_MAX, Math.max(API_DESCRIPTORS_MIN, share));
}

/** Of the API at its address, and of the two local sockets. */
function controlDescriptors(env: Environment, descriptors: number): number {
  if (env.adminAddress === 'off') return STATUS_CLIENTS_MAX;
  return STATUS_CLIENTS_MAX + LOCAL_CONNECTIONS_MAX + apiConnectionsOf(descriptors);
}

/** @param ownDescriptors of the process itself @param others of listeners and pipes */
function connectionsOf(
  env: Environment,
  descriptors: number,
  ownDescriptors: number,
  others: number,
  warnings: string[],
): number {
  const reserved = Math.max(
    Math.min(DESCRIPTORS_RESERVED, Math.floor(descriptors * RESERVED_SHARE_MAX)),
    ownDescriptors,
  );
  const free = descriptors - reserved - checkDescriptorsOf(descriptors) - controlDescriptors(env, descriptors) - others;
  const possible = Math.min(CONNECTIONS_MAX, Math.max(1, Math.floor(free / 2)));
  const wanted = env.connectionsMax ?? possible;
  if (wanted <= possible) return wanted;
  warnings.push(
    `${PREFIX}MAX_CONNECTIONS is ${wanted}, but ${descriptors} open files allow ${possible} sessions: using ${possible}`,
  );
  return possible;
}
