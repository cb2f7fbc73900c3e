// Stage 2, choose: which node takes this connection. The node that stickiness has pinned its client to, or the one that the
// frontend's policy picks among those that may take a session, have room, and were not yet tried by this connection. Whoever is
// chosen is counted as taken at once: a limit holds over all shards.

import { ON_TRIAL } from '../balance/pool.ts';
import { ENDPOINTS_BYTES } from '../base/ip.ts';
import { claimTrial, giveUpTrial, NO_TRIAL } from '../health/ejection.ts';
import { activeOn, releaseNode, reserveNode } from './admission.ts';
import { refreshPool, trialMs } from './node-pool.ts';
import type { NodePlan } from './plan.ts';
import type { Frontend, Shard } from './shard.ts';
import { pinClient, pinnedNode } from './stickiness.ts';
import { get, type SessionTable } from './table.ts';
import { wasTried } from './tried.ts';

export const NO_NODE = -1;
/** every eligible node was tried by this connection */
export const ALL_TRIED = -2;
/** every eligible node that it has not tried has as many sessions as it takes */
export const ALL_FULL = -3;

/** @returns an index into the frontend's nodes, of which one session more is counted now; or NO_NODE, ALL_TRIED, ALL_FULL */
export function chooseNode(shard: Shard, frontend: Frontend, slot: number): number {
  const { table } = shard;
  refreshPool(shard, frontend);
  const pinned = frontend.plan.isSticky ? pinnedNode(shard, frontend, slot) : NO_NODE;
  if (pinned >= 0 && take(shard, frontend, slot, pinned)) return pinned;
  let candidates = candidatesOf(shard, frontend, slot);
  for (;;) {
    const index = frontend.policy.choose(candidates, table.endpoints, slot * ENDPOINTS_BYTES);
    if (index < 0) return whyNone(frontend, table, slot);
    if (take(shard, frontend, slot, index)) return frontend.plan.isSticky ? pin(shard, frontend, slot, index) : index;
    candidates = without(frontend, candidates, index);
  }
}

/** Pins the client to the node that was taken, or takes the one that it is pinned to meanwhile. */
function pin(shard: Shard, frontend: Frontend, slot: number, index: number): number {
  const trial = get(shard.table.trial, slot);
  const pinned = pinClient(shard, frontend, slot, index);
  if (pinned === index || !take(shard, frontend, slot, pinned)) return index;
  const left = frontend.nodes[index];
  if (left === undefined) return pinned;
  giveUpTrial(shard.nodeStates, left.row, trial);
  releaseNode(shard, left.row);
  return pinned;
}

/** Counts the session at the node. @returns false when another session was first, at the last place or at the trial */
function take(shard: Shard, frontend: Frontend, slot: number, index: number): boolean {
  const node = frontend.nodes[index];
  if (node === undefined || !reserveNode(shard, node)) return false;
  let trial = NO_TRIAL;
  if (frontend.eligible[index] === ON_TRIAL) {
    trial = claimTrial(shard.nodeStates, node.row, trialMs(shard), shard.nowMs);
    if (trial === NO_TRIAL) {
      releaseNode(shard, node.row);
      return false;
    }
  }
  if (get(shard.table.trial, slot) !== trial) shard.table.trial[slot] = trial;
  return true;
}

/** Eligible nodes that this connection has not tried, and that seem to have room. */
function candidatesOf(shard: Shard, frontend: Frontend, slot: number): Uint8Array {
  const { candidates, eligible, hasLimits, nodes } = frontend;
  if (get(shard.table.attempts, slot) === 0 && !hasLimits) return eligible;
  candidates.set(eligible);
  for (let index = 0; index < nodes.length; index++) {
    const node = nodes[index];
    if (node === undefined || wasTried(shard.table, slot, node.row) || isFull(shard, node)) candidates[index] = 0;
  }
  return candidates;
}

function isFull(shard: Shard, { maxConnections, row }: NodePlan): boolean {
  return maxConnections > 0 && activeOn(shard, row) >= maxConnections;
}

function without({ candidates, eligible }: Frontend, from: Uint8Array, index: number): Uint8Array {
  if (from === eligible) candidates.set(eligible);
  candidates[index] = 0;
  return candidates;
}

function whyNone(frontend: Frontend, table: SessionTable, slot: number): number {
  let why = NO_NODE;
  for (let index = 0; index < frontend.nodes.length; index++) {
    if (frontend.eligible[index] !== 1) continue;
    if (!wasTried(table, slot, frontend.nodes[index]?.row ?? -1)) return ALL_FULL;
    why = ALL_TRIED;
  }
  return why;
}
