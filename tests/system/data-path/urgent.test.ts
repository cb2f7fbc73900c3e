// Urgent data (MSG_OOB) inside a stream: the byte arrives in its place as an ordinary one, nothing is lost around it, nothing
// stalls. splice(2) cannot pass an urgent mark, so a spliced direction has to notice and copy past it.

import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Peer } from '../../../testing/peer.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { RawListener, type RawSocket } from '../../../testing/raw-socket.ts';
import { expectSame, openScene, pattern, type Scene, sendAll } from './scene.ts';

const KIB = 1024;

/** Sends all of `data`; each byte at one of `urgentAt` is sent as urgent, in a call of its own. */
async function sendWithUrgent(socket: RawSocket, data: Buffer, urgentAt: readonly number[]): Promise<void> {
  let at = 0;
  for (const urgent of urgentAt) {
    await sendAll(socket, data.subarray(at, urgent));
    while (socket.sendUrgent(data.subarray(urgent, urgent + 1)) < 0)
      await new Promise((resolve) => setImmediate(resolve));
    at = urgent + 1;
  }
  await sendAll(socket, data.subarray(at));
}

for (const splice of ['auto', 'on', 'off'] as const) {
  describe(`splice ${splice}`, () => {
    let node: RawListener;
    let scene: Scene;
    beforeAll(async () => {
      node = new RawListener(LOOPBACK_IPV4, await freePort());
      const nodes = [{ label: 'raw', address: `${LOOPBACK_IPV4}:${node.port}` }];
      scene = await openScene({ nodes, env: { BALANCER_SPLICE: splice } });
    });
    afterAll(async () => {
      await scene?.close();
      node?.close();
    });

    /** One session; `from` sends through a raw socket, the other end reads. */
    async function direction(from: 'client' | 'node'): Promise<{ sender: RawSocket; reader: Peer }> {
      const client = await scene.rawClient();
      const back = await node.accept();
      return from === 'client' ? { sender: client, reader: back.toPeer() } : { sender: back, reader: client.toPeer() };
    }

    for (const from of ['client', 'node'] as const) {
      test(`from the ${from}: urgent bytes all over a bulk transfer`, async () => {
        const { sender, reader } = await direction(from);
        const data = pattern(1, 12_000 * KIB);
        const urgentAt = Array.from({ length: 25 }, (_, i) => (i + 1) * 450 * KIB + i * 7);
        const sending = sendWithUrgent(sender, data, urgentAt).then(() => sender.fin());
        expectSame(await reader.recvAll(), data);
        await sending;
        sender.close();
        reader.destroy();
      });

      test(`from the ${from}: an urgent byte on its way to a reader that stands still`, async () => {
        const { sender, reader } = await direction(from);
        reader.pause();
        const data = pattern(2, 16_000 * KIB);
        let sent = false;
        const sending = sendWithUrgent(sender, data, [100, 2000 * KIB, 8000 * KIB, 15_999 * KIB]).then(() => {
          sender.fin();
          sent = true;
        });
        await eventually('the sender to be held back', () => sender.unsent() > 0);
        reader.resume();
        expectSame(await reader.recvAll(), data);
        await sending;
        expect(sent).toBe(true);
        sender.close();
        reader.destroy();
      });

      test(`from the ${from}: urgent byte, rest and FIN are there at once`, async () => {
        const { sender, reader } = await direction(from);
        const [first, second] = [pattern(3, 2000 * KIB), pattern(4, 50 * KIB)];
        await sendAll(sender, first);
        expectSame(await reader.recv(first.length), first);
        scene.balancer.signal('SIGSTOP');
        try {
          await sendWithUrgent(sender, second, [30 * KIB]);
          sender.fin();
          await eventually('the balancer’s kernel to have all', () => sender.unsent() === 0);
        } finally {
          scene.balancer.signal('SIGCONT');
        }
        expectSame(await reader.recvAll(), second);
        sender.close();
        reader.destroy();
      });

      test(`from the ${from}: many short streams with urgent byte and FIN close behind`, async () => {
        for (let i = 0; i < 150; i++) {
          const { sender, reader } = await direction(from);
          const data = pattern(i, 300 * KIB + i * 1000);
          const receiving = reader.recvAll();
          await sendWithUrgent(sender, data, [data.length - 100 - i * 60]);
          sender.fin();
          expectSame(await receiving, data);
          sender.close();
          reader.destroy();
        }
      });
    }

    test('urgent data both ways at the same time', async () => {
      const client = await scene.rawClient();
      const back = await node.accept();
      const data = pattern(5, 3000 * KIB);
      // Urgent bytes alone and at the very ends.
      const marks = [0, 1, 500 * KIB, data.length - 1];
      const sending = Promise.all([sendWithUrgent(client, data, marks), sendWithUrgent(back, data, marks)]);
      await sending.catch(() => {});
      const [atClient, atNode] = [client.toPeer(), back.toPeer()];
      await Promise.all([atClient.fin(), atNode.fin()]);
      expectSame(Buffer.from(await atClient.recvAll()), data);
      expectSame(Buffer.from(await atNode.recvAll()), data);
    });
  });
}
