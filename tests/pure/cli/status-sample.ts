// A snapshot that the tests of `balancer status` and `balancer nodes` show: two ports, nodes in every condition.

import type { FrontendSnapshot, NodeSnapshot, Snapshot } from '../../../workers/snapshot.ts';

export const NOW_MS = Date.parse('2026-01-02T03:04:05.000Z');

function ago(seconds: number): string {
  return new Date(NOW_MS - seconds * 1000).toISOString();
}

function node(label: string, more: Partial<NodeSnapshot>): NodeSnapshot {
  return {
    label,
    address: '192.0.2.10:8080',
    weight: 50,
    mode: 'accept',
    health: 'unknown',
    is_ejected: false,
    reason: 'not checked',
    changed: null,
    check: { at: null, took_ms: 0, total: 0, failed: 0 },
    sessions: 0,
    max_connections: 0,
    connects: 0,
    connect_failures: 0,
    connect_timeouts: 0,
    retries: 0,
    bytes_in: 0,
    bytes_out: 0,
    ...more,
  };
}

const WEB: FrontendSnapshot = {
  nodebalancer: 'web',
  port: 80,
  addresses: ['0.0.0.0:80', '[::]:80'],
  algorithm: 'roundrobin',
  stickiness: 'none',
  proxy_protocol: 'v2',
  health: 'up',
  reason: '1 of 3 nodes takes connections',
  changed: ago(65),
  sessions: 12,
  queued: 3,
  accepted: 12_345,
  ended: 12_333,
  throttled: 1,
  no_node: 20,
  queue_refused: 300,
  queue_timeouts: 4000,
  bytes_in: 1536,
  bytes_out: 20 * 2 ** 30,
  nodes_status: { up: 1, down: 1, unknown: 1 },
  nodes: [
    node('web-1', {
      health: 'up',
      reason: 'it takes connections',
      changed: ago(3 * 86_400 + 4 * 3600),
      check: { at: ago(2), took_ms: 1.25, total: 100, failed: 1 },
      sessions: 12,
      max_connections: 100,
      connects: 12_325,
      connect_failures: 2,
      connect_timeouts: 3,
    }),
    node('web-2', {
      address: '[2001:db8::2]:8080',
      health: 'down',
      reason: 'no answer within check_timeout',
      changed: ago(65),
      check: { at: ago(1), took_ms: 3000, total: 100, failed: 20 },
    }),
    node('web-3', { mode: 'backup', is_ejected: true, reason: 'sessions could not connect to it: ECONNREFUSED' }),
  ],
};

const MAIL: FrontendSnapshot = {
  ...WEB,
  nodebalancer: 'mail',
  port: 25,
  addresses: [],
  algorithm: 'leastconn',
  health: 'down',
  reason: '0 of 1 node takes connections',
  changed: null,
  sessions: 0,
  queued: 0,
  accepted: 0,
  ended: 0,
  throttled: 0,
  no_node: 0,
  queue_refused: 0,
  queue_timeouts: 0,
  bytes_in: 0,
  bytes_out: 0,
  nodes_status: { up: 0, down: 0, unknown: 1 },
  nodes: [node('mail-1', { mode: 'reject' })],
};

export const SAMPLE: Snapshot = {
  version: '1.2.3',
  pid: 4711,
  started: ago(2 * 3600 + 5 * 60 + 9),
  shards: 2,
  sessions: 12,
  connections_max: 500,
  frontends: [WEB, MAIL],
};
