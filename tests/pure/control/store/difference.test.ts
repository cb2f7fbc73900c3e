// Differences in words: what has got another name was renamed, not replaced.

import { expect, test } from 'vitest';
import { describeDifference } from '../../../../control/store/difference.ts';
import {
  EMPTY_INVENTORY,
  type Inventory,
  inventoryOf,
  type StoredNodeBalancer,
} from '../../../../control/store/inventory.ts';
import { validateConfig } from '../../../../core/config/validate.ts';

const validated = validateConfig({
  nodebalancers: [
    { label: 'web', configs: [{ port: 80, nodes: [{ label: 'one', address: '192.0.2.1:80' }] }, { port: 443 }] },
  ],
});
if (!('config' in validated)) throw new Error('the test has a bad configuration');
const BEFORE = inventoryOf(validated.config, EMPTY_INVENTORY, 'local', '2026-01-02T03:04:05');

function changed(edit: (nodebalancer: StoredNodeBalancer) => StoredNodeBalancer): Inventory {
  return { ...BEFORE, nodebalancers: BEFORE.nodebalancers.map(edit) };
}

test.each<[name: string, after: Inventory, lines: string[]]>([
  ['nothing', BEFORE, []],
  ['another label', changed((web) => ({ ...web, label: 'shop' })), ['web: label web -> shop']],
  ['tags', changed((web) => ({ ...web, tags: ['prod'] })), ['web: tags none -> prod']],
  [
    'another port',
    changed((web) => ({
      ...web,
      configs: web.configs.map((config) => (config.port === 80 ? { ...config, port: 81 } : config)),
    })),
    ['web port 80: port 80 -> 81'],
  ],
  [
    'another name and field at once',
    changed((web) => ({
      ...web,
      label: 'shop',
      configs: web.configs.map((config) => (config.port === 80 ? { ...config, algorithm: 'source' as const } : config)),
    })),
    ['web: label web -> shop', 'shop port 80: algorithm roundrobin -> source'],
  ],
  [
    'a node with another name',
    changed((web) => ({
      ...web,
      configs: web.configs.map((config) => ({
        ...config,
        nodes: config.nodes.map((node) => ({ ...node, label: 'uno' })),
      })),
    })),
    ['web port 80: node one (192.0.2.1:80) -> uno (192.0.2.1:80)'],
  ],
  ['all gone', { ...BEFORE, nodebalancers: [] }, ['web: removed']],
])('%s', (_name, after, lines) => {
  expect(describeDifference(BEFORE, after)).toEqual(lines);
});

test('of two nodes with one label, the one that goes is told, also where the other gets its address', () => {
  const nodesOf = (...addresses: readonly [id: number, address: string][]): Inventory =>
    changed((web) => ({
      ...web,
      configs: web.configs.map((config) => {
        const [node] = config.nodes;
        return node === undefined
          ? config
          : { ...config, nodes: addresses.map(([id, address]) => ({ ...node, label: 'cut', id, address })) };
      }),
    }));
  const both = nodesOf([3, '192.0.2.1:80'], [9, '192.0.2.2:80']);
  expect(describeDifference(both, nodesOf([3, '192.0.2.1:80']))).toEqual([
    'web port 80: node cut (192.0.2.2:80) removed',
  ]);
  expect(describeDifference(both, nodesOf([3, '192.0.2.2:80']))).toEqual([
    'web port 80: node cut (192.0.2.2:80) removed',
    'web port 80: node cut (192.0.2.1:80) -> cut (192.0.2.2:80)',
  ]);
  // A rebuild that names no ids: the same nodes, to all who know them by label and address.
  expect(describeDifference(both, nodesOf([11, '192.0.2.1:80'], [12, '192.0.2.2:80']))).toEqual([]);
});

test('a file that says the same changes nothing and keeps every id', () => {
  if (!('config' in validated)) throw new Error('unreachable');
  const again = inventoryOf(validated.config, BEFORE, 'local', '2027-01-01T00:00:00');
  expect(describeDifference(BEFORE, again)).toEqual([]);
  expect(again.nextId).toBe(BEFORE.nextId);
  expect(again.nodebalancers[0]?.configs[0]?.nodes[0]?.id).toBe(BEFORE.nodebalancers[0]?.configs[0]?.nodes[0]?.id);
});
