// What is different between two inventories, in lines for people. Things are the same by their ids: one that got another name has
// been renamed, not replaced.

import { nodeIdentity } from '../../core/config/change.ts';
import { type Change, describeChange, diff } from '../../core/config/diff.ts';
import type { Config } from '../../core/config/model.ts';
import {
  configOf,
  type Inventory,
  type StoredFrontend,
  type StoredNode,
  type StoredNodeBalancer,
} from './inventory.ts';

/** `web: label web -> shop`, `web port 80: proxy_protocol none -> v2` … Empty when nothing differs. */
export function describeDifference(before: Inventory, after: Inventory): string[] {
  const renamed = renamedFrom(before, after);
  return [
    ...ownChanges(before, after),
    ...diff(renamed, configOf(after)).map((change: Change) => describeChange(change)),
  ];
}

/** `before` with the names, ports and node names of `after`: then what is left differs in fields. */
function renamedFrom(before: Inventory, after: Inventory): Config {
  const nodebalancers = byId(after.nodebalancers);
  return configOf({
    ...before,
    nodebalancers: before.nodebalancers.map((old) => {
      const now = nodebalancers.get(old.id);
      if (now === undefined) return old;
      const configs = byId(now.configs);
      return {
        ...old,
        label: now.label,
        configs: old.configs.map((config) => {
          const next = configs.get(config.id);
          if (next === undefined) return config;
          const nodes = byId(next.nodes);
          const replaced = new Set(replacedNodes(config, next));
          return {
            ...config,
            port: next.port,
            nodes: config.nodes
              .filter((node) => !replaced.has(node))
              .map((node) => {
                const { label = node.label, address = node.address } = nodes.get(node.id) ?? {};
                return { ...node, label, address };
              }),
          };
        }),
      };
    }),
  });
}

/** Nodes that go while one that stays gets their label and address: by these alone they would seem to stay. */
function replacedNodes(from: StoredFrontend, to: StoredFrontend): readonly StoredNode[] {
  const before = byId(from.nodes);
  const after = byId(to.nodes);
  const staying = new Set(to.nodes.filter(({ id }) => before.has(id)).map(nodeIdentity));
  return from.nodes.filter((node) => !after.has(node.id) && staying.has(nodeIdentity(node)));
}

/** Names, and what the configuration does not know. */
function ownChanges(before: Inventory, after: Inventory): string[] {
  const old = byId(before.nodebalancers);
  return after.nodebalancers.flatMap((nodebalancer) => {
    const from = old.get(nodebalancer.id);
    return from === undefined ? [] : [...changesOf(from, nodebalancer), ...renamedParts(from, nodebalancer)];
  });
}

function changesOf(from: StoredNodeBalancer, to: StoredNodeBalancer): string[] {
  const tags = (nodebalancer: StoredNodeBalancer): string => nodebalancer.tags.join(', ') || 'none';
  return [
    ...(from.label === to.label ? [] : [`${from.label}: label ${from.label} -> ${to.label}`]),
    ...(tags(from) === tags(to) ? [] : [`${to.label}: tags ${tags(from)} -> ${tags(to)}`]),
  ];
}

function renamedParts(from: StoredNodeBalancer, to: StoredNodeBalancer): string[] {
  const configs = byId(from.configs);
  return to.configs.flatMap((config) => {
    const old = configs.get(config.id);
    if (old === undefined) return [];
    const nodes = byId(old.nodes);
    const place = `${to.label} port ${config.port}`;
    const port = old.port === config.port ? [] : [`${to.label} port ${old.port}: port ${old.port} -> ${config.port}`];
    const names = config.nodes.flatMap((node) => {
      const was = nodes.get(node.id);
      if (was === undefined || (was.label === node.label && was.address === node.address)) return [];
      return [`${place}: node ${was.label} (${was.address}) -> ${node.label} (${node.address})`];
    });
    const gone = replacedNodes(old, config).map(({ label, address }) => `${place}: node ${label} (${address}) removed`);
    return [...port, ...keptChanges(old, config, place), ...gone, ...names];
  });
}

function keptChanges(from: StoredFrontend, to: StoredFrontend, place: string): readonly string[] {
  return (['cipher_suite', 'udp_check_port'] as const)
    .filter((field) => from[field] !== to[field])
    .map((field) => `${place}: ${field} ${from[field]} -> ${to[field]}`);
}

function byId<T extends { readonly id: number }>(items: readonly T[]): ReadonlyMap<number, T> {
  return new Map(items.map((item) => [item.id, item]));
}
