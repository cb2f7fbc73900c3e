// Stickiness `table`: a client returns to its node, whichever shard takes the connection, over reloads, and until the node is gone.

import { afterEach, expect, test } from 'vitest';
import type { Balancer } from '../../../testing/balancer.ts';
import { onePort } from '../../../testing/balancer.ts';
import type { BalancerSpec, NodeSpec } from '../../../testing/balancer-spec.ts';
import { freePort } from '../../../testing/ports.ts';
import { clients, NamedNode, startPool, whoServes } from './scene.ts';

const CLIENTS = clients(40);
const CONNECTIONS_EACH = 6;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Scene {
  readonly nodes: readonly NamedNode[];
  readonly balancer: Balancer;
  readonly port: number;
  spec(more?: Partial<NodeSpec>[]): BalancerSpec;
}

async function open(): Promise<Scene> {
  const nodes = await Promise.all(['node-a', 'node-b', 'node-c'].map((label) => NamedNode.start(label)));
  for (const node of nodes) closers.push(() => node.close());
  const port = await freePort();
  const spec = (more: Partial<NodeSpec>[] = []) =>
    onePort({
      port,
      stickiness: 'table',
      nodes: nodes.map(({ label, address }, i) => ({ label, address, ...more[i] })),
    });
  const balancer = await startPool(spec());
  closers.push(() => balancer.stop());
  return { nodes, balancer, port, spec };
}

/** Each client, several times at once. @returns the one node that each of them met */
async function nodeOfEach(port: number, addresses: readonly string[] = CLIENTS): Promise<Map<string, string>> {
  const met = await Promise.all(
    addresses.map(async (from) => {
      const labels = await Promise.all(Array.from({ length: CONNECTIONS_EACH }, () => whoServes(port, from)));
      expect(new Set(labels).size, `${from} met ${labels}`).toBe(1);
      return [from, labels[0] ?? ''] as const;
    }),
  );
  return new Map(met);
}

test('all connections of a client reach one node, over both shards, and the clients are spread', async () => {
  const { port } = await open();
  const met = await nodeOfEach(port);
  expect([...new Set(met.values())].sort()).toEqual(['node-a', 'node-b', 'node-c']);
  expect(await nodeOfEach(port)).toEqual(met);
});

test('a reload keeps what is remembered; a draining node keeps its clients and gets no others, a rejecting one loses them', async () => {
  const { balancer, port, spec } = await open();
  const met = await nodeOfEach(port);
  await balancer.reload(spec([{ mode: 'drain' }, { weight: 200 }]));
  expect(await nodeOfEach(port)).toEqual(met);
  const strangers = clients(200).slice(100, 140);
  expect([...(await nodeOfEach(port, strangers)).values()]).not.toContain('node-a');

  await balancer.reload(spec([{ mode: 'reject' }]));
  const after = await nodeOfEach(port);
  for (const [from, label] of met) {
    if (label === 'node-a') expect(after.get(from)).not.toBe('node-a');
    else expect(after.get(from)).toBe(label);
  }
});

test('clients of a node that is gone move on once, and stay where they are when it returns', async () => {
  const { nodes, port } = await open();
  const met = await nodeOfEach(port);
  const [gone] = nodes;
  gone?.close();
  const after = await nodeOfEach(port);
  for (const [from, label] of met) {
    if (label === gone?.label) expect(after.get(from)).not.toBe(label);
    else expect(after.get(from)).toBe(label);
  }
  await gone?.listen();
  expect(await nodeOfEach(port)).toEqual(after);
});
