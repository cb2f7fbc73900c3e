// What the balancer occupies while peers do not read, and after nodes and clients were killed. How many bytes
// it holds of a stalled session, and that sockets and pipes return, is counted in tests/system/data-path.

import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort, hostPort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually, type Program } from '../../../testing/process.ts';
import { growsAtMost } from '../../../testing/yardstick.ts';
import { startFlooder } from '../../system/data-path/flooder.ts';
import { openScene, pattern, type Scene } from '../../system/data-path/scene.ts';

const MIB = 1 << 20;
const SESSIONS = 12;

const closers: (() => unknown)[] = [];
let scene: Scene;
let peers: Peer[];

beforeEach(() => {
  peers = [];
});
afterEach(async () => {
  for (const peer of peers) peer.destroy();
  await scene.close();
  for (const close of closers.splice(0)) await close();
});

async function pair(): Promise<{ client: Peer; back: Peer }> {
  const { client, back } = await scene.pair();
  peers.push(client, back);
  return { client, back };
}

/** Until the kernel takes nothing more of the sender. */
async function stalled({ socket }: Peer): Promise<void> {
  let seen = -1;
  let quiet = 0;
  await eventually('the sender to be held back', () => {
    quiet = socket.writableLength === seen ? quiet + 1 : 0;
    seen = socket.writableLength;
    return quiet >= 20;
  });
  expect(socket.writableLength).toBeGreaterThan(0);
}

test.each([
  ['splice auto', {}],
  ['splice off', { BALANCER_SPLICE: 'off' }],
  ['splice on, small buffers', { BALANCER_SPLICE: 'on', BALANCER_BUFFER_BYTES: '4096' }],
])('%s: 48 MiB for somebody who does not read, in each direction', async (_, env) => {
  scene = await openScene({ env });
  const piece = pattern(1, MIB);
  await growsAtMost(
    32 * MIB,
    () => scene.balancer.rssBytes(),
    async () => {
      for (const idle of ['client', 'back'] as const) {
        const { client, back } = await pair();
        const [reader, sender] = idle === 'back' ? [back, client] : [client, back];
        reader.pause();
        for (let i = 0; i < 48; i++) sender.socket.write(piece);
        await stalled(sender);
      }
    },
  );
});

test('nodes and clients that were killed in mid-transfer', async () => {
  const nodePort = await freePort();
  scene = await openScene({ nodes: [{ label: 'wild', address: hostPort(LOOPBACK_IPV4, nodePort) }] });
  const { port } = scene;

  async function killTheNode(): Promise<void> {
    const node = await startFlooder('node', nodePort);
    await node.waitForOutput(/ready/);
    const clients: Peer[] = [];
    for (let i = 0; i < SESSIONS; i++) clients.push(await Peer.connect({ host: LOOPBACK_IPV4, port }));
    await killed(node, clients);
  }

  async function killTheClients(): Promise<void> {
    const node = await PeerListener.listen(LOOPBACK_IPV4, nodePort);
    const clients = await startFlooder('client', port, SESSIONS);
    const backs: Peer[] = [];
    for (let i = 0; i < SESSIONS; i++) backs.push(await node.accept());
    await killed(clients, backs);
    await node.close();
  }

  // What is kept for good: pooled pipes, touched memory, compiled code.
  await killTheNode();
  await killTheClients();
  await growsAtMost(8 * MIB, pssBytes, async () => {
    await killTheNode();
    await killTheClients();
  });
});

async function killed(flooder: Program, ends: readonly Peer[]): Promise<void> {
  for (const { socket } of ends) socket.write(Buffer.alloc(4 * MIB));
  await eventually('all to be in mid-transfer', () => ends.every(({ bytesReceived }) => bytesReceived > MIB));
  flooder.signal('SIGKILL');
  await Promise.all(ends.map((end) => end.recvEnd()));
  for (const end of ends) end.destroy();
  await flooder.waitForExit();
}

/** Proportional set size: what the process really occupies. */
function pssBytes(): number {
  const text = readFileSync(`/proc/${scene.balancer.pid}/smaps_rollup`, 'utf8');
  return Number(text.match(/^Pss:\s+(\d+) kB$/m)?.[1]) * 1024;
}
