// Bodies of a megabyte that are nothing but mistakes: the first hundred are told, of the rest the number.

import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readJsonBody } from '../../../../control/api/json-body.ts';
import { structureFault } from '../../../../control/api/json-structure.ts';
import { holds } from '../../../../testing/suite/property.ts';
import { type Lab, NODE, startLab } from './support.ts';

let lab: Lab;
beforeEach(async () => {
  lab = startLab();
  const made = await lab.ask('POST', '/v4/nodebalancers', { region: 'local', configs: [{ port: 80, nodes: [NODE] }] });
  expect(made.status).toBe(200);
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

const UNKNOWN = 60_000;
const unknownKeys = Array.from({ length: UNKNOWN }, (_, i) => `"key${i}":1`).join();

test.each([
  ['POST', '/v4/nodebalancers', `{"region":"local",${unknownKeys}}`, UNKNOWN],
  ['PUT', '/v4/nodebalancers/1', `{${unknownKeys}}`, UNKNOWN],
  ['POST', '/v4/nodebalancers', `{"region":"local","configs":[{"port":1,${unknownKeys}}]}`, UNKNOWN],
  ['POST', '/v4/nodebalancers/1/configs', `{"port":1,${unknownKeys}}`, UNKNOWN],
  ['PUT', '/v4/nodebalancers/1/configs/2', `{${unknownKeys}}`, UNKNOWN],
  ['POST', '/v4/nodebalancers/1/configs/2/rebuild', `{"nodes":[{"id":3,${unknownKeys}}]}`, UNKNOWN],
  // All beyond the first 1,000 are not nodes of the config, and the list is too long.
  ['POST', '/v4/nodebalancers/1/configs/2/rebuild', `{"nodes":[${'{"id":9},'.repeat(50_000)}{"id":3}]}`, 52_001],
  ['POST', '/v4/nodebalancers/1/configs/2/nodes', `{"label":"two","address":"10.0.0.2:1",${unknownKeys}}`, UNKNOWN],
  ['PUT', '/balancer/v1/configuration', `{"nodebalancers":[],${unknownKeys}}`, UNKNOWN],
] as const)('%s %s, from the page and of a file', async (method, path, body, problems) => {
  const answer = await asPage(method, path, body);
  expect(answer.statusCode).toBe(400);
  const { errors } = answer.json();
  expect(errors).toHaveLength(101);
  expect(errors[100]).toEqual({ reason: `and ${problems - 100} more` });
});

/** The page is ours, and every key that it sends must be right. */
function asPage(method: 'POST' | 'PUT', url: string, payload: string) {
  const { logins, tokens } = lab.context;
  const login = logins.create(tokens.create('page', 'read_write').info);
  const headers = {
    cookie: `${logins.cookieName}=${login.value}`,
    'x-csrf-token': login.csrf,
    'content-type': 'application/json',
  };
  return lab.app.inject({ method, url, headers, payload });
}

test('of clients that may send unknown keys, the first are named beside what is refused', async () => {
  const nodes = '{"address":1},'.repeat(900);
  const body = `{"nodes":[${nodes}{"address":"10.0.0.1:1",${unknownKeys}}]}`;
  const answer = await lab.ask('POST', '/v4/nodebalancers/1/configs/2/rebuild', body);
  expect(answer.status).toBe(400);
  expect(answer.body.errors.at(-1).reason).toMatch(/^and \d+ more$/);
  expect(answer.body.errors).toHaveLength(101);
  expect(answer.headers.warnings).toMatch(/, and 59980 more$/);
});

test('what only a cloud has, a hundred times over', async () => {
  const nodes = Array.from({ length: 300 }, (_, i) => `{"label":"n-${i}","address":"10.0.0.1:${i + 1}","subnet_id":7}`);
  const answer = await lab.ask('POST', '/v4/nodebalancers/1/configs/2/rebuild', `{"nodes":[${nodes}]}`);
  expect(answer.body.errors[99]).toMatchObject({ field: 'nodes[99].subnet_id' });
  expect(answer.body.errors[100]).toEqual({ reason: 'and 200 more' });
});

interface Written {
  readonly text: string;
  readonly isTwice: boolean;
}

test('a key that is twice is found wherever it is, however it is spelled', () => {
  const plain = (text: string): Written => ({ text, isTwice: false });
  const SCALARS = ['1', '"a"', '"\\""', '"\\\\"', '"{"', 'null', '"],"', '""', '{}', '[]'].map(plain);
  const KEYS = ['"a"', '"b"', '"\\u0061"', '"a\\\\"', '""', '":"', '"\\""'];
  const { value } = fc.letrec<{ value: Written }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(...SCALARS),
      fc.array(tie('value'), { maxLength: 3 }).map((items) => ({
        text: `[${items.map(({ text }) => text).join(' , ')}]`,
        isTwice: items.some(({ isTwice }) => isTwice),
      })),
      fc.array(fc.tuple(fc.constantFrom(...KEYS), tie('value')), { maxLength: 3 }).map((pairs) => ({
        text: `{${pairs.map(([key, { text }]) => `${key}: ${text}`).join()}}`,
        isTwice:
          new Set(pairs.map(([key]) => JSON.parse(key))).size < pairs.length ||
          pairs.some(([, { isTwice }]) => isTwice),
      })),
    ),
  }));
  holds(
    fc.property(value, ({ text, isTwice }) => {
      expect(structureFault(text, 32)?.kind === 'twice').toBe(isTwice);
    }),
    { numRuns: 1000 },
  );
});

test.each(['{"a":1}', '[]', '"\\\\\\""', '{"a":{"a":{"a":"a"}},"b":"a"}', ' '])(
  '%s is read as JSON.parse does',
  (text) => {
    expect(readJsonBody(Buffer.from(text))).toEqual(text.trim() === '' ? undefined : JSON.parse(text));
  },
);
