// A rebuild is the whole set of nodes: who stays, who is new, who goes, and what is refused before anybody does.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Lab, startLab } from '../support.ts';
import { done, makeNodeBalancer, type Places, refused } from './support.ts';

let lab: Lab;
let places: Places;
let ids: readonly number[];
const ONE = { label: 'one', address: '10.0.0.1:80', weight: 7 };
const TWO = { label: 'two', address: '10.0.0.2:80', weight: 8, proxy_protocol: 'v2' };
const THREE = { label: 'three', address: '10.0.0.3:80' };

beforeEach(async () => {
  lab = startLab();
  places = await makeNodeBalancer(lab, { nodes: [ONE, TWO] });
  ids = (await nodes()).map(({ id }) => id);
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

async function nodes(): Promise<readonly { readonly id: number; readonly [key: string]: unknown }[]> {
  return (await done(lab.ask('GET', places.nodes))).data;
}

test('nodes with an id keep it and all that is not said; those without are new; the rest goes', async () => {
  const { nextId } = lab.store.read().inventory;
  await done(lab.ask('POST', places.rebuild, { nodes: [{ id: ids[1], weight: 9 }, THREE] }));
  expect(await nodes()).toMatchObject([
    { ...TWO, id: ids[1], weight: 9 },
    { ...THREE, id: nextId, weight: 50 },
  ]);
});

test('a field that is null is one that is not said, but for the PROXY header of a node', async () => {
  const kept = { id: ids[1], label: null, address: null, weight: null, mode: null, proxy_protocol: null };
  await done(lab.ask('POST', places.rebuild, { nodes: [kept] }));
  expect(await nodes()).toMatchObject([{ ...TWO, id: ids[1], proxy_protocol: null }]);
});

test('two nodes may swap names and addresses', async () => {
  const swapped = [
    { id: ids[0], label: TWO.label, address: TWO.address },
    { id: ids[1], label: ONE.label, address: ONE.address },
  ];
  await done(lab.ask('POST', places.rebuild, { nodes: swapped }));
  expect(await nodes()).toMatchObject(swapped);
  expect(lab.plane.config.nodebalancers[0]?.configs[0]?.nodes).toMatchObject(
    [TWO, ONE].map(({ label }) => ({ label })),
  );
});

test('a new node may have the address of one that goes', async () => {
  await done(lab.ask('POST', places.rebuild, { nodes: [{ ...ONE, label: 'other' }] }));
  const [node] = await nodes();
  expect(node).toMatchObject({ label: 'other', address: ONE.address });
  expect(ids).not.toContain(node?.id);
});

test('an empty list takes every node out', async () => {
  await done(lab.ask('POST', places.rebuild, { nodes: [] }));
  expect(await nodes()).toEqual([]);
});

test('fields of the config and its nodes change in one revision', async () => {
  const { revision } = lab.store.read();
  const body = await done(lab.ask('POST', places.rebuild, { port: 81, algorithm: 'source', nodes: [THREE] }));
  expect(body).toMatchObject({ port: 81, algorithm: 'source', nodes_status: { up: 0, down: 1 } });
  expect(lab.store.read().revision).toBe(revision + 1);
});

test.each([{}, { nodes: null }, { port: 81 }, undefined])('without a list of nodes it is refused: %j', async (body) => {
  const errors = await refused(lab.ask('POST', places.rebuild, body));
  expect(errors).toEqual([{ field: 'nodes', reason: 'nodes is required' }]);
  expect(await nodes()).toHaveLength(2);
});

test('ids of other nodes, of none, and of the same one twice are refused, each in its place', async () => {
  const { data } = await done(lab.ask('GET', places.configs));
  const foreign = { ...THREE, id: data[0].id };
  const more = [
    { ...ONE, id: ids[0] },
    { ...TWO, id: ids[0] },
    { label: 'four', address: '10.0.0.4:80', id: '3' },
    { label: 'five', address: '10.0.0.5:80', id: {} },
  ];
  const errors = await refused(lab.ask('POST', places.rebuild, { nodes: [foreign, ...more] }));
  expect(errors).toEqual([
    { field: 'nodes[0].id', reason: 'Not a node of this config' },
    { field: 'nodes[2].id', reason: 'The same node twice' },
    { field: 'nodes[3].id', reason: 'Not a node of this config' },
    { field: 'nodes[4].id', reason: 'Not a node of this config' },
  ]);
  expect(await nodes()).toMatchObject([ONE, TWO]);
});

test('everything that is wrong is told at once, and nothing changes', async () => {
  const { revision } = lab.store.read();
  const errors = await refused(
    lab.ask('POST', places.rebuild, {
      port: 0,
      nodes: [{ id: 999 }, { ...ONE, weight: 0 }, { ...TWO, address: ONE.address }, 5],
    }),
  );
  const fields = errors.map(({ field }) => field).sort();
  expect(fields).toEqual([
    'nodes[0].address',
    'nodes[0].id',
    'nodes[0].label',
    'nodes[1].weight',
    'nodes[2].address',
    'nodes[3]',
    'port',
  ]);
  expect(lab.store.read().revision).toBe(revision);
});
