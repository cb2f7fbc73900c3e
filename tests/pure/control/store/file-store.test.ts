// The store of a process that was started with a file: what the file says, under ids that stay, and never written.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileStore } from '../../../../control/store/file-store.ts';
import { configOf } from '../../../../control/store/inventory.ts';
import { StoreError } from '../../../../control/store/store.ts';
import type { Config } from '../../../../core/config/model.ts';
import { parseConfig } from '../../../../core/config/parse.ts';
import { makeTemporaryDirectory } from '../../../../testing/temporary.ts';

const START_MS = Date.parse('2026-01-02T03:04:05.678Z');

function config(nodes: string): Config {
  const text = `nodebalancers: [{ label: web, configs: [{ port: 80, nodes: [${nodes}] }] }]`;
  const result = parseConfig(text, 'balancer.yaml');
  if ('errors' in result) throw new Error(JSON.stringify(result.errors));
  return result.config;
}

const FIRST = config('{ label: web-1, address: "192.0.2.1:80" }, { label: web-2, address: "192.0.2.2:80" }');
const SECOND = config('{ label: web-2, address: "192.0.2.2:80" }, { label: web-3, address: "192.0.2.3:80" }');

/** @param memory that of an earlier process, if there was one */
function make(present: Config, memory = join(makeTemporaryDirectory('file-store'), 'memory')) {
  const state = { present, nowMs: START_MS };
  const warnings: string[] = [];
  const store = new FileStore({
    file: '/etc/balancer.yaml',
    config: () => state.present,
    memory,
    region: 'here',
    now: () => state.nowMs,
    warn: (message) => warnings.push(message),
  });
  return { memory, state, store, warnings };
}

function nodeIds(store: FileStore): Record<string, number> {
  const nodes = store.read().inventory.nodebalancers[0]?.configs[0]?.nodes ?? [];
  return Object.fromEntries(nodes.map(({ label, id }) => [label, id]));
}

test('says what the file says, with ids, a region and times', () => {
  const { store } = make(FIRST);
  const { inventory, author, time, revision } = store.read();
  expect(configOf(inventory)).toEqual(FIRST);
  expect(inventory.nodebalancers[0]).toMatchObject({ region: 'here', created: '2026-01-02T03:04:05' });
  expect([author, time, revision]).toEqual(['/etc/balancer.yaml', '2026-01-02T03:04:05', 1]);
  expect(new Set(Object.values(nodeIds(store))).size).toBe(2);
  expect(store.history()).toEqual([]);
});

test('after another reading: what is still there keeps its id, what is new gets one of its own, and whoever watches is told', () => {
  const { state, store } = make(FIRST);
  const before = nodeIds(store);
  const seen: number[] = [];
  store.watch(({ revision }) => seen.push(revision));
  state.present = SECOND;
  state.nowMs += 60_000;
  store.refresh();
  const after = nodeIds(store);
  expect(Object.keys(after)).toEqual(['web-2', 'web-3']);
  expect(after['web-2']).toBe(before['web-2']);
  expect(Object.values(before)).not.toContain(after['web-3']);
  expect(store.read().inventory.nodebalancers[0]).toMatchObject({
    created: '2026-01-02T03:04:05',
    updated: '2026-01-02T03:05:05',
  });
  expect(seen).toEqual([2]);
});

test('the same configuration told again is no revision', () => {
  const { state, store } = make(FIRST);
  const before = store.read();
  state.present = structuredClone(FIRST);
  state.nowMs += 60_000;
  expect(store.read()).toBe(before);
});

test('is never written', () => {
  const { store } = make(FIRST);
  const before = store.read();
  expect(() => store.write()).toThrow(StoreError);
  expect(store.read()).toBe(before);
});

test('two processes with the same file give the same ids', () => {
  expect(nodeIds(make(FIRST).store)).toEqual(nodeIds(make(structuredClone(FIRST)).store));
});

test('the next process knows the ids of what is still there, and gives none of the others again', () => {
  const { memory, store } = make(FIRST);
  const before = nodeIds(store);
  const after = nodeIds(make(SECOND, memory).store);
  expect(after['web-2']).toBe(before['web-2']);
  expect(Object.values(before)).not.toContain(after['web-3']);
});

test.each<[name: string, damage: (memory: string) => void, said: RegExp]>([
  [
    'cut in half',
    (memory) => writeFileSync(memory, readFileSync(memory).subarray(0, 100)),
    /holds no ids that can be read/,
  ],
  ['empty', (memory) => writeFileSync(memory, ''), /holds no ids that can be read/],
  [
    'a directory',
    (memory) => {
      rmSync(memory);
      mkdirSync(memory);
    },
    /is a directory, expected a file/,
  ],
])('a memory that is %s is none, and that is said', (_name, damage, said) => {
  const { memory, store, warnings: before } = make(FIRST);
  expect(before).toEqual([]);
  damage(memory);
  const { store: after, warnings } = make(FIRST, memory);
  expect(nodeIds(after)).toEqual(nodeIds(store));
  expect(warnings[0]).toMatch(said);
  expect(warnings[0]).toContain(memory);
});

test('a memory that cannot be written is said once', () => {
  const { state, store, warnings } = make(FIRST, '/proc/nowhere/memory');
  state.present = SECOND;
  store.refresh();
  expect(warnings).toEqual([expect.stringMatching(/^\/proc\/nowhere\/memory cannot be written: .*next start$/)]);
});
