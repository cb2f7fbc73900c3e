// A node address that is a local ephemeral port where nobody listens: the kernel may pick that very port for the outgoing
// connection, which then meets itself (RFC 793, 3.4). It must count as refused: no header, no bytes, no echo to the client.
// In a network namespace of its own, with few ephemeral ports, that happens all the time.

import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EAGAIN, ECONNRESET } from '../../../core/base/errno.ts';
import { enterOwnNetwork } from '../../../testing/own-network.ts';
import { PeerListener } from '../../../testing/peer.ts';
import { LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { beginConnect, isConnected } from '../../../testing/raw-socket.ts';
import { openScene, type Scene } from './scene.ts';

const EPHEMERAL = { first: 40_000, last: 40_031 };
const NODE_PORT = 40_016;

const hasOwnNetwork = enterOwnNetwork(EPHEMERAL.first, EPHEMERAL.last);

describe.skipIf(!hasOwnNetwork)(
  `a node at an ephemeral port where nobody listens${hasOwnNetwork ? '' : ' (skipped: needs root)'}`,
  () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await openScene({
        proxyProtocol: 'v1',
        nodes: [{ label: 'nobody', address: `${LOOPBACK_IPV4}:${NODE_PORT}` }],
        env: { BALANCER_CONNECT_RETRIES: '0' },
      });
    });
    afterAll(() => scene?.close());

    test('here a plain connect does meet itself', () => {
      let met = 0;
      for (let i = 0; i < 500 && met === 0; i++) {
        try {
          const socket = beginConnect(LOOPBACK_IPV4, NODE_PORT);
          if (isConnected(socket)) {
            expect(socket.local.port).toBe(NODE_PORT);
            met++;
          }
          socket.rst();
        } catch (error) {
          expect(String(error)).toContain('errno 111');
        }
      }
      expect(met).toBe(1);
    });

    test('the balancer counts it as refused, 500 times', async () => {
      for (let i = 0; i < 500; i++) {
        const client = beginConnect(LOOPBACK_IPV4, scene.port);
        // The reset may be quicker than we are: then it is this call that hears of it.
        const sent = client.send(Buffer.from('is this an echo?'));
        let n = -EAGAIN;
        await eventually('an answer', () => {
          n = client.recv();
          return n !== -EAGAIN;
        });
        expect(sent === -ECONNRESET ? sent : n).toBe(-ECONNRESET);
        expect(n).toBeLessThanOrEqual(0);
        client.close();
      }
      await eventually('all to be logged', () => scene.allEnded().length === 500);
      const ended = scene.allEnded();
      for (const { outcome, errno, bytes_to_node, header_bytes } of ended) {
        expect({ outcome, errno, bytes_to_node, header_bytes }).toEqual({
          outcome: 'SC',
          errno: 'ECONNREFUSED',
          bytes_to_node: 0,
          header_bytes: 0,
        });
      }
    });

    test('a node that begins to listen there afterwards is reached', async () => {
      const node = await PeerListener.listen(LOOPBACK_IPV4, NODE_PORT);
      try {
        const client = await scene.client();
        const back = await node.accept();
        expect((await back.readProxyHeader()).sourcePort).toBe(client.local.port);
        client.destroy();
      } finally {
        await node.close();
      }
    });
  },
);
