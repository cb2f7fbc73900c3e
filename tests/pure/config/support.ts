// What the tests of the configuration share: short ways to a result, and arbitrary valid configurations.

import fc from 'fast-check';
import { expect } from 'vitest';
import { formatConfigErrors, formatConfigWarnings } from '../../../core/config/format.ts';
import type { Config, Frontend, Node, NodeBalancer } from '../../../core/config/model.ts';
import type { OwnAddresses } from '../../../core/config/own-ports.ts';
import { type ConfigError, parseConfig } from '../../../core/config/parse.ts';

export function errorsOf(text: string, file = 'c.yaml', own?: OwnAddresses): readonly ConfigError[] {
  const parsed = parseConfig(text, file, own);
  return 'errors' in parsed ? parsed.errors : [];
}

/** As people see them, one per line. */
export function errorLines(text: string, file = 'c.yaml', own?: OwnAddresses): string[] {
  const parsed = parseConfig(text, file, own);
  const lines = 'errors' in parsed ? formatConfigErrors(parsed.errors, parsed.more) : '';
  return lines === '' ? [] : lines.split('\n');
}

/** The one error of a text, without the name of the file. */
export function onlyError(text: string, file = 'c.yaml'): string {
  const lines = errorLines(text, file);
  expect(lines).toHaveLength(1);
  return (lines[0] ?? '').slice(file.length + 1);
}

export function configOf(text: string, file = 'c.yaml'): Config {
  const parsed = parseConfig(text, file);
  if ('errors' in parsed) throw new Error(formatConfigErrors(parsed.errors));
  return parsed.config;
}

export function warningLines(text: string): string[] {
  const parsed = parseConfig(text, 'c.yaml');
  if ('errors' in parsed) throw new Error(formatConfigErrors(parsed.errors));
  const lines = formatConfigWarnings(parsed.warnings);
  return lines === '' ? [] : lines.split('\n').map((line) => line.slice('c.yaml:'.length));
}

/** The same with nodes; each is the rest of a mapping, after label and address. */
export function withNodes(lines: readonly string[], ...nodes: string[]): string {
  const entries = nodes.map(
    (rest, i) => `  - { label: node-${i}, address: "h${i}:1"${rest === '' ? '' : `, ${rest}`} }`,
  );
  return withFrontend(...lines, 'nodes:', ...entries);
}

/** One frontend with these lines, which begin on line 4, after port 80; columns begin at 9. */
export function withFrontend(...lines: string[]): string {
  return [
    'nodebalancers:',
    '  - label: web',
    '    configs:',
    '      - port: 80',
    ...lines.map((line) => `        ${line}`),
  ].join('\n');
}

const NODE_LABELS = ['aaa', 'bbb', 'ccc', 'ddd', 'eee'];
const ADDRESSES = ['192.0.2.1:80', '[2001:db8::1]:80', 'host.example:80', '192.0.2.2:80', '192.0.2.3:80'];

const node: fc.Arbitrary<Node> = fc.record({
  label: fc.constantFrom(...NODE_LABELS),
  address: fc.constantFrom(...ADDRESSES),
  weight: fc.integer({ min: 1, max: 255 }),
  mode: fc.constantFrom('accept', 'reject', 'drain', 'backup'),
  max_connections: fc.constantFrom(0, 1, 1_000_000),
  slow_start: fc.constantFrom(0, 30, 3600),
  proxy_protocol: fc.constantFrom(null, 'none', 'v1', 'v2'),
});

/** Labels may be there several times. */
const pool = fc.uniqueArray(node, { selector: ({ address }) => address, maxLength: 5 });

const header = fc.constantFrom(
  { proxy_protocol: 'none' as const, proxy_protocol_crc32c: false },
  { proxy_protocol: 'v1' as const, proxy_protocol_crc32c: false },
  { proxy_protocol: 'v2' as const, proxy_protocol_crc32c: false },
  { proxy_protocol: 'v2' as const, proxy_protocol_crc32c: true },
);

const frontendWithoutHeader = fc.record({
  port: fc.integer({ min: 1, max: 6 }),
  protocol: fc.constant('tcp' as const),
  algorithm: fc.constantFrom('roundrobin', 'leastconn', 'source'),
  stickiness: fc.constantFrom('none', 'table'),
  check: fc.constantFrom('none', 'connection', 'http', 'http_body'),
  check_interval: fc.integer({ min: 31, max: 3600 }),
  check_timeout: fc.integer({ min: 1, max: 30 }),
  check_attempts: fc.integer({ min: 1, max: 30 }),
  check_path: fc.constantFrom('/', '/health?deep=1'),
  check_body: fc.constantFrom('ok', '^a b$'),
  check_passive: fc.boolean(),
  queue_size: fc.constantFrom(0, 1000, 100_000),
  queue_timeout: fc.integer({ min: 1, max: 3600 }),
  nodes: pool,
});

const frontend: fc.Arbitrary<Frontend> = fc
  .tuple(frontendWithoutHeader, header)
  .map(([rest, ofHeader]) => ({ ...rest, ...ofHeader }));

/** Each nodebalancer has an address of its own, so no two listeners collide. */
const nodebalancer: fc.Arbitrary<NodeBalancer> = fc.integer({ min: 1, max: 6 }).chain((id) =>
  fc.record({
    label: fc.constant(`web-${id}`),
    ipv4: fc.constantFrom(`192.0.2.${id}`, `198.51.100.${id}`),
    ipv6: fc.constantFrom(null, `2001:db8::${id}`),
    client_conn_throttle: fc.integer({ min: 0, max: 20 }),
    configs: fc.uniqueArray(frontend, { selector: ({ port }) => port, maxLength: 4 }),
  }),
);

export const arbitraryConfig: fc.Arbitrary<Config> = fc.record({
  nodebalancers: fc.uniqueArray(nodebalancer, { selector: ({ label }) => label, maxLength: 4 }),
});
