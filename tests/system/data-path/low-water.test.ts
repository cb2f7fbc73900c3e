// Long transfers on connections that stay open: a shard that asks to be woken only for many bytes must pass on the few that come last,
// and those that come alone afterwards.

import { afterEach, expect, test } from 'vitest';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { RawListener } from '../../../testing/raw-socket.ts';
import { expectSame, openScene, pattern, type Scene, sendAll } from './scene.ts';

const KIB = 1024;
/** 64 times as much without a pause raises the mark. */
const MARK_BYTES = 16 * KIB;
const LONG_BYTES = 100 * MARK_BYTES + 1;

let scene: Scene;
let node: RawListener;

afterEach(async () => {
  await scene?.close();
  node?.close();
});

async function open(): Promise<void> {
  node = new RawListener(LOOPBACK_IPV4, await freePort());
  const nodes = [{ label: 'raw', address: `${LOOPBACK_IPV4}:${node.port}` }];
  scene = await openScene({
    nodes,
    env: { BALANCER_SPLICE: 'on', BALANCER_LOW_WATER_BYTES: String(MARK_BYTES) },
  });
}

test.each(['client', 'node'] as const)(
  'from the %s: the end of each burst arrives, and each byte after it',
  async (from) => {
    await open();
    const client = await scene.rawClient();
    const back = await node.accept();
    const [sender, reader] = from === 'client' ? [client, back.toPeer()] : [back, client.toPeer()];
    for (let burst = 0; burst < 5; burst++) {
      const data = pattern(burst, LONG_BYTES + burst);
      const sending = sendAll(sender, data);
      expectSame(await reader.recv(data.length), data);
      await sending;
      for (let byte = 0; byte < 10; byte++) {
        await sendAll(sender, Uint8Array.of(byte));
        expect([...(await reader.recv(1))]).toEqual([byte]);
      }
    }
    sender.close();
    reader.destroy();
  },
);

test('urgent data and its neighbours arrive while the mark is up', async () => {
  await open();
  const sender = await scene.rawClient();
  const reader = (await node.accept()).toPeer();
  const data = pattern(9, LONG_BYTES);
  const sending = sendAll(sender, data);
  expectSame(await reader.recv(data.length), data);
  await sending;
  sender.sendUrgent(Uint8Array.of(1));
  await sendAll(sender, Uint8Array.of(2));
  expect([...(await reader.recv(2))]).toEqual([1, 2]);
  sender.close();
  reader.destroy();
});
