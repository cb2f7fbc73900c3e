// All NodeBalancers with what a list of them shows of their configs: one request, where the API of /v4 takes one for each. Reads only.

import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import type { FrontendSnapshot } from '../../workers/snapshot.ts';
import type { StoredNodeBalancer } from '../store/inventory.ts';
import type { ApiContext } from './context.ts';
import { inventoryNow, snapshotNow } from './requests.ts';
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
    async (): Promise<Static<typeof OverviewView>> => {
      // A search among all frontends for each config would take the square of their number.
      const states = new Map(
        snapshotNow(context).frontends.map((state) => [placeOf(state.nodebalancer, state.port), state]),
      );
      return {
        data: inventoryNow(context).nodebalancers.map((nodebalancer) => overviewOf(context, nodebalancer, states)),
      };
    },
  );
}

function overviewOf(
  { statistics, now }: ApiContext,
  nodebalancer: StoredNodeBalancer,
  states: ReadonlyMap<string, FrontendSnapshot>,
): Static<typeof NodeBalancerOverview> {
  const configs = nodebalancer.configs.map((config): Static<typeof ConfigOverview> => {
    const view = viewConfig(nodebalancer, config, states.get(placeOf(nodebalancer.label, config.port)));
    const { id, port, protocol, proxy_protocol, nodes_status } = view;
    return { id, port, protocol, proxy_protocol, nodes_status };
  });
  return { ...viewNodeBalancer(nodebalancer, statistics.transfer(nodebalancer.id, now())), configs };
}

function placeOf(label: string, port: number): string {
  return `${label} ${port}`;
}
