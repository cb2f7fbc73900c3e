// Brings a shard to a plan: frontends with their policies and header templates, node addresses ready for connect(2), listeners.
// It runs per change of configuration, never per connection. Frontends that are gone stay here until their row is given to
// another: sessions may still use them.

import { createPolicy } from '../balance/create.ts';
import { computeEligible, type NodeHealth } from '../balance/pool.ts';
import { assert } from '../base/assert.ts';
import { writeSockaddr } from '../linux/sockaddr.ts';
import { NODE, NODE_STRIDE } from '../metrics/counters.ts';
import { createHeaderTemplate } from '../proxy-protocol/template.ts';
import { HEADER_BYTES_MAX } from './limits.ts';
import { applyListeners } from './listener.ts';
import type { FrontendPlan, NodePlan, ShardPlan } from './plan.ts';
import { type Frontend, nodeAddressAt, type Shard } from './shard.ts';

/** @param activeOf active sessions of a node (by row), summed over all shards */
export function applyPlan(shard: Shard, plan: ShardPlan, activeOf: (row: number) => number): void {
  // New frontends first, so that new listeners find them; listeners that go still accept into the old ones.
  for (const frontendPlan of plan.frontends) {
    const present = shard.frontends[frontendPlan.row];
    if (present !== undefined && isSamePlan(present.plan, frontendPlan)) continue;
    for (const node of frontendPlan.nodes) writeNodeAddress(shard, node);
    shard.frontends[frontendPlan.row] = createFrontend(shard, frontendPlan, activeOf);
    // A table of the source policy takes milliseconds, and there may be hundreds.
    shard.onBeat();
  }
  applyListeners(shard, plan.listeners);
}

/** Plans are plain data: the same text is the same plan. An unchanged frontend keeps its policy's position. */
function isSamePlan(a: FrontendPlan, b: FrontendPlan): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function writeNodeAddress(shard: Shard, node: NodePlan): void {
  if (node.ip !== undefined) writeSockaddr(shard.arena, nodeAddressAt(shard.layout, node.row), node.ip, 0, node.port);
}

function createFrontend(shard: Shard, plan: FrontendPlan, activeOf: (row: number) => number): Frontend {
  const { nodes } = plan;
  const rows = nodes.map(({ row }) => row);
  const identities = nodes.map(({ label, address, weight }) => ({ identity: `${label} ${address}`, weight }));
  const eligible = new Uint8Array(nodes.length);
  const health = nodes.map((node): NodeHealth => (node.ip === undefined ? 'down' : 'unknown'));
  computeEligible(
    nodes.map(({ mode }) => mode),
    health,
    eligible,
  );
  const header = createHeaderTemplate(plan.proxyProtocol, { crc32c: plan.hasChecksum });
  assert(header.maxBytes <= HEADER_BYTES_MAX, 'the header does not fit its room in the arena');
  return {
    plan,
    nodes,
    policy: createPolicy(plan.algorithm, identities, {
      shard: shard.index,
      shards: shard.shards,
      load: (index) => activeOf(rows[index] ?? 0),
    }),
    eligible,
    untried: new Uint8Array(nodes.length),
    header,
  };
}

/** Active sessions per node over the counters of all shards. */
export function activeOver(nodeCounters: readonly Float64Array[]): (row: number) => number {
  return (row) => {
    let active = 0;
    for (const cells of nodeCounters) active += cells[row * NODE_STRIDE + NODE.active] ?? 0;
    return active;
  };
}
