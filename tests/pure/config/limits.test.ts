// Each limit: at it, and one past it.

import { expect, test } from 'vitest';
import * as limits from '../../../core/config/limits.ts';
import { ConfigSchema, FrontendSchema, NodeBalancerSchema, NodeSchema } from '../../../core/config/model.ts';
import { yamlText } from '../../../core/config/yaml-text.ts';
import { configOf, errorLines, onlyError, warningLines } from './support.ts';

const MINIMAL = 'nodebalancers: []\n';

function nodes(count: number): string {
  return `[${Array.from({ length: count }, (_, i) => `{label: node-${i}, address: "h${i}:1"}`).join(',')}]`;
}

/** Frontends with these numbers of nodes, in one nodebalancer. */
function frontends(...nodeCounts: number[]): string {
  const configs = nodeCounts.map((count, i) => `{port: ${i + 1}, nodes: ${nodes(count)}}`);
  return `nodebalancers: [{label: web, configs: [${configs.join(',')}]}]`;
}

function nodebalancers(count: number): string {
  return `nodebalancers: [${Array.from({ length: count }, (_, i) => `{label: web-${i}, ipv4: 127.0.${i >> 8}.${i & 255}}`).join(',')}]`;
}

test('bytes of a file, not characters', () => {
  const room = limits.FILE_BYTES_MAX - MINIMAL.length - 1;
  expect(errorLines(`${MINIMAL}#${'x'.repeat(room)}`)).toEqual([]);
  expect(onlyError(`${MINIMAL}#${'x'.repeat(room + 1)}`)).toBe(
    '1:1: found more than 4194304 bytes, expected a smaller file',
  );
  expect(errorLines(`${MINIMAL}#${'é'.repeat(room / 2)}`)).toEqual([]);
  expect(onlyError(`${MINIMAL}#${'é'.repeat(room / 2 + 1)}`)).toContain('found more than 4194304 bytes');
});

test('nodebalancers', () => {
  expect(warningLines(nodebalancers(limits.NODEBALANCERS_MAX))).toHaveLength(limits.NODEBALANCERS_MAX);
  expect(onlyError(nodebalancers(limits.NODEBALANCERS_MAX + 1))).toContain(
    'found 513 nodebalancers, expected at most 512',
  );
});

test('frontends of one nodebalancer, and of all', () => {
  const empty = (count: number) => new Array<number>(count).fill(0);
  expect(configOf(frontends(...empty(limits.FRONTENDS_MAX))).nodebalancers[0]?.configs).toHaveLength(
    limits.FRONTENDS_MAX,
  );
  expect(onlyError(frontends(...empty(limits.FRONTENDS_MAX + 1)))).toContain('found 513 configs, expected at most 512');
  const configs = Array.from({ length: limits.FRONTENDS_MAX / 2 }, (_, i) => `{port: ${i + 1}}`).join(',');
  const two = `{label: one, ipv4: 127.0.0.1, configs: [${configs}]}, {label: two, ipv4: 127.0.0.2, configs: [${configs}]}`;
  expect(errorLines(`nodebalancers: [${two}]`)).toEqual([]);
  expect(onlyError(`nodebalancers: [${two}, {label: three, ipv4: 127.0.0.3, configs: [{port: 1}]}]`)).toBe(
    '1:16: nodebalancers: found 513 configs of all nodebalancers together, expected at most 512',
  );
});

test('nodes of one frontend, and of all', () => {
  expect(errorLines(frontends(limits.NODES_PER_FRONTEND_MAX))).toEqual([]);
  expect(onlyError(frontends(limits.NODES_PER_FRONTEND_MAX + 1))).toContain(
    'nodes: found 1001 nodes, expected at most 1000',
  );
  expect(errorLines(frontends(1000, 1000, 1000, 1000, 96))).toEqual([]);
  expect(onlyError(frontends(1000, 1000, 1000, 1000, 97))).toContain(
    'found 4097 nodes of all configs together, expected at most 4096',
  );
});

test('the largest configuration, with every key and long names, can be read from what is exported', () => {
  const perFrontend = limits.NODES_MAX / limits.FRONTENDS_MAX;
  const config = configOf(frontends(...new Array<number>(limits.FRONTENDS_MAX).fill(perFrontend)));
  const long = {
    nodebalancers: config.nodebalancers.map((nodebalancer) => ({
      ...nodebalancer,
      configs: nodebalancer.configs.map((frontend) => ({
        ...frontend,
        check: 'http_body',
        check_path: `/${'p'.repeat(200)}`,
        check_body: 'b'.repeat(200),
        nodes: frontend.nodes.map((node, i) => ({
          ...node,
          label: `n-${i}-`.padEnd(limits.LABEL_CHARS_MAX, 'n'),
          address: `${`h${i}.`.padEnd(60, 'h')}.${'example.'.repeat(12)}org:8080`,
        })),
      })),
    })),
  };
  expect(configOf(yamlText(long))).toEqual(long);
  expect(configOf(JSON.stringify(long, null, 1), 'c.json')).toEqual(long);
});

test('keys and signs: as many as the largest configuration has, and hardly more', () => {
  const keysOf = ({ properties }: { readonly properties: object }) => Object.keys(properties).length;
  const keys =
    keysOf(ConfigSchema) +
    limits.NODEBALANCERS_MAX * keysOf(NodeBalancerSchema) +
    limits.FRONTENDS_MAX * keysOf(FrontendSchema) +
    limits.NODES_MAX * keysOf(NodeSchema);
  const items = limits.NODEBALANCERS_MAX + limits.FRONTENDS_MAX + limits.NODES_MAX;
  // Lists are values of keys: `configs` and `nodes`, and that of the nodebalancers.
  const lists = 1 + limits.NODEBALANCERS_MAX + limits.FRONTENDS_MAX;
  // In JSON: each key's name and its value, the brackets of each list and mapping, and a comma after nearly each pair and item.
  const signs = keys + (keys - lists) + 2 * (lists + items + 1) + keys + items - (2 * items + 1) + lists;
  expect(limits.KEYS_MAX).toBeGreaterThanOrEqual(keys);
  expect(limits.KEYS_MAX).toBeLessThan(1.1 * keys);
  expect(limits.SIGNS_MAX).toBeGreaterThanOrEqual(signs);
  expect(limits.SIGNS_MAX).toBeLessThan(1.1 * signs);
});

test('keys, and what else a file has', () => {
  const keys = (count: number) => Array.from({ length: count }, (_, i) => `k${i}:\n`).join('');
  // Of each that it is unknown, and that there are no nodebalancers.
  expect(errorLines(keys(limits.KEYS_MAX)).at(-1)).toContain('and 39901 more');
  expect(onlyError(keys(limits.KEYS_MAX + 1))).toBe(
    '40001:7: found more than 40000 keys, expected fewer: no configuration has so many',
  );
  // Two brackets, and two signs a line.
  const items = (lines: number) => `[${'\n1,'.repeat(lines)}]`;
  const lines = limits.SIGNS_MAX / 2 - 1;
  expect(onlyError(items(lines))).toContain('1:1: found a list');
  expect(onlyError(items(lines + 1))).toBe(
    '67501:2: found more than 135000 values, brackets and commas, expected fewer: no configuration has so many',
  );
});

test('lines', () => {
  const text = (lines: number) => `a: "${'a\n '.repeat(lines - 1)}"`;
  expect(errorLines(text(limits.LINES_MAX))[0]).toContain('an unknown key');
  expect(onlyError(text(limits.LINES_MAX + 1))).toBe(
    '400001:1: found more than 400000 lines, expected fewer: no configuration has so many',
  );
});

test('nesting', () => {
  // The document and the mapping around are levels of the parser too.
  const nested = (levels: number) => `a: ${'['.repeat(levels)}${']'.repeat(levels)}`;
  expect(errorLines(nested(20)).join()).not.toContain('nesting');
  expect(onlyError(nested(limits.NESTING_MAX))).toContain('more than 32 levels of nesting');
});

test('values with aliases written out', () => {
  const text = (count: number) => `a: &a [${new Array(99).fill(1).join()}]\nb: [${new Array(count).fill('*a').join()}]`;
  expect(errorLines(text(900)).join()).not.toContain('more than');
  expect(onlyError(text(1100))).toContain('2:');
  expect(onlyError(text(1100))).toContain('found more than 100000 values');
});
