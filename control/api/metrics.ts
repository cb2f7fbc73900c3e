// `/metrics`: what there is to measure, family by family. Labels are few and have few values: frontend, node, worker,
// never a client.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { monotonicMs } from '../../core/base/clock.ts';
import type { FrontendSnapshot, NodeSnapshot, Snapshot } from '../../workers/snapshot.ts';
import type { ShardCounts } from '../data-plane.ts';
import { RisingBytes } from '../rising.ts';
import type { RevisionInfo } from '../store/store.ts';
import type { ApiContext } from './context.ts';
import { gauge, histogram, type Labels, metric, type Row, table } from './exposition.ts';
import { processMetrics } from './process-metrics.ts';

/** Scrapes within this time get one answer: fifty scrapers cost hardly more than one. */
const FRESH_MS = 1000;

export function metricsRoutes(app: FastifyInstance, context: ApiContext): void {
  const metrics = new Metrics(context);
  app.get(
    '/metrics',
    {
      config: { isOpenLocally: true },
      schema: { summary: 'Metrics, as Prometheus reads them', response: { 200: Type.String() } },
    },
    async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(metrics.text()),
  );
}

export class Metrics {
  readonly #context: Pick<ApiContext, 'plane' | 'store'>;
  readonly #steadyMs: () => number;
  readonly #rising = new RisingBytes();
  #text = '';
  #madeMs = Number.NEGATIVE_INFINITY;

  /** @param steadyMs milliseconds of a clock that nobody sets */
  constructor(context: Pick<ApiContext, 'plane' | 'store'>, steadyMs: () => number = monotonicMs) {
    this.#context = context;
    this.#steadyMs = steadyMs;
  }

  /** At most FRESH_MS old. */
  text(): string {
    const nowMs = this.#steadyMs();
    if (nowMs - this.#madeMs < FRESH_MS) return this.#text;
    this.#madeMs = nowMs;
    this.#text = this.#make();
    return this.#text;
  }

  #make(): string {
    const { plane, store } = this.#context;
    const snapshot = plane.snapshot();
    const frontends = this.#steady(snapshot.frontends);
    const { connect, firstByte, duration } = plane.histograms();
    return [
      ...balancerMetrics(snapshot, plane.readiness() === 'ready', plane.isReloadGood(), store.read()),
      ...processMetrics(),
      ...table(
        'balancer_',
        WORKER_ROWS,
        plane.shardCounts().map((counts, worker) => [counts, { worker }]),
      ),
      ...cutMetrics(plane.shardCounts()),
      ...frontendMetrics(frontends),
      ...nodeMetrics(frontends),
      ...histogram('balancer_connect_seconds', 'Time that connecting to a node took.', connect),
      ...histogram('balancer_first_byte_seconds', "Time from accept to the node's first byte.", firstByte),
      ...histogram('balancer_session_seconds', 'Duration of ended sessions.', duration),
      '',
    ].join('\n');
  }

  /** A counter that falls has begun again, to Prometheus: a whole total would come on top. */
  #steady(frontends: readonly FrontendSnapshot[]): FrontendSnapshot[] {
    this.#rising.begin();
    return frontends.map((frontend) => {
      const place = frontendName(frontend);
      return {
        ...frontend,
        ...this.#rise(place, frontend.accepted, frontend),
        nodes: frontend.nodes.map((node) => ({
          ...node,
          ...this.#rise(`${place} ${node.address}`, node.connects, node),
        })),
      };
    });
  }

  #rise(key: string, connections: number, counts: Pick<NodeSnapshot, 'bytes_in' | 'bytes_out'>) {
    const { bytesIn, bytesOut } = this.#rising.rise(key, connections, {
      bytesIn: counts.bytes_in,
      bytesOut: counts.bytes_out,
    });
    return { bytes_in: bytesIn, bytes_out: bytesOut };
  }
}

function balancerMetrics(
  snapshot: Snapshot,
  isReady: boolean,
  isReloadGood: boolean,
  { revision, time }: RevisionInfo,
): string[] {
  const { version, started, shards, sessions, connections_max } = snapshot;
  return [
    ...metric('balancer_build_info', 'gauge', 'The version that runs.', [[{ version }, 1]]),
    ...gauge('balancer_start_time_seconds', 'When the process started, since 1970.', Date.parse(started) / 1000),
    ...gauge('balancer_ready', '1 while connections are taken.', isReady ? 1 : 0),
    ...gauge('balancer_shards', 'Listener workers.', shards),
    ...gauge('balancer_sessions', 'Sessions that run.', sessions),
    ...gauge('balancer_sessions_max', 'Sessions that may run at a time.', connections_max),
    ...gauge('balancer_config_version', 'Revision of the configuration.', revision),
    ...gauge(
      'balancer_config_last_reload_success',
      '0 when the file was read again and refused: the configuration before it is in force.',
      isReloadGood ? 1 : 0,
    ),
    ...gauge(
      'balancer_config_last_reload_timestamp_seconds',
      'When the configuration was changed, since 1970.',
      Date.parse(`${time}Z`) / 1000,
    ),
  ];
}

/** Side by side they show whether the workers have equal shares. */
const WORKER_ROWS: readonly Row<ShardCounts>[] = [
  { name: 'worker_accepts_total', type: 'counter', help: 'Connections accepted.', value: ({ accepted }) => accepted },
  {
    name: 'worker_active',
    type: 'gauge',
    help: 'Sessions that run.',
    value: ({ accepted, ended }) => Math.max(0, accepted - ended),
  },
  {
    name: 'accept_errors_total',
    type: 'counter',
    help: 'Accepts that failed.',
    value: ({ acceptErrors }) => acceptErrors,
  },
  {
    name: 'splice_bytes_total',
    type: 'counter',
    help: 'Bytes moved without a copy.',
    value: ({ bytesSpliced }) => bytesSpliced,
  },
  {
    name: 'copy_bytes_total',
    type: 'counter',
    help: 'Bytes moved through a buffer.',
    value: ({ bytesCopied }) => bytesCopied,
  },
  {
    name: 'header_bytes_total',
    type: 'counter',
    help: 'Bytes of PROXY headers sent.',
    value: ({ headerBytes }) => headerBytes,
  },
  {
    name: 'log_dropped_total',
    type: 'counter',
    help: 'Lines of the session log that were dropped.',
    value: ({ logDropped }) => logDropped,
  },
];

/** Timeouts, limits, kills and our own mistakes are the balancer's. */
function cutMetrics(shards: readonly ShardCounts[]): string[] {
  const sum = (name: 'cutByClient' | 'cutByNode' | 'cutByBalancer'): number =>
    shards.reduce((total, counts) => total + counts[name], 0);
  return metric('balancer_resets_total', 'counter', 'Sessions that were cut off, by who did it.', [
    [{ by: 'client' }, sum('cutByClient')],
    [{ by: 'node' }, sum('cutByNode')],
    [{ by: 'lb' }, sum('cutByBalancer')],
  ]);
}

const FRONTEND_ROWS: readonly Row<FrontendSnapshot>[] = [
  { name: 'sessions', type: 'gauge', help: 'Sessions that run.', value: ({ sessions }) => sessions },
  { name: 'current_queue', type: 'gauge', help: 'Sessions that wait for a node.', value: ({ queued }) => queued },
  { name: 'sessions_total', type: 'counter', help: 'Connections accepted.', value: ({ accepted }) => accepted },
  { name: 'ended_total', type: 'counter', help: 'Sessions that have ended.', value: ({ ended }) => ended },
  {
    name: 'throttled_total',
    type: 'counter',
    help: 'Connections reset by the client throttle.',
    value: ({ throttled }) => throttled,
  },
  {
    name: 'no_node_total',
    type: 'counter',
    help: 'Connections that no node could take.',
    value: ({ no_node }) => no_node,
  },
  {
    name: 'queue_refused_total',
    type: 'counter',
    help: 'Connections reset because the queue was full.',
    value: ({ queue_refused }) => queue_refused,
  },
  {
    name: 'queue_timeouts_total',
    type: 'counter',
    help: 'Connections reset because they waited too long.',
    value: ({ queue_timeouts }) => queue_timeouts,
  },
  { name: 'bytes_in_total', type: 'counter', help: 'Bytes received from clients.', value: ({ bytes_in }) => bytes_in },
  { name: 'bytes_out_total', type: 'counter', help: 'Bytes given to clients.', value: ({ bytes_out }) => bytes_out },
  {
    name: 'up',
    type: 'gauge',
    help: '1 while a node may take sessions.',
    value: ({ health }) => Number(health === 'up'),
  },
];

const NODE_ROWS: readonly Row<NodeSnapshot>[] = [
  {
    name: 'up',
    type: 'gauge',
    help: '1 unless checks or sessions find it down.',
    value: (node) => Number(node.health !== 'down' && !node.is_ejected),
  },
  { name: 'weight', type: 'gauge', help: 'Its weight.', value: ({ weight }) => weight },
  { name: 'current_sessions', type: 'gauge', help: 'Sessions that it has.', value: ({ sessions }) => sessions },
  { name: 'connection_attempts_total', type: 'counter', help: 'Connects begun.', value: ({ connects }) => connects },
  {
    name: 'connection_errors_total',
    type: 'counter',
    help: 'Connects that failed.',
    value: ({ connect_failures }) => connect_failures,
  },
  {
    name: 'connection_timeouts_total',
    type: 'counter',
    help: 'Connects that took too long.',
    value: ({ connect_timeouts }) => connect_timeouts,
  },
  {
    name: 'retry_warnings_total',
    type: 'counter',
    help: 'Connections that went on to another node.',
    value: ({ retries }) => retries,
  },
  { name: 'bytes_in_total', type: 'counter', help: 'Bytes received from it.', value: ({ bytes_in }) => bytes_in },
  { name: 'bytes_out_total', type: 'counter', help: 'Bytes given to it.', value: ({ bytes_out }) => bytes_out },
  { name: 'checks_total', type: 'counter', help: 'Active checks.', value: ({ check }) => check.total },
  {
    name: 'check_failures_total',
    type: 'counter',
    help: 'Active checks that failed.',
    value: ({ check }) => check.failed,
  },
  {
    name: 'check_duration_seconds',
    type: 'gauge',
    help: 'How long the last check took.',
    value: ({ check }) => check.took_ms / 1000,
  },
];

function frontendName({ nodebalancer, port }: Pick<FrontendSnapshot, 'nodebalancer' | 'port'>): string {
  return `${nodebalancer}:${port}`;
}

function frontendMetrics(frontends: readonly FrontendSnapshot[]): string[] {
  const things = frontends.map((frontend) => [frontend, { frontend: frontendName(frontend) }] as const);
  return table('balancer_frontend_', FRONTEND_ROWS, things);
}

function nodeMetrics(frontends: readonly FrontendSnapshot[]): string[] {
  const things = frontends.flatMap((frontend) =>
    frontend.nodes.map((node): readonly [NodeSnapshot, Labels] => {
      const { label, address } = node;
      return [node, { frontend: frontendName(frontend), node: label, address }];
    }),
  );
  return table('balancer_node_', NODE_ROWS, things);
}
