// The description of the API is one that tools take: OpenAPI 3.1, whose schemas are JSON Schema of 2020-12 and fit what is answered,
// with the names that generators of clients and linode-cli work by.

import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { published } from '../../../../control/api/json-schema.ts';
import { done, makeNodeBalancer, NODEBALANCERS, type Places } from './resources/support.ts';
import { type Lab, NODE, startLab } from './support.ts';

type Fields = Readonly<Record<string, unknown>>;
interface PathItem extends Fields {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
}
interface Document extends Fields {
  readonly paths: Readonly<Record<string, PathItem>>;
}

let lab: Lab;
let places: Places;
let openapi: Document;
beforeAll(async () => {
  lab = startLab();
  places = await makeNodeBalancer(lab, { nodes: [NODE] });
  openapi = await done(lab.ask('GET', '/openapi.json'));
});
afterAll(() => lab.close());

const METHODS = ['get', 'put', 'post', 'delete'] as const;

interface Operation extends Fields {
  readonly path: string;
  readonly method: string;
}

function operations(): Operation[] {
  return Object.entries(openapi.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => ({ path, method, ...(item[method] as Fields) })),
  );
}

interface Answers {
  readonly headers?: Fields;
  readonly content: Readonly<Record<string, { readonly schema: Fields }>>;
}

function answersOf(path: string, method: string): Readonly<Record<string, Answers>> {
  const operation = operations().find((one) => one.path === path && one.method === method);
  if (operation === undefined) throw new Error(`${method} ${path} is not described`);
  return operation.responses as Readonly<Record<string, Answers>>;
}

/** Every schema that stands in the document by itself, with its place. */
function schemas(value: unknown = openapi, place = ''): [place: string, schema: Fields][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) =>
    key === 'schema' ? [[`${place}/${key}`, part] as [string, Fields]] : schemas(part, `${place}/${key}`),
  );
}

/** Words of ours, which other validators need not know. */
function validator(): Ajv2020 {
  const formats = { ipv4: true, ipv6: true, 'node-address': true, 'regular-expression': true } as const;
  return new Ajv2020({ strictSchema: false, formats });
}

test('a validator of OpenAPI 3.1 takes the document', async () => {
  expect(await new Validator().validate(structuredClone(openapi))).toEqual({ valid: true });
});

test('every schema in it is JSON Schema of 2020-12', () => {
  const all = schemas();
  expect(all.length).toBeGreaterThan(100);
  const ajv = validator();
  const bad = all.filter(([, schema]) => ajv.validateSchema(schema) !== true).map(([place]) => place);
  expect(bad).toEqual([]);
});

test('a tuple takes exactly its items, and nothing else', () => {
  const points = {
    type: 'array',
    items: [{ type: 'number' }, { type: 'string' }],
    additionalItems: false,
    minItems: 2,
  };
  const pair = validator().compile(published({ ...points, description: 'pairs' }) as Fields);
  const same = validator().compile(published({ ...points, items: [{ type: 'number' }, { type: 'number' }] }) as Fields);
  expect([[1, 2], [1], [1, 2, 3], ['1', 2], [], 1].map((value) => same(value))).toEqual([
    true,
    ...Array(5).fill(false),
  ]);
  expect(pair([1, 2])).toBe(false);
  // What has no tuple in it stays as it is.
  const plain = { type: 'object', properties: { items: { type: 'array', items: { type: 'string' } } } };
  expect(published(plain)).toEqual(plain);
});

describe('what is answered fits its schema', () => {
  const STATS = `${NODEBALANCERS.replace('/v4', '')}/{nodebalancerId}/stats`;
  const answers: readonly (readonly [path: string, asked: () => string])[] = [
    ['/nodebalancers', () => NODEBALANCERS],
    ['/nodebalancers/{nodebalancerId}', () => places.nodebalancer],
    ['/nodebalancers/{nodebalancerId}/configs/{configId}', () => places.config],
    ['/nodebalancers/{nodebalancerId}/configs/{configId}/nodes', () => places.nodes],
    ['/linode/instances', () => '/v4/linode/instances'],
    ['/profile', () => '/v4/profile'],
    ['/regions', () => '/v4/regions'],
    [STATS, () => `${places.nodebalancer}/stats`],
    [
      '/balancer/v1/nodebalancers/{nodebalancerId}/statistics',
      () => places.nodebalancer.replace('/v4', '/balancer/v1').concat('/statistics'),
    ],
  ];

  test.each(answers)('%s', async (path, asked) => {
    lab.context.statistics.record(lab.clockMs - 20_000, new Map([[1, { connections: 5, bytesIn: 6, bytesOut: 7 }]]));
    const schema = answersOf(path, 'get')['200']?.content['application/json']?.schema ?? {};
    const fits = validator().compile(schema);
    const answer = await done(lab.ask('GET', asked()));
    expect(fits(answer), JSON.stringify(fits.errors)).toBe(true);
    // A schema that fits everything would prove nothing.
    expect(fits({ ...answer, data: 5, id: 'one', uid: 'one' })).toBe(false);
  });
});

describe('names', () => {
  test('every operation has one of its own, which a program can have, too', () => {
    const ids = operations().map(({ operationId }) => String(operationId));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][a-zA-Z0-9]+$/);
  });

  test('every path has its command, and no command two actions of one name', () => {
    const actions = operations().map(
      ({ path, 'x-linode-cli-action': action }) => `${openapi.paths[path]?.['x-linode-cli-command']} ${action}`,
    );
    expect(new Set(actions).size).toBe(actions.length);
    for (const action of actions) expect(action).toMatch(/^[a-z]+ [a-z][a-z0-9-]+$/);
  });

  test('below /v4 they are those that clients have', () => {
    const known = operations()
      .filter((operation) => operation['x-linode-cli-skip'] !== true)
      .map(({ path, operationId, 'x-linode-cli-action': action }) => [
        String(operationId),
        `${openapi.paths[path]?.['x-linode-cli-command']} ${action}`,
      ]) as [string, string][];
    expect(Object.fromEntries(known)).toMatchObject({
      getNodeBalancers: 'nodebalancers list',
      createNodeBalancer: 'nodebalancers create',
      updateNodeBalancer: 'nodebalancers update',
      rebuildNodeBalancerConfig: 'nodebalancers config-rebuild',
      createNodeBalancerNode: 'nodebalancers node-create',
      getLinodeInstances: 'linodes list',
    });
    // What is new below /v4 is given a name in openapi-names.ts: those that follow from the path are for what is ours.
    expect(known.filter(([, command]) => command.startsWith('balancer '))).toEqual([]);
  });

  test('what a path must be given stands at the path', () => {
    for (const [path, item] of Object.entries(openapi.paths)) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true }));
      expect(item.parameters ?? []).toMatchObject(wanted);
    }
  });

  test('what linode-cli cannot ask for, because it is not below a version, is skipped by it', () => {
    for (const { path, servers, 'x-linode-cli-skip': isSkipped } of operations()) {
      expect({ path, isSkipped: isSkipped === true }).toEqual({ path, isSkipped: servers !== undefined });
    }
  });
});

test('a write says that it may name unknown keys in a header', () => {
  const answers = answersOf('/nodebalancers', 'post');
  for (const status of ['200', 'default']) expect(answers[status]?.headers).toHaveProperty('warnings');
});
