// What the API takes: the configuration's schemas with the API's defaults, and what clients of the Linode API send besides. A key
// that only that API knows is let pass as long as it asks for nothing; what it asks for in vain is refused, with the reason.

import { type TInteger, type TObject, type TSchema, Type } from 'typebox';
import { FrontendSchema, NodeBalancerSchema, NodeSchema } from '../../core/config/model.ts';
import { parseNodeAddress } from '../../core/config/node-address.ts';

/** Whether a value of a foreign key asks for nothing. */
type IsNeutral = (value: unknown) => boolean;

const anything: IsNeutral = () => true;
const nothing: IsNeutral = (value) => value === null || value === '' || value === 0;
const emptyList: IsNeutral = (value) => value === null || (Array.isArray(value) && value.length === 0);
const oneOf =
  (...values: readonly unknown[]): IsNeutral =>
  (value) =>
    value === null || values.includes(value);

/** A request's schema, and the keys that are no part of it. */
export interface RequestSchema {
  readonly schema: TObject;
  readonly foreign: Readonly<Record<string, IsNeutral>>;
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
    id: anything,
    status: anything,
    config_id: anything,
    nodebalancer_id: anything,
    vpc_config_id: nothing,
    subnet_id: nothing,
    // The official JavaScript client sends it besides the address that it has just put it into.
    port: anything,
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
};

const CONFIG_EXTENSIONS = ['proxy_protocol_crc32c', 'queue_size', 'queue_timeout'];

const REFUSED_OF_CONFIG: unknown = Reflect.get(FrontendSchema, 'x-refused');

const CONFIG_FOREIGN: Readonly<Record<string, IsNeutral>> = {
  id: anything,
  nodebalancer_id: anything,
  nodes_status: anything,
  cipher_suite: oneOf('recommended', 'legacy', 'none'),
  ssl_commonname: anything,
  ssl_fingerprint: anything,
  ssl_cert: nothing,
  ssl_key: nothing,
  udp_check_port: anything,
  udp_session_timeout: anything,
};

/** Nodes are no part of it: a config's own endpoints ignore them, as the Linode API does. */
export const CONFIG: RequestSchema = {
  schema: Type.Object(CONFIG_FIELDS, { additionalProperties: false, title: 'config', 'x-refused': REFUSED_OF_CONFIG }),
  foreign: { ...CONFIG_FOREIGN, nodes: anything },
  items: {},
  spellings: AS_SPELLED,
  extensions: CONFIG_EXTENSIONS,
};

/** With its nodes: for what creates or replaces both at once. */
export const CONFIG_WITH_NODES: RequestSchema = {
  schema: Type.Object(
    { ...CONFIG_FIELDS, nodes: Type.Array(NODE.schema, { ...limitsOf(FrontendSchema.properties.nodes), default: [] }) },
    { additionalProperties: false, title: 'config', 'x-refused': REFUSED_OF_CONFIG },
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

const NODEBALANCER_FOREIGN: Readonly<Record<string, IsNeutral>> = {
  id: anything,
  hostname: anything,
  ipv6: anything,
  created: anything,
  updated: anything,
  transfer: anything,
  lke_cluster: anything,
  locks: anything,
  frontend_address_type: oneOf('public'),
  frontend_vpc_subnet_id: nothing,
  backend_connectivity: anything,
  type: oneOf('common'),
  firewall_id: nothing,
  vpcs: emptyList,
  client_udp_sess_throttle: nothing,
};

const NODEBALANCER_TEXTS = {
  title: 'nodebalancer',
  'x-refused': {
    client_udp_sess_throttle: 'protocol udp is not served yet',
    firewall_id: 'there are no firewalls here',
    vpcs: 'there are no VPCs here',
    type: 'there is only the type common',
  },
} as const;

export const NEW_NODEBALANCER: RequestSchema = {
  schema: Type.Object(
    {
      ...NODEBALANCER_FIELDS,
      region: Type.String({
        description: 'The one region of this balancer: see /regions.',
        'x-sentences': { required: 'region is required' },
      }),
      ipv4: Type.Optional(Type.String({ format: 'ipv4', 'x-expected': 'an IPv4 address' })),
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
  schema: Type.Object(NODEBALANCER_FIELDS, { additionalProperties: false, ...NODEBALANCER_TEXTS }),
  foreign: { ...NODEBALANCER_FOREIGN, ipv4: anything, region: anything, configs: anything },
  items: {},
  spellings: AS_SPELLED,
  extensions: [],
};

export const NODE_REQUEST = NODE;

/** Of a nodebalancer that is given none. */
export function automaticLabel(id: number): string {
  return `balancer${id}`;
}
