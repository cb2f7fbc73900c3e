// What the tests of the data path's parts share: a shard on a kernel that only answers and keeps a list of what it was asked, with
// its clock in the test's hand. Whole sessions belong to tests/sim.

import { EAGAIN } from '../../../core/base/errno.ts';
import { createArena, type Kernel } from '../../../core/linux/kernel.ts';
import { applyPlan } from '../../../core/session/frontends.ts';
import type { FrontendPlan, NodePlan } from '../../../core/session/plan.ts';
import type { ShardSettings } from '../../../core/session/settings.ts';
import {
  createProcessMemory,
  createShard,
  createShardMemory,
  type Frontend,
  type ProcessMemory,
  type Shard,
  type ShardMemory,
  type ShardOptions,
} from '../../../core/session/shard.ts';
import { takeSpillBlock } from '../../../core/session/spill.ts';
import { BACK, FRONT, get, HOLDS, PHASE_RELAYING, takeSlot } from '../../../core/session/table.ts';
import { fakeKernel } from '../../../testing/fake-kernel.ts';
import { ipOf } from '../../../testing/loopback.ts';

export const FRONT_FD = 20;
export const BACK_FD = 21;
export const START_MS = 1000;

export const SETTINGS: ShardSettings = {
  connectionsMax: 8,
  connectTimeoutMs: 5000,
  connectRetries: 3,
  idleTimeoutMs: 600_000,
  halfClosedTimeoutMs: 60_000,
  lingerTimeoutMs: 2000,
  keepaliveSeconds: 60,
  bufferBytes: 4096,
  batchFrom: 0,
  splice: 'off',
  spliceAfterBytes: 262_144,
  lowWaterBytes: 0,
  lowWaterAfterBytes: 0,
  pipeBytes: 65536,
  pipes: 2,
  spillBytes: 1 << 20,
  backCongestion: '',
  sourceAddresses: [],
  ephemeralPortMin: 32768,
  clientTableEntries: 64,
  throttleIpv6Prefix: 64,
  logSessions: false,
};

export interface FakeShard {
  readonly shard: Shard;
  readonly memory: ShardMemory;
  readonly processMemory: ProcessMemory;
  /** `close 20`, `reset 21`, in order */
  readonly calls: string[];
  /** bytes that a socket's peer has not acknowledged, by descriptor */
  readonly unsent: Map<number, number>;
  /** bytes in a socket's receive queue */
  readonly unread: Map<number, number>;
}

/** @param more index and number of shards, or a predecessor's memory */
export function fakeShard(
  settings: Partial<ShardSettings> = {},
  extra: Partial<Kernel> = {},
  more: Partial<Pick<ShardOptions, 'index' | 'shards' | 'memory' | 'processMemory'>> = {},
): FakeShard {
  const calls: string[] = [];
  const unsent = new Map<number, number>();
  const unread = new Map<number, number>();
  const all = { ...SETTINGS, ...settings };
  const { index = 0, shards = 1 } = more;
  const memory = more.memory ?? createShardMemory(all, all.connectionsMax, 0);
  const processMemory = more.processMemory ?? createProcessMemory(all, shards);
  const noted = (call: string) => (fd: number) => {
    calls.push(`${call} ${fd}`);
    return 0;
  };
  const kernel = fakeKernel({
    arena: createArena(memory.arena),
    nowMs: () => START_MS,
    close: noted('close'),
    closeTwo: (fd) => noted('close')(fd) || noted('close')(fd + 1),
    resetOnClose: noted('reset'),
    shutdownWrite: noted('shutdown'),
    unsent: (fd) => unsent.get(fd) ?? 0,
    unread: (fd) => unread.get(fd) ?? 0,
    recv: () => -EAGAIN,
    ...extra,
  });
  const shard = createShard({
    index,
    shards,
    settings: all,
    capacity: all.connectionsMax,
    kernel,
    kernelBytes: 0,
    memory,
    processMemory,
    countersOfAll: Array.from({ length: shards }, () => memory.counters),
    wakeFd: -1,
    onWake: () => {},
    onBeat: () => {},
    onFault: (error) => {
      throw error;
    },
    onNodeEvent: (row, event) => calls.push(`${event} ${row}`),
  });
  return { shard, memory, processMemory, calls, unsent, unread };
}

/** A session in the middle of its relay, with these flags on its sides. @returns its slot */
export function relaying(shard: Shard, frontFlags: number, backFlags: number): number {
  const { table } = shard;
  const slot = takeSlot(table);
  table.phase[slot] = PHASE_RELAYING;
  table.fd[slot * 2 + FRONT] = FRONT_FD + 1;
  table.fd[slot * 2 + BACK] = BACK_FD + 1;
  table.frontend[slot] = 1;
  table.node[slot] = 1;
  table.connectedMs[slot] = shard.nowMs;
  table.activeMs[slot] = shard.nowMs;
  table.phaseMs[slot] = shard.nowMs;
  table.sideFlags[slot * 2 + FRONT] = frontFlags;
  table.sideFlags[slot * 2 + BACK] = backFlags;
  Atomics.add(shard.live, 0, 1);
  return slot;
}

/** So many bytes that were read from this side wait for the other, in a spill block. */
export function spilled({ spill, table }: Shard, side: number, bytes: number): void {
  table.sideFlags[side] = get(table.sideFlags, side) | HOLDS;
  table.spill[side] = takeSpillBlock(spill) + 1;
  table.spillTo[side] = bytes;
}

export function nodePlan(row: number, more: Partial<NodePlan> = {}): NodePlan {
  const address = `192.0.2.${row}:80`;
  return {
    row,
    label: `node-${row}`,
    address,
    ip: ipOf(`192.0.2.${row}`),
    port: 80,
    weight: 1,
    mode: 'accept',
    maxConnections: 0,
    slowStartMs: 0,
    proxyProtocol: 'none',
    hasChecksum: false,
    ...more,
  };
}

export function frontendPlan(nodes: readonly NodePlan[], more: Partial<FrontendPlan> = {}): FrontendPlan {
  return {
    row: 0,
    label: 'web',
    port: 80,
    algorithm: 'roundrobin',
    proxyProtocol: 'none',
    isSticky: false,
    isPassive: true,
    checkIntervalMs: 5000,
    queueSize: 4,
    queueTimeoutMs: 3000,
    throttle: 0,
    throttleRow: 0,
    nodes: [...nodes],
    ...more,
  };
}

/** The frontend of row 0 of a shard, as it comes out of a plan. */
export function serve(shard: Shard, nodes: readonly NodePlan[], more: Partial<FrontendPlan> = {}): Frontend {
  applyPlan(shard, { frontends: [frontendPlan(nodes, more)], listeners: [] });
  const [frontend] = shard.frontends;
  if (frontend === undefined) throw new Error('the plan was not applied');
  return frontend;
}
