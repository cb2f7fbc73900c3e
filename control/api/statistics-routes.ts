// Graphs: the API's `/stats`, and the same in short intervals.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { type Series, SHORT_INTERVAL_MS } from '../store/statistics.ts';
import type { ApiContext } from './context.ts';
import { apiError } from './errors.ts';
import { queryText } from './query.ts';
import { findNodeBalancer, inventoryNow } from './requests.ts';

const Points = Type.Array(Type.Tuple([Type.Number(), Type.Number()]), {
  description: 'milliseconds since 1970, and the average of the interval that begins there',
});

export const StatsView = Type.Object({
  title: Type.String(),
  data: Type.Object({ connections: Points, traffic: Type.Object({ in: Points, out: Points }) }),
});

const RangeQuery = Type.Object({ range: Type.Optional(Type.Enum(['hour', 'day'], { default: 'hour' })) });

/** Clients look for exactly this text. */
const UNAVAILABLE = 'Stats are unavailable at this time.';

const BITS_PER_BYTE = 8;

function statsOf(series: Series | undefined, title: string, nowMs: number) {
  if (series === undefined) throw apiError(400, UNAVAILABLE);
  const points = (amount: (point: Series['points'][number]) => number): [number, number][] =>
    series.points.map((point) => [point.time, amount(point) / secondsOf(series, point.time, nowMs)]);
  return {
    title,
    data: {
      connections: points(({ connections }) => connections),
      traffic: {
        in: points(({ bytesIn }) => bytesIn * BITS_PER_BYTE),
        out: points(({ bytesOut }) => bytesOut * BITS_PER_BYTE),
      },
    },
  };
}

/** An interval that is not over has the samples until now: over its whole length, every graph would end in a fall. */
function secondsOf({ intervalMs }: Series, time: number, nowMs: number): number {
  const sampledMs = Math.floor((nowMs - time) / SHORT_INTERVAL_MS) * SHORT_INTERVAL_MS;
  return Math.min(Math.max(sampledMs, SHORT_INTERVAL_MS), intervalMs) / 1000;
}

const AVERAGES = { day: 'day (5 min avg)', hour: 'hour (10 sec avg)' } as const;

function answer(context: ApiContext, request: FastifyRequest, range: keyof typeof AVERAGES) {
  const { id, label } = findNodeBalancer(inventoryNow(context), request).nodebalancer;
  const nowMs = context.now();
  return statsOf(context.statistics[range](id, nowMs), `${label} (${id}) - ${AVERAGES[range]}`, nowMs);
}

export function statsRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/nodebalancers/:nodebalancerId/stats',
    {
      config: { rate: 'stats' },
      schema: {
        summary: 'Connections and bits per second, 24 hours, averages of 5 minutes',
        response: { 200: StatsView },
      },
    },
    async (request) => answer(context, request, 'day'),
  );
}

export function shortStatsRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/balancer/v1/nodebalancers/:nodebalancerId/statistics',
    {
      config: { rate: 'stats' },
      schema: {
        summary: 'Connections and bits per second: an hour in averages of 10 seconds, or a day in those of 5 minutes',
        querystring: RangeQuery,
        response: { 200: StatsView },
      },
    },
    async (request) => {
      const range = queryText(request.query, 'range') ?? 'hour';
      if (range !== 'hour' && range !== 'day') throw apiError(400, 'Must be hour or day', 'range');
      return answer(context, request, range);
    },
  );
}
