// BALANCER_FLOATING_ADDRESSES: a spare machine starts with the addresses of the one that it stands by for, and serves them from the
// moment in which it gets them. In a network namespace of its own, whose `lo` gets an address while the balancer runs.

import { afterEach, expect, test } from 'vitest';
import { type Balancer, startBalancer } from '../../../testing/balancer.ts';
import { enterOwnNetwork } from '../../../testing/own-network.ts';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort, hostPort } from '../../../testing/ports.ts';
import { addLoopbackIpv6 } from '../../../testing/raw-socket.ts';

const hasOwnNetwork = enterOwnNetwork(30_000, 60_000);
const FLOATING_V4 = '192.0.2.10';
const FLOATING_V6 = '2001:db8::10';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(floating: string): Promise<{ balancer: Balancer; node: PeerListener; port: number }> {
  const node = await PeerListener.listen('127.0.0.1', await freePort());
  closers.push(() => node.close());
  const port = await freePort();
  const configs = [{ port, nodes: [{ label: 'node', address: hostPort(node.host, node.port) }] }];
  const spare = { label: 'spare', ipv4: FLOATING_V4, ipv6: FLOATING_V6, configs };
  const balancer = await startBalancer({ nodebalancers: [spare] }, { env: { BALANCER_FLOATING_ADDRESSES: floating } });
  closers.push(() => balancer.stop());
  return { balancer, node, port };
}

test.skipIf(!hasOwnNetwork)(
  'a spare machine listens before it has the address, and serves once it has it',
  async () => {
    const { node, port } = await start(`${FLOATING_V4}, ${FLOATING_V6}`);
    addLoopbackIpv6(FLOATING_V6);
    const client = await Peer.connect({ host: FLOATING_V6, port });
    const back = await node.accept();
    await client.send('question');
    expect((await back.recv(8)).toString()).toBe('question');
    client.destroy();
  },
);

test.skipIf(!hasOwnNetwork)('an address that is not in the list is refused at start, by name', async () => {
  await expect(start('2001:db8::11')).rejects.toThrow(/cannot listen on 192\.0\.2\.10:\d+: this machine does not have/);
});
