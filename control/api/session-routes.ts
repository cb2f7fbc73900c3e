// The sessions that run, and how to end them.

import type { FastifyInstance } from 'fastify';
import { type Static, type TObject, Type } from 'typebox';
import { formatIp, parseIp } from '../../core/base/ip.ts';
import { isRecord } from '../../core/config/problem.ts';
import type { SessionFilter } from '../data-plane.ts';
import type { ApiContext } from './context.ts';
import { ApiError, apiError, type ErrorItem, notFound } from './errors.ts';
import type { Params } from './requests.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;

const FilterQuery = Type.Object({
  client: Type.Optional(Type.String({ description: "The client's IP address." })),
  node: Type.Optional(Type.String({ description: "The node's address: 192.0.2.10:8080." })),
  nodebalancer: Type.Optional(Type.String({ description: "The NodeBalancer's label." })),
  port: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65535, description: 'The port that the client connected to.' }),
  ),
});
const ListQuery = Type.Object({
  ...FilterQuery.properties,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMIT_MAX, default: LIMIT_DEFAULT })),
});

const SessionSchema = Type.Object({
  id: Type.String(),
  nodebalancer: Type.String(),
  port: Type.Integer(),
  client: Type.String(),
  local: Type.String(),
  node: Type.Union([Type.Object({ label: Type.String(), address: Type.String() }), Type.Null()]),
  phase: Type.String(),
  started: Type.String(),
  idle_ms: Type.Number(),
  bytes_in: Type.Number(),
  bytes_out: Type.Number(),
});
const SessionList = Type.Object({ total: Type.Integer(), sessions: Type.Array(SessionSchema) });
const Killed = Type.Object({ killed: Type.Integer() });

export function sessionRoutes(app: FastifyInstance, { plane }: ApiContext): void {
  app.get(
    '/balancer/v1/sessions',
    { schema: { summary: 'Sessions that run, filtered', querystring: ListQuery, response: { 200: SessionList } } },
    async (request): Promise<Static<typeof SessionList>> => {
      const { filter, limit } = readQuery(request.query, ListQuery);
      const { total, sessions } = plane.sessions(filter, limit);
      return { total, sessions: [...sessions] };
    },
  );

  app.delete(
    '/balancer/v1/sessions',
    { schema: { summary: 'End all sessions that fit a filter', querystring: FilterQuery, response: { 200: Killed } } },
    async (request) => {
      const { filter } = readQuery(request.query, FilterQuery);
      if (Object.keys(filter).length === 0) throw apiError(400, 'Say which: client, node, nodebalancer or port.');
      return { killed: await plane.kill(filter) };
    },
  );

  app.delete(
    '/balancer/v1/sessions/:sessionId',
    { schema: { summary: 'End one session', response: { 200: Killed } } },
    async (request) => {
      const killed = await plane.kill({ id: (request.params as Params).sessionId ?? '' });
      if (killed === 0) throw notFound();
      return { killed };
    },
  );
}

/** @throws ApiError 400: a filter that was misspelled must not be one that fits everything */
function readQuery(
  query: unknown,
  { properties }: TObject,
): { readonly filter: SessionFilter; readonly limit: number } {
  const errors: ErrorItem[] = [];
  const given = isRecord(query) ? query : {};
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(properties, key)) errors.push({ field: key, reason: 'There is no such filter' });
  }
  const text = (name: string): string | undefined => {
    const value = given[name];
    if (value === undefined) return undefined;
    // Empty is a mistake: as "no filter" it would end what nobody meant.
    if (typeof value === 'string' && value !== '') return value;
    errors.push({ field: name, reason: value === '' ? 'Must not be empty' : 'Must be given once' });
    return undefined;
  };
  const number = (name: string, max: number): number | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    if (/^[1-9]\d{0,8}$/.test(value) && Number(value) <= max) return Number(value);
    errors.push({ field: name, reason: `Must be an integer from 1 to ${max}` });
    return undefined;
  };
  const client = text('client');
  const ip = client === undefined ? undefined : parseIp(client);
  if (client !== undefined && ip === undefined) errors.push({ field: 'client', reason: 'Must be an IP address' });
  const node = text('node');
  const nodebalancer = text('nodebalancer');
  const port = number('port', 65535);
  const limit = number('limit', LIMIT_MAX) ?? LIMIT_DEFAULT;
  if (errors.length > 0) throw new ApiError(400, errors);
  return {
    limit,
    filter: {
      ...(ip === undefined ? {} : { client: formatIp(ip, 0) }),
      ...(node === undefined ? {} : { nodeAddress: node }),
      ...(nodebalancer === undefined ? {} : { nodebalancer }),
      ...(port === undefined ? {} : { port }),
    },
  };
}
