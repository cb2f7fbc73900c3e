// What a node's failure means to sessions: failed connects eject it and one session at a time tries it again; running sessions of a
// node that checks find down are kept, or cut where the operator wants that.

import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { onePort } from '../../../testing/balancer.ts';
import { freePort } from '../../../testing/ports.ts';
import { ask, NamedNode, startPool, whoServes } from './scene.ts';
import { statusOf } from './status.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startNode(label: string): Promise<NamedNode> {
  const node = await NamedNode.start(label);
  closers.push(() => node.close());
  return node;
}

test('three failed connects eject a node, clients notice nothing, and a session brings it back', async () => {
  const good = await startNode('good');
  const bad = new NamedNode('bad', await freePort());
  closers.push(() => bad.close());
  const port = await freePort();
  const nodes = [good, bad].map(({ label, address }) => ({ label, address }));
  const balancer = await startPool(onePort({ port, nodes }));
  closers.push(() => balancer.stop());
  const badNode = async () => (await statusOf(balancer)).frontends[0]?.nodes.find(({ label }) => label === 'bad');

  await balancer.program.waitUntil('the ejection', async () => {
    // Enough for three failures on one of the shards, and close together: to ask for the state may take a second.
    for (let i = 0; i < 12; i++) expect(await whoServes(port)).toBe('good');
    return (await badNode())?.is_ejected === true;
  });
  const [line] = await balancer.program.waitForOutput(/^.*node bad .*$/m);
  expect(line).toMatch(/warn {2}node bad \(127\.0\.0\.1:\d+\) of test port \d+ is out for 5 s: .*connection refused/);
  // Some more than three where sessions were under way at once; from here on none but those of its trials, each with a line.
  const trials = () => [...balancer.program.stderr.matchAll(/node bad .* stays out for/g)].length;
  const others = async () => ((await badNode())?.connect_failures ?? 0) - trials();
  const failures = await others();
  for (let i = 0; i < 20; i++) expect(await whoServes(port)).toBe('good');
  await balancer.program.waitUntil('no failures but those of trials', async () => (await others()) === failures);

  await bad.listen();
  await balancer.program.waitUntil('its return', async () => (await whoServes(port)) === 'bad', 20_000);
  await balancer.program.waitForOutput(/node bad .* is back: a session connected to it again/);
  expect((await badNode())?.is_ejected).toBe(false);
});

test('a single failure means nothing, nor do failures when passive checks are off', async () => {
  const good = await startNode('good');
  const port = await freePort();
  const nodes = [
    { label: good.label, address: good.address },
    { label: 'bad', address: `127.0.0.1:${await freePort()}` },
  ];
  const balancer = await startPool(onePort({ port, nodes, check_passive: false }));
  closers.push(() => balancer.stop());
  for (let i = 0; i < 30; i++) expect(await whoServes(port)).toBe('good');
  const bad = (await statusOf(balancer)).frontends[0]?.nodes.find(({ label }) => label === 'bad');
  expect(bad).toMatchObject({ is_ejected: false, health: 'unknown' });
  expect(bad?.connect_failures).toBeGreaterThan(5);
});

for (const onNodeDown of ['keep', 'cut:1'] as const) {
  test(`sessions of a node that goes down, ${onNodeDown}`, async () => {
    const node = await startNode('node-a');
    const port = await freePort();
    const check = { check: 'connection', check_interval: 2, check_timeout: 1, check_attempts: 1 } as const;
    const nodes = [{ label: node.label, address: node.address }];
    const balancer = await startPool(onePort({ port, nodes, ...check }), {
      BALANCER_ON_NODE_DOWN: onNodeDown,
      BALANCER_ACCESS_LOG: '-',
    });
    closers.push(() => balancer.stop());
    const { by, socket } = await ask(port);
    expect(by).toBe('node-a');
    let error: NodeJS.ErrnoException | undefined;
    socket.on('error', (happened) => (error = happened));
    node.stopListening();
    await balancer.program.waitForOutput(/node node-a .* is DOWN: its check failed: /);
    // Nobody is left.
    expect(await whoServes(port)).toBe('reset');
    if (onNodeDown === 'keep') {
      // The one that was just reset may still be counted.
      await expect
        .poll(async () => (await statusOf(balancer)).frontends[0])
        .toMatchObject({ health: 'down', sessions: 1, nodes_status: { up: 0, down: 1, unknown: 0 } });
      expect(socket.destroyed).toBe(false);
    } else {
      await balancer.program.waitUntil('the end of the session', () => socket.destroyed);
      expect(error?.code).toBe('ECONNRESET');
      await balancer.program.waitForOutput(/"outcome":"SD"/);
      expect((await statusOf(balancer)).sessions).toBe(0);
    }
    await node.listen();
    await balancer.program.waitUntil(
      'its return',
      async () => (await statusOf(balancer)).frontends[0]?.health === 'up',
    );
    expect(await whoServes(port)).toBe('node-a');
    socket.destroy();
  });
}

test('each node gets the header that it expects', async () => {
  const nodes = await Promise.all(['plain', 'line', 'binary'].map((label) => startNode(label)));
  const port = await freePort();
  const versions = ['none', null, 'v2'] as const;
  const specs = nodes.map(({ label, address }, i) => ({ label, address, proxy_protocol: versions[i] ?? null }));
  const balancer = await startPool(onePort({ port, proxy_protocol: 'v1', nodes: specs }), { BALANCER_WORKERS: '1' });
  closers.push(() => balancer.stop());
  for (let i = 0; i < 3; i++) {
    const { socket } = await ask(port);
    socket.end('hello');
    await once(socket, 'close');
  }
  await balancer.program.waitUntil('all to have arrived', () => nodes.every(({ received }) => received.length === 1));
  const [plain, line, binary] = nodes.map(({ received }) => received[0]?.toString('latin1') ?? '');
  expect(plain).toMatch(/^hello/);
  expect(line).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n/);
  expect(binary?.startsWith('\r\n\r\n\0\r\nQUIT\n\x21\x11')).toBe(true);
});
