// A configuration and changes -> the configuration after them. The other half of `diff.ts`; changes that were made for
// another configuration are a bug of the caller and fail an assertion.

import { assert, assertNever } from '../base/assert.ts';
import { type Change, type FrontendKey, nodeIdentity } from './change.ts';
import type { Config, Frontend, Node, NodeBalancer } from './model.ts';

export function apply(config: Config, changes: readonly Change[]): Config {
  return changes.reduce(applyOne, config);
}

function applyOne(config: Config, change: Change): Config {
  switch (change.kind) {
    case 'nodebalancer-removed':
      return withNodeBalancers(config, (all) => without(all, byLabel, change.label));
    case 'nodebalancer-added':
      return withNodeBalancers(config, (all) => [...all, change.nodebalancer]);
    case 'nodebalancer-changed':
      return withNodeBalancer(config, change.label, (nodebalancer) => withFields(nodebalancer, change.fields));
    case 'nodebalancers-ordered':
      return withNodeBalancers(config, (all) => ordered(all, byLabel, change.labels));
    case 'frontend-removed':
      return withFrontends(config, change.label, (all) => without(all, byPort, change.port));
    case 'frontend-added':
      return withFrontends(config, change.label, (all) => [...all, change.frontend]);
    case 'frontend-changed':
      return withFrontend(config, change, (frontend) => withFields(frontend, change.fields));
    case 'frontends-ordered':
      return withFrontends(config, change.label, (all) => ordered(all, byPort, change.ports));
    case 'node-removed':
      return withNodes(config, change, (all) => without(all, nodeIdentity, nodeIdentity(change.node)));
    case 'node-added':
      return withNodes(config, change, (all) => [...all, change.node]);
    case 'node-changed':
      return withNodes(config, change, (all) =>
        replaced(all, nodeIdentity, nodeIdentity(change.node), (node) => withFields(node, change.fields)),
      );
    case 'nodes-ordered':
      return withNodes(config, change, (all) => ordered(all, nodeIdentity, change.nodes.map(nodeIdentity)));
    default:
      return assertNever(change);
  }
}

type Edit<T> = (value: T) => T;

const byLabel = ({ label }: NodeBalancer): string => label;
const byPort = ({ port }: Frontend): number => port;

function withNodeBalancers(config: Config, edit: Edit<readonly NodeBalancer[]>): Config {
  return { ...config, nodebalancers: edit(config.nodebalancers) };
}

function withNodeBalancer(config: Config, label: string, edit: Edit<NodeBalancer>): Config {
  return withNodeBalancers(config, (all) => replaced(all, byLabel, label, edit));
}

function withFrontends(config: Config, label: string, edit: Edit<readonly Frontend[]>): Config {
  return withNodeBalancer(config, label, (nodebalancer) => ({ ...nodebalancer, configs: edit(nodebalancer.configs) }));
}

function withFrontend(config: Config, key: FrontendKey, edit: Edit<Frontend>): Config {
  return withFrontends(config, key.label, (all) => replaced(all, byPort, key.port, edit));
}

function withNodes(config: Config, key: FrontendKey, edit: Edit<readonly Node[]>): Config {
  return withFrontend(config, key, (frontend) => ({ ...frontend, nodes: edit(frontend.nodes) }));
}

function withFields<T extends object>(
  value: T,
  fields: readonly { readonly field: keyof T; readonly to: unknown }[],
): T {
  return { ...value, ...Object.fromEntries(fields.map(({ field, to }) => [field, to])) };
}

function indexOf<T, K>(items: readonly T[], identity: (item: T) => K, key: K): number {
  const index = items.findIndex((item) => identity(item) === key);
  assert(index !== -1, `the configuration has what the change is about: ${key}`);
  return index;
}

function without<T, K>(items: readonly T[], identity: (item: T) => K, key: K): readonly T[] {
  return items.toSpliced(indexOf(items, identity, key), 1);
}

function replaced<T, K>(items: readonly T[], identity: (item: T) => K, key: K, edit: Edit<T>): readonly T[] {
  const index = indexOf(items, identity, key);
  return items.map((item, i) => (i === index ? edit(item) : item));
}

function ordered<T, K>(items: readonly T[], identity: (item: T) => K, keys: readonly K[]): readonly T[] {
  const byKey = new Map(items.map((item) => [identity(item), item]));
  const result = keys.flatMap((key) => byKey.get(key) ?? []);
  assert(result.length === items.length, 'the order names every item once');
  return result;
}
