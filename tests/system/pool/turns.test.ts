// Two nodes take strict turns on one worker, although before each connection the configuration changes, or the worker dies.

import { afterEach, expect, test } from 'vitest';
import { onePort } from '../../../testing/balancer.ts';
import type { ConfigSpec, NodeSpec } from '../../../testing/balancer-spec.ts';
import { freePort, freePorts } from '../../../testing/ports.ts';
import { Home } from '../../../testing/stored-balancer.ts';
import { NamedNode, startPool, whoServes } from './scene.ts';
import { statusOf } from './status.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function twoNodes(): Promise<[NodeSpec, NodeSpec]> {
  const nodes = await Promise.all(['one', 'two'].map((label) => NamedNode.start(label)));
  for (const node of nodes) closers.push(() => node.close());
  const [one, two] = nodes.map(({ label, address }) => ({ label, address }));
  if (one === undefined || two === undefined) throw new Error('two nodes were started');
  return [one, two];
}

const inTurn = (count: number) => Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 'one' : 'two'));

test('reloads of every kind, and deaths, between two connections', async () => {
  const [one, two] = await twoNodes();
  const [port, stranger] = await freePorts(2);
  if (port === undefined || stranger === undefined) throw new Error('two ports are free');
  const third: NodeSpec = { label: 'three', address: `127.0.0.1:${stranger}`, mode: 'backup' };
  const both = { port, nodes: [one, two] };
  const changes: (ConfigSpec | 'death')[] = [
    both,
    { ...both, nodes: [one, { ...two, label: 'renamed' }] },
    { ...both, nodes: [{ ...one, label: 'first' }, two], queue_timeout: 7 },
    'death',
    { ...both, nodes: [two, one] },
    { ...both, algorithm: 'leastconn' },
    { ...both, algorithm: 'leastconn', nodes: [{ ...one, max_connections: 9 }, two] },
    'death',
    { ...both, algorithm: 'leastconn', nodes: [two, third, one] },
    { ...both, algorithm: 'leastconn', nodes: [two, one] },
    { ...both, nodes: [{ ...one, weight: 7 }, { ...two, weight: 7 }] }, // biome-ignore format: one change, one line
    { ...both, stickiness: 'none', check_interval: 9 },
    { ...both, nodes: [third, one, two] },
    'death',
  ];
  const balancer = await startPool(onePort(both), { BALANCER_WORKERS: '1', BALANCER_TEST_FAULTS: '1' });
  closers.push(() => balancer.stop());
  const met: string[] = [];
  for (const change of changes) {
    if (change === 'death') {
      const from = balancer.program.stderr.length;
      balancer.program.write('0 throw\n');
      await balancer.program.waitUntil('a successor', () => /serves again/.test(balancer.program.stderr.slice(from)));
    } else expect(await balancer.reload(onePort(change))).toMatch(/applied|nothing|no change/i);
    met.push(await whoServes(port));
    // A session that has not ended yet would be one more for leastconn.
    await balancer.program.waitUntil('the session to end', async () => (await statusOf(balancer)).sessions === 0);
  }
  expect(met).toEqual(inTurn(changes.length));
});

test('rebuilds over the API, of which each gives the nodes new ids and new names', async () => {
  const nodes = await twoNodes();
  const [home, port] = [new Home(), await freePort()];
  closers.push(() => home.remove());
  const balancer = await home.start({ env: { BALANCER_WORKERS: '1' } });
  closers.push(() => balancer.stop());
  const { config } = await balancer.create('turns', { port }, nodes);
  const met: string[] = [];
  for (let i = 0; i < 6; i++) {
    const rebuilt = nodes.map(({ label, address }) => ({ label: `${label}-${i}`, address }));
    await balancer.ask('POST', `${config}/rebuild`, { port, nodes: rebuilt });
    met.push(await whoServes(port));
  }
  expect(met).toEqual(inTurn(6));
});
