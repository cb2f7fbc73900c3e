// Inventory -> inventory, one function per kind of change. What is to be changed is named by id; who asks for what is not there gets
// a 404.

import type { Inventory, StoredFrontend, StoredNode, StoredNodeBalancer } from '../store/inventory.ts';
import { notFound } from './errors.ts';

interface Identified {
  readonly id: number;
}

/** @throws ApiError 404 */
export function findById<T extends Identified>(items: readonly T[], id: number): T {
  const found = items.find((item) => item.id === id);
  if (found === undefined) throw notFound();
  return found;
}

/** Gives each new thing the next id. */
export class Ids {
  #next: number;

  constructor(inventory: Inventory) {
    this.#next = inventory.nextId;
  }

  take(): number {
    return this.#next++;
  }

  get next(): number {
    return this.#next;
  }
}

function replaceById<T extends Identified>(items: readonly T[], changed: T): readonly T[] {
  return items.map((item) => (item.id === changed.id ? changed : item));
}

function withoutId<T extends Identified>(items: readonly T[], id: number): readonly T[] {
  return items.filter((item) => item.id !== id);
}

export function addNodeBalancer(inventory: Inventory, nodebalancer: StoredNodeBalancer, ids: Ids): Inventory {
  return { nextId: ids.next, nodebalancers: [...inventory.nodebalancers, nodebalancer] };
}

export function changeNodeBalancer(inventory: Inventory, changed: StoredNodeBalancer): Inventory {
  return { ...inventory, nodebalancers: replaceById(inventory.nodebalancers, changed) };
}

export function removeNodeBalancer(inventory: Inventory, id: number): Inventory {
  return { ...inventory, nodebalancers: withoutId(inventory.nodebalancers, id) };
}

/** Its own fields and its parts; everything below it that changed makes it changed. */
function withConfigs(
  inventory: Inventory,
  nodebalancer: StoredNodeBalancer,
  configs: readonly StoredFrontend[],
  now: string,
): Inventory {
  return changeNodeBalancer(inventory, { ...nodebalancer, configs, updated: now });
}

export interface Place {
  readonly nodebalancer: StoredNodeBalancer;
  readonly now: string;
}

export function addConfig(
  inventory: Inventory,
  { nodebalancer, now }: Place,
  config: StoredFrontend,
  ids: Ids,
): Inventory {
  return { ...withConfigs(inventory, nodebalancer, [...nodebalancer.configs, config], now), nextId: ids.next };
}

export function changeConfig(
  inventory: Inventory,
  { nodebalancer, now }: Place,
  changed: StoredFrontend,
  ids?: Ids,
): Inventory {
  const next = withConfigs(inventory, nodebalancer, replaceById(nodebalancer.configs, changed), now);
  return ids === undefined ? next : { ...next, nextId: ids.next };
}

export function removeConfig(inventory: Inventory, { nodebalancer, now }: Place, id: number): Inventory {
  return withConfigs(inventory, nodebalancer, withoutId(nodebalancer.configs, id), now);
}

export function withNode(config: StoredFrontend, node: StoredNode): StoredFrontend {
  const isThere = config.nodes.some(({ id }) => id === node.id);
  return { ...config, nodes: isThere ? replaceById(config.nodes, node) : [...config.nodes, node] };
}

export function withoutNode(config: StoredFrontend, id: number): StoredFrontend {
  return { ...config, nodes: withoutId(config.nodes, id) };
}
