// Brings a shard to a plan: frontends with their policies and header templates, node addresses ready for connect(2), listeners.
// It runs per change of configuration, never per connection. Frontends that are gone stay here until their row is given to
// another: sessions may still use them. Those of which that is so come with the plan all the same, for a successor's sake.

import { createPolicy, seatNodes } from '../balance/create.ts';
import { assert } from '../base/assert.ts';
import { writeSockaddr } from '../linux/sockaddr.ts';
import { createHeaderTemplate, type HeaderTemplate } from '../proxy-protocol/template.ts';
import { nameDestinations } from './accept.ts';
import { activeOn } from './admission.ts';
import { HEADER_BYTES_MAX } from './limits.ts';
import { applyListeners } from './listener.ts';
import type { FrontendPlan, NodePlan, ShardPlan } from './plan.ts';
import { type Frontend, nodeAddressAt, type Shard } from './shard.ts';

/** An epoch that node states never have. */
const NEVER_COMPUTED = -1;

export function applyPlan(shard: Shard, plan: ShardPlan): void {
  // New frontends first, so that new listeners find them; listeners that go still accept into the old ones.
  applyFrontends(shard, plan.frontends);
  applyListeners(shard, plan.listeners);
}

/** For a successor on its own, before it adopts sessions: it cannot know what these are about without their frontends. */
export function applyFrontends(shard: Shard, frontends: readonly FrontendPlan[]): void {
  for (const frontendPlan of frontends) {
    const present = shard.frontends[frontendPlan.row];
    if (present !== undefined && isSamePlan(present.plan, frontendPlan)) continue;
    for (const node of frontendPlan.nodes) {
      writeNodeAddress(shard, node);
      shard.headers[node.row] = headerFor(node);
    }
    const frontend = createFrontend(shard, frontendPlan);
    shard.frontends[frontendPlan.row] = frontend;
    if (present?.sendsHeader === false && frontend.sendsHeader) nameDestinations(shard, frontendPlan.row);
    // A table of the source policy takes milliseconds, and there may be hundreds.
    shard.onBeat();
  }
}

/** Plans are plain data: the same text is the same plan. */
function isSamePlan(a: FrontendPlan, b: FrontendPlan): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function writeNodeAddress(shard: Shard, node: NodePlan): void {
  if (node.ip !== undefined) writeSockaddr(shard.arena, nodeAddressAt(shard.layout, node.row), node.ip, 0, node.port);
}

/** What a node expects before the client's bytes. A template keeps no state: nodes that expect the same could share one. */
function headerFor({ proxyProtocol, hasChecksum }: NodePlan): HeaderTemplate {
  const header = createHeaderTemplate(proxyProtocol, { crc32c: hasChecksum });
  assert(header.maxBytes <= HEADER_BYTES_MAX, 'the header does not fit its room in the arena');
  return header;
}

function createFrontend(shard: Shard, plan: FrontendPlan): Frontend {
  const nodes = seatNodes(plan.algorithm, plan.nodes, shard.turns, plan.row);
  const rows = nodes.map(({ row }) => row);
  const identities = nodes.map(({ address, weight }) => ({ identity: address, weight }));
  const flags = () => new Uint8Array(nodes.length);
  return {
    plan,
    nodes,
    policy: createPolicy(plan.algorithm, identities, {
      shard: shard.index,
      shards: shard.shards,
      load: (index) => activeOn(shard, rows[index] ?? 0),
      seats: { turns: shard.turns, frontend: plan.row, rows },
    }),
    eligible: flags(),
    pinnable: flags(),
    candidates: flags(),
    indexOf: new Map(rows.map((row, index) => [row, index])),
    hasLimits: nodes.some(({ maxConnections }) => maxConnections > 0),
    sendsHeader: nodes.some(({ proxyProtocol }) => proxyProtocol !== 'none'),
    epoch: NEVER_COMPUTED,
    refreshAtMs: 0,
  };
}
