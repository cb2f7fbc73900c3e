// What an operator asks for beside the configuration: tokens, the bytes of a PROXY header, state, settings and version.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { decodeHeader } from '../../../../../core/proxy-protocol/decode.ts';
import { type Lab, startLab } from '../support.ts';
import { frontendOf } from './support.ts';

let lab: Lab;
let looker: Record<string, string>;
beforeAll(() => {
  lab = startLab();
  looker = { authorization: `Bearer ${lab.context.tokens.create('looker', 'read_only').token}` };
});
afterEach(() => expect(lab.faults).toEqual([]));
afterAll(() => lab.close());

describe('tokens', () => {
  const PATH = '/balancer/v1/tokens';

  test('are answered once, listed without their secret, and good for nothing once revoked', async () => {
    const made = await lab.ask('POST', PATH, { label: 'ci', scope: 'read_only' });
    expect(made.body).toMatchObject({ label: 'ci', scope: 'read_only', used: null });
    const { token, id } = made.body;
    const headers = { authorization: `Bearer ${token}` };
    expect((await lab.ask('GET', '/balancer/v1/state', undefined, headers)).status).toBe(200);
    const list = await lab.ask('GET', PATH);
    expect(list.body.data.map(({ label }: { label: string }) => label)).toEqual(['tester', 'looker', 'ci']);
    expect(JSON.stringify(list.body)).not.toContain(token);
    expect((await lab.ask('DELETE', `${PATH}/${id}`)).status).toBe(200);
    expect((await lab.ask('GET', '/balancer/v1/state', undefined, headers)).status).toBe(401);
    expect((await lab.ask('DELETE', `${PATH}/${id}`)).status).toBe(404);
  });

  test('are nothing for who may only look', async () => {
    for (const [method, path, body] of [
      ['GET', PATH, undefined],
      ['POST', PATH, { label: 'more', scope: 'read_write' }],
      ['DELETE', `${PATH}/1`, undefined],
    ] as const) {
      expect((await lab.ask(method, path, body, looker)).status, method).toBe(403);
    }
    expect(lab.context.tokens.list()).toHaveLength(2);
  });

  test.each<[body: unknown, fields: string[]]>([
    [undefined, ['label', 'scope']],
    [{ label: '', scope: 'read_only' }, ['label']],
    [{ label: 'x'.repeat(65), scope: 'read_only' }, ['label']],
    [{ label: 'a\u202Eb', scope: 'read_only' }, ['label']],
    [{ label: 'a\u0000b', scope: 'read_only' }, ['label']],
    [{ label: 7, scope: 'root' }, ['label', 'scope']],
    [{ label: 'fine', scope: '__proto__' }, ['scope']],
  ])('are not made of %j', async (body, fields) => {
    const answer = await lab.ask('POST', PATH, body);
    expect([answer.status, answer.body.errors.map(({ field }: { field: string }) => field)]).toEqual([400, fields]);
  });

  test('that the disk does not take are a 507', async () => {
    const create = lab.context.tokens.create;
    lab.context.tokens.create = () => {
      throw new Error('database or disk is full');
    };
    const { status, body } = await lab.ask('POST', PATH, { label: 'ci', scope: 'read_only' });
    lab.context.tokens.create = create;
    expect([status, body.errors[0].reason]).toEqual([507, 'the token cannot be written: database or disk is full']);
  });
});

test('a damaged revision is said to be it, and what is damaged is found', async () => {
  for (const label of ['one', 'two'])
    await lab.ask('POST', '/v4/nodebalancers', { region: 'local', label: `nb-${label}` });
  const check = async () => (await lab.ask('GET', '/balancer/v1/store/check', undefined, looker)).body;
  expect(await check()).toMatchObject({ revisions: 2, tokens: 2, problems: [], notices: [] });
  lab.store.database.exec("UPDATE revisions SET author = 'nobody' WHERE revision = 1");
  const { status, body } = await lab.ask('GET', '/balancer/v1/history/1');
  expect([status, body.errors[0].reason]).toEqual([507, expect.stringMatching(/^revision 1 in .* is damaged: /)]);
  expect((await lab.ask('POST', '/balancer/v1/rollback', { revision: 1 })).status).toBe(507);
  expect((await lab.ask('GET', '/balancer/v1/history/2')).status).toBe(200);
  // Asked together, it looks once.
  const [first, second] = await Promise.all([check(), check()]);
  expect(first).toEqual(second);
  expect(first.problems).toEqual([expect.stringMatching(/^revision 1, who changed what and when: /)]);
});

describe('the addresses that nodes see', () => {
  const PATH = '/balancer/v1/source_addresses';

  test('are those that the system would take, each once', async () => {
    const nodes = ['127.0.0.1:80', '127.0.0.2:81', 'localhost:80', 'no address', ''];
    const { status, body } = await lab.ask('POST', PATH, { nodes }, looker);
    expect([status, body]).toEqual([200, { addresses: ['127.0.0.1'] }]);
    expect((await lab.ask('POST', PATH, { nodes: [] })).body).toEqual({ addresses: [] });
  });

  test('are those of the setting where there is one', async () => {
    lab.plane.settings = () => [
      { name: 'BALANCER_SOURCE_ADDRESSES', value: '192.0.2.5, 2001:db8::5', source: 'environment', meaning: '' },
    ];
    const { body } = await lab.ask('POST', PATH, { nodes: ['127.0.0.1:80'] });
    lab.plane.settings = () => [];
    expect(body).toEqual({ addresses: ['192.0.2.5', '2001:db8::5'] });
  });

  test.each([{}, { nodes: 'x' }, { nodes: Array(101).fill('127.0.0.1:80') }])('are not told of %j', async (body) => {
    const answer = await lab.ask('POST', PATH, body);
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, 'nodes']);
  });
});

describe('a header', () => {
  const PATH = '/balancer/v1/header';
  const V4 = { client: '203.0.113.7:51234', local: '192.0.2.1:443' };
  const V6 = { client: '[2001:db8::7]:51234', local: '[2001:db8::1]:443' };

  test('of v1 is its line', async () => {
    const line = 'PROXY TCP4 203.0.113.7 192.0.2.1 51234 443\r\n';
    const { status, body } = await lab.ask('POST', PATH, { proxy_protocol: 'v1', ...V4 });
    expect([status, body.bytes, body.hex]).toEqual([200, line.length, Buffer.from(line).toString('hex')]);
    expect(body.description).toContain('PROXY TCP4 203.0.113.7 192.0.2.1 51234 443');
  });

  test.each([
    ['IPv4', V4, false, 28],
    ['IPv4 with a checksum', V4, true, 35],
    ['IPv6', V6, false, 52],
    ['IPv6 with a checksum', V6, true, 59],
    ['an IPv4 client of an IPv6 address', { ...V6, client: V4.client }, false, 52],
  ])('of v2 for %s is what our own decoder accepts, with each field explained', async (_name, ends, crc32c, bytes) => {
    const { body } = await lab.ask('POST', PATH, { proxy_protocol: 'v2', proxy_protocol_crc32c: crc32c, ...ends });
    const header = Buffer.from(body.hex, 'hex');
    expect([body.bytes, header.length]).toEqual([bytes, bytes]);
    expect(decodeHeader(header)).toMatchObject({ kind: 'accepted', version: 2, headerBytes: bytes });
    // The hex of the lines is the header, byte for byte.
    const shown = body.description.replace(/^((?:[0-9a-f]{2} ?)+) .*$/gm, '$1').replaceAll(/\s/g, '');
    expect(shown).toBe(body.hex);
    expect(body.description).toContain('signature');
    expect(body.description.includes('CRC32C')).toBe(crc32c);
  });

  test('of none is nothing', async () => {
    expect((await lab.ask('POST', PATH, { proxy_protocol: 'none', ...V4 })).body).toEqual({
      bytes: 0,
      hex: '',
      description: '',
    });
  });

  test('may be asked for by who may only look', async () => {
    expect((await lab.ask('POST', PATH, { proxy_protocol: 'v1', ...V4 }, looker)).status).toBe(200);
  });

  test.each<[body: object, fields: string[]]>([
    [{}, ['client', 'local', 'proxy_protocol']],
    [{ ...V4, proxy_protocol: 'v3' }, ['proxy_protocol']],
    [{ ...V4, proxy_protocol: 'v1', proxy_protocol_crc32c: true }, ['proxy_protocol_crc32c']],
    [{ ...V4, proxy_protocol: 'v2', proxy_protocol_crc32c: 1 }, ['proxy_protocol_crc32c']],
    [{ ...V4, client: 'example.com:80', proxy_protocol: 'v2' }, ['client']],
    [{ ...V4, client: '203.0.113.7', proxy_protocol: 'v2' }, ['client']],
    [{ ...V4, local: '192.0.2.1:65536', proxy_protocol: 'v2' }, ['local']],
    [{ ...V4, local: '[fe80::1%eth0]:80', proxy_protocol: 'v2' }, ['local']],
  ])('is refused for %j', async (body, fields) => {
    const answer = await lab.ask('POST', PATH, body);
    expect([answer.status, answer.body.errors.map(({ field }: { field: string }) => field)]).toEqual([400, fields]);
  });
});

test('state is the snapshot, as it is', async () => {
  lab.plane.frontends = [frontendOf('web', 80, { reason: 'it has no nodes', changed: '2026-01-02T03:04:05.678Z' })];
  const { body } = await lab.ask('GET', '/balancer/v1/state');
  expect(body).toEqual(lab.plane.snapshot());
});

test('settings are those of the process', async () => {
  const setting = { name: 'BALANCER_WORKERS', value: '2', source: 'default', meaning: 'Workers.' } as const;
  lab.plane.settings = () => [setting] as never;
  expect((await lab.ask('GET', '/balancer/v1/settings')).body).toEqual({ data: [setting] });
});

test('the version says what runs, and from which file', async () => {
  const version = async () => (await lab.ask('GET', '/balancer/v1/version')).body;
  expect(await version()).toEqual({
    version: '0.0.0',
    node: process.version,
    pid: 1,
    started: '2026-01-02T03:00:00.000Z',
    file: null,
  });
  lab.plane.file = '/etc/balancer.yaml';
  expect((await version()).file).toBe('/etc/balancer.yaml');
  lab.plane.file = undefined;
});

test.each([
  '/balancer/v1/state',
  '/balancer/v1/settings',
  '/balancer/v1/version',
  '/balancer/v1/sessions',
  '/balancer/v1/tokens',
  '/balancer/v1/store/check',
  '/balancer/v1/logins',
  '/balancer/v1/history',
  '/balancer/v1/history/1',
  '/balancer/v1/configuration',
  '/balancer/v1/events',
  '/balancer/v1/nodebalancers/1/statistics',
])('%s needs a token, from this machine too', async (url) => {
  expect((await lab.app.inject({ url, remoteAddress: '127.0.0.1' })).statusCode).toBe(401);
});
