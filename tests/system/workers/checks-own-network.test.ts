// Checks where there is one ephemeral port: a connect to it meets itself, and is no proof of a node; and when it is taken, that is our
// own shortage, and no fault of the node. In a network namespace of its own.

import { describe, expect, test } from 'vitest';
import { ECONNREFUSED } from '../../../core/base/errno.ts';
import { REASON } from '../../../core/health/node-states.ts';
import { enterOwnNetwork } from '../../../testing/own-network.ts';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { run } from './checks-support.ts';

const ONLY_PORT = 40_016;
const NODE_PORT = 20_000;

const hasOwnNetwork = enterOwnNetwork(ONLY_PORT, ONLY_PORT);

describe.skipIf(!hasOwnNetwork)(`with one ephemeral port${hasOwnNetwork ? '' : ' (skipped: needs root)'}`, () => {
  test.each(['connection', 'http'] as const)('a check that meets itself counts as refused: %s', async (check) => {
    const { result } = run(ONLY_PORT, { check, proxyProtocol: 'v1' });
    expect(await result).toMatchObject({ ok: false, reason: REASON.connectError, detail: ECONNREFUSED });
  });

  test('a check without a port is inconclusive', async () => {
    const node = await PeerListener.listen(LOOPBACK_IPV4, NODE_PORT);
    const holder = await Peer.connect({ host: LOOPBACK_IPV4, port: NODE_PORT });
    const { result } = run(NODE_PORT);
    expect(await result).toBe('inconclusive');
    // The node closes first, so that the port is free at once.
    const peer = await node.accept();
    await peer.fin();
    await holder.recvEnd();
    holder.destroy();
    await node.close();
  });
});
