// The configuration model: one schema is the source of types, defaults, ranges and descriptions, for the file, the HTTP
// API, its published description and the web page. Field names are the Linode API's.
// Required here means: present inside. A field with a default may be missing outside, and `check.ts` fills it in.
// No checking code here; what spans several fields is in `rules.ts`.

import { type Static, Type } from 'typebox';
import * as limits from './limits.ts';

/** `x-expected`: the words after "expected" in a message. `x-refused`: values or keys people know from elsewhere, and why
 * not here; they make a better answer than a list of what is allowed. `x-sentences`: what the Linode API or its clients
 * say about a value, word for word, by what is wrong with it (see `schema-words.ts`). */
const LABEL = {
  minLength: limits.LABEL_CHARS_MIN,
  maxLength: limits.LABEL_CHARS_MAX,
};

/** Where both ends of a range have one sentence. */
function between(sentence: string) {
  return { minimum: sentence, maximum: sentence };
}

export const NodeSchema = Type.Object(
  {
    label: Type.String({
      ...LABEL,
      pattern: '^[a-zA-Z0-9._-]*$',
      description: 'Name of the node, for people; its address is what it is known by.',
      'x-expected': `${limits.LABEL_CHARS_MIN} to ${limits.LABEL_CHARS_MAX} letters, digits, ".", "-" or "_"`,
      'x-sentences': {
        required: 'label is required',
        length: 'Label should be between 3 and 32 characters.',
        characters: 'Label may only contain letters, numbers, periods, dashes, and underscores.',
      },
    }),
    address: Type.String({
      maxLength: limits.NODE_ADDRESS_CHARS_MAX,
      format: 'node-address',
      description: 'Where the node listens: ipv4:port, [ipv6]:port or host:port.',
      'x-expected': 'ipv4:port, [ipv6]:port or host:port',
      'x-sentences': { required: 'IP address is required.', port: 'Port must be between 1 and 65535.' },
    }),
    weight: Type.Integer({
      minimum: 1,
      maximum: 255,
      default: 50,
      description: 'Share of new connections, relative to the other nodes of the config.',
      'x-sentences': between('Weight must be between 1 and 255.'),
    }),
    mode: Type.Enum(['accept', 'reject', 'drain', 'backup'], {
      default: 'accept',
      description:
        'accept: takes connections. reject: takes none. drain: only clients that stickiness already sent here. ' +
        'backup: only when no accepting node is up.',
    }),
    max_connections: Type.Integer({
      minimum: 0,
      maximum: limits.MAX_CONNECTIONS_MAX,
      default: 0,
      description: 'Connections that the node takes at a time; further ones wait in the queue. 0 is no limit.',
    }),
    slow_start: Type.Integer({
      minimum: 0,
      maximum: 3600,
      default: 0,
      description: 'Seconds in which a node that comes back gets its full share little by little; 0 is at once.',
    }),
    proxy_protocol: Type.Union([Type.Enum(['none', 'v1', 'v2']), Type.Null()], {
      default: null,
      description: "The PROXY header for this node, where it is not the config's: a pool is converted node by node.",
    }),
  },
  { additionalProperties: false, title: 'node', description: 'One target that connections are forwarded to.' },
);

export const FrontendSchema = Type.Object(
  {
    port: Type.Integer({
      minimum: 1,
      maximum: 65535,
      description: 'Port to listen on.',
      'x-sentences': {
        required: 'Port is required',
        kind: 'Port must be a number.',
        ...between('Port must be between 1 and 65535.'),
      },
    }),
    protocol: Type.Enum(['tcp'], {
      default: 'tcp',
      description: 'tcp: bytes are forwarded as they are.',
      'x-refused': { http: 'not served yet', https: 'not served yet', udp: 'not served yet' },
    }),
    algorithm: Type.Enum(['roundrobin', 'leastconn', 'source'], {
      default: 'roundrobin',
      description:
        'Which node takes a new connection. roundrobin: by turns. leastconn: the one with the fewest connections. ' +
        "source: by the client's address.",
      'x-refused': { ring_hash: 'only for protocol udp' },
    }),
    stickiness: Type.Enum(['none', 'table'], {
      default: 'none',
      description: 'none: the algorithm decides each time. table: a client returns to its node.',
      'x-refused': {
        http_cookie: 'only for protocol http and https',
        session: 'only for protocol udp',
        source_ip: 'only for protocol udp',
      },
    }),
    proxy_protocol: Type.Enum(['none', 'v1', 'v2'], {
      default: 'none',
      description: "The PROXY header that tells nodes the client's address. Nodes must expect exactly this version.",
    }),
    proxy_protocol_crc32c: Type.Boolean({
      default: false,
      description:
        'With proxy_protocol v2: a checksum (TLV 0x03) in each header, so that a node which checks it refuses a damaged one.',
    }),
    check: Type.Enum(['none', 'connection', 'http', 'http_body'], {
      default: 'none',
      description:
        'Active health check. connection: a connection opens. http: check_path answers 2xx or 3xx. ' +
        'http_body: its body matches check_body.',
    }),
    check_interval: Type.Integer({
      minimum: 2,
      maximum: 3600,
      default: 5,
      description: 'Seconds between checks.',
      'x-sentences': {
        minimum: 'Interval should be greater than or equal to 2.',
        maximum: 'Interval should be less than or equal to 3600.',
      },
    }),
    check_timeout: Type.Integer({
      minimum: 1,
      maximum: 30,
      default: 3,
      description: 'Seconds until a check counts as failed; less than check_interval.',
      'x-sentences': {
        minimum: 'Timeout should be greater than or equal to 1.',
        maximum: 'Timeout should be less than or equal to 30.',
      },
    }),
    check_attempts: Type.Integer({
      minimum: 1,
      maximum: 30,
      default: 3,
      description: 'Failed checks in a row that take a node out.',
      'x-sentences': {
        minimum: 'Attempts should be greater than or equal to 1.',
        maximum: 'Attempts should be less than or equal to 30.',
      },
    }),
    check_path: Type.String({
      maxLength: limits.CHECK_PATH_CHARS_MAX,
      pattern: '^[a-zA-Z0-9/%?&=.-]*$',
      default: '',
      description: 'Path that the checks http and http_body request.',
      'x-expected': 'a path of letters, digits and / - % ? & = .',
    }),
    check_body: Type.String({
      maxLength: limits.CHECK_BODY_CHARS_MAX,
      format: 'regular-expression',
      default: '',
      description: 'Regular expression that the answer to an http_body check matches.',
      'x-expected': `a regular expression of at most ${limits.CHECK_BODY_CHARS_MAX} characters`,
    }),
    check_passive: Type.Boolean({
      default: true,
      description: 'Take a node out when forwarded connections to it fail.',
    }),
    queue_size: Type.Integer({
      minimum: 0,
      maximum: limits.QUEUE_SIZE_MAX,
      default: 1000,
      description: 'Connections that may wait while every node has its max_connections; further ones are reset.',
    }),
    queue_timeout: Type.Integer({
      minimum: 1,
      maximum: 3600,
      default: 5,
      description: 'Seconds that a connection may wait for a node; then it is reset.',
    }),
    nodes: Type.Array(NodeSchema, {
      maxItems: limits.NODES_PER_FRONTEND_MAX,
      default: [],
      description: 'The nodes that connections are spread over.',
    }),
  },
  {
    additionalProperties: false,
    title: 'config',
    description: 'One port of a nodebalancer, with its policy and nodes.',
    'x-refused': {
      ssl_cert: 'protocol https is not served yet',
      ssl_key: 'protocol https is not served yet',
      cipher_suite: 'protocol https is not served yet',
      udp_check_port: 'protocol udp is not served yet',
    },
  },
);

export const NodeBalancerSchema = Type.Object(
  {
    label: Type.String({
      ...LABEL,
      pattern: '^[a-zA-Z0-9_-]*$',
      description: 'Name of the nodebalancer, unique within the file.',
      'x-expected': `${limits.LABEL_CHARS_MIN} to ${limits.LABEL_CHARS_MAX} letters, digits, "-" or "_"`,
      'x-sentences': {
        required: 'Label is required.',
        length: 'Label must be between 3 and 32 characters.',
        characters: "Label can't contain special characters or spaces.",
      },
    }),
    ipv4: Type.String({
      format: 'ipv4',
      default: '0.0.0.0',
      description: 'IPv4 address to listen on; 0.0.0.0 is every one.',
      'x-expected': 'an IPv4 address',
    }),
    ipv6: Type.Union([Type.String({ format: 'ipv6', 'x-expected': 'an IPv6 address' }), Type.Null()], {
      default: null,
      description: 'IPv6 address to listen on besides; "::" is every one, null is none.',
    }),
    client_conn_throttle: Type.Integer({
      minimum: 0,
      maximum: 20,
      default: 0,
      description: 'New connections per second that one client address may open; 0 is no limit.',
      'x-sentences': {
        kind: 'Client Connection Throttle must be a number.',
        ...between('Client Connection Throttle must be between 0 and 20.'),
      },
    }),
    configs: Type.Array(FrontendSchema, {
      maxItems: limits.FRONTENDS_MAX,
      default: [],
      description: 'The ports that are served.',
    }),
  },
  {
    additionalProperties: false,
    title: 'nodebalancer',
    description: 'One address, the ports it serves and their nodes.',
    'x-refused': { client_udp_sess_throttle: 'protocol udp is not served yet' },
  },
);

export const ConfigSchema = Type.Object(
  {
    nodebalancers: Type.Array(NodeBalancerSchema, {
      maxItems: limits.NODEBALANCERS_MAX,
      description: 'The nodebalancers of this process.',
    }),
  },
  { additionalProperties: false, title: 'configuration', description: 'A whole configuration file.' },
);

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

export type Node = DeepReadonly<Static<typeof NodeSchema>>;
/** A *config* of the API: a port of a nodebalancer with its policy and its pool. */
export type Frontend = DeepReadonly<Static<typeof FrontendSchema>>;
export type NodeBalancer = DeepReadonly<Static<typeof NodeBalancerSchema>>;
/** A whole file, every default filled in. */
export type Config = DeepReadonly<Static<typeof ConfigSchema>>;
