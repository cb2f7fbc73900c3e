// Puts the product's own shard into a simulated world: settings drawn from the seed, frontends and listeners from the scenario.
// It changes nothing of core/session: what runs here is what runs in production, system calls apart.

import type { Kernel } from '../../core/linux/kernel.ts';
import { FRONTEND, FRONTEND_STRIDE, NODE, NODE_STRIDE, SHARD } from '../../core/metrics/counters.ts';
import { applyFrontends, applyPlan } from '../../core/session/frontends.ts';
import { activeSessions, adoptShard, closeShard, openShard } from '../../core/session/lifecycle.ts';
import { applyListeners } from '../../core/session/listener.ts';
import type { FrontendPlan, ListenerPlan, ShardPlan } from '../../core/session/plan.ts';
import { turn } from '../../core/session/reactor.ts';
import type { ShardSettings } from '../../core/session/settings.ts';
import {
  createProcessMemory,
  createShard,
  createShardMemory,
  type ProcessMemory,
  type Shard,
  type ShardMemory,
} from '../../core/session/shard.ts';
import { get, HIGH_WATER, HOLDS, IN_STREAK, PHASE_FREE, type SessionTable } from '../../core/session/table.ts';
import { RetiredFrontends } from '../../workers/retired-frontends.ts';
import { findRowUse } from '../../workers/row-use.ts';
import type { ShardCounts } from './invariants.ts';
import { Random } from './random.ts';
import type { ShardUnderTest } from './runner.ts';
import type { Scenario } from './scenario.ts';
import type { World } from './world.ts';

const CAPACITY = 32;

/** Small buffers, few pipes and little spill room find the borders; timeouts are longer than any script is silent. */
export function settingsOf(scenario: Scenario): ShardSettings {
  const random = new Random(scenario.seed ^ 0x5555_5555);
  // In proportion to the streams: a run must not take a hundred thousand reads.
  const bufferBytes = random.pick([16, 256, 4096, 65536].filter((bytes) => bytes * 100 > scenario.scale.streamMax));
  return {
    connectionsMax: random.chance(0.1) ? random.int(1, 4) : CAPACITY,
    connectTimeoutMs: 400,
    connectRetries: random.int(0, 5),
    idleTimeoutMs: 120_000,
    halfClosedTimeoutMs: 60_000,
    lingerTimeoutMs: 2000,
    keepaliveSeconds: 10,
    bufferBytes,
    splice: random.pick(['auto', 'auto', 'on', 'off'] as const),
    spliceAfterBytes: random.pick([0, 64, 4096, 65536]),
    pipeBytes: 1 << 20,
    pipes: random.pick([0, 1, 2, 8]),
    spillBytes: (bufferBytes + 4096) * random.pick([1, 2, 8]),
    backCongestion: random.chance(0.2) ? 'cubic' : '',
    sourceAddresses: [],
    ephemeralPortMin: 1024,
    logSessions: random.chance(0.5),
    clientTableEntries: random.pick([1, 4, 64]),
    throttleIpv6Prefix: 64,
    batchFrom: random.int(0, 3),
    lowWaterBytes: random.pick([0, 64, 4096]),
    lowWaterAfterBytes: random.pick([0, 256, 4096]),
  };
}

export function frontendOf(scenario: Scenario, row: number): FrontendPlan {
  const random = new Random(scenario.seed ^ (0x3333_3333 + row));
  const proxyProtocol = scenario.proxyHeader;
  const algorithm = random.pick(['roundrobin', 'leastconn', 'source'] as const);
  const hasChecksum = proxyProtocol === 'v2' && random.chance(0.5);
  const nodes = scenario.nodes.map(({ address }, index) => ({
    // As in production: a row belongs to one frontend.
    row: row * scenario.nodes.length + index,
    label: `node-${index}`,
    address: `node ${index}`,
    ip: address.ip,
    port: address.port,
    weight: random.int(1, 255),
    mode: 'accept' as const,
    maxConnections: random.chance(0.3) ? random.int(1, 3) : 0,
    slowStartMs: random.chance(0.3) ? random.int(1, 5000) : 0,
    proxyProtocol,
    hasChecksum,
  }));
  return {
    row,
    label: `frontend-${row}`,
    port: 80 + row,
    algorithm,
    proxyProtocol,
    isSticky: random.chance(0.3),
    isPassive: random.chance(0.7),
    checkIntervalMs: random.pick([10, 1000, 10_000]),
    queueSize: scenario.clients.length,
    queueTimeoutMs: 600_000,
    throttle: 0,
    throttleRow: 0,
    nodes,
  };
}

/** What a test of one thing sets itself. */
export interface ShardChoices {
  readonly settings?: Partial<ShardSettings>;
  readonly frontends?: readonly FrontendPlan[];
}

/** A shard, and its successors, in one world. */
export class SimulatedShard implements ShardUnderTest {
  readonly settings: ShardSettings;
  shard: Shard;
  readonly #memory: ShardMemory;
  readonly #processMemory: ProcessMemory;
  readonly #wakeFd: number;
  readonly #frontends: FrontendPlan[];
  readonly #retired = new RetiredFrontends();
  /** the plan in force */
  #served: FrontendPlan[];
  #listeners: ListenerPlan[];

  constructor(world: World, kernel: Kernel, choices: ShardChoices = {}) {
    const { scenario } = world;
    this.settings = { ...settingsOf(scenario), ...choices.settings };
    this.#memory = createShardMemory(this.settings, CAPACITY, 0);
    this.#processMemory = createProcessMemory(this.settings, 1);
    this.#wakeFd = world.kernel.lendWake();
    this.#frontends = [...(choices.frontends ?? scenario.listeners.map((_, row) => frontendOf(scenario, row)))];
    this.#served = this.#frontends;
    this.#listeners = scenario.listeners.map(({ address }, row) => ({
      fd: world.listenerFds[row] ?? -1,
      frontend: row,
      ip: address.ip,
      port: address.port,
    }));
    this.shard = this.#create(kernel);
    openShard(this.shard);
    applyPlan(this.shard, this.#plan());
  }

  turn(): void {
    turn(this.shard);
  }

  /** A successor takes the table over; all its calls go to `kernel`. */
  adopt(kernel: Kernel): void {
    this.shard = this.#create(kernel);
    const { frontends, listeners } = this.#plan();
    applyFrontends(this.shard, frontends);
    adoptShard(this.shard);
    applyListeners(this.shard, listeners);
  }

  /** A change of the configuration. @param change of each frontend in force */
  change(change: (frontend: FrontendPlan) => FrontendPlan): void {
    this.#served = this.#served.map(change);
    applyPlan(this.shard, this.#plan());
  }

  stop(): void {
    this.#listeners = [];
    applyPlan(this.shard, this.#plan());
  }

  /** A change of the configuration removes all frontends, or those that an earlier one has removed concern nobody any more. */
  retireFrontends(): void {
    this.#retired.update(this.#served, [], findRowUse([this.shard.table]));
    this.#served = [];
    this.stop();
  }

  close(): void {
    closeShard(this.shard);
  }

  counts(): ShardCounts {
    const { counters, table } = this.shard;
    const accepted = get(counters.shard, SHARD.accepted);
    const sums = {
      accepted,
      ended: get(counters.shard, SHARD.ended),
      active: 0,
      bytesFromFront: column(counters.frontends, FRONTEND_STRIDE, FRONTEND.bytesIn, this.#frontends.length),
      bytesToFront: column(counters.frontends, FRONTEND_STRIDE, FRONTEND.bytesOut, this.#frontends.length),
      bytesFromBack: column(counters.nodes, NODE_STRIDE, NODE.bytesIn, CAPACITY),
      bytesToBack: column(counters.nodes, NODE_STRIDE, NODE.bytesOut, CAPACITY),
      headerBytes: get(counters.shard, SHARD.headerBytes),
      deniedByFlags: deniedByFlags(table),
    };
    for (let slot = 0; slot < get(table.shared, HIGH_WATER); slot++) {
      if (table.phase[slot] === PHASE_FREE) continue;
      sums.active++;
      sums.bytesFromFront += get(table.bytesFrom, slot * 2);
      sums.bytesToFront += get(table.bytesTo, slot * 2);
      sums.bytesFromBack += get(table.bytesFrom, slot * 2 + 1);
      sums.bytesToBack += get(table.bytesTo, slot * 2 + 1);
      sums.headerBytes += get(table.headerBytes, slot);
    }
    return sums;
  }

  /** Once quiet: what came in went out, or was counted as lost. */
  bytesUnaccounted(): number {
    const { shard } = this.shard.counters;
    const came = get(shard, SHARD.bytesIn) + get(shard, SHARD.headerBytes);
    return came - get(shard, SHARD.bytesOut) - get(shard, SHARD.bytesLost);
  }

  /** Every gauge must be back at zero. */
  gauges(): number {
    const { counters, live } = this.shard;
    const nodes = counters.nodesActive.reduce((sum, active) => sum + active, 0);
    const frontends = column(counters.frontends, FRONTEND_STRIDE, FRONTEND.active, this.#frontends.length);
    const queued = column(counters.frontends, FRONTEND_STRIDE, FRONTEND.queued, this.#frontends.length);
    return nodes + frontends + queued + activeSessions(this.shard) + (live[0] ?? 0);
  }

  #create(kernel: Kernel): Shard {
    return createShard({
      index: 0,
      shards: 1,
      settings: this.settings,
      capacity: CAPACITY,
      kernel,
      kernelBytes: 0,
      memory: this.#memory,
      processMemory: this.#processMemory,
      countersOfAll: [this.#memory.counters],
      wakeFd: this.#wakeFd,
      onWake: () => {},
      onBeat: () => {},
      onFault: (error) => {
        throw error;
      },
      onNodeEvent: () => {},
    });
  }

  #plan(): ShardPlan {
    return { frontends: [...this.#served, ...this.#retired.plans], listeners: this.#listeners };
  }
}

function column(cells: Float64Array, stride: number, at: number, rows: number): number {
  let sum = 0;
  for (let row = 0; row < rows; row++) sum += get(cells, row * stride + at);
  return sum;
}

function deniedByFlags(table: SessionTable): number {
  let denied = 0;
  for (let side = 0; side < get(table.shared, HIGH_WATER) * 2; side++) {
    const flags = get(table.sideFlags, side);
    const holds = get(table.pipe, side) !== 0 || get(table.pipeFill, side) !== 0 || get(table.spill, side) !== 0;
    if (holds && (flags & HOLDS) === 0) denied++;
    if (get(table.streak, side) !== 0 && (flags & IN_STREAK) === 0) denied++;
  }
  return denied;
}
