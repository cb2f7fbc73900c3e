// client_conn_throttle over IPv6: one subscriber has all addresses of a network, so they share one count. In a network namespace of
// its own, whose `lo` has addresses of three networks.

import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { enterOwnNetwork } from '../../../testing/own-network.ts';
import { freePort } from '../../../testing/ports.ts';
import { addLoopbackIpv6 } from '../../../testing/raw-socket.ts';
import { ask, NamedNode, startPool } from './scene.ts';
import { statusOf } from './status.ts';

const THROTTLE = 5;
const TRIES = 60;
const SECOND_MS = 1000;
/** A shard that cannot ask the table in time, because the other lost its processor inside, lets the connection through. */
const UNASKED_MAX = 3;
const HOST = '2001:db8::1';
/** Near and far apart in one network of 64 bits; its neighbour differs in the last of them. */
const ONE_NETWORK = ['2001:db8:0:2::1', '2001:db8:0:2::2', '2001:db8:0:2:8000::1', '2001:db8:0:2:ffff:ffff:ffff:ffff'];
const ITS_NEIGHBOUR = '2001:db8:0:3::1';

const hasOwnNetwork = enterOwnNetwork(30_000, 60_000);

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe.skipIf(!hasOwnNetwork)(`a network of clients${hasOwnNetwork ? '' : ' (skipped: needs root)'}`, () => {
  beforeAll(() => {
    for (const host of [HOST, ...ONE_NETWORK, ITS_NEIGHBOUR]) addLoopbackIpv6(host);
  });

  async function start(env: Readonly<Record<string, string>> = {}) {
    const node = await NamedNode.start('node-a');
    closers.push(() => node.close());
    const port = await freePort();
    const configs = [{ port, nodes: [{ label: node.label, address: node.address }] }];
    const balancer = await startPool(
      { nodebalancers: [{ label: 'test', ipv6: HOST, client_conn_throttle: THROTTLE, configs }] },
      env,
    );
    closers.push(() => balancer.stop());
    return { balancer, port };
  }

  /** Connections of these clients in turn, all at once. @returns what became of them, and in how many windows at most */
  async function burst(port: number, clients: readonly string[]) {
    const startMs = performance.now();
    const answers = await Promise.all(
      Array.from({ length: TRIES }, (_, i) => ask(port, clients[i % clients.length], HOST)),
    );
    for (const { socket } of answers) socket.destroy();
    const counted = (by: string) => answers.filter((answer) => answer.by === by).length;
    const windows = 1 + Math.floor((performance.now() - startMs) / SECOND_MS);
    return { served: counted('node-a'), reset: counted('reset'), windows };
  }

  test('shares one count, over all shards; the network next to it has its own', async () => {
    const { balancer, port } = await start();
    const bursts = await Promise.all([burst(port, ONE_NETWORK), burst(port, [ITS_NEIGHBOUR])]);
    for (const { served, reset, windows } of bursts) {
      expect(served).toBeGreaterThanOrEqual(THROTTLE);
      expect(served).toBeLessThanOrEqual(THROTTLE * windows + UNASKED_MAX);
      expect(served + reset).toBe(TRIES);
    }
    const [frontend] = (await statusOf(balancer)).frontends;
    expect(frontend?.throttled).toBe(bursts.reduce((sum, { reset }) => sum + reset, 0));
  });

  test('is as long as the operator says: with 128 bits each address has a count of its own', async () => {
    const { port } = await start({ BALANCER_THROTTLE_IPV6_PREFIX: '128' });
    const { served, reset, windows } = await burst(port, ONE_NETWORK);
    expect(served).toBeGreaterThanOrEqual(THROTTLE * ONE_NETWORK.length);
    expect(served).toBeLessThanOrEqual(THROTTLE * ONE_NETWORK.length * windows + UNASKED_MAX);
    expect(served + reset).toBe(TRIES);
  });

  test('that is wider joins the neighbours', async () => {
    const { port } = await start({ BALANCER_THROTTLE_IPV6_PREFIX: '63' });
    const { served, windows } = await burst(port, [...ONE_NETWORK, ITS_NEIGHBOUR]);
    expect(served).toBeGreaterThanOrEqual(THROTTLE);
    expect(served).toBeLessThanOrEqual(THROTTLE * windows + UNASKED_MAX);
  });
});
