// From a configuration to what shards are told: rows, resolved node addresses, which socket belongs to which frontend. Plain
// data in, plain data out; it opens no socket and looks up no name.

import { formatEndpoint, parseIp } from '../core/base/ip.ts';
import type { Config, Frontend, Node, NodeBalancer } from '../core/config/model.ts';
import { addressKey, parseNodeAddress } from '../core/config/node-address.ts';
import type { FrontendPlan, ListenerPlan, NodePlan, ShardPlan } from '../core/session/plan.ts';
import type { Address } from './listeners.ts';
import type { Assignment, Rows } from './rows.ts';

/** What is served at one address: for the start-up message, the log and the listeners. */
export interface Service extends Address {
  /** row of the frontend */
  frontend: number;
}

export interface Plan {
  frontends: FrontendPlan[];
  services: Service[];
  /** to be committed when the plan is put into force */
  rows: PlannedRows;
}

export interface PlannedRows {
  nodebalancers: Assignment;
  frontends: Assignment;
  nodes: Assignment;
}

/** Where rows come from. */
export interface RowSources {
  nodebalancers: Rows;
  frontends: Rows;
  nodes: Rows;
}

/** `nodeKey` -> 16 bytes, or undefined while there is no address for the node. */
export type AddressOf = (key: string) => Uint8Array | undefined;

/** Changes nothing. @returns undefined when there are more frontends or nodes than rows */
export function makePlan(config: Config, sources: RowSources, addressOf: AddressOf): Plan | undefined {
  const served = config.nodebalancers.flatMap((nb) => nb.configs.map((frontend) => ({ nb, frontend })));
  const nodebalancers = sources.nodebalancers.propose(config.nodebalancers.map(({ label }) => label));
  const frontends = sources.frontends.propose(served.map(({ nb, frontend }) => frontendKey(nb, frontend)));
  const nodes = sources.nodes.propose(
    served.flatMap(({ nb, frontend }) => frontend.nodes.map((node) => nodeKey(nb, frontend, node))),
  );
  if (nodebalancers === undefined || frontends === undefined || nodes === undefined) return undefined;
  const rows = { nodebalancers, frontends, nodes };
  return {
    frontends: served.map(({ nb, frontend }) => planFrontend(nb, frontend, rows, addressOf)),
    services: served.flatMap(({ nb, frontend }) =>
      addressesOf(nb).map((ip) => ({
        ip,
        port: frontend.port,
        frontend: frontends.get(frontendKey(nb, frontend)) ?? -1,
      })),
    ),
    rows,
  };
}

function planFrontend(nb: NodeBalancer, frontend: Frontend, rows: PlannedRows, addressOf: AddressOf): FrontendPlan {
  return {
    row: rows.frontends.get(frontendKey(nb, frontend)) ?? -1,
    label: nb.label,
    port: frontend.port,
    algorithm: frontend.algorithm,
    proxyProtocol: frontend.proxy_protocol,
    isSticky: frontend.stickiness === 'table',
    isPassive: frontend.check_passive,
    checkIntervalMs: frontend.check_interval * 1000,
    queueSize: frontend.queue_size,
    queueTimeoutMs: frontend.queue_timeout * 1000,
    throttle: nb.client_conn_throttle,
    throttleRow: rows.nodebalancers.get(nb.label) ?? -1,
    nodes: frontend.nodes.map((node) => {
      const key = nodeKey(nb, frontend, node);
      return planNode(frontend, node, rows.nodes.get(key) ?? -1, addressOf(key));
    }),
  };
}

/**
 * Where it listens over IPv4, which every frontend does, and no two alike: a nodebalancer that gets another name, or an IPv6 address
 * besides, keeps all that is known of its ports.
 */
function frontendKey(nb: NodeBalancer, frontend: Frontend): string {
  return `${nb.ipv4} ${frontend.port}`;
}

/** Names a node. Without the label: a node that only gets another name is the same node, with its health, its sessions and their limit. */
export function nodeKey(nb: NodeBalancer, frontend: Frontend, node: Node): string {
  return `${frontendKey(nb, frontend)}/${addressKey(node.address)}`;
}

function addressesOf(nb: NodeBalancer): Uint8Array[] {
  return [nb.ipv4, nb.ipv6].flatMap((text) => {
    const ip = text === null ? undefined : parseIp(text);
    return ip === undefined ? [] : [ip];
  });
}

function planNode(frontend: Frontend, node: Node, row: number, ip: Uint8Array | undefined): NodePlan {
  const { label, address, weight, mode } = node;
  const proxyProtocol = node.proxy_protocol ?? frontend.proxy_protocol;
  return {
    row,
    label,
    address,
    ip,
    port: parseNodeAddress(address)?.port ?? 0,
    weight,
    mode,
    maxConnections: node.max_connections,
    slowStartMs: node.slow_start * 1000,
    proxyProtocol,
    hasChecksum: proxyProtocol === 'v2' && frontend.proxy_protocol_crc32c,
  };
}

/** The host names among the node addresses. */
export function hostNames(config: Config): string[] {
  const nodes = config.nodebalancers.flatMap((nb) => nb.configs.flatMap((frontend) => frontend.nodes));
  const hosts = nodes.flatMap(({ address }) => {
    const parsed = parseNodeAddress(address);
    return parsed === undefined || parsed.ip !== undefined ? [] : [parsed.host];
  });
  return [...new Set(hosts)];
}

/**
 * One shard's part of a plan.
 * @param retired frontends that are served no longer, but have sessions that still look for a node
 * @param fdOf the shard's socket for an address
 */
export function shardPlan(plan: Plan, retired: readonly FrontendPlan[], fdOf: (address: Address) => number): ShardPlan {
  const listeners = plan.services.map(
    (service): ListenerPlan => ({
      fd: fdOf(service),
      frontend: service.frontend,
      ip: service.ip,
      port: service.port,
    }),
  );
  return { frontends: [...plan.frontends, ...retired], listeners };
}

/** `web port 80: tcp, roundrobin, PROXY v2 to web-1 192.0.2.10:8080, web-2 …` */
export function describeFrontend(frontend: FrontendPlan): string {
  const nodes = frontend.nodes.map((node) => {
    const { label, address, mode, proxyProtocol } = node;
    const remarks = [
      ...(mode === 'accept' ? [] : [mode]),
      ...(proxyProtocol === frontend.proxyProtocol ? [] : [`PROXY ${proxyProtocol}`]),
    ];
    return remarks.length === 0 ? `${label} ${address}` : `${label} ${address} (${remarks.join(', ')})`;
  });
  return `${frontend.label}: tcp, ${frontend.algorithm}, ${describeHeader(frontend)}, nodes: ${nodes.join(', ') || 'none'}`;
}

function describeHeader({ proxyProtocol, nodes }: FrontendPlan): string {
  const hasChecksum = nodes.some((node) => node.hasChecksum);
  if (proxyProtocol === 'none') return 'no PROXY header';
  return `PROXY ${proxyProtocol}${hasChecksum ? ' with CRC32C' : ''}`;
}

export function describeAddress(address: Address, format: (ip: Uint8Array, at: number) => string): string {
  return formatEndpoint(format(address.ip, 0), address.port);
}
