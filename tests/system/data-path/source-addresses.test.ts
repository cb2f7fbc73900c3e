// BALANCER_SOURCE_ADDRESSES: connections to nodes come from these addresses in turn, each with its own range of ports; the
// client's address in the header stays the client's. An address of the other family is passed over.

import { afterEach, expect, test } from 'vitest';
import { openScene, type Scene } from './scene.ts';

let scene: Scene;
afterEach(() => scene?.close());

async function sources(count: number): Promise<string[]> {
  const seen: string[] = [];
  for (let i = 0; i < count; i++) {
    const { client, back } = await scene.pair();
    const header = await back.readProxyHeader();
    expect(header).toMatchObject({ sourceAddress: '127.0.0.1', sourcePort: client.local.port });
    seen.push(back.remote.address);
    await client.send('question');
    expect((await back.recv(8)).toString()).toBe('question');
    client.destroy();
  }
  return seen;
}

test('the node sees the source addresses in turn', async () => {
  scene = await openScene({ proxyProtocol: 'v2', env: { BALANCER_SOURCE_ADDRESSES: '127.0.0.2,127.0.0.3' } });
  expect(await sources(6)).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.2', '127.0.0.3', '127.0.0.2', '127.0.0.3']);
});

test('an IPv6 source address is not used for an IPv4 node', async () => {
  scene = await openScene({ proxyProtocol: 'v1', env: { BALANCER_SOURCE_ADDRESSES: '127.0.0.4,::1,127.0.0.5' } });
  const seen = await sources(6);
  expect(new Set(seen)).toEqual(new Set(['127.0.0.4', '127.0.0.5']));
});

test('addresses that differ in family only lose no turn: they are used equally often', async () => {
  scene = await openScene({ proxyProtocol: 'v1', env: { BALANCER_SOURCE_ADDRESSES: '127.0.0.4,::1,127.0.0.5' } });
  const seen = await sources(20);
  const first = seen.filter((address) => address === '127.0.0.4').length;
  expect(first).toBe(10);
});

test('checks come from them, too, each node seeing all', async () => {
  scene = await openScene({ env: { BALANCER_SOURCE_ADDRESSES: '127.0.0.2,127.0.0.3' }, check: 'connection' });
  const checks = [await scene.node.accept(), await scene.node.accept()];
  expect(checks.map(({ remote }) => remote.address)).toEqual(['127.0.0.2', '127.0.0.3']);
});

test('without any, the system chooses', async () => {
  scene = await openScene({ proxyProtocol: 'v2' });
  expect(new Set(await sources(3))).toEqual(new Set(['127.0.0.1']));
});

test('a source address that is not this machine’s is refused at start, by name', async () => {
  const start = openScene({ env: { BALANCER_SOURCE_ADDRESSES: '127.0.0.2,192.0.2.1' } });
  await expect(start).rejects.toThrow(/exit 75[\s\S]*source address 192\.0\.2\.1 cannot be used: EADDRNOTAVAIL/);
});
