// Which nodes of a frontend may take a session now: the condition of its nodes, as all threads share it, turned into what policies
// and stickiness ask. Computed when something has changed or an ejected node's time is up, not per connection. It decides nothing
// about a single connection: choose.ts does.

import { computeEligible, type NodeCondition } from '../balance/pool.ts';
import { isTrialDue, trialDueMs } from '../health/ejection.ts';
import { epochOf, HEALTH_DOWN, type NodeStates } from '../health/node-states.ts';
import { SLOW_START_SHARE_MIN, SLOW_START_STEP_MS, TRIAL_GRACE_MS } from './limits.ts';
import type { FrontendPlan, NodePlan } from './plan.ts';
import type { Frontend, Shard } from './shard.ts';
import { get } from './table.ts';

/** Makes `eligible` and `pinnable` true for this moment. */
export function refreshPool(shard: Shard, frontend: Frontend): void {
  const { nodeStates, nowMs } = shard;
  const epoch = epochOf(nodeStates);
  if (frontend.epoch === epoch && nowMs < frontend.refreshAtMs) return;
  // First: a change from here on is seen the next time.
  frontend.epoch = epoch;
  frontend.refreshAtMs = Number.POSITIVE_INFINITY;
  const { nodes } = frontend;
  const conditions = nodes.map((node) => conditionNow(shard, frontend, node));
  computeEligible(
    nodes.map(({ mode }) => mode),
    conditions,
    frontend,
  );
  for (const [index, node] of nodes.entries()) rescale(shard, frontend, index, node);
}

/** What everybody sees alike. Whether an ejected node is due for its trial depends on the moment. */
export function conditionOf(states: NodeStates, frontend: FrontendPlan, node: NodePlan): 'up' | 'down' | 'out' {
  if (node.ip === undefined || get(states.health, node.row) === HEALTH_DOWN) return 'down';
  return isEjected(states, frontend, node) ? 'out' : 'up';
}

/** An ejection counts only as long as sessions' failures do. */
export function isEjected(states: NodeStates, { isPassive }: FrontendPlan, { row }: NodePlan): boolean {
  return isPassive && get(states.isEjected, row) === 1;
}

function conditionNow(shard: Shard, frontend: Frontend, node: NodePlan): NodeCondition {
  const { nodeStates, nowMs } = shard;
  const condition = conditionOf(nodeStates, frontend.plan, node);
  if (condition !== 'out') return condition;
  if (isTrialDue(nodeStates, node.row, trialMs(shard), nowMs)) return 'trial';
  refreshAt(frontend, trialDueMs(nodeStates, node.row, trialMs(shard), nowMs));
  return 'out';
}

/** A trial that has not ended by then was given up by its client. */
export function trialMs({ settings }: Shard): number {
  return settings.connectTimeoutMs + TRIAL_GRACE_MS;
}

/** In its slow start a node gets a growing share of its weight. */
function rescale(shard: Shard, frontend: Frontend, index: number, node: NodePlan): void {
  const fromMs = get(shard.nodeStates.rampFromMs, node.row);
  const elapsedMs = shard.nowMs - fromMs;
  const isRamping = node.slowStartMs > 0 && fromMs > 0 && elapsedMs < node.slowStartMs;
  frontend.policy.rescale(index, isRamping ? Math.max(elapsedMs / node.slowStartMs, SLOW_START_SHARE_MIN) : 1);
  if (isRamping) refreshAt(frontend, shard.nowMs + SLOW_START_STEP_MS);
}

function refreshAt(frontend: Frontend, atMs: number): void {
  frontend.refreshAtMs = Math.min(frontend.refreshAtMs, atMs);
}
