// At its limits the balancer sheds load instead of failing: at MAX_CONNECTIONS clients wait in the backlog, with few descriptors it
// stops accepting before the system would, and a node whose name cannot be looked up is left out while the others serve.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Balancer, onePort, paced, startBalancer } from '../../../testing/balancer.ts';
import { Peer } from '../../../testing/peer.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { startThroughShell } from './binary.ts';
import { EchoNode } from './echo.ts';
import { askOnce, ShortConnections, turnedAway } from './short-connections.ts';

let node: EchoNode;
let balancer: Balancer;
let port: number;
let clients: Peer[] = [];

beforeEach(async () => {
  node = await EchoNode.listen();
  port = await freePort();
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  clients = [];
  await balancer?.stop();
  await node.close();
});

/** Clients that have asked; who is not served waits for the answer. */
async function ask(count: number): Promise<Peer[]> {
  const added = await Promise.all(Array.from({ length: count }, () => Peer.connect({ host: LOOPBACK_IPV4, port })));
  clients.push(...added);
  await Promise.all(added.map((client) => client.send('question')));
  return added;
}

const isServed = (client: Peer) => client.bytesReceived === 8;

async function end(client: Peer): Promise<void> {
  await client.fin();
  expect((await client.recvAll()).toString()).toBe('question');
  client.destroy();
}

const oneEcho = () => onePort({ port, nodes: [{ label: 'echo', address: node.address }] });

describe('MAX_CONNECTIONS=20 over two shards', () => {
  const MAX = 20;

  beforeEach(async () => {
    balancer = await startBalancer(oneEcho(), {
      env: {
        BALANCER_WORKERS: '2',
        BALANCER_MAX_CONNECTIONS: String(MAX),
        BALANCER_DRAIN_TIMEOUT_MS: '60000',
        BALANCER_LOG_LEVEL: 'debug',
      },
    });
  });

  test('20 are served, the others wait and are served as those end: nobody is refused, never more than 20 at once', async () => {
    const all = await ask(60);
    let peak = 0;
    for (let ended = 0; ended < all.length; ended++) {
      const expected = Math.min(MAX, all.length - ended);
      await eventually(`${expected} sessions at once`, () => {
        peak = Math.max(peak, node.sockets.size);
        return all.filter((client) => isServed(client) && !client.socket.destroyed).length === expected;
      });
      expect(all.map((client) => client.ended)).not.toContain('rst');
      const served = all.find((client) => isServed(client) && !client.socket.destroyed);
      if (served !== undefined) await end(served);
    }
    expect(peak).toBe(MAX);
    expect(node.accepted).toBe(60);
  });

  test('far more clients at once than the limit, each short: all are served', async () => {
    const load = new ShortConnections(port, 100);
    let peak = 0;
    await eventually('500 of them', () => {
      peak = Math.max(peak, node.sockets.size);
      return load.served >= 500 || load.failures.length > 0;
    });
    expect((await load.stop()).failures).toEqual([]);
    // The node may see the end of a session a moment after its successor has begun.
    expect(peak).toBeLessThanOrEqual(2 * MAX);
  });

  // At the limit a listener that goes cannot take its backlog at once, and closing it would reset them.
  test('clients that wait because of the limit when TERM comes are served before the process ends', async () => {
    const all = await ask(MAX + 5);
    await eventually('20 to be served', () => all.filter(isServed).length === MAX);
    const waiting = all.filter((client) => !isServed(client));
    const from = balancer.program.output.length;
    balancer.signal('SIGTERM');
    // Whether a shard goes on listening meanwhile is its own business.
    await balancer.program.waitForOutput(/every shard serves what is in force now/, undefined, from);
    for (const client of all.filter(isServed)) await end(client);
    expect(waiting).toHaveLength(5);
    await Promise.all(waiting.map(end));
    expect(await balancer.program.waitForExit()).toEqual({ code: 0, signal: null });
  });
});

describe('listeners that change while all places are taken', () => {
  const MAX = 2;

  beforeEach(async () => {
    balancer = await startBalancer(oneEcho(), {
      env: { BALANCER_WORKERS: '1', BALANCER_MAX_CONNECTIONS: String(MAX), ...paced({ backlogMs: 300 }) },
    });
  });

  async function fill(): Promise<Peer[]> {
    const all = await ask(MAX + 3);
    await eventually('the limit', () => all.filter(isServed).length === MAX);
    return all.filter(isServed);
  }

  test('a port that goes is given up after a while, and the next new port is served', async () => {
    const served = await fill();
    const other = await freePort();
    const nodes = [{ label: 'echo', address: node.address }];
    // The backlog cannot be taken: its clients are reset when the time is up.
    expect(await balancer.reload(onePort({ port: other, nodes }))).toContain('applied');
    for (const client of served) await end(client);
    await askOnce(other, 'at the new port');
    await askOnce(other, 'and again');
  });

  test('a nodebalancer that gets another name keeps its clients and its listener', async () => {
    const served = await fill();
    const { nodebalancers } = oneEcho();
    const renamed = { nodebalancers: nodebalancers.map((one) => ({ ...one, label: 'another-name' })) };
    expect(await balancer.reload(renamed)).toContain('applied');
    for (const client of served) await end(client);
    // Those that have waited in its backlog, and then whoever comes.
    for (const client of clients.filter((one) => !served.includes(one))) await end(client);
    await askOnce(port, 'under the new name');
  });
});

test('a limit of 300 descriptors: clients wait instead of meeting EMFILE, and all are served in the end', async () => {
  balancer = await startThroughShell('ulimit -n 300; exec "$@"', oneEcho(), { BALANCER_WORKERS: '2' });
  const all = await ask(60);
  const waiting = new Set(all);
  while (waiting.size > 0) {
    await eventually('somebody to be served', () => [...waiting].some(isServed));
    expect(balancer.descriptors()).toBeLessThan(300);
    for (const client of [...waiting].filter(isServed)) {
      await end(client);
      waiting.delete(client);
    }
  }
  await askOnce(port, 'one more');
  expect(balancer.program.stderr).not.toMatch(/EMFILE|too many open files|died/);
});

test('a limit of 300 descriptors: more nodes than can be checked in time if all are silent: it says so, and serves', async () => {
  const check = { check: 'connection', check_interval: 5, check_timeout: 3, check_attempts: 3 } as const;
  const nodes = Array.from({ length: 100 }, (_, i) => ({
    label: `backup-${i}`,
    address: `127.1.0.${i + 1}:${node.port}`,
    mode: 'backup' as const,
  }));
  const echo = { label: 'echo', address: node.address };
  const spec = onePort({ port, nodes: [echo, ...nodes], ...check });
  balancer = await startThroughShell('ulimit -n 300; exec "$@"', spec, { BALANCER_WORKERS: '2' });
  const said =
    / warn {2}health checks: (\d+) at a time are possible .* up to (\d+) are needed when nodes do not answer/g;
  expect([...balancer.program.stderr.matchAll(said)].map(([, possible, needed]) => [possible, needed])).toEqual([
    ['28', '96'],
  ]);
  await askOnce(port, 'served all the same');
  expect(await balancer.reload(onePort({ port, nodes: [echo], ...check }))).toContain('applied');
  await askOnce(port, 'and with fewer');
  expect(balancer.program.stderr.match(said)).toHaveLength(1);
});

test('a limit of 300 descriptors: idle connections to the API take none of those that sessions were promised', async () => {
  const apiPort = await freePort();
  balancer = await startThroughShell('ulimit -n 300; exec "$@"', oneEcho(), {
    BALANCER_WORKERS: '1',
    BALANCER_ADMIN_ADDRESS: `${LOOPBACK_IPV4}:${apiPort}`,
  });
  const [, promised] = /up to (\d+) sessions/.exec(balancer.program.stderr) ?? [];
  for (let i = 0; i < 250; i++) clients.push(await Peer.connect({ host: LOOPBACK_IPV4, port: apiPort }));
  const sessions = await ask(Number(promised));
  await eventually('all of them', () => sessions.every(isServed));
  const answer = await fetch(`http://${LOOPBACK_IPV4}:${apiPort}/livez`);
  expect([answer.status, sessions.length > 20]).toEqual([200, true]);
  expect(balancer.program.stderr).not.toMatch(/EMFILE|too many open files|died/);
});

describe('host names', () => {
  const NOWHERE = 'no-such-host.invalid';

  test('localhost is looked up', async () => {
    const nodes = [{ label: 'echo', address: `localhost:${node.port}` }];
    balancer = await startBalancer(onePort({ port, nodes }), { env: { BALANCER_WORKERS: '2' } });
    await askOnce(port, 'by name');
    expect(node.accepted).toBe(1);
  });

  test('a node whose name has no address is left out, with one warning; the others take all', async () => {
    const nodes = [
      { label: 'nowhere', address: `${NOWHERE}:80` },
      { label: 'echo', address: node.address },
    ];
    balancer = await startBalancer(onePort({ port, nodes }), { env: { BALANCER_WORKERS: '2' } });
    for (let i = 0; i < 10; i++) await askOnce(port, `${i}`);
    expect(node.accepted).toBe(10);
    const warnings = balancer.program.stderr
      .split('\n')
      .filter((line) => line.includes(NOWHERE) && / warn /.test(line));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/cannot be resolved .*: its nodes take no connections/);
  });

  test('no node with an address: the client is reset at once, and a reload mends it', async () => {
    const nodes = [{ label: 'nowhere', address: `${NOWHERE}:80` }];
    balancer = await startBalancer(onePort({ port, nodes }), { env: { BALANCER_WORKERS: '2' } });
    expect(await turnedAway({ host: LOOPBACK_IPV4, port })).toBe('ECONNRESET');
    expect(await balancer.reload(oneEcho())).toMatch(/applied/);
    await askOnce(port, 'mended');
  });
});
