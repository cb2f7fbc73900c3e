// What the API takes: the configuration's schemas with the API's defaults, and what clients of the Linode API send besides. What a
// cloud has and we have not is let pass as long as it asks for nothing (see foreign-keys.ts).

import { type TInteger, type TObject, type TSchema, Type } from 'typebox';
import { FrontendSchema, NodeBalancerSchema, NodeSchema } from '../../core/config/model.ts';
import { parseNodeAddress } from '../../core/config/node-address.ts';
import { KeptFieldsSchema } from '../store/kept-fields.ts';
import { ANSWERED, type ForeignKey, lacking, NO_FIREWALLS, NO_HTTPS, NO_UDP, NO_VPCS } from './foreign-keys.ts';

/** A request's schema, and the keys that are no part of it. */
export interface RequestSchema {
  readonly schema: TObject;
  /** keys that the Linode API has and we have not */
  readonly foreign: Readonly<Record<string, ForeignKey>>;
  /** of the lists in it */
  readonly items: Readonly<Record<string, RequestSchema>>;
  /** keys whose texts clients spell in a way that only they have, and how it is spelled here */
  readonly spellings: Readonly<Record<string, (text: string) => string>>;
  /** keys that the Linode API does not have */
  readonly extensions: readonly string[];
}

const AS_SPELLED = {};

const TAG_CHARS_MIN = 3;
const TAG_CHARS_MAX = 50;
const TAGS_MAX = 100;

function withDefault(schema: TInteger, value: number): TInteger {
  // Made anew: what kind a schema is stands in properties that spreading loses.
  return Type.Integer({ ...schema, default: value });
}

const NODE: RequestSchema = {
  schema: Type.Object(NodeSchema.properties, { additionalProperties: false, title: 'node' }),
  foreign: {
    id: ANSWERED,
    status: ANSWERED,
    config_id: ANSWERED,
    nodebalancer_id: ANSWERED,
    vpc_config_id: lacking(NO_VPCS),
    subnet_id: lacking(NO_VPCS),
    // The official JavaScript client sends it besides the address that it has just put it into.
    port: ANSWERED,
  },
  items: {},
  spellings: { address: withBrackets },
  extensions: ['max_connections', 'slow_start', 'proxy_protocol'],
};

/**
 * The official JavaScript client joins address and port without brackets: `fd00::2:80`. What cannot be read so is left as it
 * is, to be refused: `2001:db8::5` has no port.
 */
function withBrackets(text: string): string {
  const end = text.lastIndexOf(':');
  const host = text.slice(0, end);
  if (text.startsWith('[') || !host.includes(':')) return text;
  const bracketed = `[${host}]:${text.slice(end + 1)}`;
  return parseNodeAddress(bracketed) === undefined ? text : bracketed;
}

const API_CHECK_INTERVAL_S = 31;
const API_CHECK_TIMEOUT_S = 30;
const API_PORT = 80;

const { nodes: _nodes, ...FRONTEND_FIELDS } = FrontendSchema.properties;

const CONFIG_FIELDS = {
  ...FRONTEND_FIELDS,
  port: withDefault(FrontendSchema.properties.port, API_PORT),
  check_interval: withDefault(FrontendSchema.properties.check_interval, API_CHECK_INTERVAL_S),
  check_timeout: withDefault(FrontendSchema.properties.check_timeout, API_CHECK_TIMEOUT_S),
  ...KeptFieldsSchema.properties,
};

const CONFIG_EXTENSIONS = ['proxy_protocol_crc32c', 'queue_size', 'queue_timeout'];

const CONFIG_FOREIGN: Readonly<Record<string, ForeignKey>> = {
  id: ANSWERED,
  nodebalancer_id: ANSWERED,
  nodes_status: ANSWERED,
  ssl_commonname: ANSWERED,
  ssl_fingerprint: ANSWERED,
  ssl_cert: lacking(NO_HTTPS),
  ssl_key: lacking(NO_HTTPS),
  udp_session_timeout: ANSWERED,
};

/** Nodes are no part of it: a config's own endpoints ignore them, as the Linode API does. */
export const CONFIG: RequestSchema = {
  schema: Type.Object(CONFIG_FIELDS, { additionalProperties: false, title: 'config' }),
  foreign: { ...CONFIG_FOREIGN, nodes: ANSWERED },
  items: {},
  spellings: AS_SPELLED,
  extensions: CONFIG_EXTENSIONS,
};

/** With its nodes: for what creates or replaces both at once. */
export const CONFIG_WITH_NODES: RequestSchema = {
  schema: Type.Object(
    { ...CONFIG_FIELDS, nodes: Type.Array(NODE.schema, { ...limitsOf(FrontendSchema.properties.nodes), default: [] }) },
    { additionalProperties: false, title: 'config' },
  ),
  foreign: CONFIG_FOREIGN,
  items: { nodes: NODE },
  spellings: AS_SPELLED,
  extensions: CONFIG_EXTENSIONS,
};

function limitsOf(schema: TSchema): { readonly maxItems?: number } {
  const maxItems: unknown = Reflect.get(schema, 'maxItems');
  return typeof maxItems === 'number' ? { maxItems } : {};
}

const TagSchema = Type.String({
  minLength: TAG_CHARS_MIN,
  maxLength: TAG_CHARS_MAX,
  'x-expected': `a text of ${TAG_CHARS_MIN} to ${TAG_CHARS_MAX} characters`,
  title: 'tag',
});

const NODEBALANCER_FIELDS = {
  label: Type.Optional(NodeBalancerSchema.properties.label),
  client_conn_throttle: NodeBalancerSchema.properties.client_conn_throttle,
  tags: Type.Array(TagSchema, { maxItems: TAGS_MAX, default: [] }),
};

const NODEBALANCER_FOREIGN: Readonly<Record<string, ForeignKey>> = {
  id: ANSWERED,
  hostname: ANSWERED,
  ipv6: ANSWERED,
  created: ANSWERED,
  updated: ANSWERED,
  transfer: ANSWERED,
  lke_cluster: ANSWERED,
  locks: ANSWERED,
  frontend_address_type: lacking(NO_VPCS, 'public'),
  frontend_vpc_subnet_id: lacking(NO_VPCS),
  frontend_vpcs: lacking(NO_VPCS),
  backend_connectivity: ANSWERED,
  backend_vpcs: lacking(NO_VPCS),
  vpcs: lacking(NO_VPCS),
  type: lacking('there is only the type common', 'common'),
  // The Cloud Manager's "No firewall" is the one with the id -1.
  firewall_id: lacking(NO_FIREWALLS, -1),
  firewall: lacking(NO_FIREWALLS, -1),
  client_udp_sess_throttle: lacking(NO_UDP),
};

const IPV4_TEXT = { format: 'ipv4', 'x-expected': 'an IPv4 address' } as const;

const NODEBALANCER_TEXTS = { title: 'nodebalancer' } as const;

export const NEW_NODEBALANCER: RequestSchema = {
  schema: Type.Object(
    {
      ...NODEBALANCER_FIELDS,
      region: Type.String({
        description: 'The one region of this balancer: see /regions.',
        'x-sentences': { required: 'region is required' },
      }),
      ipv4: Type.Optional(
        Type.String({
          ...IPV4_TEXT,
          description: 'Where it listens: an address of this machine, or 0.0.0.0 for every one. Left out, it gets one.',
        }),
      ),
      configs: Type.Array(CONFIG_WITH_NODES.schema, {
        ...limitsOf(NodeBalancerSchema.properties.configs),
        default: [],
      }),
    },
    { additionalProperties: false, ...NODEBALANCER_TEXTS },
  ),
  foreign: NODEBALANCER_FOREIGN,
  items: { configs: CONFIG_WITH_NODES },
  spellings: AS_SPELLED,
  extensions: [],
};

export const CHANGED_NODEBALANCER: RequestSchema = {
  schema: Type.Object(
    {
      ...NODEBALANCER_FIELDS,
      ipv4: Type.Optional(Type.String({ ...IPV4_TEXT, description: 'As it was answered: it does not change.' })),
    },
    { additionalProperties: false, ...NODEBALANCER_TEXTS },
  ),
  foreign: { ...NODEBALANCER_FOREIGN, region: ANSWERED, configs: ANSWERED },
  items: {},
  spellings: AS_SPELLED,
  extensions: [],
};

export const NODE_REQUEST = NODE;

/** Of a nodebalancer that is given none. */
export function automaticLabel(id: number): string {
  return `balancer${id}`;
}
