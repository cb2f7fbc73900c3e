// A node is the same node for as long as its address is served: under another name, or when it was away for a while, its running
// sessions count against its limit. And what reloads remove makes room, whoever else is still connected.

import { writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { onePort } from '../../../testing/balancer.ts';
import type { NodeSpec } from '../../../testing/balancer-spec.ts';
import { freePort } from '../../../testing/ports.ts';
import { ask, NamedNode, startPool, whoServes } from './scene.ts';
import { statusOf } from './status.ts';

const MANY = 900;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(more: Partial<NodeSpec> = {}) {
  const node = await NamedNode.start('node-a');
  closers.push(() => node.close());
  const port = await freePort();
  const spec = (nodes: NodeSpec[], front: { ipv6?: string } = {}) => onePort({ port, queue_timeout: 60, nodes }, front);
  const own = (label: string): NodeSpec => ({ label, address: node.address, ...more });
  const balancer = await startPool(spec([own('before')]));
  closers.push(() => balancer.stop());
  const reload = async (...change: Parameters<typeof spec>) =>
    expect(await balancer.reload(spec(...change))).toMatch(/applied/);
  return { node, port, balancer, own, spec, reload };
}

test('a renamed node keeps its counters, and its limit holds', async () => {
  const { node, port, balancer, own, reload } = await open({ max_connections: 1 });
  const held = await ask(port);
  await reload([own('after')]);
  const waiting = whoServes(port);
  await balancer.program.waitUntil('one to wait', async () => (await statusOf(balancer)).frontends[0]?.queued === 1);
  expect((await statusOf(balancer)).frontends[0]?.nodes).toMatchObject([{ label: 'after', sessions: 1, connects: 1 }]);
  held.socket.destroy();
  expect(await waiting).toBe('node-a');
  expect(node.peak).toBe(1);
});

test('a port that listens over IPv6 too from now on has the same nodes, and their limit holds', async () => {
  const { node, port, balancer, own, reload } = await open({ max_connections: 1 });
  const held = await ask(port);
  await reload([own('before')], { ipv6: '::1' });
  const waiting = ask(port, '::1', '::1');
  await balancer.program.waitUntil('one to wait', async () => (await statusOf(balancer)).frontends[0]?.queued === 1);
  expect((await statusOf(balancer)).frontends[0]).toMatchObject({ sessions: 2, nodes: [{ sessions: 1, connects: 1 }] });
  held.socket.destroy();
  const { by, socket } = await waiting;
  socket.destroy();
  expect(by).toBe('node-a');
  expect(node.peak).toBe(1);
});

test('a node that was removed and comes back finds its sessions counted', async () => {
  const { node, port, balancer, own, reload } = await open({ max_connections: 1 });
  const held = await ask(port);
  await reload([]);
  await reload([own('before')]);
  const waiting = whoServes(port);
  await balancer.program.waitUntil('one to wait', async () => (await statusOf(balancer)).frontends[0]?.queued === 1);
  held.socket.destroy();
  expect(await waiting).toBe('node-a');
  expect(node.peak).toBe(1);
});

test('ten reloads that each replace 900 nodes, while one session relays', async () => {
  const { node, port, balancer, own, spec } = await open();
  const held = await ask(port);
  // Each says so much about it that the log, of which only the end is kept, is no place to look for an answer.
  const replace = async (nodes: NodeSpec[]) => {
    writeFileSync(balancer.configFile, JSON.stringify(spec(nodes)));
    balancer.signal('SIGHUP');
    const isThere = async () => (await statusOf(balancer)).frontends[0]?.nodes[0]?.label === nodes[0]?.label;
    await balancer.program.waitUntil(`${nodes[0]?.label} to be there`, isThere);
  };
  for (let i = 0; i < 10; i++) {
    const strangers = Array.from({ length: MANY }, (_, j) => ({
      label: `node-${i}-${j}`,
      address: `127.${100 + i}.${j >> 8}.${j & 255}:9`,
    }));
    await replace(strangers);
  }
  await replace([own('again')]);
  expect(await whoServes(port)).toBe('node-a');
  expect([node.taken, node.open >= 1, held.socket.destroyed]).toEqual([2, true, false]);
  held.socket.destroy();
});
