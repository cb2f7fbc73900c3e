// From a configuration to what shards are told: addresses, rows, which socket serves what. Nothing is opened or looked up.

import { describe, expect, test } from 'vitest';
import { formatIp } from '../../../core/base/ip.ts';
import { parseNodeAddress } from '../../../core/config/node-address.ts';
import { ipOf } from '../../../testing/loopback.ts';
import {
  type AddressOf,
  describeAddress,
  describeFrontend,
  hostNames,
  makePlan,
  type RowSources,
  shardPlan,
} from '../../../workers/planner.ts';
import { Rows } from '../../../workers/rows.ts';
import { configOf } from '../config/support.ts';

function config(...nodebalancers: object[]) {
  return configOf(JSON.stringify({ nodebalancers }), 'c.json');
}

function node(label: string, address: string, more: object = {}) {
  return { label, address, ...more };
}

function rowsFor(max: number): Rows {
  return new Rows(
    max,
    (idle) => [...idle],
    () => {},
  );
}

function sources(max: number): RowSources {
  return { nodebalancers: rowsFor(max), frontends: rowsFor(max), nodes: rowsFor(max) };
}

/** What is written is where nodes are; names stand for nothing. */
const asWritten: AddressOf = (key) => parseNodeAddress(key.slice(key.indexOf('/') + 1))?.ip;

const WEB = {
  label: 'web',
  ipv4: '192.0.2.10',
  ipv6: '2001:db8::10',
  configs: [
    {
      port: 80,
      proxy_protocol: 'v2',
      algorithm: 'leastconn',
      nodes: [node('web-1', '198.51.100.1:8080', { weight: 7 }), node('web-2', '[2001:db8::2]:81', { mode: 'backup' })],
    },
    { port: 443, nodes: [node('web-1', '198.51.100.1:8443')] },
  ],
};

describe('a plan', () => {
  test('has a service for each address and port, IPv4 and IPv6', () => {
    const plan = makePlan(config(WEB), sources(10), asWritten);
    const services = plan?.services.map((service) => [describeAddress(service, formatIp), service.frontend]);
    expect(services).toEqual([
      ['192.0.2.10:80', 0],
      ['[2001:db8::10]:80', 0],
      ['192.0.2.10:443', 1],
      ['[2001:db8::10]:443', 1],
    ]);
  });

  test('without ipv6 listens on IPv4 alone, by default on every address', () => {
    const plan = makePlan(config({ label: 'web', configs: [{ port: 80 }] }), sources(1), asWritten);
    expect(plan?.services).toEqual([{ ip: ipOf('0.0.0.0'), port: 80, frontend: 0 }]);
  });

  test('has everything that a shard needs of a frontend and its nodes', () => {
    const plan = makePlan(config(WEB), sources(10), asWritten);
    expect(plan?.frontends[0]).toEqual({
      row: 0,
      label: 'web',
      port: 80,
      algorithm: 'leastconn',
      proxyProtocol: 'v2',
      isSticky: false,
      isPassive: true,
      checkIntervalMs: 5000,
      queueSize: 1000,
      queueTimeoutMs: 5000,
      throttle: 0,
      throttleRow: 0,
      nodes: [
        {
          row: 0,
          label: 'web-1',
          address: '198.51.100.1:8080',
          ip: ipOf('198.51.100.1'),
          port: 8080,
          weight: 7,
          mode: 'accept',
          maxConnections: 0,
          slowStartMs: 0,
          proxyProtocol: 'v2',
          hasChecksum: false,
        },
        {
          row: 1,
          label: 'web-2',
          address: '[2001:db8::2]:81',
          ip: ipOf('2001:db8::2'),
          port: 81,
          weight: 50,
          mode: 'backup',
          maxConnections: 0,
          slowStartMs: 0,
          proxyProtocol: 'v2',
          hasChecksum: false,
        },
      ],
    });
    // The same node at another port of the nodebalancer counts for itself.
    expect(plan?.frontends[1]?.nodes[0]?.row).toBe(2);
  });

  test('an empty configuration is an empty plan', () => {
    expect(makePlan(config(), sources(0), asWritten)).toMatchObject({ frontends: [], services: [] });
  });
});

describe('host names', () => {
  const named = config({
    label: 'web',
    configs: [
      { port: 80, nodes: [node('n-1', 'one.example:80'), node('n-2', '192.0.2.1:80'), node('n-3', 'two.example:80')] },
      { port: 81, nodes: [node('n-1', 'one.example:99'), node('n-4', '[2001:db8::1]:80')] },
    ],
  });

  test('are listed once each, addresses not at all', () => {
    expect(hostNames(named)).toEqual(['one.example', 'two.example']);
  });

  test('keep the dot at their end, which the resolver reads: with and without it they are two', () => {
    const nodes = [node('n-1', 'db.internal.:80'), node('n-2', 'db.internal:80')];
    expect(hostNames(config({ label: 'web', configs: [{ port: 80, nodes }] }))).toEqual([
      'db.internal.',
      'db.internal',
    ]);
  });

  test('become the address that was chosen for the node, or none', () => {
    const known = ipOf('203.0.113.9');
    const asked: string[] = [];
    const plan = makePlan(named, sources(9), (key) => {
      asked.push(key);
      return key.includes('one.example') ? known : undefined;
    });
    expect(plan?.frontends[0]?.nodes.map(({ ip, port }) => [ip, port])).toEqual([
      [known, 80],
      [undefined, 80],
      [undefined, 80],
    ]);
    expect(plan?.frontends[1]?.nodes[0]).toMatchObject({ ip: known, port: 99, address: 'one.example:99' });
    expect(asked).toEqual([
      '0.0.0.0 80/one.example:80',
      '0.0.0.0 80/192.0.2.1:80',
      '0.0.0.0 80/two.example:80',
      '0.0.0.0 81/one.example:99',
      '0.0.0.0 81/[2001:db8::1]:80',
    ]);
  });
});

describe('over reloads', () => {
  const rows = sources(10);
  const planOf = (...configs: object[]) => {
    const plan = makePlan(config({ label: 'web', configs }), rows, asWritten);
    if (plan === undefined) return undefined;
    rows.nodebalancers.commit(plan.rows.nodebalancers);
    rows.frontends.commit(plan.rows.frontends);
    rows.nodes.commit(plan.rows.nodes);
    return plan.frontends.map(({ row, port, nodes: own }) => [port, row, own.map((one) => [one.label, one.row])]);
  };
  const a = node('node-a', '192.0.2.1:80');
  const b = node('node-b', '192.0.2.2:80');

  test('what stays keeps its row, whatever changes about it and around it', () => {
    expect(planOf({ port: 80, nodes: [a, b] })).toEqual([
      [
        80,
        0,
        [
          ['node-a', 0],
          ['node-b', 1],
        ],
      ],
    ]);
    const changed = { port: 80, algorithm: 'source', nodes: [b, { ...a, weight: 9, mode: 'drain' }] };
    expect(planOf({ port: 70 }, changed)).toEqual([
      [70, 1, []],
      [
        80,
        0,
        [
          ['node-b', 1],
          ['node-a', 0],
        ],
      ],
    ]);
  });

  test('a node that moves to another address is another node', () => {
    const moved = { ...a, address: '192.0.2.99:80' };
    expect(planOf({ port: 80, nodes: [moved, b] })).toEqual([
      [
        80,
        0,
        [
          ['node-a', 2],
          ['node-b', 1],
        ],
      ],
    ]);
  });

  test('a node that gets another name, or whose address is written in another way, keeps its row', () => {
    const c = node('node-c', '[2001:db8::1]:80');
    const renamed = [
      { ...a, label: 'other-a' },
      { ...c, address: '[2001:0db8:0:0::1]:80' },
    ];
    const before = planOf({ port: 90, nodes: [a, c] })?.[0]?.[2];
    const [rowOfA, rowOfC] = (before as [string, number][]).map(([, row]) => row);
    expect(planOf({ port: 90, nodes: renamed })?.[0]?.[2]).toEqual([
      ['other-a', rowOfA],
      ['node-c', rowOfC],
    ]);
    // Names may change places: the address says who is who.
    const swapped = [
      { ...a, label: 'node-c' },
      { ...c, label: 'other-a' },
    ];
    expect(planOf({ port: 90, nodes: swapped })?.[0]?.[2]).toEqual([
      ['node-c', rowOfA],
      ['other-a', rowOfC],
    ]);
  });

  test('a node that was removed, or its whole frontend, comes back to its row', () => {
    const before = planOf({ port: 80, nodes: [a, b] });
    planOf({ port: 80, nodes: [b] });
    expect(planOf({ port: 80, nodes: [a, b] })).toEqual(before);
    planOf();
    expect(planOf({ port: 80, nodes: [a, b] })).toEqual(before);
  });
});

describe('too many', () => {
  test('frontends or nodes: no plan at all', () => {
    expect(
      makePlan(config(WEB), { nodebalancers: rowsFor(9), frontends: rowsFor(1), nodes: rowsFor(10) }, asWritten),
    ).toBeUndefined();
    expect(
      makePlan(config(WEB), { nodebalancers: rowsFor(9), frontends: rowsFor(10), nodes: rowsFor(2) }, asWritten),
    ).toBeUndefined();
    expect(
      makePlan(config(WEB), { nodebalancers: rowsFor(9), frontends: rowsFor(2), nodes: rowsFor(3) }, asWritten),
    ).toBeDefined();
  });
});

test('a shard is told its own socket of each address', () => {
  const plan = makePlan(config(WEB), sources(10), asWritten);
  if (plan === undefined) throw new Error('a plan');
  const part = shardPlan(plan, [], ({ ip, port }) => (ip[0] === 0x20 ? 1000 : 0) + port);
  expect(part.frontends).toEqual(plan.frontends);
  expect(part.listeners).toEqual([
    { fd: 80, frontend: 0, ip: ipOf('192.0.2.10'), port: 80 },
    { fd: 1080, frontend: 0, ip: ipOf('2001:db8::10'), port: 80 },
    { fd: 443, frontend: 1, ip: ipOf('192.0.2.10'), port: 443 },
    { fd: 1443, frontend: 1, ip: ipOf('2001:db8::10'), port: 443 },
  ]);
});

test('a shard is told of retired frontends, too, behind the others', () => {
  const plan = makePlan(config(WEB), sources(10), asWritten);
  const [first] = plan?.frontends ?? [];
  if (plan === undefined || first === undefined) throw new Error('a plan');
  const retired = { ...first, row: 9, nodes: [] };
  expect(shardPlan(plan, [retired], () => 1).frontends).toEqual([...plan.frontends, retired]);
});

test('a plan crosses a thread border unharmed', () => {
  const plan = makePlan(config(WEB), sources(10), asWritten);
  expect(structuredClone(plan)).toEqual(plan);
});

test('a frontend in one line, for people', () => {
  const plan = makePlan(config(WEB), sources(10), asWritten);
  expect(plan?.frontends.map(describeFrontend)).toEqual([
    'web: tcp, leastconn, PROXY v2, nodes: web-1 198.51.100.1:8080, web-2 [2001:db8::2]:81 (backup)',
    'web: tcp, roundrobin, no PROXY header, nodes: web-1 198.51.100.1:8443',
  ]);
  const bare = makePlan(config({ label: 'web', configs: [{ port: 80 }] }), sources(1), asWritten);
  expect(bare?.frontends.map(describeFrontend)).toEqual(['web: tcp, roundrobin, no PROXY header, nodes: none']);
});
