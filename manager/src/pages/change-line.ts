// A line of the history taken apart: `web port 80: node a (10.0.0.1:80) weight 50 -> 100, mode accept -> drain`. Lines that are made
// otherwise stay text.

export interface FieldChange {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

export interface ChangeParts {
  /** `web port 80`; empty where the line begins otherwise */
  readonly place: string;
  /** what is neither place nor fields: `node a (10.0.0.1:80)`, `removed` */
  readonly text: string;
  readonly fields: readonly FieldChange[];
}

/** A word, or free text in quotation marks as JSON has it. */
const VALUE = String.raw`(?:"(?:[^"\\]|\\.)*"|[^\s,"]+)`;
const FIELD = new RegExp(`(?:^|, | )([a-z_0-9]+) (${VALUE}) -> (${VALUE})(?=, |$)`, 'g');

/** As the page's own fields are called. */
const WORDS: Readonly<Record<string, string>> = {
  label: 'Label',
  tags: 'Tags',
  client_conn_throttle: 'Client Connection Throttle',
  ipv4: 'IPv4 address',
  ipv6: 'IPv6 address',
  port: 'Port',
  algorithm: 'Algorithm',
  stickiness: 'Session Stickiness',
  proxy_protocol: 'Proxy Protocol',
  proxy_protocol_crc32c: 'Checksum in each header',
  check: 'Health check',
  check_path: 'Health Check Path',
  check_body: 'Expected Body',
  check_interval: 'Interval',
  check_timeout: 'Timeout',
  check_attempts: 'Attempts',
  check_passive: 'Passive Checks',
  queue_size: 'Waiting connections',
  queue_timeout: 'Waiting time',
  weight: 'Weight',
  mode: 'Mode',
  max_connections: 'Connections at a time',
  slow_start: 'Slow start',
};

export function readChange(line: string): ChangeParts {
  const colon = line.indexOf(': ');
  const place = colon === -1 ? '' : line.slice(0, colon);
  const rest = colon === -1 ? line : line.slice(colon + 2);
  const found = [...rest.matchAll(FIELD)];
  const begin = found[0]?.index ?? rest.length;
  // Where something stands between the fields, they were not all understood.
  const length = found.reduce((sum, [whole]) => sum + whole.length, 0);
  if (begin + length !== rest.length) return { place, text: rest, fields: [] };
  const fields = found.map(([, name = '', from = '', to = '']) => ({ name: WORDS[name] ?? name, from, to }));
  return { place, text: rest.slice(0, begin), fields };
}
