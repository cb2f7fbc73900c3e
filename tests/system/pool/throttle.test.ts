// client_conn_throttle: so many new connections per second and client address, over all shards and ports of a nodebalancer. What is
// too much is reset at once, and counted.

import { afterEach, expect, test } from 'vitest';
import { freePorts } from '../../../testing/ports.ts';
import { ask, NamedNode, startPool } from './scene.ts';
import { statusOf } from './status.ts';

const THROTTLE = 5;
const TRIES = 60;
const SECOND_MS = 1000;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

test('exact over two shards and two ports; other clients are not concerned; the next second is a new one', async () => {
  const node = await NamedNode.start('node-a');
  closers.push(() => node.close());
  const [first = 0, second = 0] = await freePorts(2);
  const nodes = [{ label: node.label, address: node.address }];
  const configs = [
    { port: first, nodes },
    { port: second, nodes },
  ];
  const balancer = await startPool({
    nodebalancers: [{ label: 'test', ipv4: '127.0.0.1', client_conn_throttle: THROTTLE, configs }],
  });
  closers.push(() => balancer.stop());

  const burst = async (from: string) => {
    const startMs = performance.now();
    const answers = await Promise.all(Array.from({ length: TRIES }, (_, i) => ask(i % 2 === 0 ? first : second, from)));
    for (const { socket } of answers) socket.destroy();
    const counted = (by: string) => answers.filter((answer) => answer.by === by).length;
    // On a machine that is so slow that the burst takes longer, the client may have had a second window.
    const windows = 1 + Math.floor((performance.now() - startMs) / SECOND_MS);
    return { served: counted('node-a'), reset: counted('reset'), windows };
  };
  const bursts = await Promise.all([burst('127.2.0.1'), burst('127.2.0.2')]);
  for (const { served, reset, windows } of bursts) {
    expect(served).toBeGreaterThanOrEqual(THROTTLE);
    expect(served).toBeLessThanOrEqual(THROTTLE * windows);
    expect(served + reset).toBe(TRIES);
  }
  const resets = bursts.reduce((sum, { reset }) => sum + reset, 0);
  const { frontends } = await statusOf(balancer);
  expect(frontends.reduce((sum, { throttled }) => sum + throttled, 0)).toBe(resets);

  await balancer.program.waitUntil('a new window', async () => {
    const { by, socket } = await ask(first, '127.2.0.1');
    socket.destroy();
    return by === 'node-a';
  });
});
