// What the tests of the data path's parts share: a shard on a kernel that only answers and keeps a list of what it was asked, with
// its clock in the test's hand. Whole sessions belong to tests/sim.

import { createPolicy } from '../../../core/balance/create.ts';
import { EAGAIN } from '../../../core/base/errno.ts';
import { createArena, type Kernel } from '../../../core/linux/kernel.ts';
import { createHeaderTemplate } from '../../../core/proxy-protocol/template.ts';
import type { FrontendPlan, NodePlan } from '../../../core/session/plan.ts';
import type { ShardSettings } from '../../../core/session/settings.ts';
import {
  createLiveCells,
  createShard,
  createShardMemory,
  type Frontend,
  type Shard,
} from '../../../core/session/shard.ts';
import { BACK, FRONT, PHASE_RELAYING, takeSlot } from '../../../core/session/table.ts';
import { fakeKernel } from '../linux/fake-kernel.ts';
import { ipOf } from '../linux/loopback.ts';

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
  splice: 'off',
  spliceAfterBytes: 262_144,
  pipeBytes: 65536,
  pipes: 2,
  spillBytes: 1 << 20,
  backCongestion: '',
  sourceAddresses: [],
  ephemeralPortMin: 32768,
  logSessions: false,
};

export interface FakeShard {
  readonly shard: Shard;
  /** `close 20`, `reset 21`, in order */
  readonly calls: string[];
  /** bytes that a socket's peer has not acknowledged, by descriptor */
  readonly unsent: Map<number, number>;
  /** bytes in a socket's receive queue */
  readonly unread: Map<number, number>;
}

export function fakeShard(settings: Partial<ShardSettings> = {}, extra: Partial<Kernel> = {}): FakeShard {
  const calls: string[] = [];
  const unsent = new Map<number, number>();
  const unread = new Map<number, number>();
  const all = { ...SETTINGS, ...settings };
  const memory = createShardMemory(all, all.connectionsMax, 0, createLiveCells(1));
  const noted = (call: string) => (fd: number) => {
    calls.push(`${call} ${fd}`);
    return 0;
  };
  const kernel = fakeKernel({
    arena: createArena(memory.arena),
    nowMs: () => START_MS,
    close: noted('close'),
    resetOnClose: noted('reset'),
    shutdownWrite: noted('shutdown'),
    unsent: (fd) => unsent.get(fd) ?? 0,
    unread: (fd) => unread.get(fd) ?? 0,
    recv: () => -EAGAIN,
    ...extra,
  });
  const shard = createShard({
    index: 0,
    shards: 1,
    settings: all,
    capacity: all.connectionsMax,
    kernel,
    kernelBytes: 0,
    memory,
    wakeFd: -1,
    onWake: () => {},
    onBeat: () => {},
    onFault: (error) => {
      throw error;
    },
  });
  return { shard, calls, unsent, unread };
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
    ...more,
  };
}

export function frontendOf(
  nodes: readonly NodePlan[],
  eligible: readonly number[],
  algorithm: FrontendPlan['algorithm'] = 'roundrobin',
): Frontend {
  const identities = nodes.map(({ label, weight }) => ({ identity: label, weight }));
  return {
    plan: { row: 0, label: 'web', port: 80, algorithm, proxyProtocol: 'none', hasChecksum: false, nodes: [...nodes] },
    nodes,
    policy: createPolicy(algorithm, identities, { shard: 0, shards: 1, load: () => 0 }),
    eligible: Uint8Array.from(eligible),
    untried: new Uint8Array(nodes.length),
    header: createHeaderTemplate('none'),
  };
}
