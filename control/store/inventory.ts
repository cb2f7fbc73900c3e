// What the store holds: the nodebalancers with their configs and nodes, each with an id and with what the API keeps of it beside the
// configuration (region, tags, times, kept fields). Every change makes another inventory; none is ever edited in place.

import type { Config, Frontend, Node, NodeBalancer } from '../../core/config/model.ts';
import { type KeptFields, keptFieldsOf, UNSAID } from './kept-fields.ts';

export interface StoredNode extends Node {
  readonly id: number;
}

export interface StoredFrontend extends Omit<Frontend, 'nodes'>, KeptFields {
  readonly id: number;
  readonly nodes: readonly StoredNode[];
}

export interface StoredNodeBalancer extends Omit<NodeBalancer, 'configs'> {
  readonly id: number;
  readonly region: string;
  readonly tags: readonly string[];
  /** ISO 8601 in UTC, to the second */
  readonly created: string;
  readonly updated: string;
  readonly configs: readonly StoredFrontend[];
}

export interface Inventory {
  /** the id that the next new thing of any kind gets: none is ever given twice, not even after a rollback */
  readonly nextId: number;
  readonly nodebalancers: readonly StoredNodeBalancer[];
}

export const EMPTY_INVENTORY: Inventory = { nextId: 1, nodebalancers: [] };

/** The part that shards are told. */
export function configOf(inventory: Inventory): Config {
  return {
    nodebalancers: inventory.nodebalancers.map(({ id, region, tags, created, updated, configs, ...nodebalancer }) => ({
      ...nodebalancer,
      configs: configs.map(({ id: configId, cipher_suite, udp_check_port, nodes, ...frontend }) => ({
        ...frontend,
        nodes: nodes.map(({ id: nodeId, ...node }) => node),
      })),
    })),
  };
}

/**
 * The inventory that a configuration file describes. What was there before keeps its id and the rest: a nodebalancer by its label, a
 * config by its port, a node by its address.
 * @param now ISO 8601 in UTC, to the second
 */
export function inventoryOf(config: Config, before: Inventory, region: string, now: string): Inventory {
  let nextId = before.nextId;
  const idOf = (old: { readonly id: number } | undefined): number => old?.id ?? nextId++;
  const nodebalancers = config.nodebalancers.map((nodebalancer): StoredNodeBalancer => {
    const old = before.nodebalancers.find(({ label }) => label === nodebalancer.label);
    return {
      ...nodebalancer,
      id: idOf(old),
      region: old?.region ?? region,
      tags: old?.tags ?? [],
      created: old?.created ?? now,
      updated: now,
      configs: nodebalancer.configs.map((frontend): StoredFrontend => {
        const oldFrontend = old?.configs.find(({ port }) => port === frontend.port);
        return {
          ...frontend,
          ...keptFieldsOf(oldFrontend ?? UNSAID),
          id: idOf(oldFrontend),
          nodes: frontend.nodes.map((node) => ({
            ...node,
            id: idOf(oldFrontend?.nodes.find(({ address }) => address === node.address)),
          })),
        };
      }),
    };
  });
  return { nextId, nodebalancers };
}
