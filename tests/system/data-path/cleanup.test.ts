// After violence nothing is left behind and nobody else is hurt: a node process killed in mid-transfer, clients killed, clients
// whose host went silent. Sockets return to where they were, pipes stay within their pool, and sessions that had nothing to do
// with it carry on byte-exact. That memory does not grow from round to round: tests/clock/data-path/memory.test.ts.

import { readdirSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Balancer, startBalancer } from '../../../testing/balancer.ts';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort, hostPort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { closeSilently, connectRaw, RawListener, type RawSocket } from '../../../testing/raw-socket.ts';
import { startFlooder } from './flooder.ts';
import { expectSame, pattern } from './scene.ts';

const MIB = 1 << 20;
const SESSIONS = 12;

let balancer: Balancer;
let calmNode: PeerListener;
let calmPort: number;
let wildPort: number;
let wildNodePort: number;
/** those that the process has without sessions: its own output, its threads */
let ownPipes: number;

beforeAll(async () => {
  [calmPort, wildPort, wildNodePort] = [await freePort(), await freePort(), await freePort()];
  calmNode = await PeerListener.listen(LOOPBACK_IPV4, await freePort());
  const config = (port: number, nodePort: number) => ({
    port,
    nodes: [{ label: 'node-1', address: hostPort(LOOPBACK_IPV4, nodePort) }],
  });
  const configs = [config(calmPort, calmNode.port), config(wildPort, wildNodePort)];
  balancer = await startBalancer(
    { nodebalancers: [{ label: 'cleanup', ipv4: LOOPBACK_IPV4, configs }] },
    { env: { BALANCER_WORKERS: '2', BALANCER_DRAIN_TIMEOUT_MS: '0', BALANCER_KEEPALIVE_SECONDS: '1' } },
  );
  ownPipes = descriptors('pipe');
});

afterAll(async () => {
  await calmNode?.close();
  await balancer?.stop();
});

function descriptors(kind: 'socket' | 'pipe'): number {
  let count = 0;
  for (const fd of readdirSync(`/proc/${balancer.pid}/fd`)) {
    try {
      if (readlinkSync(`/proc/${balancer.pid}/fd/${fd}`).startsWith(`${kind}:`)) count++;
    } catch {
      // Closed since the folder was read.
    }
  }
  return count;
}

/** A session with the calm node, both directions at once, checked. */
async function calmExchange(seed: number): Promise<void> {
  const client = await Peer.connect({ host: LOOPBACK_IPV4, port: calmPort });
  const back = await calmNode.accept();
  const bytes = 2 * MIB;
  const [up, down] = [pattern(seed, bytes), pattern(seed + 1, bytes)];
  const sending = Promise.all([client.send(up), back.send(down), client.fin(), back.fin()]);
  expectSame(await back.recvAll(), up);
  expectSame(await client.recvAll(), down);
  await sending;
}

/** Runs `violence` while calm sessions run; afterwards only they may have left anything, and they have ended. */
async function round(seed: number, violence: () => Promise<void>): Promise<void> {
  const calm = (async () => {
    for (let i = 0; i < 3; i++) await calmExchange(seed + 2 * i);
  })();
  await violence();
  await calm;
}

async function killTheNode(): Promise<void> {
  const node = await startFlooder('node', wildNodePort);
  await node.waitForOutput(/ready/);
  const clients: Peer[] = [];
  for (let i = 0; i < SESSIONS; i++) clients.push(await Peer.connect({ host: LOOPBACK_IPV4, port: wildPort }));
  for (const client of clients) client.socket.write(Buffer.alloc(4 * MIB));
  await eventually('all to be in mid-transfer', () => clients.every(({ bytesReceived }) => bytesReceived > MIB));
  node.signal('SIGKILL');
  await Promise.all(clients.map((client) => client.recvEnd()));
  for (const client of clients) client.destroy();
  await node.waitForExit();
}

async function killTheClients(): Promise<void> {
  const node = await PeerListener.listen(LOOPBACK_IPV4, wildNodePort);
  const clients = await startFlooder('client', wildPort, SESSIONS);
  const backs: Peer[] = [];
  for (let i = 0; i < SESSIONS; i++) backs.push(await node.accept());
  for (const back of backs) back.socket.write(Buffer.alloc(4 * MIB));
  await eventually('all to be in mid-transfer', () => backs.every(({ bytesReceived }) => bytesReceived > MIB));
  clients.signal('SIGKILL');
  await Promise.all(backs.map((back) => back.recvEnd()));
  for (const back of backs) back.destroy();
  await clients.waitForExit();
  await node.close();
}

for (const [what, violence] of [
  ['a node is killed', killTheNode],
  ['clients are killed', killTheClients],
] as const) {
  test(`${what} in mid-transfer: calm sessions stay byte-exact, sockets and pipes return`, async () => {
    const sockets = descriptors('socket');
    await round(1, violence);
    await eventually('sockets to return', () => descriptors('socket') === sockets);
    for (let i = 2; i <= 4; i++) await round(100 * i, violence);
    await eventually('sockets to return', () => descriptors('socket') === sockets);
    expect(descriptors('pipe')).toBeLessThanOrEqual(4 * (SESSIONS + 4) + ownPipes);
  });
}

test.skipIf(process.getuid?.() !== 0)('clients that vanish without a word are noticed by keepalive', async () => {
  const sockets = descriptors('socket');
  const clients: RawSocket[] = [];
  const backs: Peer[] = [];
  for (let i = 0; i < 10; i++) {
    clients.push(await connectRaw(LOOPBACK_IPV4, calmPort));
    backs.push(await calmNode.accept());
  }
  for (const client of clients) closeSilently(client);
  await calmExchange(7000);
  await Promise.all(backs.map((back) => back.recvEnd()));
  expect(new Set(backs.map(({ ended }) => ended))).toEqual(new Set(['rst']));
  for (const back of backs) back.destroy();
  await eventually('sockets to return', () => descriptors('socket') === sockets);
});

test.skipIf(process.getuid?.() !== 0)('nodes that vanish without a word are noticed too', async () => {
  const sockets = descriptors('socket');
  const node = new RawListener(LOOPBACK_IPV4, wildNodePort);
  const clients: Peer[] = [];
  for (let i = 0; i < 10; i++) {
    clients.push(await Peer.connect({ host: LOOPBACK_IPV4, port: wildPort }));
    closeSilently(await node.accept());
  }
  await Promise.all(clients.map((client) => client.recvEnd()));
  expect(new Set(clients.map(({ ended }) => ended))).toEqual(new Set(['rst']));
  for (const client of clients) client.destroy();
  node.close();
  await eventually('sockets to return', () => descriptors('socket') === sockets);
});

/** One connection that ends in one of the ways there are. */
async function endSomehow(node: PeerListener, way: number): Promise<void> {
  const client = await Peer.connect({ host: LOOPBACK_IPV4, port: wildPort });
  const back = await node.accept();
  // Past the connect: a node that resets before a byte was forwarded is tried again.
  await client.send('x');
  await back.recv(1);
  if (way === 0) client.rst();
  if (way === 1) back.rst();
  if (way === 2) await Promise.all([client.fin(), back.recvEnd()]);
  if (way === 3) await Promise.all([back.fin(), client.recvEnd()]);
  if (way === 4) await Promise.all([client.send(pattern(way, 200_000)), back.send(pattern(way, 200_000))]);
  if (way % 2 === 0) back.destroy();
  client.destroy();
  back.destroy();
}

test('1,500 connections that end in every way leave nothing', async () => {
  const node = await PeerListener.listen(LOOPBACK_IPV4, wildNodePort);
  const sockets = descriptors('socket');
  for (let i = 0; i < 1500; i++) await endSomehow(node, i % 5);
  await eventually('sockets to return', () => descriptors('socket') === sockets);
  await node.close();
});
