// ETag and If-Match: a tag follows what its thing is made of and nothing else, and who holds an old one changes nothing.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Lab, NODE, startLab } from '../support.ts';
import { done, makeNodeBalancer, NODEBALANCERS, type Places } from './support.ts';

let lab: Lab;
let places: Places;
beforeEach(async () => {
  lab = startLab();
  places = await makeNodeBalancer(lab, { nodes: [NODE] });
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

const tagOf = async (path: string) => String((await lab.ask('GET', path)).headers.etag);

async function tags(): Promise<Record<Kind, string>> {
  return {
    nodebalancers: await tagOf(NODEBALANCERS),
    nodebalancer: await tagOf(places.nodebalancer),
    configs: await tagOf(places.configs),
    config: await tagOf(places.config),
    nodes: await tagOf(places.nodes),
    node: await tagOf(`${places.nodes}/3`),
  };
}

type Kind = 'nodebalancers' | 'nodebalancer' | 'configs' | 'config' | 'nodes' | 'node';

const changes: readonly (readonly [string, () => Promise<unknown>, Kind[]])[] = [
  ['a label', () => done(lab.ask('PUT', places.nodebalancer, { label: 'other' })), ['nodebalancers', 'nodebalancer']],
  ['tags', () => done(lab.ask('PUT', places.nodebalancer, { tags: ['abc'] })), ['nodebalancers', 'nodebalancer']],
  ['a config', () => done(lab.ask('PUT', places.config, { port: 81 })), ['configs', 'config']],
  ['a node', () => done(lab.ask('PUT', `${places.nodes}/3`, { weight: 9 })), ['configs', 'config', 'nodes', 'node']],
  [
    'another node',
    () => done(lab.ask('POST', places.nodes, { label: 'two', address: '10.0.0.2:80' })),
    ['configs', 'config', 'nodes'],
  ],
  ['another config', () => done(lab.ask('POST', places.configs, { port: 81 })), ['configs']],
  ['another nodebalancer', () => done(lab.ask('POST', NODEBALANCERS, { region: 'local' })), ['nodebalancers']],
  ['nothing', () => done(lab.ask('PUT', places.config, { port: 80 })), []],
];
test.each(changes)('%s changes the tags of what it is part of', async (_name, change, changed) => {
  const before = await tags();
  // Later, so that a tag that follows the clock is found out.
  lab.clockMs += 60_000;
  await change();
  const after = await tags();
  const kinds = Object.keys(before) as (keyof typeof before)[];
  expect(kinds.filter((kind) => before[kind] !== after[kind])).toEqual(changed);
});

test('a write is answered with the tag that a read then has', async () => {
  const answers = [
    await lab.ask('PUT', places.nodebalancer, { tags: ['abc'] }),
    await lab.ask('PUT', places.config, { port: 81 }),
    await lab.ask('POST', places.rebuild, { nodes: [NODE] }),
    await lab.ask('POST', places.nodes, { label: 'two', address: '10.0.0.2:80' }),
    await lab.ask('POST', places.configs, { port: 82 }),
    await lab.ask('POST', NODEBALANCERS, { region: 'local' }),
  ];
  const made = answers.slice(3).map(({ body }) => body.id);
  const paths = [
    places.nodebalancer,
    undefined,
    undefined,
    `${places.nodes}/${made[0]}`,
    `${places.configs}/${made[1]}`,
    `${NODEBALANCERS}/${made[2]}`,
  ];
  for (const [index, answer] of answers.entries()) {
    expect(answer.headers.etag).toMatch(/^"[\w-]{27}"$/);
    const path = paths[index];
    if (path !== undefined) expect((await lab.ask('GET', path)).headers.etag).toBe(answer.headers.etag);
  }
});

describe('with an old tag', () => {
  const writes: readonly (readonly ['PUT' | 'DELETE' | 'POST', () => string, unknown, () => Promise<unknown>])[] = [
    ['PUT', () => places.nodebalancer, { tags: ['xyz'] }, () => lab.ask('PUT', places.nodebalancer, { tags: ['abc'] })],
    ['DELETE', () => places.nodebalancer, undefined, () => lab.ask('PUT', places.nodebalancer, { tags: ['abc'] })],
    ['PUT', () => places.config, { port: 90 }, () => lab.ask('PUT', places.config, { port: 81 })],
    ['DELETE', () => places.config, undefined, () => lab.ask('PUT', `${places.nodes}/3`, { weight: 9 })],
    ['POST', () => places.rebuild, { nodes: [] }, () => lab.ask('PUT', `${places.nodes}/3`, { weight: 9 })],
    ['PUT', () => `${places.nodes}/3`, { weight: 10 }, () => lab.ask('PUT', `${places.nodes}/3`, { weight: 9 })],
    ['DELETE', () => `${places.nodes}/3`, undefined, () => lab.ask('PUT', `${places.nodes}/3`, { weight: 9 })],
  ];
  test.each(writes)('%s %s is refused, and goes through with the new one', async (method, path, body, meanwhile) => {
    const thing = path().replace(/\/rebuild$/, '');
    const old = await tagOf(thing);
    await meanwhile();
    const before = lab.store.read();
    const answer = await lab.ask(method, path(), body, { 'if-match': old });
    expect(answer.status).toBe(409);
    expect(answer.body.errors[0].reason).toContain(`tester (revision ${before.revision})`);
    expect(lab.store.read()).toEqual(before);
    expect((await lab.ask(method, path(), body, { 'if-match': await tagOf(thing) })).status).toBe(200);
  });

  const creations: readonly (readonly [string, path: () => string, body: unknown, seen: () => string])[] = [
    ['a nodebalancer, by the list', () => NODEBALANCERS, { region: 'local' }, () => NODEBALANCERS],
    ['a config, by the list', () => places.configs, { port: 90 }, () => places.configs],
    ['a config, by its nodebalancer', () => places.configs, { port: 90 }, () => places.nodebalancer],
    ['a node, by the list', () => places.nodes, { label: 'new', address: '10.0.0.9:80' }, () => places.nodes],
    ['a node, by its config', () => places.nodes, { label: 'new', address: '10.0.0.9:80' }, () => places.config],
  ];
  test.each(creations)(
    'creating %s, is refused, and goes through with the new one',
    async (_name, path, body, seen) => {
      const old = await tagOf(seen());
      // Each of the tags changes with one of these.
      await done(lab.ask('PUT', places.nodebalancer, { tags: ['abc'] }));
      await done(lab.ask('PUT', `${places.nodes}/3`, { weight: 9 }));
      const before = lab.store.read();
      const answer = await lab.ask('POST', path(), body, { 'if-match': old });
      expect(answer.status).toBe(409);
      expect(answer.body.errors[0].reason).toContain(`tester (revision ${before.revision})`);
      expect(lab.store.read()).toEqual(before);
      expect((await lab.ask('POST', path(), body, { 'if-match': await tagOf(seen()) })).status).toBe(200);
    },
  );

  test('where something is to be created matters, not what is elsewhere', async () => {
    const { config, nodes } = await tags();
    await done(lab.ask('POST', places.configs, { port: 81 }));
    await done(lab.ask('PUT', places.nodebalancer, { tags: ['abc'] }));
    const body = (number: number) => ({ label: `new-${number}`, address: `10.0.0.${number}:80` });
    expect((await lab.ask('POST', places.nodes, body(8), { 'if-match': nodes })).status).toBe(200);
    for (const old of [nodes, config]) {
      expect((await lab.ask('POST', places.nodes, body(9), { 'if-match': old })).status).toBe(409);
    }
    expect((await lab.ask('POST', places.nodes, body(9), { 'if-match': '*' })).status).toBe(200);
    const gone = places.nodes.replace(/configs\/\d+/, 'configs/999');
    expect((await lab.ask('POST', gone, body(10), { 'if-match': '*' })).status).toBe(404);
    expect((await lab.ask('POST', gone, body(10), { 'if-match': nodes })).status).toBe(404);
  });

  test('the whole configuration is neither replaced nor rolled back', async () => {
    const path = '/balancer/v1/configuration';
    const old = await tagOf(path);
    const { body: saved } = await lab.ask('GET', path);
    await done(lab.ask('PUT', places.config, { port: 81 }));
    const before = lab.store.read();
    const seen = { 'if-match': old };
    expect((await lab.ask('PUT', path, saved, seen)).status).toBe(409);
    expect((await lab.ask('POST', '/balancer/v1/rollback', { revision: 1 }, seen)).status).toBe(409);
    expect(lab.store.read()).toEqual(before);
    const replaced = await lab.ask('PUT', path, saved, { 'if-match': await tagOf(path) });
    expect(replaced.status).toBe(200);
    expect(replaced.headers.etag).toBe(await tagOf(path));
    const back = await lab.ask('POST', '/balancer/v1/rollback', { revision: 2 }, { 'if-match': await tagOf(path) });
    expect(back.status).toBe(200);
    expect(back.headers.etag).toBe(await tagOf(path));
  });

  test('a bad body is told after the conflict, not before', async () => {
    const answer = await lab.ask('PUT', places.config, { port: 0 }, { 'if-match': '"old"' });
    expect(answer.status).toBe(409);
  });

  test('any thing that is there matches *, one of several tags is enough, and what is gone is not found', async () => {
    const { config } = await tags();
    expect((await lab.ask('PUT', places.config, { port: 81 }, { 'if-match': '*' })).status).toBe(200);
    expect((await lab.ask('PUT', places.config, { port: 82 }, { 'if-match': config })).status).toBe(409);
    const list = `"old", ${(await tags()).config}`;
    expect((await lab.ask('PUT', places.config, { port: 82 }, { 'if-match': list })).status).toBe(200);
    expect((await lab.ask('PUT', `${places.nodes}/999`, {}, { 'if-match': '*' })).status).toBe(404);
  });
});

test('fifty writers who hold the same tag: one wins', async () => {
  const { config } = await tags();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      lab.ask('PUT', places.config, { port: 1000 + index }, { 'if-match': config }),
    ),
  );
  const statuses = answers.map(({ status }) => status).sort();
  expect(statuses).toEqual([200, ...Array.from({ length: 49 }, () => 409)]);
});
