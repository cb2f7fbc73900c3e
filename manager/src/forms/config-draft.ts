// A config and its nodes while they are edited: texts, as the fields hold them. Pure functions of drafts; what a protocol change
// brings with it is that of the Cloud Manager.

import type { Algorithm, Check, Config, Mode, Node, ProxyProtocol, Stickiness } from '../api/types.ts';

export type DraftProtocol = 'tcp' | 'http' | 'https';

export interface NodeDraft {
  /** of this row, while the page is open: the id, so that the row stays when the node is loaded again; less than 0 while it has none */
  readonly key: number;
  /** undefined: it is new */
  readonly id: number | undefined;
  readonly label: string;
  readonly address: string;
  readonly weight: string;
  readonly mode: Mode;
  readonly max_connections: string;
  readonly slow_start: string;
  /** `config`: as the config says */
  readonly proxy_protocol: ProxyProtocol | 'config';
}

export interface ConfigDraft {
  /** as that of a node */
  readonly key: number;
  readonly port: string;
  readonly protocol: DraftProtocol;
  readonly algorithm: Algorithm;
  readonly stickiness: Stickiness;
  readonly proxy_protocol: ProxyProtocol;
  readonly proxy_protocol_crc32c: boolean;
  readonly check: Check;
  readonly check_path: string;
  readonly check_body: string;
  readonly check_interval: string;
  readonly check_timeout: string;
  readonly check_attempts: string;
  readonly check_passive: boolean;
  readonly queue_size: string;
  readonly queue_timeout: string;
  readonly nodes: readonly NodeDraft[];
}

export const CHECK_TEXT: Readonly<Record<Check, string>> = {
  none: 'None',
  connection: 'TCP Connection',
  http: 'HTTP Status',
  http_body: 'HTTP Body',
};

let lastNewKey = 0;

export function newNode(): NodeDraft {
  return {
    key: --lastNewKey,
    id: undefined,
    label: '',
    address: '',
    weight: '100',
    mode: 'accept',
    max_connections: '0',
    slow_start: '0',
    proxy_protocol: 'config',
  };
}

/** @param port empty for all but the first of a NodeBalancer */
export function newConfig(port: string): ConfigDraft {
  return {
    key: --lastNewKey,
    port,
    protocol: 'tcp',
    algorithm: 'roundrobin',
    stickiness: 'table',
    proxy_protocol: 'none',
    proxy_protocol_crc32c: false,
    check: 'connection',
    check_path: '',
    check_body: '',
    check_interval: '5',
    check_timeout: '3',
    check_attempts: '2',
    check_passive: true,
    queue_size: '1000',
    queue_timeout: '5',
    nodes: [newNode()],
  };
}

export function draftOf(config: Config, nodes: readonly Node[]): ConfigDraft {
  return {
    key: config.id,
    port: String(config.port),
    protocol: config.protocol,
    algorithm: config.algorithm,
    stickiness: config.stickiness,
    proxy_protocol: config.proxy_protocol,
    proxy_protocol_crc32c: config.proxy_protocol_crc32c,
    check: config.check,
    check_path: config.check_path,
    check_body: config.check_body,
    check_interval: String(config.check_interval),
    check_timeout: String(config.check_timeout),
    check_attempts: String(config.check_attempts),
    check_passive: config.check_passive,
    queue_size: String(config.queue_size),
    queue_timeout: String(config.queue_timeout),
    nodes: nodes.map((node) => ({
      key: node.id,
      id: node.id,
      label: node.label,
      address: node.address,
      weight: String(node.weight),
      mode: node.mode,
      max_connections: String(node.max_connections),
      slow_start: String(node.slow_start),
      proxy_protocol: node.proxy_protocol ?? 'config',
    })),
  };
}

/** A TCP check fits tcp, an HTTP check the others; a PROXY header is for tcp alone. */
export function withProtocol(draft: ConfigDraft, protocol: DraftProtocol): ConfigDraft {
  if (protocol === 'tcp') {
    const isHttpCheck = draft.check === 'http' || draft.check === 'http_body';
    return { ...draft, protocol, check: isHttpCheck ? 'connection' : draft.check };
  }
  return {
    ...draft,
    protocol,
    check: draft.check === 'connection' ? 'http' : draft.check,
    proxy_protocol: 'none',
    proxy_protocol_crc32c: false,
  };
}

/** What `withProtocol` changed besides the protocol, for people. */
export function sideEffects(before: ConfigDraft, after: ConfigDraft): readonly string[] {
  const name = after.protocol.toUpperCase();
  return [
    ...(before.proxy_protocol === after.proxy_protocol
      ? []
      : [`Proxy Protocol was ${before.proxy_protocol} and is None now: ${name} has none.`]),
    ...(before.check === after.check
      ? []
      : [
          `The active health check is ${CHECK_TEXT[after.check]} now: ${CHECK_TEXT[before.check]} does not go with ${name}.`,
        ]),
  ];
}

/** Labels that several nodes have: allowed, and each in its own words at the list of nodes. */
export function repeatedLabels({ nodes }: Pick<ConfigDraft, 'nodes'>): readonly string[] {
  const labels = nodes.map(({ label }) => label).filter((label) => label !== '');
  return [...new Set(labels.filter((label, index) => labels.indexOf(label) !== index))];
}

/** Nodes that get the same header. */
export interface Receivers {
  readonly version: ProxyProtocol;
  /** that of the config, whether they go by it or say the same themselves */
  readonly isOfConfig: boolean;
  readonly nodes: readonly NodeDraft[];
}

/** Who gets which header, those with the config's first; while there are no nodes, whichever will come get the config's. */
export function receiversOf({ proxy_protocol, nodes }: ConfigDraft): readonly Receivers[] {
  const versions = new Set<ProxyProtocol>([proxy_protocol, 'v2', 'v1', 'none']);
  return [...versions]
    .map((version) => ({
      version,
      isOfConfig: version === proxy_protocol,
      nodes: nodes.filter(
        (node) => (node.proxy_protocol === 'config' ? proxy_protocol : node.proxy_protocol) === version,
      ),
    }))
    .filter((receivers) => receivers.nodes.length > 0 || (nodes.length === 0 && receivers.isOfConfig));
}

/** A checksum needs a header of v2, the config's or a node's own. One that is on without need can be switched off. */
export function mayHaveChecksum(draft: ConfigDraft): boolean {
  return draft.protocol === 'tcp' && (draft.proxy_protocol_crc32c || hasV2(draft));
}

/** As the API has it: the config's version counts even where every node has its own. */
function hasV2({ proxy_protocol, nodes }: ConfigDraft): boolean {
  return proxy_protocol === 'v2' || nodes.some((node) => node.proxy_protocol === 'v2');
}

/** With another version of the config; a checksum goes with the last v2. */
export function withProxyProtocol(draft: ConfigDraft, proxy_protocol: ProxyProtocol): ConfigDraft {
  const next = { ...draft, proxy_protocol };
  return { ...next, proxy_protocol_crc32c: draft.proxy_protocol_crc32c && hasV2(next) };
}

/**
 * A number where the text is one; else the text itself, so that the API can say what is wrong with it. An emptied field as well: left
 * out it would be a default that nobody has seen.
 */
function numberOf(text: string): number | string {
  if (text.trim() === '') return '';
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
}

/** Without a check its fields are not shown: one that was emptied could not be mended there, and asks for nothing. */
function checkNumbers({ check, check_interval, check_timeout, check_attempts }: ConfigDraft): Record<string, unknown> {
  const numbers = {
    check_interval: numberOf(check_interval),
    check_timeout: numberOf(check_timeout),
    check_attempts: numberOf(check_attempts),
  };
  if (check !== 'none') return numbers;
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== ''));
}

/** What is sent. */
export function bodyOf(draft: ConfigDraft): Record<string, unknown> {
  const { key, port, check_interval: _i, check_timeout: _t, check_attempts: _a, ...others } = draft;
  const { queue_size, queue_timeout, nodes, ...rest } = others;
  return {
    ...rest,
    port: numberOf(port),
    ...checkNumbers(draft),
    queue_size: numberOf(queue_size),
    queue_timeout: numberOf(queue_timeout),
    nodes: nodes.map(({ key, id, weight, max_connections, slow_start, proxy_protocol, ...node }) => ({
      ...(id === undefined ? {} : { id }),
      ...node,
      weight: numberOf(weight),
      max_connections: numberOf(max_connections),
      slow_start: numberOf(slow_start),
      proxy_protocol: proxy_protocol === 'config' ? null : proxy_protocol,
    })),
  };
}

/** Whether saving would change anything. */
export function isSame(a: ConfigDraft, b: ConfigDraft): boolean {
  return JSON.stringify(bodyOf(a)) === JSON.stringify(bodyOf(b));
}
