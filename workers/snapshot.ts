// What the running process is doing at this moment, as one plain value: read from shared memory, without asking a shard
// and without stopping one. It owns the shape of that value, whose names are those of the API. Nothing here is written,
// kept or sent.
//
// Numbers that a shard is changing meanwhile may be one session apart from each other; once it is quiet they add up.

import { readFileSync } from 'node:fs';
import { computeEligible } from '../core/balance/pool.ts';
import { clockOffset } from '../core/base/clock.ts';
import { formatEndpoint, formatIp } from '../core/base/ip.ts';
import {
  conditionReason,
  describeReason,
  type Health,
  healthName,
  type NodeStates,
  REASON,
} from '../core/health/node-states.ts';
import {
  type Counters,
  FRONTEND,
  FRONTEND_STRIDE,
  type FrontendCounter,
  NODE,
  NODE_STRIDE,
  type NodeCounter,
  sumCell,
} from '../core/metrics/counters.ts';
import { conditionOf, isEjected } from '../core/session/node-pool.ts';
import type { FrontendPlan, NodePlan } from '../core/session/plan.ts';
import { get, type SessionTable } from '../core/session/table.ts';
import { countLive, type LiveSessions } from './live-sessions.ts';

export interface SnapshotSource {
  /** monotonic, as all times in shared memory are */
  startedMs: number;
  nowMs: () => number;
  shards: number;
  connectionsMax: number;
  frontends: readonly FrontendPlan[];
  /** what listens where; `frontend` is a row */
  services: readonly { ip: Uint8Array; port: number; frontend: number }[];
  /** one per shard, as are the tables */
  counters: readonly Counters[];
  tables: readonly SessionTable[];
  states: NodeStates;
}

/** Times are ISO 8601 in UTC; null is never. */
export interface Snapshot {
  version: string;
  pid: number;
  started: string;
  shards: number;
  sessions: number;
  connections_max: number;
  frontends: FrontendSnapshot[];
}

export interface FrontendSnapshot {
  /** label */
  nodebalancer: string;
  port: number;
  /** `192.0.2.1:80` */
  addresses: string[];
  algorithm: FrontendPlan['algorithm'];
  stickiness: 'none' | 'table';
  /** of nodes that do not say otherwise */
  proxy_protocol: FrontendPlan['proxyProtocol'];
  /** up: a node may take sessions */
  health: 'up' | 'down';
  reason: string;
  /** the latest change among its nodes */
  changed: string | null;
  sessions: number;
  /** sessions that wait for a node */
  queued: number;
  accepted: number;
  ended: number;
  throttled: number;
  no_node: number;
  queue_refused: number;
  queue_timeouts: number;
  /** received from clients, and given to them */
  bytes_in: number;
  bytes_out: number;
  nodes_status: Record<Health, number>;
  nodes: NodeSnapshot[];
}

export interface NodeSnapshot {
  label: string;
  address: string;
  weight: number;
  mode: NodePlan['mode'];
  health: Health;
  is_ejected: boolean;
  reason: string;
  changed: string | null;
  check: CheckSnapshot;
  sessions: number;
  /** 0: no limit */
  max_connections: number;
  connects: number;
  connect_failures: number;
  connect_timeouts: number;
  retries: number;
  /** received from the node, and given to it */
  bytes_in: number;
  bytes_out: number;
}

/** What says whether a node is up. */
export type NodeCondition = Pick<NodeSnapshot, 'health' | 'is_ejected'>;

/** Active checks. */
export interface CheckSnapshot {
  /** when the last one ended */
  at: string | null;
  took_ms: number;
  total: number;
  failed: number;
}

const manifest: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** What all parts of one snapshot are taken from. */
interface Reading {
  readonly source: SnapshotSource;
  readonly live: LiveSessions;
  /** wall clock minus monotonic clock, of this moment: the first is set, and goes on while a machine is suspended */
  readonly wallClockOffsetMs: number;
  /** counters of all shards, side by side */
  readonly frontendCells: readonly Float64Array[];
  readonly nodeCells: readonly Float64Array[];
  readonly activeCells: readonly Int32Array[];
  /** `192.0.2.1:80`, by row of the frontend */
  readonly addresses: ReadonlyMap<number, readonly string[]>;
}

export function takeSnapshot(source: SnapshotSource): Snapshot {
  const { tables, counters, frontends } = source;
  const reading: Reading = {
    source,
    // There is room for far more rows than most configurations have.
    live: countLive(tables, rowsOf(frontends), rowsOf(frontends.flatMap(({ nodes }) => nodes))),
    wallClockOffsetMs: clockOffset(Date.now, source.nowMs),
    frontendCells: counters.map((shard) => shard.frontends),
    nodeCells: counters.map((shard) => shard.nodes),
    activeCells: counters.map((shard) => shard.nodesActive),
    addresses: addressesOf(source.services),
  };
  return {
    version: manifest.version,
    pid: process.pid,
    started: wallClock(reading, source.startedMs),
    shards: source.shards,
    sessions: reading.live.sessions,
    connections_max: source.connectionsMax,
    frontends: frontends.map((frontend) => frontendSnapshot(reading, frontend)),
  };
}

/** What a snapshot would say of one frontend's nodes, by address: for who asks about one of many. */
export function nodeConditions(states: NodeStates, frontend: FrontendPlan): ReadonlyMap<string, NodeCondition> {
  return new Map(
    frontend.nodes.map((node) => [
      node.address,
      { health: healthOf(states, node), is_ejected: isEjected(states, frontend, node) },
    ]),
  );
}

function frontendSnapshot(reading: Reading, frontend: FrontendPlan): FrontendSnapshot {
  const { source, live } = reading;
  const { row, label, port, algorithm, isSticky, nodes } = frontend;
  const count = (name: FrontendCounter) => sumCell(reading.frontendCells, row * FRONTEND_STRIDE + FRONTEND[name]);
  const taking = takingNodes(source.states, frontend);
  const changedMs = Math.max(0, ...nodes.map((node) => get(source.states.changedMs, node.row)));
  const snapshots = nodes.map((node) => nodeSnapshot(reading, frontend, node));
  return {
    nodebalancer: label,
    port,
    addresses: [...(reading.addresses.get(row) ?? [])],
    algorithm,
    stickiness: isSticky ? 'table' : 'none',
    proxy_protocol: frontend.proxyProtocol,
    health: taking.length > 0 ? 'up' : 'down',
    reason: describeTaking(source.states, frontend, taking),
    changed: timeOf(reading, changedMs),
    sessions: count('active'),
    queued: count('queued'),
    accepted: count('accepted'),
    ended: count('ended'),
    throttled: count('throttled'),
    no_node: count('noNode'),
    queue_refused: count('queueRefused'),
    queue_timeouts: count('queueTimeouts'),
    bytes_in: count('bytesIn') + get(live.frontendBytesIn, row),
    bytes_out: count('bytesOut') + get(live.frontendBytesOut, row),
    nodes_status: statusOf(snapshots),
    nodes: snapshots,
  };
}

function nodeSnapshot(reading: Reading, frontend: FrontendPlan, node: NodePlan): NodeSnapshot {
  const { source, live } = reading;
  const { states } = source;
  const { row, label, address, weight, mode } = node;
  const count = (name: NodeCounter) => sumCell(reading.nodeCells, row * NODE_STRIDE + NODE[name]);
  return {
    label,
    address,
    weight,
    mode,
    health: healthOf(states, node),
    is_ejected: isEjected(states, frontend, node),
    reason: reasonOf(states, frontend, node),
    changed: timeOf(reading, get(states.changedMs, row)),
    check: {
      at: timeOf(reading, get(states.checkedMs, row)),
      took_ms: Math.round(get(states.checkTookMs, row) * 1000) / 1000,
      total: get(states.checks, row),
      failed: get(states.checkFailures, row),
    },
    sessions: sumCell(reading.activeCells, row),
    max_connections: node.maxConnections,
    connects: count('connects'),
    connect_failures: count('connectFailures'),
    connect_timeouts: count('connectTimeouts'),
    retries: count('retries'),
    bytes_in: count('bytesIn') + get(live.nodeBytesIn, row),
    bytes_out: count('bytesOut') + get(live.nodeBytesOut, row),
  };
}

/** A node without an address is down to every shard, whether it is checked or not. */
function healthOf(states: NodeStates, { ip, row }: NodePlan): Health {
  return ip === undefined ? 'down' : healthName(get(states.health, row));
}

function reasonOf(states: NodeStates, { isPassive }: FrontendPlan, { ip, row }: NodePlan): string {
  return ip === undefined ? describeReason(REASON.noAddress, 0) : conditionReason(states, row, isPassive);
}

/** The nodes that take new connections, by the rules of the shards; not for the one session that tries an ejected one. */
function takingNodes(states: NodeStates, frontend: FrontendPlan): NodePlan[] {
  const { nodes } = frontend;
  const conditions = nodes.map((node) => conditionOf(states, frontend, node));
  const modes = nodes.map(({ mode }) => mode);
  const pool = { eligible: new Uint8Array(nodes.length), pinnable: new Uint8Array(nodes.length) };
  computeEligible(modes, conditions, pool);
  return nodes.filter((_, index) => pool.eligible[index] === 1);
}

/** `2 of 3 nodes take connections` */
function describeTaking(states: NodeStates, frontend: FrontendPlan, taking: readonly NodePlan[]): string {
  const all = frontend.nodes.length;
  if (all === 0) return 'it has no nodes';
  const nodes = `${taking.length} of ${all} ${all === 1 ? 'node' : 'nodes'}`;
  const text = `${nodes} ${taking.length === 1 || all === 1 ? 'takes' : 'take'} connections`;
  // Where every node has failed, they are tried after all.
  const isLastResort = taking.length > 0 && taking.every((node) => isEjected(states, frontend, node));
  return isLastResort ? `${text}, though sessions could not connect` : text;
}

function statusOf(nodes: readonly NodeSnapshot[]): Record<Health, number> {
  const status = { up: 0, down: 0, unknown: 0 };
  for (const { health } of nodes) status[health]++;
  return status;
}

/** Up to the last one in use. */
function rowsOf(things: readonly { readonly row: number }[]): number {
  return things.reduce((rows, { row }) => Math.max(rows, row + 1), 0);
}

const knownAddresses = new WeakMap<SnapshotSource['services'], ReadonlyMap<number, readonly string[]>>();

/** Written once for each plan: all addresses anew, for each frontend, would take the square of their number. */
function addressesOf(services: SnapshotSource['services']): ReadonlyMap<number, readonly string[]> {
  const known = knownAddresses.get(services);
  if (known !== undefined) return known;
  const addresses = new Map<number, string[]>();
  for (const { ip, port, frontend } of services) {
    const address = formatEndpoint(formatIp(ip, 0), port);
    const others = addresses.get(frontend);
    if (others === undefined) addresses.set(frontend, [address]);
    else others.push(address);
  }
  knownAddresses.set(services, addresses);
  return addresses;
}

function wallClock({ wallClockOffsetMs }: Reading, monotonicMs: number): string {
  return new Date(monotonicMs + wallClockOffsetMs).toISOString();
}

/** @param monotonicMs 0 is never */
function timeOf(reading: Reading, monotonicMs: number): string | null {
  return monotonicMs === 0 ? null : wallClock(reading, monotonicMs);
}
