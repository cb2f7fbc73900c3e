// The access log: one JSON line per ended session that names the client, the address it connected to, the node, the bytes and how
// it ended, in a file or on stdout. A sink that nobody reads costs lines and nothing else.

import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Balancer, onePort, paced, startBalancer } from '../../../testing/balancer.ts';
import type { NodeSpec } from '../../../testing/balancer-spec.ts';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort, hostPort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { openBlackHole } from '../../../testing/raw-socket.ts';
import { makeTemporaryDirectory } from '../../../testing/temporary.ts';
import { startThroughShell } from './binary.ts';
import { EchoNode, EchoStream } from './echo.ts';
import { askOnce, ShortConnections, turnedAway } from './short-connections.ts';

const CLIENT_HOST = '127.0.0.77';
const FRONT_HOST = '127.0.0.5';
/** Longer than any test waits: what ends before it has not waited for it. */
const NEVER_MS = 600_000;
/** Two clocks are read one after the other, and times are rounded. */
const CLOCKS_MS = 5;

let balancer: Balancer;
let port: number;
let log: string;
let startedAt: number;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await balancer?.stop();
});

async function open(nodes: NodeSpec[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  port = await freePort();
  startedAt = Date.now();
  log = join(makeTemporaryDirectory('log'), 'access.log');
  balancer = await startBalancer(onePort({ port, proxy_protocol: 'v1', nodes }, { ipv4: '0.0.0.0' }), {
    env: { BALANCER_WORKERS: '2', BALANCER_DRAIN_TIMEOUT_MS: '0', BALANCER_ACCESS_LOG: log, ...env },
  });
}

async function listen(): Promise<PeerListener> {
  const node = await PeerListener.listen(LOOPBACK_IPV4, await freePort());
  closing.push(() => node.close());
  return node;
}

interface Session {
  client: Peer;
  /** host and port of the client */
  from: string;
}

async function connect(): Promise<Session> {
  const client = await Peer.connect({ host: FRONT_HOST, port, localAddress: CLIENT_HOST });
  closing.push(() => client.destroy());
  return { client, from: hostPort(CLIENT_HOST, client.local.port) };
}

/** The one line of a session. */
async function lineOf(from: string): Promise<Record<string, unknown>> {
  const lines = () =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.includes(`"client":"${from}"`));
  await eventually(`a line about ${from}`, () => lines().length > 0);
  expect(lines()).toHaveLength(1);
  const line = JSON.parse(lines()[0] ?? '');
  expect(Date.parse(line.time)).toBeGreaterThanOrEqual(startedAt - CLOCKS_MS);
  expect(Date.parse(line.time)).toBeLessThanOrEqual(Date.now() + CLOCKS_MS);
  expect(line).toMatchObject({ client: from, destination: hostPort(FRONT_HOST, port), nodebalancer: 'test', port });
  return line;
}

const one = (node: { port: number }): NodeSpec[] => [{ label: 'one', address: hostPort(LOOPBACK_IPV4, node.port) }];

describe('a line per ended session', () => {
  test('both sides finished', async () => {
    const node = await listen();
    await open(one(node));
    const { client, from } = await connect();
    const back = await node.accept();
    const header = (await back.readProxyHeader()).bytes.length;
    await client.send('a question');
    await client.fin();
    expect((await back.recvAll()).toString()).toBe('a question');
    await back.send('the longer answer');
    await back.fin();
    await client.recvAll();
    const line = await lineOf(from);
    expect(line).toMatchObject({
      node: 'one',
      node_address: hostPort(LOOPBACK_IPV4, node.port),
      attempts: 1,
      bytes_from_client: 10,
      bytes_to_node: 10 + header,
      bytes_from_node: 17,
      bytes_to_client: 17,
      header_bytes: header,
      outcome: '--',
      reason: 'both sides finished',
    });
    expect(line).not.toHaveProperty('errno');
  });

  test('the client aborts', async () => {
    const node = await listen();
    await open(one(node));
    const { client, from } = await connect();
    const back = await node.accept();
    await back.readProxyHeader();
    await client.send('hello');
    await back.recv(5);
    client.rst();
    expect(await back.recvEnd()).toBe('rst');
    expect(await lineOf(from)).toMatchObject({
      node: 'one',
      bytes_from_client: 5,
      bytes_from_node: 0,
      outcome: 'CD',
      errno: 'ECONNRESET',
    });
  });

  test('the node resets', async () => {
    const node = await listen();
    await open(one(node));
    const { client, from } = await connect();
    const back = await node.accept();
    await back.readProxyHeader();
    await back.send('half an ans');
    await client.recv(11);
    back.rst();
    expect(await client.recvEnd()).toBe('rst');
    expect(await lineOf(from)).toMatchObject({
      node: 'one',
      bytes_from_node: 11,
      bytes_to_client: 11,
      outcome: 'SD',
      errno: 'ECONNRESET',
    });
  });

  test('every attempt is refused', async () => {
    await open(one({ port: await freePort() }), { BALANCER_CONNECT_RETRIES: '2' });
    const { client, from } = await connect();
    expect(await client.recvEnd()).toBe('rst');
    expect(await lineOf(from)).toMatchObject({
      node: 'one',
      attempts: 3,
      connect_ms: null,
      header_bytes: 0,
      outcome: 'SC',
      errno: 'ECONNREFUSED',
    });
  });

  test('a node that answers no connect', async () => {
    const hole = await openBlackHole(LOOPBACK_IPV4, await freePort());
    closing.push(
      () => hole.listener.close(),
      () => hole.filler.close(),
    );
    await open(one(hole.listener), { BALANCER_CONNECT_TIMEOUT_MS: '200', BALANCER_CONNECT_RETRIES: '1' });
    const { client, from } = await connect();
    expect(await client.recvEnd()).toBe('rst');
    const line = await lineOf(from);
    expect(line).toMatchObject({ node: 'one', attempts: 2, connect_ms: null, outcome: 'sC', errno: 'ETIMEDOUT' });
    expect(line.total_ms).toBeGreaterThanOrEqual(400);
  });

  test('no node may take it', async () => {
    await open([{ ...one({ port: 9 })[0], address: '127.0.0.1:9', mode: 'reject' }]);
    const localPort = await freePort();
    expect(await turnedAway({ host: FRONT_HOST, port, localAddress: CLIENT_HOST, localPort })).toBe('ECONNRESET');
    const line = await lineOf(hostPort(CLIENT_HOST, localPort));
    expect(line).toMatchObject({ attempts: 0, outcome: 'SC' });
    expect(line).not.toHaveProperty('node');
  });

  test('nothing happens for too long', async () => {
    const node = await listen();
    await open(one(node), { BALANCER_IDLE_TIMEOUT_MS: '300' });
    const { client, from } = await connect();
    await client.recvEnd();
    const line = await lineOf(from);
    expect(line).toMatchObject({ node: 'one', bytes_from_client: 0, outcome: 'cD' });
    expect(line.total_ms).toBeGreaterThanOrEqual(300);
  });
});

test('on stdout: nothing but lines of JSON, one per session; messages go to stderr', async () => {
  const node = await EchoNode.listen();
  closing.push(() => node.close());
  port = await freePort();
  balancer = await startBalancer(onePort({ port, nodes: one(node) }), {
    env: { BALANCER_WORKERS: '2', BALANCER_ACCESS_LOG: '-' },
  });
  await Promise.all(Array.from({ length: 100 }, (_, i) => askOnce(port, `${i}`)));
  await balancer.stop();
  const lines = balancer.program.stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(100);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ node: 'one', outcome: '--' });
});

describe('a sink that nobody reads', () => {
  for (const sink of ['a FIFO', 'stdout'] as const) {
    test(`${sink}, full: every connection is still served, a reload works, TERM ends the process`, async () => {
      const node = await EchoNode.listen();
      closing.push(() => node.close());
      const fifo = join(makeTemporaryDirectory('fifo'), 'sink');
      execFileSync('mkfifo', [fifo]);
      // Somebody holds the reading end and never reads.
      const reader = openSync(fifo, constants.O_RDWR);
      closing.push(() => closeSync(reader));
      port = await freePort();
      const spec = onePort({ port, nodes: one(node) });
      const script = sink === 'stdout' ? `exec "$@" >'${fifo}'` : 'exec "$@"';
      balancer = await startThroughShell(script, spec, {
        BALANCER_WORKERS: '2',
        BALANCER_ACCESS_LOG: sink === 'stdout' ? '-' : fifo,
        BALANCER_DRAIN_TIMEOUT_MS: '0',
        // The end is not forced: it waits for nobody who reads.
        ...paced({ stopMs: NEVER_MS, endMs: NEVER_MS }),
      });
      const stream = await EchoStream.open(port, 1, { window: 1 << 20 });
      closing.push(() => stream.destroy());
      const load = new ShortConnections(port, 16);
      await load.serves(1200);
      expect(await balancer.reload(spec)).toMatch(/applied/);
      await stream.moves(16 << 20);
      await load.serves(200);
      expect((await load.stop()).failures).toEqual([]);
      expect(await stream.finish()).toBeUndefined();
      balancer.signal('SIGTERM');
      expect(await balancer.program.waitForExit()).toEqual({ code: 0, signal: null });
    });
  }
});
