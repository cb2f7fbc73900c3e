// What Prometheus reads: by the rules of its text format, with counters that only rise, and once for all who ask at a time. What it
// costs: tests/clock/control/metrics.test.ts.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Metrics } from '../../../../../control/api/metrics.ts';
import type { ShardCounts } from '../../../../../control/data-plane.ts';
import { SHARD_COUNTERS } from '../../../../../core/metrics/counters.ts';
import { type Lab, startLab } from '../support.ts';
import { parseExposition } from './exposition-parser.ts';
import { frontendOf, nodeOf } from './support.ts';

let lab: Lab;
let steadyMs: number;
let metrics: Metrics;

beforeEach(() => {
  lab = startLab();
  steadyMs = 1000;
  metrics = new Metrics(lab.context, () => steadyMs);
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

/** After the time in which all scrapes get one answer. */
function scrape() {
  steadyMs += 1000;
  return parseExposition(metrics.text());
}

function numberOf(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const series = scrape().get(name)?.series ?? [];
  return series.find((one) => Object.entries(labels).every(([key, text]) => one.labels[key] === text))?.value;
}

test('frontends and nodes are told apart by name, and no label is a client’s', () => {
  lab.plane.frontends = [
    frontendOf('web', 80, {
      accepted: 7,
      bytes_in: 70,
      nodes: [nodeOf('one', '10.0.0.1:80', { connects: 5, check: { at: null, took_ms: 12, total: 9, failed: 2 } })],
    }),
    frontendOf('web', 443, { accepted: 8, health: 'down' }),
  ];
  const families = scrape();
  expect(families.get('balancer_frontend_sessions_total')?.series).toEqual([
    { name: 'balancer_frontend_sessions_total', labels: { frontend: 'web:80' }, value: 7 },
    { name: 'balancer_frontend_sessions_total', labels: { frontend: 'web:443' }, value: 8 },
  ]);
  expect(families.get('balancer_node_connection_attempts_total')?.series).toEqual([
    {
      name: 'balancer_node_connection_attempts_total',
      labels: { frontend: 'web:80', node: 'one', address: '10.0.0.1:80' },
      value: 5,
    },
  ]);
  expect(families.get('balancer_node_check_duration_seconds')?.series[0]?.value).toBe(0.012);
  const labels = new Set(
    [...families.values()].flatMap(({ series }) => series.flatMap((one) => Object.keys(one.labels))),
  );
  expect([...labels].sort()).toEqual(['address', 'by', 'frontend', 'le', 'node', 'version', 'worker']);
});

test('names say what they count: counters end in _total, times in _seconds', () => {
  lab.plane.frontends = [frontendOf('web', 80, { nodes: [nodeOf('one', '10.0.0.1:80')] })];
  for (const [name, { type, help }] of scrape()) {
    expect(name, name).toMatch(/^(balancer|process)_[a-z_]+$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    expect(help, name).toMatch(/\.$/);
  }
});

test('the process, its readiness and its configuration', async () => {
  expect(numberOf('balancer_build_info', { version: '0.0.0' })).toBe(1);
  expect(numberOf('balancer_ready')).toBe(1);
  lab.plane.ready = 'draining';
  expect(numberOf('balancer_ready')).toBe(0);
  expect(numberOf('balancer_config_last_reload_success')).toBe(1);
  lab.plane.reloadGood = false;
  expect(numberOf('balancer_config_last_reload_success')).toBe(0);
  expect(numberOf('balancer_config_version')).toBe(0);
  await lab.ask('POST', '/v4/nodebalancers', { region: 'local' });
  expect(numberOf('balancer_config_version')).toBe(1);
  expect(numberOf('balancer_config_last_reload_timestamp_seconds')).toBe(Date.UTC(2026, 0, 2, 3, 4, 5) / 1000);
  expect(numberOf('process_resident_memory_bytes')).toBeGreaterThan(10 << 20);
  expect(numberOf('process_cpu_seconds_total')).toBeGreaterThan(0);
  expect(numberOf('balancer_fd_limit')).toBeGreaterThan(numberOf('balancer_fd_used') ?? 0);
});

test('each worker has its own accepts, so that unequal shares are seen', () => {
  const counts = (more: Partial<ShardCounts>) =>
    ({ ...Object.fromEntries(SHARD_COUNTERS.map((name) => [name, 0])), ...more }) as ShardCounts;
  lab.plane.shardCounts = () => [
    counts({ accepted: 10, ended: 4, bytesSpliced: 99, cutByClient: 2, cutByNode: 1 }),
    counts({ accepted: 3, ended: 5, cutByClient: 5, cutByBalancer: 3 }),
  ];
  expect(numberOf('balancer_worker_accepts_total', { worker: '1' })).toBe(3);
  expect(numberOf('balancer_worker_active', { worker: '0' })).toBe(6);
  // Read while the worker writes: never below zero.
  expect(numberOf('balancer_worker_active', { worker: '1' })).toBe(0);
  expect(numberOf('balancer_splice_bytes_total', { worker: '0' })).toBe(99);
  // Of all workers: whose fault it was does not depend on where it was served.
  const cuts = ['client', 'node', 'lb'].map((by) => numberOf('balancer_resets_total', { by }));
  expect(cuts).toEqual([7, 1, 3]);
});

test('the event loop of each thread has its longest delay', () => {
  lab.plane.lags = { shards: [2, 1500], main: 7, control: 0.25 };
  const family = scrape().get('balancer_worker_eventloop_lag_seconds');
  expect(family?.type).toBe('gauge');
  expect(family?.series.map(({ labels, value }) => [labels.worker, value])).toEqual([
    ['0', 0.002],
    ['1', 1.5],
    ['main', 0.007],
    ['control', 0.00025],
  ]);
});

describe('counters of bytes', () => {
  const show = (connections: number, bytes: number): void => {
    const node = nodeOf('one', '10.0.0.1:80', { connects: connections, bytes_out: bytes });
    lab.plane.frontends = [frontendOf('web', 80, { accepted: connections, bytes_in: bytes, nodes: [node] })];
  };
  const shown = () => {
    const families = scrape();
    const value = (name: string) => families.get(name)?.series[0]?.value;
    return [value('balancer_frontend_bytes_in_total'), value('balancer_node_bytes_out_total')];
  };

  test('do not fall when a session ends during a reading: Prometheus would add the whole total', () => {
    show(1, 5000);
    expect(shown()).toEqual([5000, 5000]);
    show(1, 3000);
    expect(shown()).toEqual([5000, 5000]);
    show(2, 6000);
    expect(shown()).toEqual([6000, 6000]);
  });

  test('fall when they begin again', () => {
    show(9, 5000);
    shown();
    show(2, 30);
    expect(shown()).toEqual([30, 30]);
  });

  test('of a frontend that was away begin again', () => {
    show(2, 5000);
    shown();
    lab.plane.frontends = [];
    shown();
    show(2, 30);
    expect(shown()).toEqual([30, 30]);
  });
});

describe('a scrape', () => {
  test('needs no token from this machine, and one that reads from elsewhere', async () => {
    const from = (remoteAddress: string, token?: string) =>
      lab.app.inject({
        url: '/metrics',
        remoteAddress,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      });
    const local = await from('127.0.0.1');
    expect(local.statusCode).toBe(200);
    expect(local.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    parseExposition(local.body);
    expect((await from('::1')).statusCode).toBe(200);
    expect((await from('192.0.2.9')).statusCode).toBe(401);
    const { token } = lab.context.tokens.create('prometheus', 'read_only');
    expect((await from('192.0.2.9', token)).statusCode).toBe(200);
  });

  test('within a second of another gets the same answer, at no cost', () => {
    let snapshots = 0;
    const snapshot = lab.plane.snapshot.bind(lab.plane);
    lab.plane.snapshot = () => {
      snapshots++;
      return snapshot();
    };
    const first = metrics.text();
    for (let i = 0; i < 50; i++) expect(metrics.text()).toBe(first);
    expect(snapshots).toBe(1);
    steadyMs += 1000;
    metrics.text();
    expect(snapshots).toBe(2);
  });
});
