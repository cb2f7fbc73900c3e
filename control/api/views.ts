// Stored things as the API answers them: its fields in its order, and ours after them. State that the store does not have comes from
// the data plane's snapshot.

import { hash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { FrontendSchema, NodeSchema } from '../../core/config/model.ts';
import type { NodeCondition } from '../../workers/snapshot.ts';
import type { StoredFrontend, StoredNode, StoredNodeBalancer } from '../store/inventory.ts';
import { KeptFieldsSchema } from '../store/kept-fields.ts';
import type { Transfer } from '../store/statistics.ts';
import { shownAddresses, shownHost, shownHostname } from './host-addresses.ts';

/** That of the Linode API. */
const MEGABYTE_BYTES = 2 ** 20;

const NullableNumber = Type.Union([Type.Number(), Type.Null()]);
const NullableText = Type.Union([Type.String(), Type.Null()]);

export const NodeBalancerView = Type.Object({
  id: Type.Integer(),
  label: Type.String(),
  region: Type.String(),
  type: Type.String(),
  hostname: Type.String(),
  ipv4: Type.String(),
  ipv6: NullableText,
  created: Type.String(),
  updated: Type.String(),
  client_conn_throttle: Type.Integer(),
  client_udp_sess_throttle: Type.Integer(),
  lke_cluster: Type.Null(),
  tags: Type.Array(Type.String()),
  transfer: Type.Object({ in: NullableNumber, out: NullableNumber, total: NullableNumber }),
  locks: Type.Array(Type.String()),
});
export type NodeBalancerView = Static<typeof NodeBalancerView>;

const extension = { 'x-extension': true } as const;
const fields = FrontendSchema.properties;

export const ConfigView = Type.Object({
  id: Type.Integer(),
  port: fields.port,
  protocol: fields.protocol,
  algorithm: fields.algorithm,
  stickiness: fields.stickiness,
  check: fields.check,
  check_interval: fields.check_interval,
  check_timeout: fields.check_timeout,
  check_attempts: fields.check_attempts,
  check_path: fields.check_path,
  check_body: fields.check_body,
  check_passive: fields.check_passive,
  proxy_protocol: fields.proxy_protocol,
  cipher_suite: KeptFieldsSchema.properties.cipher_suite,
  nodebalancer_id: Type.Integer(),
  ssl_commonname: Type.String(),
  ssl_fingerprint: Type.String(),
  ssl_cert: Type.Null(),
  ssl_key: Type.Null(),
  nodes_status: Type.Object({ up: Type.Integer(), down: Type.Integer() }),
  udp_check_port: KeptFieldsSchema.properties.udp_check_port,
  udp_session_timeout: Type.Integer(),
  proxy_protocol_crc32c: { ...fields.proxy_protocol_crc32c, ...extension },
  queue_size: { ...fields.queue_size, ...extension },
  queue_timeout: { ...fields.queue_timeout, ...extension },
});
export type ConfigView = Static<typeof ConfigView>;

export const NodeView = Type.Object({
  id: Type.Integer(),
  address: Type.String(),
  label: Type.String(),
  status: Type.Enum(['UP', 'DOWN', 'Unknown']),
  weight: NodeSchema.properties.weight,
  mode: NodeSchema.properties.mode,
  config_id: Type.Integer(),
  nodebalancer_id: Type.Integer(),
  vpc_config_id: Type.Null(),
  max_connections: { ...NodeSchema.properties.max_connections, ...extension },
  slow_start: { ...NodeSchema.properties.slow_start, ...extension },
  proxy_protocol: { ...NodeSchema.properties.proxy_protocol, ...extension },
});
export type NodeView = Static<typeof NodeView>;

/** What the Linode API says of a config whose protocol has no use for it. */
const UDP_SESSION_TIMEOUT_S = 16;

export function viewNodeBalancer(nodebalancer: StoredNodeBalancer, transfer: Transfer | undefined): NodeBalancerView {
  const { id, label, region, created, updated, client_conn_throttle, tags } = nodebalancer;
  const host = shownHost();
  const megabytes = (bytes: number): number => bytes / MEGABYTE_BYTES;
  return {
    id,
    label,
    region,
    type: 'common',
    hostname: shownHostname(id, host),
    ...shownAddresses(nodebalancer, host),
    created,
    updated,
    client_conn_throttle,
    client_udp_sess_throttle: 0,
    lke_cluster: null,
    tags: [...tags],
    transfer:
      transfer === undefined
        ? { in: null, out: null, total: null }
        : {
            in: megabytes(transfer.bytesIn),
            out: megabytes(transfer.bytesOut),
            total: megabytes(transfer.bytesIn + transfer.bytesOut),
          },
    locks: [],
  };
}

/** Of a config's nodes, by address; undefined while the data plane does not know the config. */
type Conditions = ReadonlyMap<string, NodeCondition> | undefined;

export function viewConfig(
  { id: nodebalancer_id }: Pick<StoredNodeBalancer, 'id'>,
  frontend: StoredFrontend,
  conditions: Conditions,
): ConfigView {
  const { id, nodes, queue_size, queue_timeout, proxy_protocol_crc32c, ...rest } = frontend;
  const up = nodes.filter((node) => isServing(node, frontend, conditions?.get(node.address))).length;
  return {
    id,
    port: rest.port,
    protocol: rest.protocol,
    algorithm: rest.algorithm,
    stickiness: rest.stickiness,
    check: rest.check,
    check_interval: rest.check_interval,
    check_timeout: rest.check_timeout,
    check_attempts: rest.check_attempts,
    check_path: rest.check_path,
    check_body: rest.check_body,
    check_passive: rest.check_passive,
    proxy_protocol: rest.proxy_protocol,
    cipher_suite: rest.cipher_suite,
    nodebalancer_id,
    ssl_commonname: '',
    ssl_fingerprint: '',
    ssl_cert: null,
    ssl_key: null,
    nodes_status: { up, down: nodes.length - up },
    udp_check_port: rest.udp_check_port,
    udp_session_timeout: UDP_SESSION_TIMEOUT_S,
    proxy_protocol_crc32c,
    queue_size,
    queue_timeout,
  };
}

/**
 * As the Linode API answers a rebuild: of nodes that nobody has seen yet it does not say that they are up, whether somebody will look
 * or not.
 */
export function viewRebuiltConfig(
  nodebalancer: Pick<StoredNodeBalancer, 'id'>,
  frontend: StoredFrontend,
  conditions: Conditions,
): ConfigView {
  const { nodes } = frontend;
  const up = nodes.filter((node) => statusOf(node, conditions?.get(node.address)) === 'UP').length;
  return { ...viewConfig(nodebalancer, frontend, conditions), nodes_status: { up, down: nodes.length - up } };
}

/** A node that nobody checks counts as up, unless sessions have found it dead. */
function isServing(node: StoredNode, frontend: StoredFrontend, condition: NodeCondition | undefined): boolean {
  const status = statusOf(node, condition);
  return status === 'UP' || (status === 'Unknown' && frontend.check === 'none');
}

export function viewNode(
  { id: nodebalancer_id }: Pick<StoredNodeBalancer, 'id'>,
  frontend: StoredFrontend,
  node: StoredNode,
  conditions: Conditions,
): NodeView {
  const { id, address, label, weight, mode, max_connections, slow_start, proxy_protocol } = node;
  return {
    id,
    address,
    label,
    status: statusOf(node, conditions?.get(address)),
    weight,
    mode,
    config_id: frontend.id,
    nodebalancer_id,
    vpc_config_id: null,
    max_connections,
    slow_start,
    proxy_protocol,
  };
}

/** DOWN also in mode reject, as the Linode API has it; and while sessions find it dead. */
function statusOf(node: StoredNode, condition: NodeCondition | undefined): NodeView['status'] {
  if (node.mode === 'reject' || condition?.is_ejected === true || condition?.health === 'down') return 'DOWN';
  return condition?.health === 'up' ? 'UP' : 'Unknown';
}

/** What a client can have seen, and can hold a change against. */
export type Tagged = Thing | readonly Thing[];
type Thing = StoredNodeBalancer | StoredFrontend | StoredNode;

const ETAG_CHARS = 27;
/** Of things that never change: a change makes others. */
const etags = new WeakMap<Tagged, string>();

/**
 * Changes exactly when the thing does, or one of a list. A config's covers its nodes; a nodebalancer's does not cover its configs, nor
 * the time, which their changes move.
 */
export function etagOf(thing: Tagged): string {
  const known = etags.get(thing);
  if (known !== undefined) return known;
  const own = isList(thing) ? thing.map(ownPart) : ownPart(thing);
  const etag = `"${hash('sha256', JSON.stringify(own), 'base64url').slice(0, ETAG_CHARS)}"`;
  etags.set(thing, etag);
  return etag;
}

function ownPart(thing: Thing): unknown {
  return 'configs' in thing ? { ...thing, configs: undefined, updated: undefined } : thing;
}

/** For the type checker, to which a list that is read only is none. */
function isList(thing: Tagged): thing is readonly Thing[] {
  return Array.isArray(thing);
}
