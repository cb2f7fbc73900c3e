// Edits as functions of inventories: nothing is changed in place, ids stay, and what is not concerned is the same object.

import { describe, expect, test } from 'vitest';
import {
  addConfig,
  addNodeBalancer,
  changeConfig,
  changeNodeBalancer,
  findById,
  Ids,
  removeConfig,
  removeNodeBalancer,
  withNode,
  withoutNode,
} from '../../../../../control/api/edits.ts';
import { ApiError } from '../../../../../control/api/errors.ts';
import { EMPTY_INVENTORY, type Inventory, inventoryOf } from '../../../../../control/store/inventory.ts';
import { configOf } from '../../../config/support.ts';
import { idsOf } from './support.ts';

const THEN = '2026-01-01T00:00:00';
const NOW = '2026-01-02T00:00:00';
const CONFIG = configOf(`
nodebalancers:
  - label: web
    ipv4: 192.0.2.1
    configs:
      - { port: 80, nodes: [{ label: aaa, address: "10.0.0.1:80" }, { label: bbb, address: "10.0.0.2:80" }] }
      - { port: 81 }
  - label: mail
    ipv4: 192.0.2.2
    configs: [{ port: 25 }]
`);

function deepFreeze<T>(value: T): T {
  for (const part of Object.values(value as object)) if (typeof part === 'object' && part !== null) deepFreeze(part);
  return Object.freeze(value);
}

/** web 1, its configs 2 (nodes 3 and 4) and 5; mail 6, its config 7. */
const BEFORE: Inventory = deepFreeze(inventoryOf(CONFIG, EMPTY_INVENTORY, 'local', THEN));
const [WEB, MAIL] = BEFORE.nodebalancers as [Inventory['nodebalancers'][number], Inventory['nodebalancers'][number]];
const [PORT_80] = WEB.configs as [(typeof WEB.configs)[number]];
const PLACE = { nodebalancer: WEB, now: NOW };

test('the ids that the edits below start from', () => {
  expect(idsOf(BEFORE)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(BEFORE.nextId).toBe(8);
});

test('ids go on from the next one of the inventory', () => {
  const ids = new Ids(BEFORE);
  expect([ids.next, ids.take(), ids.take(), ids.next]).toEqual([8, 8, 9, 10]);
});

const added = () => {
  const ids = new Ids(BEFORE);
  return addNodeBalancer(BEFORE, { ...MAIL, id: ids.take(), label: 'new', configs: [] }, ids);
};
const addedConfig = () => {
  const ids = new Ids(BEFORE);
  return addConfig(BEFORE, PLACE, { ...PORT_80, id: ids.take(), port: 82, nodes: [] }, ids);
};
const addedNode = () => {
  const ids = new Ids(BEFORE);
  const [node] = PORT_80.nodes;
  if (node === undefined) throw new Error('the configuration above has it');
  return changeConfig(BEFORE, PLACE, withNode(PORT_80, { ...node, id: ids.take(), label: 'ccc' }), ids);
};

const edits: readonly (readonly [string, () => Inventory, ids: number[], nextId: number])[] = [
  ['add a NodeBalancer', added, [1, 2, 3, 4, 5, 6, 7, 8], 9],
  ['change one', () => changeNodeBalancer(BEFORE, { ...WEB, label: 'shop' }), [1, 2, 3, 4, 5, 6, 7], 8],
  ['remove one', () => removeNodeBalancer(BEFORE, 1), [6, 7], 8],
  ['add a config', addedConfig, [1, 2, 3, 4, 5, 8, 6, 7], 9],
  ['change one', () => changeConfig(BEFORE, PLACE, { ...PORT_80, port: 90 }), [1, 2, 3, 4, 5, 6, 7], 8],
  ['remove one', () => removeConfig(BEFORE, PLACE, 2), [1, 5, 6, 7], 8],
  ['add a node', addedNode, [1, 2, 3, 4, 8, 5, 6, 7], 9],
  ['remove one', () => changeConfig(BEFORE, PLACE, withoutNode(PORT_80, 3)), [1, 2, 4, 5, 6, 7], 8],
];

describe.each(edits)('%s', (_name, edit, ids, nextId) => {
  test('every other thing keeps its id, and no id comes back', () => {
    const after = edit();
    expect(idsOf(after)).toEqual(ids);
    expect(after.nextId).toBe(nextId);
  });

  test('what is not concerned is the same object', () => {
    expect(edit().nodebalancers.find(({ id }) => id === MAIL.id)).toBe(MAIL);
  });
});

test('a change below a NodeBalancer is one of it; its creation stays', () => {
  const after = [addedConfig(), addedNode(), removeConfig(BEFORE, PLACE, 5)];
  for (const inventory of after)
    expect(findById(inventory.nodebalancers, 1)).toMatchObject({ created: THEN, updated: NOW });
});

test('a node that is there is replaced in its place', () => {
  const [first, second] = PORT_80.nodes;
  if (first === undefined || second === undefined) throw new Error('the configuration above has both');
  expect(withNode(PORT_80, { ...first, weight: 9 }).nodes).toEqual([{ ...first, weight: 9 }, second]);
});

test('what is not there is not found', () => {
  expect(() => findById(BEFORE.nodebalancers, 2)).toThrow(ApiError);
  expect(() => findById(BEFORE.nodebalancers, Number.NaN)).toThrow('Not found');
});
