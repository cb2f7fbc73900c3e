// Two configurations -> the changes between them: `apply(a, diff(a, b))` is b, order included, and `diff(a, a)` is empty.
// Both must be valid: it is the uniqueness of nodebalancers' labels, ports and nodes' addresses that gives each thing an identity.

import { type Change, type FieldChange, type FrontendKey, type NodeKey, nodeIdentity } from './change.ts';
import type { Config, Frontend, Node, NodeBalancer } from './model.ts';

export { apply } from './apply.ts';
export { type Change, describeChange } from './change.ts';

export function diff(a: Config, b: Config): Change[] {
  const { removed, added, kept, order } = match(a.nodebalancers, b.nodebalancers, (nodebalancer) => nodebalancer.label);
  return [
    ...removed.map(({ label }): Change => ({ kind: 'nodebalancer-removed', label })),
    ...kept.flatMap(([from, to]) => diffNodeBalancer(from, to)),
    ...added.map((nodebalancer): Change => ({ kind: 'nodebalancer-added', nodebalancer })),
    ...order.map((all): Change => ({ kind: 'nodebalancers-ordered', labels: all.map(({ label }) => label) })),
  ];
}

function diffNodeBalancer(from: NodeBalancer, to: NodeBalancer): Change[] {
  const { label } = to;
  const { configs: fromFrontends, ...fromFields } = from;
  const { configs: toFrontends, ...toFields } = to;
  const fields = fieldChanges(fromFields, toFields);
  const { removed, added, kept, order } = match(fromFrontends, toFrontends, ({ port }) => port);
  return [
    ...(fields.length === 0 ? [] : [{ kind: 'nodebalancer-changed', label, fields } as const]),
    ...removed.map(({ port }): Change => ({ kind: 'frontend-removed', label, port })),
    ...kept.flatMap(([old, next]) => diffFrontend(label, old, next)),
    ...added.map((frontend): Change => ({ kind: 'frontend-added', label, frontend })),
    ...order.map((all): Change => ({ kind: 'frontends-ordered', label, ports: all.map(({ port }) => port) })),
  ];
}

function diffFrontend(label: string, from: Frontend, to: Frontend): Change[] {
  const key = { label, port: to.port };
  const { nodes: fromNodes, ...fromFields } = from;
  const { nodes: toNodes, ...toFields } = to;
  const fields = fieldChanges(fromFields, toFields);
  const { removed, added, kept, order } = match(fromNodes, toNodes, nodeIdentity);
  return [
    ...(fields.length === 0 ? [] : [{ kind: 'frontend-changed', ...key, fields } as const]),
    ...removed.map((node): Change => ({ kind: 'node-removed', ...key, node: nodeKey(node) })),
    ...kept.flatMap(([old, next]) => diffNode(key, old, next)),
    ...added.map((node): Change => ({ kind: 'node-added', ...key, node })),
    ...order.map((all): Change => ({ kind: 'nodes-ordered', ...key, nodes: all.map(nodeKey) })),
  ];
}

function diffNode(key: FrontendKey, from: Node, to: Node): Change[] {
  const fields = fieldChanges(from, to);
  return fields.length === 0 ? [] : [{ kind: 'node-changed', ...key, node: nodeKey(to), fields }];
}

function nodeKey({ label, address }: Node): NodeKey {
  return { label, address };
}

/** T is flat: its values compare with ===. */
function fieldChanges<T extends object>(from: T, to: T): FieldChange<T>[] {
  const changes: FieldChange<T>[] = [];
  for (const field in to) {
    if (from[field] !== to[field]) changes.push({ field, from: from[field], to: to[field] });
  }
  return changes;
}

interface Match<T> {
  readonly removed: readonly T[];
  readonly added: readonly T[];
  readonly kept: readonly (readonly [from: T, to: T])[];
  /** The wanted list, where removing and adding at the end does not give its order; else empty. */
  readonly order: readonly (readonly T[])[];
}

function match<T, K>(from: readonly T[], to: readonly T[], identity: (item: T) => K): Match<T> {
  const fromByKey = new Map(from.map((item) => [identity(item), item]));
  const toKeys = new Set(to.map(identity));
  const added = to.filter((item) => !fromByKey.has(identity(item)));
  const kept = to.flatMap((item) => {
    const old = fromByKey.get(identity(item));
    return old === undefined ? [] : [[old, item] as const];
  });
  const removed = from.filter((item) => !toKeys.has(identity(item)));
  const result = [...from.filter((item) => toKeys.has(identity(item))), ...added].map(identity);
  const inOrder = to.every((item, index) => identity(item) === result[index]);
  return { removed, added, kept, order: inOrder ? [] : [to] };
}
