// SIGHUP under load: short connections without pause and long-lived sessions whose every byte is checked, while ports, nodes,
// PROXY mode and listening addresses change. Nobody whom a change does not concern may notice; a bad file or a busy port changes
// nothing at all; and many reloads leave nothing behind (memory: tests/clock/process/reload-memory.test.ts).

import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Balancer, startBalancer } from '../../../testing/balancer.ts';
import type { BalancerSpec, ConfigSpec } from '../../../testing/balancer-spec.ts';
import { accepts, freePort, freePorts, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { EchoNode, EchoStream } from './echo.ts';
import { askOnce, ShortConnections } from './short-connections.ts';

const MIB = 1 << 20;

let nodes: EchoNode[];
let balancer: Balancer;
let port: number;
let otherPort: number;
let streams: EchoStream[];
let load: ShortConnections | undefined;

beforeEach(async () => {
  nodes = [await EchoNode.listen(), await EchoNode.listen()];
  [port = 0, otherPort = 0] = await freePorts(2);
  streams = [];
});

afterEach(async () => {
  for (const stream of streams) stream.destroy();
  await load?.stop();
  load = undefined;
  await balancer?.stop();
  await Promise.all(nodes.map((node) => node.close()));
});

function config(count: number, overrides: Partial<ConfigSpec> = {}): ConfigSpec {
  const list = nodes.slice(0, count).map(({ address }, i) => ({ label: `echo-${i}`, address }));
  return { port, nodes: list, ...overrides };
}

function spec(configs: ConfigSpec[], ipv4: string = LOOPBACK_IPV4): BalancerSpec {
  return { nodebalancers: [{ label: 'test', ipv4, configs }] };
}

async function start(first: BalancerSpec): Promise<void> {
  balancer = await startBalancer(first, { env: { BALANCER_WORKERS: '2', BALANCER_DRAIN_TIMEOUT_MS: '0' } });
}

async function begin(): Promise<void> {
  const conversations = Array.from({ length: 10 }, (_, i) => EchoStream.open(port, i, { window: 2000 + i, paceMs: 2 }));
  const bulk = Array.from({ length: 2 }, (_, i) => EchoStream.open(port, 100 + i, { window: MIB }));
  streams = await Promise.all([...conversations, ...bulk]);
  load = new ShortConnections(port, 6);
  await load.serves(50);
  await allMove();
}

function allMove(): Promise<unknown> {
  return Promise.all(streams.map((stream) => stream.moves(4000)));
}

/** Everything was served, to the byte. */
async function finish(): Promise<void> {
  await allMove();
  await load?.serves(50);
  const { failures = [] } = (await load?.stop()) ?? {};
  const problems = await Promise.all(streams.map((stream) => stream.finish()));
  expect(failures).toEqual([]);
  expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
}

async function reload(to: BalancerSpec | string): Promise<void> {
  expect(await balancer.reload(to)).toMatch(/applied/);
}

test('30 changes of ports, nodes and PROXY mode in a row: no session and no connection notices, no descriptor is left', async () => {
  await start(spec([config(1)]));
  await begin();
  const variants = [
    spec([config(1), { ...config(2), port: otherPort }]),
    spec([config(2)]),
    spec([config(2, { proxy_protocol: 'v2' })]),
    spec([config(2, { algorithm: 'leastconn' }), { ...config(1), port: otherPort, proxy_protocol: 'v2' }]),
    spec([config(1)]),
  ];
  const turns = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const variant = variants[i % variants.length] ?? spec([]);
      await reload(variant);
      const isThere = variant.nodebalancers[0]?.configs.length === 2;
      if (isThere) await askOnce(otherPort, `turn ${i}`);
      else expect(await accepts(LOOPBACK_IPV4, otherPort)).toBe(false);
      await load?.serves(5);
    }
  };
  await turns(10);
  const descriptors = balancer.descriptors();
  await turns(30);
  // Sessions come and go all the time: what must not show is one descriptor more per reload.
  await eventually('descriptors to be where they were', () => balancer.descriptors() <= descriptors + 8);
  await finish();
  expect(nodes[1]?.accepted).toBeGreaterThan(0);
  expect(nodes[0]?.headers).toBeGreaterThan(0);
});

test('a session of a port that is removed goes on until it ends by itself', async () => {
  await start(spec([config(1), { ...config(1), port: otherPort }]));
  const stream = await EchoStream.open(otherPort, 1, { window: 5000, paceMs: 2 });
  streams = [stream];
  await stream.moves(20_000);
  await reload(spec([config(1)]));
  expect(await accepts(LOOPBACK_IPV4, otherPort)).toBe(false);
  await stream.moves(20_000);
  expect(await stream.finish()).toBeUndefined();
});

test('a session of a node that is removed goes on; new ones go to the others', async () => {
  await start(spec([config(1)]));
  const stream = await EchoStream.open(port, 1, { window: 5000, paceMs: 2 });
  streams = [stream];
  await stream.moves(20_000);
  await reload(spec([{ port, nodes: [{ label: 'echo-1', address: nodes[1]?.address ?? '' }] }]));
  const accepted = nodes[0]?.accepted;
  for (let i = 0; i < 10; i++) await askOnce(port, `${i}`);
  expect(nodes[0]?.accepted).toBe(accepted);
  await stream.moves(20_000);
  expect(await stream.finish()).toBeUndefined();
});

async function changeAddress(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await reload(spec([config(2)], i % 2 === 0 ? LOOPBACK_IPV4 : '0.0.0.0'));
    await load?.serves(20);
  }
}

test('from the wildcard address to 127.0.0.1 on the same port and back: sessions do not notice, nobody is refused', async () => {
  await start(spec([config(2)], '0.0.0.0'));
  await begin();
  await changeAddress(10);
  await allMove();
  const { failures = [] } = (await load?.stop()) ?? {};
  expect(failures.filter((failure) => failure.includes('ECONNREFUSED'))).toEqual([]);
  for (const stream of streams) expect(await stream.finish()).toBeUndefined();
  await askOnce(port, 'and on');
});

// Who connects after a shard has emptied the old socket's backlog and before that socket is closed must not be reset.
test('from the wildcard address to 127.0.0.1 and back, 100 times: no new connection is reset', async () => {
  await start(spec([config(2)], '0.0.0.0'));
  await begin();
  await changeAddress(100);
  await finish();
});

test('a broken file changes nothing, its faults are told with their place, and a good one works afterwards', async () => {
  await start(spec([config(1)]));
  await begin();
  const from = balancer.program.stderr.length;
  const broken = [
    'nodebalancers:',
    '  - label: test',
    '    configs:',
    `      - port: ${otherPort}`,
    '        protocol: tpc',
    '        nodes: [{ label: one, address: nowhere }]',
    '',
  ].join('\n');
  expect(await balancer.reload(broken)).toMatch(/error .*the old configuration stays in force/);
  const place = (line: number, rest: string) => `${balancer.configFile}:${line}:${rest}`;
  await eventually('both faults', () => {
    const said = balancer.program.stderr.slice(from);
    return said.includes(place(5, '19: ')) && said.includes(place(6, ''));
  });
  expect(balancer.program.stderr.slice(from)).toMatch(/did you mean "tcp"/);
  expect(await accepts(LOOPBACK_IPV4, otherPort)).toBe(false);
  expect(await balancer.reload('nodebalancers: [')).toMatch(/stays in force/);
  await load?.serves(20);
  await reload(spec([config(2), { ...config(1), port: otherPort }]));
  await askOnce(otherPort, 'now it is there');
  await finish();
});

test('a port that somebody else holds: the whole change is refused, and taken once the port is free', async () => {
  await start(spec([config(1)]));
  await begin();
  const busyPort = await freePort();
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen({ host: LOOPBACK_IPV4, port: busyPort }, resolve));
  const wanted = spec([
    config(2, { proxy_protocol: 'v2' }),
    { ...config(1), port: otherPort },
    { ...config(1), port: busyPort },
  ]);
  for (let attempt = 0; attempt < 3; attempt++) {
    const from = balancer.program.stderr.length;
    expect(await balancer.reload(wanted)).toMatch(/the old configuration stays in force/);
    await eventually('the reason', () =>
      balancer.program.stderr
        .slice(from)
        .includes(`cannot listen on ${LOOPBACK_IPV4}:${busyPort}: the port is in use by`),
    );
    expect(balancer.program.stderr.slice(from)).toContain(`(pid ${process.pid})`);
    expect(await accepts(LOOPBACK_IPV4, otherPort)).toBe(false);
    await load?.serves(20);
  }
  expect(nodes[1]?.accepted).toBe(0);
  expect(nodes[0]?.headers).toBe(0);
  await new Promise((resolve) => holder.close(resolve));
  await reload(wanted);
  await askOnce(busyPort, 'free at last');
  await askOnce(otherPort, 'this one too');
  await finish();
  expect(nodes[1]?.accepted).toBeGreaterThan(0);
});
