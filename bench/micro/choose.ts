// Choosing a node, by each policy and for pools of several sizes. All nodes are eligible and their weights differ. Sessions end as
// others begin, so that loads stay in motion for the policy that looks at them.

import type { Operation, Operations } from './catalogue.ts';
import { expectEqual, importPart } from './core.ts';
import { BLOCK_BYTES, makeBlocks, makeConnections, VARIANT_MASK, VARIANTS } from './inputs.ts';

type Create = typeof import('../../core/balance/create.ts');
type Policy = import('../../core/balance/policy.ts').Policy;
type PolicyNode = import('../../core/balance/policy.ts').PolicyNode;

/** A row of counters per node, as far apart as a shard's: whole cache lines. */
const CELLS_PER_NODE = 8;
const HEAVIEST = 3;
const FIRST_PORT = 1024;

const clients = makeBlocks(makeConnections(4));

export async function chooseOperations(root: string): Promise<Operations> {
  const { createPolicy }: Create = await importPart(root, 'core/balance/create.ts', ['createPolicy']);
  return {
    chooseRoundRobin3: roundRobin(createPolicy, 3),
    chooseRoundRobin30: roundRobin(createPolicy, 30),
    chooseRoundRobin300: roundRobin(createPolicy, 300),
    chooseLeastConnections3: leastConnections(createPolicy, 3),
    chooseLeastConnections30: leastConnections(createPolicy, 30),
    chooseLeastConnections300: leastConnections(createPolicy, 300),
    chooseSource3: source(createPolicy, 3),
    chooseSource30: source(createPolicy, 30),
    chooseSource300: source(createPolicy, 300),
  };
}

function makeNodes(count: number): PolicyNode[] {
  return Array.from({ length: count }, (_, i) => ({
    identity: `node-${i} 192.0.2.1:${FIRST_PORT + i}`,
    weight: 1 + (i % HEAVIEST),
  }));
}

const noLoad = () => 0;
const allOf = (count: number) => new Uint8Array(count).fill(1);

/** Over one cycle, as long as the sum of the weights, each node is chosen as often as its weight says. */
function roundRobin(createPolicy: Create['createPolicy'], count: number): Operation {
  const nodes = makeNodes(count);
  const policy = createPolicy('roundrobin', nodes, { shard: 0, shards: 1, load: noLoad });
  const eligible = allOf(count);
  return {
    check() {
      const fresh = createPolicy('roundrobin', nodes, { shard: 0, shards: 1, load: noLoad });
      const picks = new Int32Array(count);
      const cycle = nodes.reduce((sum, { weight }) => sum + weight, 0);
      for (let i = 0; i < cycle; i++) increment(picks, fresh.choose(eligible, clients, 0));
      for (const [i, { weight }] of nodes.entries()) expectEqual(`picks of node ${i}`, picks[i], weight);
    },
    batch: (times) => chooseMany(policy, eligible, times),
  };
}

function increment(counts: Int32Array, index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}

function source(createPolicy: Create['createPolicy'], count: number): Operation {
  const nodes = makeNodes(count);
  const policy = createPolicy('source', nodes, { shard: 0, shards: 1, load: noLoad });
  const eligible = allOf(count);
  return {
    check: () => checkSource(createPolicy, policy, nodes, eligible),
    batch: (times) => chooseMany(policy, eligible, times),
  };
}

/** Another process, whose list has another order, sends every client to the same node; and the clients do spread. */
function checkSource(
  createPolicy: Create['createPolicy'],
  policy: Policy,
  nodes: readonly PolicyNode[],
  eligible: Uint8Array,
): void {
  const other = createPolicy('source', nodes.toReversed(), { shard: 0, shards: 1, load: noLoad });
  const used = new Set<number>();
  for (let i = 0; i < VARIANTS; i++) {
    const pick = policy.choose(eligible, clients, i * BLOCK_BYTES);
    const mirrored = other.choose(eligible, clients, i * BLOCK_BYTES);
    expectEqual(`node of client ${i} by the turned list`, nodes.length - 1 - mirrored, pick);
    used.add(pick);
  }
  if (used.size <= nodes.length / 2) throw new Error(`${VARIANTS} clients on ${used.size} of ${nodes.length} nodes`);
}

function chooseMany(policy: Policy, eligible: Uint8Array, times: number): number {
  let sum = 0;
  for (let i = 0; i < times; i++) {
    sum = (sum + policy.choose(eligible, clients, (i & VARIANT_MASK) * BLOCK_BYTES)) | 0;
  }
  return sum;
}

function leastConnections(createPolicy: Create['createPolicy'], count: number): Operation {
  const nodes = makeNodes(count);
  const active = new Float64Array(count * CELLS_PER_NODE);
  const load = (index: number) => active[index * CELLS_PER_NODE] ?? 0;
  const policy = createPolicy('leastconn', nodes, { shard: 0, shards: 1, load });
  const eligible = allOf(count);
  // The node of each running session, plus one; 0 before there are that many.
  const sessions = new Int32Array(VARIANTS);
  const begin = (i: number, pick: number) => {
    const place = i & VARIANT_MASK;
    const ended = (sessions[place] ?? 0) - 1;
    if (ended >= 0) active[ended * CELLS_PER_NODE] = load(ended) - 1;
    active[pick * CELLS_PER_NODE] = load(pick) + 1;
    sessions[place] = pick + 1;
  };
  return {
    check() {
      for (let i = 0; i < 2 * VARIANTS; i++) {
        const fullness = nodes.map(({ weight }, index) => (load(index) + 1) / weight);
        const pick = policy.choose(eligible, clients, 0);
        expectEqual(`fullness of the node of session ${i}`, fullness[pick], Math.min(...fullness));
        begin(i, pick);
      }
    },
    batch(times) {
      let sum = 0;
      for (let i = 0; i < times; i++) {
        const pick = policy.choose(eligible, clients, 0);
        begin(i, pick);
        sum = (sum + pick) | 0;
      }
      return sum;
    },
  };
}
