// A connect that fails costs the client time and nothing else: another node is tried, later the same ones again, each time with
// a fresh header, and the client's first bytes are delivered once. Where nothing is left to try, the client gets a reset. No wait
// is shorter than it should be; that none is longer is measured in tests/clock/data-path/timeouts.test.ts.

import { afterEach, expect, test } from 'vitest';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { openBlackHole, RawListener } from '../../../testing/raw-socket.ts';
import { tcpSocketsOf } from '../../../testing/sockets.ts';
import { statusOf } from '../pool/status.ts';
import { expectSame, openScene, pattern, type Scene, type SceneOptions } from './scene.ts';

const CONNECT_TIMEOUT_MS = 300;
/** one node, three further attempts: 100, 200 and 400 ms between them */
const RETRY_DELAYS_MS = 700;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(options: SceneOptions): Promise<Scene> {
  const scene = await openScene(options);
  closers.push(() => scene.close());
  return scene;
}

async function listen(port?: number): Promise<PeerListener> {
  const listener = await PeerListener.listen(LOOPBACK_IPV4, port ?? (await freePort()));
  closers.push(() => listener.close());
  return listener;
}

async function blackHole() {
  const hole = await openBlackHole(LOOPBACK_IPV4, await freePort());
  closers.push(() => {
    hole.filler.close();
    hole.listener.close();
  });
  return hole;
}

const at = (port: number): string => `${LOOPBACK_IPV4}:${port}`;

for (const proxyProtocol of ['none', 'v1', 'v2'] as const) {
  test(`PROXY ${proxyProtocol}: a node that refuses is passed over, early bytes arrive once, the header is exact`, async () => {
    const node = await listen();
    const nodes = [
      { label: 'refuses', address: at(await freePort()) },
      { label: 'serves', address: at(node.port) },
    ];
    const scene = await open({ nodes, proxyProtocol });
    // Round robin begins with either: of two sessions one meets the refusing node first.
    const attempts: number[] = [];
    for (let i = 0; i < 2; i++) {
      const client = await scene.client();
      const request = pattern(i, 20_000);
      await client.send(request);
      await client.fin();
      const back = await node.accept();
      if (proxyProtocol !== 'none') {
        expect(await back.readProxyHeader()).toMatchObject({
          version: proxyProtocol === 'v1' ? 1 : 2,
          sourceAddress: LOOPBACK_IPV4,
          sourcePort: client.local.port,
          destinationAddress: LOOPBACK_IPV4,
          destinationPort: scene.port,
        });
      }
      expectSame(await back.recvAll(), request);
      await back.send('done');
      await back.fin();
      expect((await client.recvAll()).toString()).toBe('done');
      const ended = await scene.ended(client);
      expect(ended).toMatchObject({ node: 'serves', outcome: '--' });
      expect(ended.bytes_to_node).toBe(request.length + ended.header_bytes);
      attempts.push(ended.attempts);
    }
    expect(attempts.sort()).toEqual([1, 2]);
  });
}

test('a node that answers nobody: the connect timeout holds, then the next node serves', async () => {
  const { listener } = await blackHole();
  const node = await listen();
  const scene = await open({
    nodes: [
      { label: 'hole', address: at(listener.port) },
      { label: 'serves', address: at(node.port) },
    ],
    proxyProtocol: 'v2',
    env: { BALANCER_CONNECT_TIMEOUT_MS: String(CONNECT_TIMEOUT_MS) },
  });
  const connectMs: number[] = [];
  for (let i = 0; i < 2; i++) {
    const client = await scene.client();
    const request = pattern(20 + i, 30_000);
    await client.send(request);
    const back = await node.accept();
    expect((await back.readProxyHeader()).sourcePort).toBe(client.local.port);
    expectSame(await back.recv(request.length), request);
    await client.fin();
    await back.fin();
    connectMs.push((await scene.ended(client)).connect_ms ?? 0);
  }
  expect(Math.max(...connectMs)).toBeGreaterThanOrEqual(CONNECT_TIMEOUT_MS * 0.8);
});

test('a single node that answers nobody: as many timeouts as attempts, then a reset', async () => {
  const { listener } = await blackHole();
  const env = { BALANCER_CONNECT_TIMEOUT_MS: String(CONNECT_TIMEOUT_MS), BALANCER_CONNECT_RETRIES: '1' };
  const scene = await open({ nodes: [{ label: 'hole', address: at(listener.port) }], env });
  const client = await scene.client();
  expect(await client.recvEnd()).toBe('rst');
  const ended = await scene.ended(client);
  expect(ended).toMatchObject({ attempts: 2, outcome: 'sC', errno: 'ETIMEDOUT', connect_ms: null });
  const wantedMs = 2 * CONNECT_TIMEOUT_MS + 100;
  expect(ended.total_ms).toBeGreaterThanOrEqual(wantedMs * 0.8);
});

test('a single node that refuses is tried again after growing delays, then the client gets a reset', async () => {
  const scene = await open({ nodes: [{ label: 'refuses', address: at(await freePort()) }] });
  const client = await scene.client();
  await client.send('never delivered');
  expect(await client.recvEnd()).toBe('rst');
  expect(client.bytesReceived).toBe(0);
  const ended = await scene.ended(client);
  expect(ended).toMatchObject({ attempts: 4, outcome: 'SC', errno: 'ECONNREFUSED', bytes_to_node: 0, header_bytes: 0 });
  expect(ended.total_ms).toBeGreaterThanOrEqual(RETRY_DELAYS_MS * 0.8);
});

test('a node that comes back while the client waits is used', async () => {
  const nodePort = await freePort();
  const scene = await open({ nodes: [{ label: 'restarts', address: at(nodePort) }], proxyProtocol: 'v1' });
  const client = await scene.client();
  const request = pattern(30, 50_000);
  await client.send(request);
  const isAccepted = () => tcpSocketsOf(scene.balancer.pid).some(({ remote }) => remote.port === client.local.port);
  await eventually('the first attempt', isAccepted);
  const node = await listen(nodePort);
  const back = await node.accept();
  expect((await back.readProxyHeader()).sourcePort).toBe(client.local.port);
  expectSame(await back.recv(request.length), request);
  await client.fin();
  await back.fin();
  const ended = await scene.ended(client);
  expect(ended.outcome).toBe('--');
  expect(ended.attempts).toBeGreaterThanOrEqual(2);
});

test('a client that goes away between two attempts ends the session at once: nothing more is tried for it', async () => {
  const nodes = [{ label: 'refuses', address: at(await freePort()) }];
  const scene = await open({ nodes, env: { BALANCER_CONNECT_RETRIES: '8' } });
  const client = await scene.client();
  const attempts = async () => (await statusOf(scene.balancer)).frontends[0]?.nodes[0]?.connect_failures ?? 0;
  // The pauses grow: by now the next attempt is 800 ms away.
  await eventually('some attempts', async () => (await attempts()) >= 4);
  client.rst();
  const tried = await attempts();
  const ended = await scene.ended(client);
  expect(ended.outcome).toBe('CC');
  expect(ended.attempts).toBeLessThanOrEqual(tried);
});

for (const [name, nodes] of [
  ['no nodes', []],
  ['all nodes reject', [{ label: 'out', address: '127.0.0.1:1', mode: 'reject' }]],
  ['all nodes drain', [{ label: 'leaving', address: '127.0.0.1:1', mode: 'drain' }]],
] as const) {
  test(`${name}: the client is reset without an attempt`, async () => {
    const scene = await open({ nodes: [...nodes] });
    // So early that the client may not even have heard that it is connected.
    const end = await scene.client().then((client) => client.recvEnd(), codeOf);
    expect(['rst', 'ECONNRESET']).toContain(end);
    await eventually('its line in the log', () => scene.allEnded().length === 1);
    expect(scene.allEnded()[0]).toMatchObject({ attempts: 0, outcome: 'SC' });
  });
}

function codeOf(error: NodeJS.ErrnoException): string | undefined {
  return error.code;
}

test('a backup node gets connections only while no accepting node is there', async () => {
  const [main, spare] = [await listen(), await listen()];
  const nodes = (mode: 'accept' | 'reject') => [
    { label: 'main', address: at(main.port), mode },
    { label: 'spare', address: at(spare.port), mode: 'backup' as const },
  ];
  const scene = await open({ nodes: nodes('accept') });
  const ask = async (node: PeerListener): Promise<void> => {
    const client = await scene.client();
    const back = await node.accept();
    await back.send('here');
    expect((await client.recv(4)).toString()).toBe('here');
    client.destroy();
  };
  for (let i = 0; i < 5; i++) await ask(main);
  const config = { port: scene.port, nodes: nodes('reject') };
  await scene.balancer.reload({ nodebalancers: [{ label: 'test', ipv4: LOOPBACK_IPV4, configs: [config] }] });
  for (let i = 0; i < 5; i++) await ask(spare);
});

test('a node that drains or rejects gets no new connections, and keeps those it has', async () => {
  const [stays, leaves] = [await listen(), await listen()];
  const nodes = (mode: 'accept' | 'drain' | 'reject') => [
    { label: 'stays', address: at(stays.port) },
    { label: 'leaves', address: at(leaves.port), mode },
  ];
  const scene = await open({ nodes: nodes('accept') });
  const clients = [await scene.client(), await scene.client()];
  const kept = await leaves.accept();
  await stays.accept();
  for (const mode of ['drain', 'reject'] as const) {
    const config = { port: scene.port, nodes: nodes(mode) };
    await scene.balancer.reload({ nodebalancers: [{ label: 'test', ipv4: LOOPBACK_IPV4, configs: [config] }] });
    for (let i = 0; i < 4; i++) {
      await Peer.connect({ host: LOOPBACK_IPV4, port: scene.port });
      await stays.accept();
    }
    await kept.send(mode);
    await eventually('the kept connection to carry bytes', () =>
      clients.some(({ bytesReceived }) => bytesReceived > 0),
    );
    const mine = clients.find(({ bytesReceived }) => bytesReceived > 0);
    expect((await mine?.recv(mode.length))?.toString()).toBe(mode);
  }
  await expect(leaves.accept(50)).rejects.toThrow('nobody connected');
});

test('a node that is accepted by the kernel and never by its program still gets header and bytes', async () => {
  const node = new RawListener(LOOPBACK_IPV4, await freePort());
  closers.push(() => node.close());
  const scene = await open({ nodes: [{ label: 'busy', address: at(node.port) }], proxyProtocol: 'v2' });
  const client = await scene.client();
  const request = pattern(40, 10_000);
  await client.send(request);
  await client.fin();
  const back = (await node.accept()).toPeer();
  expect((await back.readProxyHeader()).sourcePort).toBe(client.local.port);
  expectSame(await back.recvAll(), request);
});
