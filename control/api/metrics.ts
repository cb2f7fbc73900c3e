// `/metrics`: what there is to measure, family by family. Labels are few and have few values: frontend, node, worker,
// never a client.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { monotonicMs } from '../../core/base/clock.ts';
import type { LoopLags } from '../../workers/loop-lag.ts';
import type { FrontendSnapshot, NodeSnapshot, Snapshot } from '../../workers/snapshot.ts';
import type { ShardCounts } from '../data-plane.ts';
import { type ByteCounts, RisingBytes } from '../rising.ts';
import type { RevisionInfo } from '../store/store.ts';
import type { ApiContext } from './context.ts';
import { gauge, histogram, labelText, metric, type Row, type Sample, table } from './exposition.ts';
import { processMetrics } from './process-metrics.ts';

const MS_PER_SECOND = 1000;
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
    const shards = plane.shardCounts();
    const { connect, firstByte, duration } = plane.histograms();
    return [
      balancerMetrics(snapshot, plane.readiness() === 'ready', plane.isReloadGood(), store.read()),
      processMetrics(),
      workerMetrics(shards),
      lagMetrics(plane.loopLags()),
      cutMetrics(shards),
      this.#poolMetrics(snapshot.frontends),
      histogram('balancer_connect_seconds', 'Time that connecting to a node took.', connect),
      histogram('balancer_first_byte_seconds', "Time from accept to the node's first byte.", firstByte),
      histogram('balancer_session_seconds', 'Duration of ended sessions.', duration),
    ].join('');
  }

  #poolMetrics(frontends: readonly FrontendSnapshot[]): string {
    const frontendThings: [Measured<FrontendSnapshot>, string][] = [];
    const nodeThings: [Measured<NodeSnapshot>, string][] = [];
    this.#rising.begin();
    for (const state of frontends) {
      const name = `${state.nodebalancer}:${state.port}`;
      const bytes = this.#rise(name, state.accepted, state);
      frontendThings.push([{ state, bytes }, labelText({ frontend: name })]);
      for (const node of state.nodes) {
        const nodeBytes = this.#rise(`${name} ${node.address}`, node.connects, node);
        const labels = labelText({ frontend: name, node: node.label, address: node.address });
        nodeThings.push([{ state: node, bytes: nodeBytes }, labels]);
      }
    }
    return table('balancer_frontend_', FRONTEND_ROWS, frontendThings) + table('balancer_node_', NODE_ROWS, nodeThings);
  }

  /** A counter that falls has begun again, to Prometheus: a whole total would come on top. */
  #rise(key: string, connections: number, counts: Pick<NodeSnapshot, 'bytes_in' | 'bytes_out'>): ByteCounts {
    return this.#rising.rise(key, connections, { bytesIn: counts.bytes_in, bytesOut: counts.bytes_out });
  }
}

/** What a snapshot says of a thing, and its bytes as they may be told. */
interface Measured<T> {
  readonly state: T;
  readonly bytes: ByteCounts;
}

function balancerMetrics(
  snapshot: Snapshot,
  isReady: boolean,
  isReloadGood: boolean,
  { revision, time }: RevisionInfo,
): string {
  const { version, started, shards, sessions, connections_max } = snapshot;
  return [
    metric('balancer_build_info', 'gauge', 'The version that runs.', [[{ version }, 1]]),
    gauge('balancer_start_time_seconds', 'When the process started, since 1970.', Date.parse(started) / 1000),
    gauge('balancer_ready', '1 while connections are taken.', isReady ? 1 : 0),
    gauge('balancer_shards', 'Listener workers.', shards),
    gauge('balancer_sessions', 'Sessions that run.', sessions),
    gauge('balancer_sessions_max', 'Sessions that may run at a time.', connections_max),
    gauge('balancer_config_version', 'Revision of the configuration.', revision),
    gauge(
      'balancer_config_last_reload_success',
      '0 when the file was read again and refused: the configuration before it is in force.',
      isReloadGood ? 1 : 0,
    ),
    gauge(
      'balancer_config_last_reload_timestamp_seconds',
      'When the configuration was changed, since 1970.',
      Date.parse(`${time}Z`) / 1000,
    ),
  ].join('');
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

function workerMetrics(shards: readonly ShardCounts[]): string {
  const things = shards.map((counts, worker) => [counts, labelText({ worker })] as const);
  return table('balancer_', WORKER_ROWS, things);
}

/** The threads that are no workers beside them: each has an event loop, too. */
function lagMetrics({ shards, main, control }: LoopLags): string {
  const sample = (worker: number | string, lagMs: number): Sample => [{ worker }, lagMs / MS_PER_SECOND];
  return metric(
    'balancer_worker_eventloop_lag_seconds',
    'gauge',
    'Longest delay of the event loop in the last 30 to 60 s.',
    [...shards.map((lagMs, worker) => sample(worker, lagMs)), sample('main', main), sample('control', control)],
  );
}

/** Timeouts, limits, kills and our own mistakes are the balancer's. */
function cutMetrics(shards: readonly ShardCounts[]): string {
  const sum = (name: 'cutByClient' | 'cutByNode' | 'cutByBalancer'): number =>
    shards.reduce((total, counts) => total + counts[name], 0);
  return metric('balancer_resets_total', 'counter', 'Sessions that were cut off, by who did it.', [
    [{ by: 'client' }, sum('cutByClient')],
    [{ by: 'node' }, sum('cutByNode')],
    [{ by: 'lb' }, sum('cutByBalancer')],
  ]);
}

const FRONTEND_ROWS: readonly Row<Measured<FrontendSnapshot>>[] = [
  { name: 'sessions', type: 'gauge', help: 'Sessions that run.', value: ({ state }) => state.sessions },
  { name: 'current_queue', type: 'gauge', help: 'Sessions that wait for a node.', value: ({ state }) => state.queued },
  { name: 'sessions_total', type: 'counter', help: 'Connections accepted.', value: ({ state }) => state.accepted },
  { name: 'ended_total', type: 'counter', help: 'Sessions that have ended.', value: ({ state }) => state.ended },
  {
    name: 'throttled_total',
    type: 'counter',
    help: 'Connections reset by the client throttle.',
    value: ({ state }) => state.throttled,
  },
  {
    name: 'no_node_total',
    type: 'counter',
    help: 'Connections that no node could take.',
    value: ({ state }) => state.no_node,
  },
  {
    name: 'queue_refused_total',
    type: 'counter',
    help: 'Connections reset because the queue was full.',
    value: ({ state }) => state.queue_refused,
  },
  {
    name: 'queue_timeouts_total',
    type: 'counter',
    help: 'Connections reset because they waited too long.',
    value: ({ state }) => state.queue_timeouts,
  },
  {
    name: 'bytes_in_total',
    type: 'counter',
    help: 'Bytes received from clients.',
    value: ({ bytes }) => bytes.bytesIn,
  },
  { name: 'bytes_out_total', type: 'counter', help: 'Bytes given to clients.', value: ({ bytes }) => bytes.bytesOut },
  {
    name: 'up',
    type: 'gauge',
    help: '1 while a node may take sessions.',
    value: ({ state }) => Number(state.health === 'up'),
  },
];

const NODE_ROWS: readonly Row<Measured<NodeSnapshot>>[] = [
  {
    name: 'up',
    type: 'gauge',
    help: '1 unless checks or sessions find it down.',
    value: ({ state }) => Number(state.health !== 'down' && !state.is_ejected),
  },
  { name: 'weight', type: 'gauge', help: 'Its weight.', value: ({ state }) => state.weight },
  { name: 'current_sessions', type: 'gauge', help: 'Sessions that it has.', value: ({ state }) => state.sessions },
  { name: 'connection_attempts_total', type: 'counter', help: 'Connects begun.', value: ({ state }) => state.connects },
  {
    name: 'connection_errors_total',
    type: 'counter',
    help: 'Connects that failed.',
    value: ({ state }) => state.connect_failures,
  },
  {
    name: 'connection_timeouts_total',
    type: 'counter',
    help: 'Connects that took too long.',
    value: ({ state }) => state.connect_timeouts,
  },
  {
    name: 'retry_warnings_total',
    type: 'counter',
    help: 'Connections that went on to another node.',
    value: ({ state }) => state.retries,
  },
  { name: 'bytes_in_total', type: 'counter', help: 'Bytes received from it.', value: ({ bytes }) => bytes.bytesIn },
  { name: 'bytes_out_total', type: 'counter', help: 'Bytes given to it.', value: ({ bytes }) => bytes.bytesOut },
  { name: 'checks_total', type: 'counter', help: 'Active checks.', value: ({ state }) => state.check.total },
  {
    name: 'check_failures_total',
    type: 'counter',
    help: 'Active checks that failed.',
    value: ({ state }) => state.check.failed,
  },
  {
    name: 'check_duration_seconds',
    type: 'gauge',
    help: 'How long the last check took.',
    value: ({ state }) => state.check.took_ms / 1000,
  },
];
