// How far timeouts and pauses miss their time, by the balancer's own log: each session is ended when its
// time is up and not much later, and where nothing is to be waited for, at once. One balancer has them all;
// that none is early, and what each means, is in tests/system/data-path.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Balancer, startBalancer } from '../../../testing/balancer.ts';
import type { ConfigSpec } from '../../../testing/balancer-spec.ts';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort, hostPort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { connectRaw, openBlackHole, RawListener } from '../../../testing/raw-socket.ts';
import { measureTheirs, takesAtMost } from '../../../testing/yardstick.ts';
import { ACCESS_LOG, type Ended, endedIn, pattern, sendAll } from '../../system/data-path/scene.ts';

const CONNECT_TIMEOUT_MS = 300;
/** further attempts: 100 and 200 ms apart */
const CONNECT_RETRIES = 2;
const RETRY_DELAYS_MS = 300;
const IDLE_MS = 500;
const HALF_CLOSED_MS = 400;
const LINGER_MS = 400;

const closers: (() => unknown)[] = [];
let balancer: Balancer;
let node: PeerListener;
let raw: RawListener;
const ports = { node: 0, raw: 0, refusing: 0, hole: 0, holeFirst: 0, nobody: 0 };

beforeAll(async () => {
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
  node = await PeerListener.listen(LOOPBACK_IPV4, await freePort());
  raw = new RawListener(LOOPBACK_IPV4, await freePort());
  const { listener: hole, filler } = await openBlackHole(LOOPBACK_IPV4, await freePort());
  const config = (port: number, ...nodePorts: number[]): ConfigSpec => ({
    port,
    // A node that has failed would be left out.
    check_passive: false,
    nodes: nodePorts.map((at, i) => ({ label: `node-${i}`, address: hostPort(LOOPBACK_IPV4, at) })),
  });
  const configs = [
    config(ports.node, node.port),
    config(ports.raw, raw.port),
    config(ports.refusing, await freePort()),
    config(ports.hole, hole.port),
    config(ports.holeFirst, hole.port, node.port),
    config(ports.nobody),
  ];
  balancer = await startBalancer(
    { nodebalancers: [{ label: 'timeouts', ipv4: LOOPBACK_IPV4, configs }] },
    {
      env: {
        BALANCER_WORKERS: '1',
        BALANCER_ACCESS_LOG: ACCESS_LOG,
        BALANCER_DRAIN_TIMEOUT_MS: '0',
        BALANCER_CONNECT_TIMEOUT_MS: String(CONNECT_TIMEOUT_MS),
        BALANCER_CONNECT_RETRIES: String(CONNECT_RETRIES),
        BALANCER_IDLE_TIMEOUT_MS: String(IDLE_MS),
        BALANCER_HALF_CLOSED_TIMEOUT_MS: String(HALF_CLOSED_MS),
        BALANCER_LINGER_TIMEOUT_MS: String(LINGER_MS),
      },
    },
  );
  closers.push(
    () => balancer.stop(),
    () => node.close(),
    () => raw.close(),
    () => hole.close(),
    () => filler.close(),
  );
});

afterAll(async () => {
  for (const close of closers.splice(0)) await close();
});

async function connect(port: number): Promise<{ client: Peer; clientPort: number }> {
  const client = await Peer.connect({ host: LOOPBACK_IPV4, port });
  return { client, clientPort: client.local.port };
}

/** What the log says of the session of that client, once it has ended. */
async function ended(clientPort: number): Promise<Ended> {
  const find = () => endedIn(balancer).find(({ client }) => client.endsWith(`:${clientPort}`));
  await balancer.program.waitUntil(`the end of client ${clientPort}'s session`, () => find() !== undefined);
  return find() as Ended;
}

/**
 * @param outcome of a session that is in time
 * @param others processes that do a part of what takes the time, besides the balancer
 */
function sessionTakesAtMost(
  limitMs: number,
  outcome: string,
  run: () => Promise<Ended>,
  others: readonly number[] = [],
): Promise<void> {
  return takesAtMost(limitMs, () =>
    measureTheirs([balancer.pid, ...others], async () => {
      const end = await run();
      if (end.total_ms <= limitMs) expect(end.outcome).toBe(outcome);
      return end.total_ms;
    }),
  );
}

/** Where the test's own peers have something to do before the time begins. */
function talkTakesAtMost(limitMs: number, outcome: string, run: () => Promise<Ended>): Promise<void> {
  return sessionTakesAtMost(limitMs, outcome, run, [process.pid]);
}

test('idle, also when that is shorter than other timeouts', () =>
  sessionTakesAtMost(IDLE_MS * 1.5, 'cD', async () => {
    const { client, clientPort } = await connect(ports.node);
    await node.accept();
    await client.recvEnd();
    return ended(clientPort);
  }));

test.each(['client', 'node'] as const)('half-closed, the %s first', (first) =>
  talkTakesAtMost(HALF_CLOSED_MS * 2, first === 'client' ? 'sD' : 'cD', async () => {
    const { client, clientPort } = await connect(ports.node);
    const back = await node.accept();
    await (first === 'client' ? client : back).fin();
    const end = await ended(clientPort);
    for (const peer of [client, back]) peer.destroy();
    return end;
  }),
);

test('the connect timeout, until another node serves', () =>
  takesAtMost(CONNECT_TIMEOUT_MS * 1.2, () =>
    measureTheirs([balancer.pid], async () => {
      const connectMs: number[] = [];
      // Round robin begins with either: of two sessions one meets the silent node first.
      for (let i = 0; i < 2; i++) {
        const { client, clientPort } = await connect(ports.holeFirst);
        const back = await node.accept();
        await Promise.all([client.fin(), back.fin()]);
        connectMs.push((await ended(clientPort)).connect_ms ?? 0);
      }
      return Math.max(...connectMs);
    }),
  ));

test('the connect timeout of each attempt, and the pauses between them', () =>
  sessionTakesAtMost(((1 + CONNECT_RETRIES) * CONNECT_TIMEOUT_MS + RETRY_DELAYS_MS) * 1.2, 'sC', async () => {
    const { client, clientPort } = await connect(ports.hole);
    expect(await client.recvEnd()).toBe('rst');
    return ended(clientPort);
  }));

test('the pauses between attempts that are refused', () =>
  sessionTakesAtMost(RETRY_DELAYS_MS * 1.3, 'SC', async () => {
    const { client, clientPort } = await connect(ports.refusing);
    expect(await client.recvEnd()).toBe('rst');
    return ended(clientPort);
  }));

test('no node: at once', () =>
  sessionTakesAtMost(100, 'SC', async () => {
    const before = endedIn(balancer).length;
    // So early that the client may not even have heard that it is connected.
    await Peer.connect({ host: LOOPBACK_IPV4, port: ports.nobody }).catch(() => {});
    await eventually('its line in the log', () => endedIn(balancer).length > before);
    return endedIn(balancer).at(-1) as Ended;
  }));

test('a client that goes away between two attempts: at once, and not after the pauses', () =>
  talkTakesAtMost(RETRY_DELAYS_MS, 'CC', async () => {
    const { client, clientPort } = await connect(ports.refusing);
    client.rst();
    return ended(clientPort);
  }));

test('lingering, while the client uploads for ever to a node that has answered and gone', () =>
  talkTakesAtMost(2000, 'SD', async () => {
    const { client, clientPort } = await connect(ports.raw);
    const back = await raw.accept();
    await client.send(pattern(2, 5000));
    await eventually('the request', () => back.unread() === 5000);
    await sendAll(back, pattern(3, 200_000));
    back.fin();
    await eventually('the balancer’s kernel to have all', () => back.unsent() === 0);
    back.close();
    const endless = setInterval(() => client.socket.destroyed || client.socket.write(pattern(4, 1000)), 5);
    try {
      await client.recvAll();
      return await ended(clientPort);
    } finally {
      clearInterval(endless);
      client.destroy();
    }
  }));

test('lingering, behind a reset whose last bytes the client never takes', () =>
  talkTakesAtMost(2000, 'SD', async () => {
    const client = await connectRaw(LOOPBACK_IPV4, ports.raw, { receiveBytes: 4096 });
    const { port } = client.local;
    const back = await raw.accept();
    await sendAll(back, pattern(5, 60_000));
    await eventually('the balancer’s kernel to have all', () => back.unsent() === 0);
    back.rst();
    const end = await ended(port);
    client.close();
    return end;
  }));
