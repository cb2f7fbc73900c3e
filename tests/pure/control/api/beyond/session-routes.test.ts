// Sessions through the API: which filters there are, and that a kill is never wider than it was meant.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SessionFilter, SessionView } from '../../../../../control/data-plane.ts';
import { type Lab, startLab } from '../support.ts';

const PATH = '/balancer/v1/sessions';
const SESSION: SessionView = {
  id: '0-7-3',
  nodebalancer: 'web',
  port: 80,
  client: '192.0.2.7:50000',
  local: '203.0.113.1:80',
  node: null,
  phase: 'queued',
  started: '2026-01-02T03:04:05.000Z',
  idle_ms: 12,
  bytes_in: 3,
  bytes_out: 4,
};

let lab: Lab;
let asked: { filter: SessionFilter; limit: number }[];
beforeAll(() => {
  lab = startLab();
  const sessions = lab.plane.sessions.bind(lab.plane);
  lab.plane.sessions = (filter, limit) => {
    asked.push({ filter, limit });
    return sessions(filter, limit);
  };
});
beforeEach(() => {
  asked = [];
  lab.plane.killed = [];
  lab.plane.running = [SESSION, { ...SESSION, id: '1-7-3' }];
});
afterEach(() => expect(lab.faults).toEqual([]));
afterAll(() => lab.close());

test('a list has as many as were asked for, and how many there are', async () => {
  const { status, body } = await lab.ask('GET', `${PATH}?limit=1`);
  expect([status, body]).toEqual([200, { total: 2, sessions: [SESSION] }]);
});

test.each<[query: string, filter: SessionFilter, limit?: number]>([
  ['', {}],
  ['?client=192.0.2.7', { client: '192.0.2.7' }],
  ['?client=2001:DB8:0::7', { client: '2001:db8::7' }],
  ['?node=10.0.0.1:80', { nodeAddress: '10.0.0.1:80' }],
  ['?nodebalancer=web&port=80&limit=1000', { nodebalancer: 'web', port: 80 }, 1000],
])('the filter %j', async (query, filter, limit = 100) => {
  expect((await lab.ask('GET', PATH + query)).status).toBe(200);
  expect(asked).toEqual([{ filter, limit }]);
});

describe('refused', () => {
  const BAD: [query: string, fields: string[]][] = [
    ['client=nobody', ['client']],
    ['client=192.0.2.7:80', ['client']],
    ['client=192.0.2.7&client=192.0.2.8', ['client']],
    ['port=0', ['port']],
    ['port=65536', ['port']],
    ['port=8e1', ['port']],
    ['client=192.0.2.7&nodes=10.0.0.1:80', ['nodes']],
    ['__proto__=1&client=192.0.2.7', ['__proto__']],
    ['client=x&port=y&wat=z', ['wat', 'client', 'port']],
  ];
  test.each(BAD)('the query %j, on reading and on ending', async (query, fields) => {
    for (const method of ['GET', 'DELETE'] as const) {
      const { status, body } = await lab.ask(method, `${PATH}?${query}`);
      expect(status).toBe(400);
      expect(body.errors.map(({ field }: { field: string }) => field).sort()).toEqual([...fields].sort());
    }
    expect(lab.plane.killed).toEqual([]);
  });

  test.each(['limit=0', 'limit=1001', 'limit=-1', 'limit=all'])('a list with %s', async (query) => {
    const { status, body } = await lab.ask('GET', `${PATH}?${query}`);
    expect([status, body.errors[0].field]).toEqual([400, 'limit']);
  });

  test.each(['', '?', '?client=', '?limit=5', '?client=&node=&nodebalancer='])(
    'ending all, by the empty filter %j',
    async (query) => {
      expect((await lab.ask('DELETE', PATH + query)).status).toBe(400);
      expect(lab.plane.killed).toEqual([]);
    },
  );
});

test('ending says how many were ended', async () => {
  expect((await lab.ask('DELETE', `${PATH}?client=192.0.2.7`)).body).toEqual({ killed: 2 });
  // Not one of them: a limit would be a filter that ends more than was meant.
  expect((await lab.ask('DELETE', `${PATH}?client=192.0.2.7&limit=1`)).status).toBe(400);
  expect(lab.plane.killed).toEqual([{ client: '192.0.2.7' }]);
});

test('one is ended by its id, and one that is gone is not found', async () => {
  lab.plane.running = [SESSION];
  expect((await lab.ask('DELETE', `${PATH}/0-7-3`)).body).toEqual({ killed: 1 });
  expect(lab.plane.killed).toEqual([{ id: '0-7-3' }]);
  lab.plane.running = [];
  expect((await lab.ask('DELETE', `${PATH}/0-7-3`)).status).toBe(404);
});

test('who may only look cannot end', async () => {
  const { token } = lab.context.tokens.create('looker', 'read_only');
  const headers = { authorization: `Bearer ${token}` };
  expect((await lab.ask('GET', PATH, undefined, headers)).status).toBe(200);
  expect((await lab.ask('DELETE', `${PATH}?client=192.0.2.7`, undefined, headers)).status).toBe(403);
  expect(lab.plane.killed).toEqual([]);
});
