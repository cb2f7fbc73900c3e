// What a pool remembers outlives the thread of a shard: who waits for a node goes on waiting, at the same place in the line and no
// longer than before, also when a reload has removed the port meanwhile; and clients return to their nodes.

import { afterEach, expect, test } from 'vitest';
import { type Balancer, onePort } from '../../../testing/balancer.ts';
import type { BalancerSpec, ConfigSpec } from '../../../testing/balancer-spec.ts';
import { accepts, freePorts, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { type Answer, ask, clients, NamedNode, startPool, whoServes } from './scene.ts';
import { statusOf } from './status.ts';

const FAULTS_ON = { BALANCER_TEST_FAULTS: '1' };
const WAITING = 4;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startNode(label: string): Promise<NamedNode> {
  const node = await NamedNode.start(label);
  closers.push(() => node.close());
  return node;
}

async function start(spec: BalancerSpec, env: Readonly<Record<string, string>>): Promise<Balancer> {
  const balancer = await startPool(spec, { ...FAULTS_ON, ...env });
  closers.push(() => balancer.stop());
  return balancer;
}

async function diesAndServes({ program }: Balancer, shard: number): Promise<void> {
  const from = program.stderr.length;
  program.write(`${shard} throw\n`);
  await program.waitUntil(`a successor of shard ${shard}`, () =>
    program.stderr.slice(from).includes(`shard ${shard} serves again`),
  );
}

/** A node that takes one session, which it has, and clients that wait for it in a line. */
async function line() {
  const node = await startNode('node-a');
  const [port = 0, otherPort = 0] = await freePorts(2);
  const busy: ConfigSpec = {
    port,
    queue_timeout: 60,
    nodes: [{ label: node.label, address: node.address, max_connections: 1 }],
  };
  const balancer = await start(onePort(busy), { BALANCER_WORKERS: '1' });
  const held = await ask(port);
  const served: number[] = [];
  const waiting: Promise<Answer>[] = [];
  for (let i = 0; i < WAITING; i++) {
    const answer = ask(port);
    waiting.push(answer);
    void answer.then(({ by, socket }) => {
      if (by === node.label) served.push(i);
      socket.destroy();
    });
    await balancer.program.waitUntil(
      `${i + 1} to wait`,
      async () => (await statusOf(balancer)).frontends[0]?.queued === i + 1,
    );
  }
  const removePort = () => balancer.reload(onePort({ port: otherPort, nodes: [] }));
  return { node, port, balancer, held, served, waiting, removePort };
}

async function inOrder({ node, held, served, waiting }: Awaited<ReturnType<typeof line>>): Promise<void> {
  expect(served).toEqual([]);
  held.socket.destroy();
  await Promise.all(waiting);
  expect(served).toEqual(Array.from({ length: WAITING }, (_, i) => i));
  expect(node.peak).toBe(1);
}

test('who waits for a node keeps their place when the shard dies', async () => {
  const scene = await line();
  await diesAndServes(scene.balancer, 0);
  await diesAndServes(scene.balancer, 0);
  expect((await statusOf(scene.balancer)).frontends[0]).toMatchObject({ queued: WAITING, queue_timeouts: 0 });
  await inOrder(scene);
});

test('also when their port has been removed: twice a death, and a reload between', async () => {
  const scene = await line();
  expect(await scene.removePort()).toMatch(/applied/);
  expect(await accepts(LOOPBACK_IPV4, scene.port)).toBe(false);
  await diesAndServes(scene.balancer, 0);
  expect((await statusOf(scene.balancer)).sessions).toBe(WAITING + 1);
  expect(await scene.removePort()).toMatch(/applied|nothing|no change/i);
  await diesAndServes(scene.balancer, 0);
  expect((await statusOf(scene.balancer)).sessions).toBe(WAITING + 1);
  await inOrder(scene);
});

test('who waits does so as long as they may, and no longer, when the shard dies and the port is gone', async () => {
  // A second passes between those who come first and last, by the time of the one between: so whoever may wait for a
  // second longer is out first, unless the death has given them their time once more.
  const queueTimeoutS = { first: 4, between: 1, last: 3 };
  const [first = 0, between = 0, last = 0] = await freePorts(3);
  const node = await startNode('node-a');
  const nodes = [{ label: node.label, address: node.address, max_connections: 1 }];
  const specOf = (...configs: ConfigSpec[]) => ({ nodebalancers: [{ label: 'test', ipv4: LOOPBACK_IPV4, configs }] });
  const configs = [
    { port: first, queue_timeout: queueTimeoutS.first, nodes },
    { port: between, queue_timeout: queueTimeoutS.between, nodes },
    { port: last, queue_timeout: queueTimeoutS.last, nodes },
  ];
  const balancer = await start(specOf(...configs), { BALANCER_WORKERS: '1', BALANCER_ACCESS_LOG: '-' });
  const queued = async () => (await statusOf(balancer)).frontends.reduce((sum, { queued: count }) => sum + count, 0);
  const held = await Promise.all([ask(first), ask(between), ask(last)]);
  const cameMs = performance.now();
  const waiting = [ask(first)];
  await balancer.program.waitUntil('the first to wait', async () => (await queued()) === 1);
  expect((await ask(between)).by).toBe('reset');
  expect(await balancer.reload(specOf(...configs.slice(1)))).toMatch(/applied/);
  await diesAndServes(balancer, 0);
  waiting.push(ask(last));
  expect((await Promise.all(waiting)).map(({ by }) => by)).toEqual(['reset', 'reset']);
  expect(performance.now() - cameMs).toBeGreaterThanOrEqual(queueTimeoutS.first * 1000);
  await balancer.program.waitUntil('the log', () => refusedPorts(balancer).length === 3);
  expect(refusedPorts(balancer)).toEqual([between, first, last]);
  expect((await statusOf(balancer)).sessions).toBe(held.length);
  for (const { socket } of held) socket.destroy();
});

/** Of those who have waited for too long, in the order in which they were told. */
function refusedPorts({ program }: Balancer): number[] {
  const lines = program.stdout.slice(0, program.stdout.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((text) => text.includes('"outcome":"sQ"')).map((text) => JSON.parse(text).port);
}

test('clients return to their nodes after the death of every shard', async () => {
  const nodes = await Promise.all(['node-a', 'node-b', 'node-c'].map(startNode));
  const [port = 0] = await freePorts(1);
  const spec = onePort({ port, stickiness: 'table', nodes: nodes.map(({ label, address }) => ({ label, address })) });
  const balancer = await start(spec, { BALANCER_WORKERS: '2' });
  const nodeOfEach = () => Promise.all(clients(60).map((from) => whoServes(port, from)));
  const met = await nodeOfEach();
  expect([...new Set(met)].sort()).toEqual(['node-a', 'node-b', 'node-c']);
  for (const shard of [0, 1]) {
    await diesAndServes(balancer, shard);
    // Several times: the kernel spreads connections over the shards by chance.
    for (let i = 0; i < 4; i++) expect(await nodeOfEach()).toEqual(met);
  }
});
