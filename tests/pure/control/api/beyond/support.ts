// Frontends and nodes as a snapshot shows them, where a test cares about a few of their numbers.

import type { FrontendSnapshot, NodeSnapshot, Snapshot } from '../../../../../workers/snapshot.ts';

export function frontendOf(nodebalancer: string, port: number, more: Partial<FrontendSnapshot> = {}): FrontendSnapshot {
  return {
    nodebalancer,
    port,
    addresses: [`192.0.2.1:${port}`],
    algorithm: 'roundrobin',
    stickiness: 'none',
    proxy_protocol: 'none',
    health: 'up',
    reason: '1 of 1 node takes connections',
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
    nodes_status: { up: 0, down: 0, unknown: 0 },
    nodes: [],
    ...more,
  };
}

export function nodeOf(label: string, address: string, more: Partial<NodeSnapshot> = {}): NodeSnapshot {
  return {
    label,
    address,
    weight: 50,
    mode: 'accept',
    health: 'up',
    is_ejected: false,
    reason: '',
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

export function snapshotOf(frontends: FrontendSnapshot[]): Snapshot {
  return {
    version: '1.2.3',
    pid: 1,
    started: '2026-01-02T03:00:00.000Z',
    shards: 2,
    sessions: 0,
    connections_max: 1000,
    frontends,
  };
}
