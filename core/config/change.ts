// The steps from one configuration to another: what each can say, and how it reads. Made by `diff.ts`, taken by `apply.ts`.
// Identity: a nodebalancer by its label, a frontend by its port within that, a node by its label and address within that;
// another label or address is another thing, and its sessions are its own. The rest are fields.

import { assertNever } from '../base/assert.ts';
import type { Frontend, Node, NodeBalancer } from './model.ts';

/** One field of T from one value to another. */
export type FieldChange<T> = {
  readonly [K in keyof T]: { readonly field: K; readonly from: T[K]; readonly to: T[K] };
}[keyof T];

export type NodeBalancerFields = Omit<NodeBalancer, 'configs'>;
export type FrontendFields = Omit<Frontend, 'nodes'>;

export type NodeKey = Pick<Node, 'label' | 'address'>;

/** No label has a space. */
export function nodeIdentity({ label, address }: NodeKey): string {
  return `${label} ${address}`;
}

/** Which frontend: label of the nodebalancer, port. */
export interface FrontendKey {
  readonly label: string;
  readonly port: number;
}

/** In each list removals come before additions, and an addition goes to the end; where that is not the wanted order, an
 * `…-ordered` change says it. */
export type Change =
  | { readonly kind: 'nodebalancer-removed'; readonly label: string }
  | { readonly kind: 'nodebalancer-added'; readonly nodebalancer: NodeBalancer }
  | {
      readonly kind: 'nodebalancer-changed';
      readonly label: string;
      readonly fields: readonly FieldChange<NodeBalancerFields>[];
    }
  | { readonly kind: 'nodebalancers-ordered'; readonly labels: readonly string[] }
  | ({ readonly kind: 'frontend-removed' } & FrontendKey)
  | { readonly kind: 'frontend-added'; readonly label: string; readonly frontend: Frontend }
  | ({ readonly kind: 'frontend-changed'; readonly fields: readonly FieldChange<FrontendFields>[] } & FrontendKey)
  | { readonly kind: 'frontends-ordered'; readonly label: string; readonly ports: readonly number[] }
  | ({ readonly kind: 'node-removed'; readonly node: NodeKey } & FrontendKey)
  | ({ readonly kind: 'node-added'; readonly node: Node } & FrontendKey)
  | ({
      readonly kind: 'node-changed';
      readonly node: NodeKey;
      readonly fields: readonly FieldChange<Node>[];
    } & FrontendKey)
  | ({ readonly kind: 'nodes-ordered'; readonly nodes: readonly NodeKey[] } & FrontendKey);

/** One line for people: `web port 80: proxy_protocol none -> v2` */
export function describeChange(change: Change): string {
  switch (change.kind) {
    case 'nodebalancer-removed':
      return `${change.label}: removed`;
    case 'nodebalancer-added':
      return `${change.nodebalancer.label}: added, ${count(change.nodebalancer.configs, 'config')}`;
    case 'nodebalancer-changed':
      return `${change.label}: ${describeFields(change.fields)}`;
    case 'nodebalancers-ordered':
      return `nodebalancers reordered: ${change.labels.join(', ')}`;
    case 'frontend-removed':
      return `${describeFrontend(change)}: removed`;
    case 'frontend-added':
      return `${change.label} port ${change.frontend.port}: added, ${count(change.frontend.nodes, 'node')}`;
    case 'frontend-changed':
      return `${describeFrontend(change)}: ${describeFields(change.fields)}`;
    case 'frontends-ordered':
      return `${change.label}: ports reordered: ${change.ports.join(', ')}`;
    case 'node-removed':
      return `${describeFrontend(change)}: ${describeNode(change.node)} removed`;
    case 'node-added':
      return `${describeFrontend(change)}: ${describeNode(change.node)} added, weight ${change.node.weight}, ${change.node.mode}`;
    case 'node-changed':
      return `${describeFrontend(change)}: ${describeNode(change.node)} ${describeFields(change.fields)}`;
    case 'nodes-ordered':
      return `${describeFrontend(change)}: nodes reordered: ${change.nodes.map((node) => node.label).join(', ')}`;
    default:
      return assertNever(change);
  }
}

function describeFrontend({ label, port }: FrontendKey): string {
  return `${label} port ${port}`;
}

function describeNode({ label, address }: NodeKey): string {
  return `node ${label} (${address})`;
}

interface AnyFieldChange {
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

function describeFields(fields: readonly AnyFieldChange[]): string {
  return fields.map(({ field, from, to }) => `${field} ${describeValue(from)} -> ${describeValue(to)}`).join(', ');
}

/** Words stay bare; what could be misread or is free text is quoted. */
function describeValue(value: unknown): string {
  if (value === null) return 'none';
  return typeof value === 'string' && !/^[\w.:/-]+$/.test(value) ? JSON.stringify(value) : String(value);
}

function count(items: readonly unknown[], word: string): string {
  return items.length === 1 ? `1 ${word}` : `${items.length} ${word}s`;
}
