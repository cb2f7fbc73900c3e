// All NodeBalancers with what a list of them shows of their configs: one request, where the API of /v4 takes one for each. Reads only.

import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import type { StoredNodeBalancer } from '../store/inventory.ts';
import type { ApiContext } from './context.ts';
import { inventoryNow } from './requests.ts';
import { ConfigView, NodeBalancerView, viewConfig, viewNodeBalancer } from './views.ts';

const { id, port, protocol, proxy_protocol, nodes_status } = ConfigView.properties;
const ConfigOverview = Type.Object({ id, port, protocol, proxy_protocol, nodes_status });
const NodeBalancerOverview = Type.Object({ ...NodeBalancerView.properties, configs: Type.Array(ConfigOverview) });
export const OverviewView = Type.Object({ data: Type.Array(NodeBalancerOverview) });

export function overviewRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/balancer/v1/nodebalancers',
    {
      config: { rate: 'list' },
      schema: {
        summary: 'All NodeBalancers, each with its ports and how many of their nodes are up',
        response: { 200: OverviewView },
      },
    },
    async (): Promise<Static<typeof OverviewView>> => ({
      data: inventoryNow(context).nodebalancers.map((nodebalancer) => overviewOf(context, nodebalancer)),
    }),
  );
}

function overviewOf(
  { plane, statistics, now }: ApiContext,
  nodebalancer: StoredNodeBalancer,
): Static<typeof NodeBalancerOverview> {
  const configs = nodebalancer.configs.map((config): Static<typeof ConfigOverview> => {
    const view = viewConfig(nodebalancer, config, plane.conditions(nodebalancer.label, config.port));
    const { id, port, protocol, proxy_protocol, nodes_status } = view;
    return { id, port, protocol, proxy_protocol, nodes_status };
  });
  return { ...viewNodeBalancer(nodebalancer, statistics.transfer(nodebalancer.id, now())), configs };
}
