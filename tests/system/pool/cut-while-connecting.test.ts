// Sessions whose connect is pending when checks find their node down. They have lost nothing yet: with BALANCER_ON_NODE_DOWN=cut they go
// on to another node, and are refused only where there is none. Without it they wait for their connect.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { onePort } from '../../../testing/balancer.ts';
import { freePort, hostPort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { connectRaw, RawListener } from '../../../testing/raw-socket.ts';
import { ask, NamedNode, startPool, whoServes } from './scene.ts';
import { statusOf } from './status.ts';

const CLIENTS = 8;
/** Far beyond what a test may take: whoever goes on was sent on. */
const CONNECT_TIMEOUT_MS = 600_000;
const CHECK = { check: 'http', check_path: '/', check_interval: 31, check_timeout: 30, check_attempts: 1 } as const;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** What the other node says to everybody, checks included. */
const GOOD = 'HTTP/1.1 200 good';

async function startGood(): Promise<NamedNode> {
  const good = await NamedNode.start('good', `${GOOD}\r\n\r\n`);
  closers.push(() => good.close());
  return good;
}

/** Takes the first connection, which is that of a check, and one more; then it answers nobody. */
let hole: RawListener;

beforeEach(async () => {
  hole = new RawListener(LOOPBACK_IPV4, await freePort(), { backlog: 0 });
  closers.push(() => hole.close());
});

/** Clients whose sessions all connect to the node that never answers, before it is found down. */
async function start(onNodeDown: 'keep' | 'cut', others: readonly NamedNode[]) {
  const backups = others.map(({ label, address }) => ({ label, address, mode: 'backup' as const }));
  const port = await freePort();
  const nodes = [{ label: 'hole', address: hostPort(LOOPBACK_IPV4, hole.port) }, ...backups];
  const balancer = await startPool(onePort({ port, nodes, ...CHECK }), {
    BALANCER_ON_NODE_DOWN: onNodeDown,
    BALANCER_CONNECT_TIMEOUT_MS: String(CONNECT_TIMEOUT_MS),
    BALANCER_ACCESS_LOG: '-',
  });
  closers.push(() => balancer.stop());
  const check = await hole.accept();
  const filler = await connectRaw(LOOPBACK_IPV4, hole.port);
  closers.push(() => filler.close());
  const answeredBy: string[] = [];
  for (let i = 0; i < CLIENTS; i++) {
    void ask(port).then(({ by, socket }) => {
      answeredBy.push(by);
      socket.destroy();
    });
  }
  const ofHole = async () => (await statusOf(balancer)).frontends[0]?.nodes.find(({ label }) => label === 'hole');
  await balancer.program.waitUntil('all to connect', async () => (await ofHole())?.sessions === CLIENTS);
  expect([(await ofHole())?.health, answeredBy]).toEqual(['unknown', []]);
  check.rst();
  await balancer.program.waitForOutput(/node hole .* is DOWN: its check failed: /);
  const outcomes = () => [...balancer.program.stdout.matchAll(/"outcome":"(..)"/g)].map((match) => match[1]);
  return { balancer, port, answeredBy, outcomes, ofHole };
}

test('cut: they go on to a node that is up, and the clients notice nothing', async () => {
  const { balancer, answeredBy, outcomes, ofHole } = await start('cut', [await startGood()]);
  await balancer.program.waitUntil('all to be served', () => answeredBy.length === CLIENTS);
  expect(answeredBy).toEqual(Array(CLIENTS).fill(GOOD));
  await balancer.program.waitUntil('their lines', () => outcomes().length === CLIENTS);
  expect(outcomes()).not.toContain('SD');
  expect(await ofHole()).toMatchObject({ sessions: 0, retries: CLIENTS });
});

test('cut: where no other node is, they are refused at once', async () => {
  const { balancer, answeredBy, outcomes } = await start('cut', []);
  await balancer.program.waitUntil('all to be refused', () => answeredBy.length === CLIENTS);
  expect(answeredBy).toEqual(Array(CLIENTS).fill('reset'));
  await balancer.program.waitUntil('their lines', () => outcomes().length === CLIENTS);
  expect(outcomes()).toEqual(Array(CLIENTS).fill('SC'));
  expect((await statusOf(balancer)).sessions).toBe(0);
});

test('keep: they wait for their connect, and new clients do not', async () => {
  const { port, answeredBy, ofHole } = await start('keep', [await startGood()]);
  expect(await whoServes(port)).toBe(GOOD);
  expect(answeredBy).toEqual([]);
  expect(await ofHole()).toMatchObject({ health: 'down', sessions: CLIENTS });
});
