// What clients ask for beside NodeBalancers: the one region, what a NodeBalancer costs (nothing), who they are, and the empty lists of
// what there is not.

import { hash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { isRecord } from '../../core/config/problem.ts';
import type { ApiContext } from './context.ts';
import { apiError, notFound } from './errors.ts';
import { NO_FIREWALLS } from './foreign-keys.ts';
import { PageQuery, pageOf, paginate } from './pagination.ts';
import type { RequestSchema } from './request-schemas.ts';
import { findNodeBalancer, inventoryNow, type Params } from './requests.ts';
import { readBody } from './unknown-keys.ts';

const RegionView = Type.Object({
  id: Type.String(),
  label: Type.String(),
  country: Type.String(),
  capabilities: Type.Array(Type.String()),
  status: Type.Enum(['ok']),
  site_type: Type.Enum(['core']),
  placement_group_limits: Type.Object({
    maximum_pgs_per_customer: Type.Integer(),
    maximum_linodes_per_pg: Type.Integer(),
    maximum_linodes_per_flexible_pg: Type.Integer(),
  }),
  monitors: Type.Object({ alerts: Type.Array(Type.String()), metrics: Type.Array(Type.String()) }),
  resolvers: Type.Object({ ipv4: Type.String(), ipv6: Type.String() }),
});

const TypeView = Type.Object({
  id: Type.String(),
  label: Type.String(),
  price: Type.Object({ hourly: Type.Number(), monthly: Type.Number() }),
  region_prices: Type.Array(Type.Object({ id: Type.String(), hourly: Type.Number(), monthly: Type.Number() })),
  transfer: Type.Integer(),
});

const ProfileView = Type.Object({
  uid: Type.Integer({ description: 'Of the name: whoever has the same name is the same user.' }),
  username: Type.String(),
  email: Type.String(),
  timezone: Type.String(),
  restricted: Type.Boolean(),
  scopes: Type.String(),
});

const NODEBALANCER_TYPE = {
  id: 'nodebalancer',
  label: 'NodeBalancer',
  price: { hourly: 0, monthly: 0 },
  region_prices: [],
  transfer: 0,
};

const FIREWALLS: RequestSchema = {
  schema: Type.Object({ firewall_ids: Type.Array(Type.Integer(), { maxItems: 0 }) }),
  foreign: {},
  items: {},
  spellings: {},
  extensions: [],
};

const UID_MAX = 2 ** 31 - 1;

/** A positive number of 31 bits, the same for the same name. Users have no numbers here, and clients take one to tell them apart. */
function uidOf(name: string): number {
  return (hash('sha256', name, 'buffer').readUInt32BE(0) % UID_MAX) + 1;
}

export function regionTypeRoutes(app: FastifyInstance, { settings, store, ...context }: ApiContext): void {
  const region = {
    id: settings.region,
    label: settings.region,
    country: '',
    capabilities: ['NodeBalancers'],
    status: 'ok' as const,
    site_type: 'core' as const,
    // There are no placement groups and no monitoring service.
    placement_group_limits: {
      maximum_pgs_per_customer: 0,
      maximum_linodes_per_pg: 0,
      maximum_linodes_per_flexible_pg: 0,
    },
    monitors: { alerts: [], metrics: [] },
    resolvers: { ipv4: '', ipv6: '' },
  };

  app.get(
    '/regions',
    {
      config: { isOpen: true },
      schema: { summary: 'The one region', querystring: PageQuery, response: { 200: pageOf(RegionView) } },
    },
    async (request) => paginate(request.query, [region]),
  );

  app.get(
    '/regions/:regionId',
    { config: { isOpen: true }, schema: { summary: 'The one region', response: { 200: RegionView } } },
    async (request) => {
      if ((request.params as Params).regionId !== region.id) throw notFound();
      return region;
    },
  );

  app.get(
    '/nodebalancers/types',
    {
      config: { isOpen: true },
      schema: { summary: 'Types of NodeBalancers', querystring: PageQuery, response: { 200: pageOf(TypeView) } },
    },
    async (request) => paginate(request.query, [NODEBALANCER_TYPE]),
  );

  app.get(
    '/profile',
    { schema: { summary: 'Whose token it is', response: { 200: ProfileView } } },
    async (request) => ({
      uid: uidOf(request.caller.author),
      username: request.caller.author,
      email: '',
      timezone: 'UTC',
      restricted: request.caller.scope === 'read_only',
      scopes: request.caller.scope === 'read_write' ? '*' : 'nodebalancers:read_only',
    }),
  );

  app.put(
    '/nodebalancers/:nodebalancerId/firewalls',
    {
      schema: {
        summary: 'Set the firewalls of a NodeBalancer: there are none to choose from',
        body: FIREWALLS.schema,
        response: { 200: pageOf(Type.Object({})) },
      },
    },
    async (request, reply) => {
      findNodeBalancer(inventoryNow({ settings, store, ...context }), request);
      const body = readBody(request, reply, FIREWALLS);
      const ids = isRecord(body) ? body.firewall_ids : undefined;
      if (!Array.isArray(ids)) throw apiError(400, 'firewall_ids must be a list', 'firewall_ids');
      if (ids.length > 0) throw apiError(400, NO_FIREWALLS, 'firewall_ids');
      return paginate(request.query, []);
    },
  );

  for (const [name, summary] of [
    ['firewalls', 'Firewalls of a NodeBalancer: none here'],
    ['vpcs', 'VPCs of a NodeBalancer: none here'],
  ] as const) {
    app.get(
      `/nodebalancers/:nodebalancerId/${name}`,
      { schema: { summary, querystring: PageQuery, response: { 200: pageOf(Type.Object({})) } } },
      async (request) => {
        findNodeBalancer(inventoryNow({ settings, store, ...context }), request);
        return paginate(request.query, []);
      },
    );
  }
}
