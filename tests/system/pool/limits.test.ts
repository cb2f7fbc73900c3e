// max_connections of a node: never more sessions than that, over all shards; the others wait in the order in which they came, as
// many and as long as they may.

import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { onePort } from '../../../testing/balancer.ts';
import type { ConfigSpec } from '../../../testing/balancer-spec.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { type Answer, ask, NamedNode, startPool, whoServes } from './scene.ts';
import { statusOf } from './status.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(maxConnections: number, more: Partial<ConfigSpec> = {}, env: Record<string, string> = {}) {
  const node = await NamedNode.start('node-a');
  closers.push(() => node.close());
  const port = await freePort();
  const nodes = [{ label: node.label, address: node.address, max_connections: maxConnections }];
  const balancer = await startPool(onePort({ port, nodes, ...more }), env);
  closers.push(() => balancer.stop());
  const queued = async () => (await statusOf(balancer)).frontends[0]?.queued;
  return { node, port, balancer, queued };
}

test('a hundred at once through a node that takes seven: all are served, never more than seven at a time', async () => {
  const { node, port } = await open(7);
  const answers = await Promise.all(Array.from({ length: 100 }, () => whoServes(port)));
  expect(new Set(answers)).toEqual(new Set(['node-a']));
  expect(node.peak).toBeLessThanOrEqual(7);
  expect(node.taken).toBe(100);
});

test('who waits is served as soon as a place is free, whichever shard frees it', async () => {
  const { port, balancer, queued } = await open(2);
  const held = await Promise.all([ask(port), ask(port)]);
  const waiting = ask(port);
  await balancer.program.waitUntil('the third to wait', async () => (await queued()) === 1);
  held[0]?.socket.destroy();
  const third = await waiting;
  expect(third.by).toBe('node-a');
  for (const { socket } of [...held, third]) socket.destroy();
  await balancer.program.waitUntil('all to be gone', async () => (await statusOf(balancer)).sessions === 0);
  expect(await queued()).toBe(0);
});

test('first come, first served, within a shard', async () => {
  const { port, balancer, queued } = await open(1, {}, { BALANCER_WORKERS: '1' });
  const first = await ask(port);
  const served: number[] = [];
  const waiting: Promise<Answer>[] = [];
  for (let i = 0; i < 5; i++) {
    const answer = ask(port);
    waiting.push(answer);
    void answer.then(({ socket }) => {
      served.push(i);
      socket.destroy();
    });
    await balancer.program.waitUntil(`${i + 1} to wait`, async () => (await queued()) === i + 1);
  }
  first.socket.destroy();
  await Promise.all(waiting);
  expect(served).toEqual([0, 1, 2, 3, 4]);
});

test('a full queue refuses at once; who has waited too long is reset; both are counted', async () => {
  const { port, balancer, queued } = await open(1, { queue_size: 1, queue_timeout: 1 }, { BALANCER_ACCESS_LOG: '-' });
  const held = await ask(port);
  const waiting = ask(port);
  await balancer.program.waitUntil('one to wait', async () => (await queued()) === 1);
  expect(await whoServes(port)).toBe('reset');
  expect((await waiting).by).toBe('reset');
  const [frontend] = (await statusOf(balancer)).frontends;
  expect(frontend).toMatchObject({ queued: 0, queue_refused: 1, queue_timeouts: 1, sessions: 1 });
  await balancer.program.waitForOutput(/"outcome":"SQ"/);
  await balancer.program.waitForOutput(/"outcome":"sQ"/);
  held.socket.destroy();
});

test('a client that gives up while it waits takes nobody’s place', async () => {
  const { node, port, balancer, queued } = await open(1);
  const held = await ask(port);
  const impatient = connect({ port, host: LOOPBACK_IPV4 });
  impatient.on('error', () => {});
  await balancer.program.waitUntil('one to wait', async () => (await queued()) === 1);
  const patient = ask(port);
  await balancer.program.waitUntil('two to wait', async () => (await queued()) === 2);
  impatient.resetAndDestroy();
  await balancer.program.waitUntil('one to have gone', async () => (await queued()) === 1);
  held.socket.destroy();
  const { by, socket } = await patient;
  expect([by, node.taken]).toEqual(['node-a', 2]);
  socket.destroy();
  await balancer.program.waitUntil('all to be gone', async () => (await statusOf(balancer)).sessions === 0);
  expect(await queued()).toBe(0);
});
