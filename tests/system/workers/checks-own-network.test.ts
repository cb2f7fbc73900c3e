// Checks where there is one ephemeral port: a connect to it meets itself, and is no proof of a node; and when it is taken, that is our
// own shortage, and no fault of the node. With source addresses it is taken once for each node, not once for all. In a network
// namespace of its own.

import { describe, expect, test } from 'vitest';
import { ECONNREFUSED } from '../../../core/base/errno.ts';
import { REASON } from '../../../core/health/node-states.ts';
import type { ShardSettings } from '../../../core/session/settings.ts';
import { ipOf } from '../../../testing/loopback.ts';
import { enterOwnNetwork } from '../../../testing/own-network.ts';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { Farewells } from '../../../workers/checks/attempt.ts';
import { SourceTurns } from '../../../workers/checks/source-turns.ts';
import { preflight } from '../../../workers/preflight.ts';
import { run } from './checks-support.ts';

const ONLY_PORT = 40_016;
const NODE_PORT = 20_000;
const OTHER_NODE_PORT = 20_001;
const SOURCE = '127.0.0.9';

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

  test('that is in use at the source address for one node: another is checked from there, and a start is not refused', async () => {
    const [node, other] = await Promise.all(
      [NODE_PORT, OTHER_NODE_PORT].map((port) => PeerListener.listen(LOOPBACK_IPV4, port)),
    );
    const from = (port: number, check: 'connection' | 'http') =>
      run(port, { check }, undefined, new Farewells(1), new SourceTurns([ipOf(SOURCE)]));
    // It holds the port for as long as the node does not answer.
    const holder = from(NODE_PORT, 'http');
    const held = await node?.accept();
    expect(held?.remote).toEqual({ address: SOURCE, port: ONLY_PORT });
    expect(await from(OTHER_NODE_PORT, 'connection').result).toMatchObject({ ok: true });
    expect((await other?.accept())?.remote).toEqual({ address: SOURCE, port: ONLY_PORT });
    expect(await from(NODE_PORT, 'connection').result).toBe('inconclusive');
    const settings = { sourceAddresses: [ipOf(SOURCE)], backCongestion: '' } as unknown as ShardSettings;
    expect(preflight(settings, undefined)).toEqual([]);
    holder.controller.abort();
    await Promise.all([node?.close(), other?.close()]);
  });
});

test('a source address that this machine lacks says nothing about the node', async () => {
  const { result } = run(NODE_PORT, {}, undefined, new Farewells(1), new SourceTurns([ipOf('192.0.2.1')]));
  expect(await result).toBe('inconclusive');
});
