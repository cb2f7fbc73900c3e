// What every request passes: tokens, scopes, hosts, bodies, limits; and what every answer carries.

import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loginKey } from '../../../../control/api/login-key.ts';
import { Logins } from '../../../../control/api/logins.ts';
import { createServer } from '../../../../control/api/server.ts';
import { LoginTable } from '../../../../control/store/login-table.ts';
import { StoreError } from '../../../../control/store/store.ts';
import { makeTemporaryDirectory } from '../../../../testing/temporary.ts';
import { type Lab, startLab } from '../../../pure/control/api/support.ts';

let lab: Lab;
beforeEach(() => {
  lab = startLab();
});
afterEach(async () => {
  await lab.close();
});

const LIST = '/v4/nodebalancers';

describe('who may', () => {
  test.each([undefined, '', 'Bearer', 'Bearer wrong', 'Basic d3Jvbmc6d3Jvbmc=', 'Bearer balancer_x y'])(
    'authorization %j: Invalid Token',
    async (authorization) => {
      const answer = await lab.app.inject({ url: LIST, headers: authorization === undefined ? {} : { authorization } });
      expect(answer.statusCode).toBe(401);
      expect(answer.json()).toEqual({ errors: [{ reason: 'Invalid Token' }] });
    },
  );

  test('a read_only token may look, and change nothing', async () => {
    const { token } = lab.context.tokens.create('monitor', 'read_only');
    const headers = { authorization: `Bearer ${token}` };
    const list = await lab.app.inject({ url: LIST, headers });
    expect(list.statusCode).toBe(200);
    expect(list.headers['x-oauth-scopes']).toBe('nodebalancers:read_only');
    for (const method of ['POST', 'PUT', 'DELETE'] as const) {
      const answer = await lab.app.inject({ method, url: method === 'POST' ? LIST : `${LIST}/1`, headers });
      expect(answer.statusCode).toBe(403);
      expect(answer.json()).toEqual({ errors: [{ reason: 'Unauthorized' }] });
    }
  });

  test.each([
    '/v4/regions',
    '/v4/regions/local',
    '/v4/nodebalancers/types',
    '/livez',
    '/readyz',
    '/openapi.json',
    '/metrics',
  ])('%s needs no token on this machine', async (url) => expect((await lab.app.inject({ url })).statusCode).toBe(200));

  test('metrics need one from elsewhere', async () => {
    expect((await lab.app.inject({ url: '/metrics', remoteAddress: '192.0.2.9' })).statusCode).toBe(401);
  });

  test('whoever is wrong too often is not listened to for the rest of the minute', async () => {
    const wrong = () =>
      lab.app.inject({ url: LIST, remoteAddress: '192.0.2.9', headers: { authorization: 'Bearer wrong' } });
    for (let i = 0; i < 20; i++) expect((await wrong()).statusCode).toBe(401);
    const refused = await wrong();
    expect(refused.statusCode).toBe(429);
    // A client waits as long as this header says, and reads no sentence.
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    // Another address is not concerned, and the next minute begins anew.
    expect((await lab.ask('GET', LIST)).status).toBe(200);
    lab.clockMs += 60_000;
    expect((await wrong()).statusCode).toBe(401);
  });

  test('nobody is shut out by what others behind the same address send', async () => {
    const remoteAddress = '192.0.2.9';
    const logIn = (payload?: object) =>
      lab.app.inject({ method: 'POST', url: '/balancer/v1/login', remoteAddress, ...(payload && { payload }) });
    const { token } = lab.context.tokens.create('good', 'read_only');
    const list = (secret: string) =>
      lab.app.inject({ url: LIST, remoteAddress, headers: { authorization: `Bearer ${secret}` } });
    // A page of any site can make a browser send this.
    for (let i = 0; i < 40; i++) expect((await logIn()).statusCode).toBe(401);
    expect((await logIn({ token: 'wrong' })).statusCode).toBe(401);
    for (let i = 0; i < 40; i++) await list('wrong');
    expect((await list('wrong')).statusCode).toBe(429);
    expect((await logIn({ token: 'wrong' })).statusCode).toBe(429);
    expect((await list(token)).statusCode).toBe(200);
    expect((await logIn({ token })).statusCode).toBe(200);
  });

  test('metrics need one where a browser asks, in the name of whatever site its user looks at', async () => {
    const status = async (headers: Record<string, string>) =>
      (await lab.app.inject({ url: '/metrics', headers })).statusCode;
    expect(await status({ origin: 'https://elsewhere.example' })).toBe(401);
    expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(401);
    // Typed into the address bar.
    expect(await status({ 'sec-fetch-site': 'none' })).toBe(200);
  });

  test('on the local socket metrics are there, too: it has no address', async () => {
    const trusted = createServer(lab.context, { trusted: true });
    const path = join(makeTemporaryDirectory('socket'), 's');
    await trusted.listen({ path });
    const socket = connect(path);
    socket.write('GET /metrics HTTP/1.0\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
    await trusted.close();
  });

  test('on the local socket nobody is asked', async () => {
    const trusted = createServer(lab.context, { trusted: true });
    const answer = await trusted.inject({ url: '/v4/profile', headers: { host: 'anything.example' } });
    expect(answer.json()).toMatchObject({ username: 'operator' });
    await trusted.close();
  });
});

test('what is noted of a change holds nothing that lets anybody in, also where it came to a wrong place', async () => {
  const { token } = lab.context.tokens.create('person', 'read_write');
  const { code } = lab.context.logins.createCode();
  for (const url of [`/login?code=${code}`, `/v4/nodebalancers?token=${token}`, `/balancer/v1/tokens/${token}`]) {
    await lab.ask('POST', url, {});
  }
  expect(lab.audit).toHaveLength(3);
  for (const secret of [token, code]) expect(lab.audit.join()).not.toContain(secret);
});

describe('the page’s cookie', () => {
  const PATH = '/balancer/v1/login';

  async function logIn(): Promise<{ cookie: string; csrf: string }> {
    const { token } = lab.context.tokens.create('person', 'read_write');
    const answer = await lab.app.inject({ method: 'POST', url: PATH, payload: { token } });
    expect(answer.statusCode).toBe(200);
    const set = String(answer.headers['set-cookie']);
    expect(set).toMatch(/; HttpOnly; SameSite=Strict;/);
    return { cookie: set.split(';')[0] ?? '', csrf: answer.json().csrf };
  }

  test('it may look; a change also needs the word that only the page knows', async () => {
    const { cookie, csrf } = await logIn();
    expect((await lab.app.inject({ url: LIST, headers: { cookie } })).statusCode).toBe(200);
    const create = (headers: Record<string, string>) =>
      lab.app.inject({ method: 'POST', url: LIST, headers, payload: { region: 'local' } });
    expect((await create({ cookie })).statusCode).toBe(403);
    expect((await create({ cookie, 'x-csrf-token': 'x'.repeat(csrf.length) })).statusCode).toBe(403);
    expect((await create({ cookie, 'x-csrf-token': csrf })).statusCode).toBe(200);
  });

  test('each balancer of a host has its own: browsers send a cookie to every port', async () => {
    const other = startLab();
    try {
      expect(other.context.logins.cookieName).not.toBe(lab.context.logins.cookieName);
      const { cookie } = await logIn();
      const headers = { cookie: `${other.context.logins.cookieName}=else; ${cookie}` };
      expect((await lab.app.inject({ url: LIST, headers })).statusCode).toBe(200);
    } finally {
      await other.close();
    }
  });

  test('a token of a new database is not the one of the same number that somebody logged in with', async () => {
    const { cookie } = await logIn();
    const renewed = startLab();
    try {
      const key = loginKey(lab.directory).key;
      const { store, context } = renewed;
      context.tokens.create('person', 'read_write');
      const after = new Logins(key, new LoginTable(store.database), context.tokens, () => renewed.clockMs);
      expect(after.cookieName).toBe(lab.context.logins.cookieName);
      expect(after.withCookie(cookie.split('=')[1] ?? '')).toBeUndefined();
    } finally {
      await renewed.close();
    }
  });

  test('a forged, an old and a revoked one are nobody’s', async () => {
    const { cookie } = await logIn();
    const status = async (value: string) =>
      (await lab.app.inject({ url: LIST, headers: { cookie: value } })).statusCode;
    expect(await status(cookie.replace(/=./, (begin) => (begin === '=A' ? '=B' : '=A')))).toBe(401);
    expect(await status(`${cookie}x`)).toBe(401);
    lab.clockMs += 13 * 3_600_000;
    expect(await status(cookie)).toBe(401);
    const again = await logIn();
    for (const { id, label } of lab.context.tokens.list()) if (label === 'person') lab.context.tokens.revoke(id);
    expect(await status(again.cookie)).toBe(401);
  });
});

describe('whom we are', () => {
  test.each(['127.0.0.1:8080', 'localhost', 'localhost.:8080', '[::1]:8080', '192.0.2.1'])(
    'Host %s is this machine',
    async (host) => {
      expect((await lab.ask('GET', LIST, undefined, { host })).status).toBe(200);
    },
  );
  test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:8080'])(
    'Host %j is not',
    async (host) => {
      expect((await lab.ask('GET', LIST, undefined, { host })).status).toBe(403);
    },
  );
  test('a wildcard of the certificate stands for one label', async () => {
    const app = createServer(lab.context, { trusted: false, hosts: ['*.example.com', 'one.example.net'] });
    const status = async (host: string) => (await app.inject({ url: '/livez', headers: { host } })).statusCode;
    for (const host of ['lb.example.com:8080', 'LB.Example.com', 'one.example.net', 'one.example.net.:8080'])
      expect([host, await status(host)]).toEqual([host, 200]);
    for (const host of ['example.com', 'a.lb.example.com', 'two.example.net'])
      expect([host, await status(host)]).toEqual([host, 403]);
    await app.close();
  });

  test('without a Host header nobody is asked', async () => {
    await lab.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = lab.app.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.end('GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*The Host header is missing/s);
  });

  test('a health check of HTTP/1.0 has no Host, and no browser sent it', async () => {
    await lab.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = lab.app.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /livez HTTP/1.0\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('answers', () => {
  test('carry the recorded headers', async () => {
    const { headers } = await lab.ask('GET', LIST);
    expect(headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'HEAD, GET, OPTIONS, POST, PUT, DELETE',
      'cache-control': 'max-age=0, no-cache, no-store',
      'content-security-policy': "default-src 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'x-oauth-scopes': '*',
      'x-accepted-oauth-scopes': 'nodebalancers:read_only',
    });
    for (const name of ['limit', 'remaining', 'reset'])
      expect(Number(headers[`x-ratelimit-${name}`])).toBeGreaterThan(0);
    expect(headers).toHaveProperty('x-spec-version');
  });

  test('OPTIONS is for everybody', async () => {
    expect((await lab.app.inject({ method: 'OPTIONS', url: LIST })).statusCode).toBe(200);
  });

  test.each([
    '/',
    '/v4',
    '/v5/nodebalancers',
    '/v4/nodebalancers/1/unknown',
    '/v4/nodebalancers/../../etc/passwd',
    '/assets/../../package.json',
  ])('%s is not found, or the page', async (url) => {
    const { status, body } = await lab.ask('GET', url);
    expect([200, 404]).toContain(status);
    if (status === 200) expect(String(body)).toMatch(/<!doctype html>/i);
  });

  test.each(['/v4/nodebalancers/%ff', `/v4/nodebalancers/${'1'.repeat(200)}`])(
    'a path that cannot be one, %s, is not found, like any other',
    async (url) => {
      const { status, body, headers } = await lab.ask('GET', url);
      expect([status, body]).toEqual([404, { errors: [{ reason: 'Not found' }] }]);
      expect(headers['x-frame-options']).toBe('DENY');
    },
  );

  test.each<[name: string, bytes: string, status: number, reason: string]>([
    ['no HTTP', 'hello\r\n\r\n', 400, 'That is no HTTP request.'],
    [
      'too many headers',
      `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`,
      431,
      'The headers are too long.',
    ],
  ])('%s is answered in the same shape', async (_name, bytes, status, reason) => {
    await lab.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = lab.app.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write(bytes);
    const answer = await text(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual({ errors: [{ reason }] });
  });

  test('a mistake of our own is told as such, and its words are in the log', async () => {
    lab.plane.refusal = new TypeError('secret detail');
    const { status, body } = await lab.ask('POST', LIST, { region: 'local', configs: [{ port: 80 }] });
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(lab.faults).toHaveLength(1);
  });

  test('a store that cannot be written is 507, with the reason', async () => {
    lab.plane.refusal = new StoreError('the disk is full');
    const { status, body } = await lab.ask('POST', LIST, { region: 'local', configs: [{ port: 80 }] });
    expect([status, body.errors[0].reason]).toEqual([507, 'the disk is full']);
  });

  test('each write is one line for the log', async () => {
    await lab.ask('GET', LIST);
    await lab.ask('POST', LIST, { region: 'local' });
    expect(lab.audit).toHaveLength(1);
    expect(lab.audit[0]).toMatch(/^tester POST \/v4\/nodebalancers -> 200/);
  });
});

describe('bodies', () => {
  test.each<[body: string, reason: RegExp]>([
    ['{"region": "local",}', /line 1, column 20/],
    ['{"region": "local"', /not JSON/],
    ['{"region": "local", "region": "local"}', /has the key "region" twice/],
    ['{"configs": [{"port": 80, "port": 81}]}', /has the key "port" twice/],
    ['{"a": "\\u0061", "\\u0061": 1}', /has the key "a" twice/],
    ['NaN', /not JSON/],
    ['{"client_conn_throttle": 1e400}', /client_conn_throttle|Throttle/],
    [`${'['.repeat(40)}${']'.repeat(40)}`, /nested more than 32 deep/],
    [`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, /nested more than 32 deep/],
    ['"text"', /must be a JSON object/],
    ['null', /must be a JSON object|region is required/],
    ['[]', /must be a JSON object/],
  ])('%#', async (body, reason) => {
    const answer = await lab.ask('POST', LIST, body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { reason: string }) => error.reason).join()).toMatch(reason);
    expect(lab.faults).toEqual([]);
  });

  test('__proto__ is a key like any other: an unknown one', async () => {
    const answer = await lab.ask('POST', LIST, '{"region": "local", "__proto__": {"label": "polluted"}}');
    expect([answer.status, answer.headers.warnings]).toEqual([200, 'ignored as unknown: __proto__']);
    expect(({} as Record<string, unknown>).label).toBeUndefined();
  });

  test('a string without an end takes no longer than any other text', async () => {
    // A pattern that looks for its end from each of its quotes would be busy for minutes.
    const answer = await lab.ask('POST', LIST, `"${'\\"'.repeat(400_000)}`);
    expect([answer.status, answer.body.errors[0].reason]).toEqual([400, expect.stringMatching(/not JSON/)]);
  });

  test('at most 4 KiB from whom nobody knows yet', async () => {
    const send = (url: string, bytes: number) =>
      lab.app.inject({ method: 'POST', url, payload: { token: 'x'.repeat(bytes) } });
    for (const url of ['/balancer/v1/login', '/balancer/v1/login/end']) {
      const answer = await send(url, 5000);
      expect(answer.statusCode).toBe(413);
      expect(answer.json()).toEqual({ errors: [{ reason: 'The body must be at most 4096 bytes.' }] });
    }
    expect((await send('/balancer/v1/login', 100)).statusCode).toBe(401);
  });

  test('at most 1 MiB', async () => {
    const answer = await lab.ask('POST', LIST, JSON.stringify({ region: 'local', label: 'x'.repeat(1 << 20) }));
    expect(answer.status).toBe(413);
  });

  test('only JSON', async () => {
    const answer = await lab.ask('POST', LIST, 'region=local', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(answer.status).toBe(415);
  });

  test('bytes that are no UTF-8', async () => {
    const { token } = lab.context.tokens.create('bytes', 'read_write');
    const answer = await lab.app.inject({
      method: 'POST',
      url: LIST,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      payload: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
    });
    expect(answer.statusCode).toBe(400);
  });
});

describe('lists', () => {
  beforeEach(async () => {
    for (const [label, tag] of [
      ['alpha', 'red'],
      ['beta', 'red'],
      ['gamma', 'blue'],
    ]) {
      await lab.ask('POST', LIST, { region: 'local', label, tags: [tag] });
    }
  });

  async function labels(filter: unknown, query = ''): Promise<string[]> {
    const { status, body } = await lab.ask('GET', LIST + query, undefined, {
      'x-filter': typeof filter === 'string' ? filter : JSON.stringify(filter),
    });
    expect(status, JSON.stringify(body)).toBe(200);
    return body.data.map((item: { label: string }) => item.label);
  }

  test.each<[filter: unknown, found: string[]]>([
    [{}, ['alpha', 'beta', 'gamma']],
    [{ label: 'beta' }, ['beta']],
    [{ label: 'beta', region: 'nowhere' }, []],
    [{ tags: 'red' }, ['alpha', 'beta']],
    [{ tags: { '+contains': 'lu' } }, ['gamma']],
    [{ label: { '+contains': 'A' } }, ['alpha', 'beta', 'gamma']],
    [{ label: { '+neq': 'beta' } }, ['alpha', 'gamma']],
    [{ '+or': [{ label: 'alpha' }, { label: 'gamma' }] }, ['alpha', 'gamma']],
    [{ '+and': [{ tags: 'red' }, { '+or': [{ label: 'alpha' }] }] }, ['alpha']],
    [{ id: { '+gt': 1, '+lte': 3 } }, ['beta', 'gamma']],
    [{ id: { '+gte': 'one' } }, []],
    [{ '+order_by': 'label', '+order': 'desc' }, ['gamma', 'beta', 'alpha']],
    [{ '+order_by': 'id', tags: 'red' }, ['alpha', 'beta']],
  ])('X-Filter %j', async (filter, found) => {
    expect(await labels(filter)).toEqual(found);
  });

  test.each<[filter: string, reason: RegExp]>([
    ['{"foo": 1}', /^Cannot filter on foo$/],
    ['{"+order_by": "foo"}', /^Cannot filter on foo$/],
    ['{"__proto__": 1}', /Cannot filter on __proto__/],
    ['{"label": {"+like": "x"}}', /Unknown operator \+like/],
    ['{"+xor": []}', /Unknown operator \+xor/],
    ['{"+and": {}}', /needs a list/],
    ['{"+or": [1]}', /list of objects/],
    ['{"+order_by": 1}', /name of a field/],
    ['{"+order_by": "label", "+order": "up"}', /asc or desc/],
    ['[]', /JSON object/],
    ['{', /JSON object/],
    [`${'{"+and":['.repeat(50)}{}${']}'.repeat(50)}`, /deep/],
  ])('X-Filter %j is refused', async (filter, reason) => {
    const { status, body } = await lab.ask('GET', LIST, undefined, { 'x-filter': filter });
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([{ field: 'X-Filter', reason: expect.stringMatching(reason) }]);
  });

  test('pages', async () => {
    for (let i = 0; i < 30; i++) await lab.ask('POST', LIST, { region: 'local', label: `more-${i}` });
    const page = async (query: string) => (await lab.ask('GET', LIST + query)).body;
    expect(await page('?page_size=25')).toMatchObject({ page: 1, pages: 2, results: 33 });
    expect((await page('?page_size=25&page=2')).data).toHaveLength(8);
    expect(await page('?page_size=25&page=99')).toMatchObject({ page: 2 });
    expect(await page('')).toMatchObject({ page: 1, pages: 1, results: 33 });
    expect(await page('/1?page=1&page_size=100')).toMatchObject({ label: 'alpha' });
    for (const query of ['?page=0', '?page=-1', '?page=x', '?page_size=24', '?page_size=501', '?page_size=1e2']) {
      expect((await lab.ask('GET', LIST + query)).status, query).toBe(400);
    }
  });
});

test('every caller has a rate', async () => {
  const { rateLimit } = lab.app;
  for (let i = 0; i < 12_000; i++) rateLimit.take('tester', 'list', lab.clockMs);
  const { status, body, headers } = await lab.ask('GET', LIST);
  expect([status, body]).toEqual([429, { errors: [{ reason: 'Too many requests' }] }]);
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  lab.clockMs += 60_000;
  expect((await lab.ask('GET', LIST)).status).toBe(200);
});
