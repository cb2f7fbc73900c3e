// All ephemeral ports towards a node in use (EADDRNOTAVAIL): that is our shortage, not the node's failure. Another node is tried;
// where there is none the client is reset at once, with an outcome that names the resource; and with a port free again all is well.
// In a network namespace of its own, with few ephemeral ports.

import { afterEach, describe, expect, test } from 'vitest';
import { enterOwnNetwork } from '../../../testing/own-network.ts';
import { Peer } from '../../../testing/peer.ts';
import { freePort, hostPort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { RawListener } from '../../../testing/raw-socket.ts';
import { openScene, type Scene } from './scene.ts';

const EPHEMERAL = { first: 41_000, last: 41_015 };
const PORTS = EPHEMERAL.last - EPHEMERAL.first + 1;
/** Clients use ports too, as many for each address that they connect to. */
const FRONT_ADDRESSES = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];

const hasOwnNetwork = enterOwnNetwork(EPHEMERAL.first, EPHEMERAL.last);

describe.skipIf(!hasOwnNetwork)(`no port left${hasOwnNetwork ? '' : ' (skipped: needs root)'}`, () => {
  let scene: Scene;
  let nodes: RawListener[] = [];
  let clients: Peer[] = [];

  afterEach(async () => {
    for (const peer of clients) peer.destroy();
    clients = [];
    await scene?.close();
    for (const node of nodes) node.close();
  });

  /** Nodes that let everybody connect and say nothing. */
  async function open(count: number): Promise<void> {
    nodes = [];
    for (let i = 0; i < count; i++) nodes.push(new RawListener(LOOPBACK_IPV4, await freePort()));
    scene = await openScene({
      ipv4: '0.0.0.0',
      nodes: nodes.map(({ port }, i) => ({ label: `node-${i}`, address: hostPort(LOOPBACK_IPV4, port) })),
    });
  }

  async function connect(host: string): Promise<void> {
    clients.push(await Peer.connect({ host, port: scene.port }));
  }

  /** Until every client has a node, or has been refused. */
  async function settled(): Promise<void> {
    let accepted = 0;
    await eventually('every client to have a node or a reset', () => {
      for (const node of nodes) while (node.tryAccept() !== undefined) accepted++;
      return accepted + refused().length === clients.length;
    });
  }

  const refused = () => clients.filter((peer) => peer.ended === 'rst');
  /** Not by client: two of them may have the same address and port, towards different fronts. */
  const outcomes = () => scene.allEnded().map(({ outcome }) => outcome);

  /** More sessions than there are ports towards one node. */
  async function crowd(): Promise<void> {
    for (let i = 0; i < PORTS + 4; i++) await connect(FRONT_ADDRESSES[i % FRONT_ADDRESSES.length] ?? '');
  }

  test('the client is reset, the outcome is RC, and a port that is free again serves the next one', async () => {
    await open(1);
    await crowd();
    await settled();
    expect(refused().length).toBeGreaterThanOrEqual(4);
    const count = refused().length;
    await eventually('their lines', () => outcomes().length === count);
    for (const line of scene.allEnded()) {
      expect(line).toMatchObject({ outcome: 'RC', errno: 'EADDRNOTAVAIL', bytes_to_node: 0 });
    }
    for (const peer of refused()) peer.destroy();
    const [first, ...others] = clients.filter((peer) => peer.ended === 'open');
    expect(others.length).toBeGreaterThan(0);
    clients = others;
    // A reset, passed on as one, leaves no TIME_WAIT behind.
    first?.rst();
    await eventually('its end', () => outcomes().includes('CD'));
    await connect('127.0.0.5');
    await eventually('the node to have it', () => nodes[0]?.tryAccept()?.unread() !== undefined);
    expect(clients.at(-1)?.ended).toBe('open');
  });

  test('another node takes what the first has no port for: nobody is refused', async () => {
    await open(2);
    await crowd();
    await settled();
    expect(refused()).toEqual([]);
    expect(scene.allEnded()).toEqual([]);
  });
});
