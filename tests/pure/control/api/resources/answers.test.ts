// Answers: their fields, in the order in which the Linode API was recorded, ours after them; that they fit what the description of the
// API says; and what follows the data plane.

import type { TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigView, NodeBalancerView, NodeView } from '../../../../../control/api/views.ts';
import type { FrontendSnapshot, NodeSnapshot } from '../../../../../workers/snapshot.ts';
import { type Lab, NODE, START_MS, startLab } from '../support.ts';
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

const RECORDED = {
  nodebalancer:
    'id label region type hostname ipv4 ipv6 created updated client_conn_throttle client_udp_sess_throttle lke_cluster tags transfer',
  config:
    'id port protocol algorithm stickiness check check_interval check_timeout check_attempts check_path check_body check_passive ' +
    'proxy_protocol cipher_suite nodebalancer_id ssl_commonname ssl_fingerprint ssl_cert ssl_key nodes_status udp_check_port ' +
    'udp_session_timeout',
  node: 'id address label status weight mode config_id nodebalancer_id vpc_config_id',
};

const kinds: readonly (readonly [keyof typeof RECORDED, () => string, TSchema, extensions: string])[] = [
  ['nodebalancer', () => places.nodebalancer, NodeBalancerView, 'locks'],
  ['config', () => places.config, ConfigView, 'proxy_protocol_crc32c queue_size queue_timeout'],
  ['node', () => `${places.nodes}/3`, NodeView, 'max_connections slow_start proxy_protocol'],
];

describe.each(kinds)('%s', (kind, path, schema, extensions) => {
  const parent = (): string => path().replace(/\/\d+$/, '');

  test('has the recorded fields in their order', async () => {
    const answer = await done(lab.ask('GET', path()));
    expect(Object.keys(answer).join(' ')).toBe(`${RECORDED[kind]} ${extensions}`);
  });

  test('is answered alike by GET, PUT, POST and in a list, and as its schema says', async () => {
    const single = await done(lab.ask('GET', path()));
    expect(Check(schema, single)).toBe(true);
    expect(await done(lab.ask('PUT', path(), {}))).toEqual(single);
    expect((await done(lab.ask('GET', parent()))).data).toEqual([single]);
    const body = { region: 'local', port: 90, label: 'another', address: '10.0.0.90:80' };
    const keys = { nodebalancer: ['region', 'label'], config: ['port'], node: ['label', 'address'] }[kind];
    const sent = Object.fromEntries(Object.entries(body).filter(([key]) => keys.includes(key)));
    const made = await done(lab.ask('POST', parent(), sent));
    expect(Object.keys(made)).toEqual(Object.keys(single));
    expect(Check(schema, made)).toBe(true);
    // A schema that fits everything would prove nothing.
    expect(Check(schema, { ...made, id: 'one' })).toBe(false);
  });

  test('is gone after DELETE, which answers with an empty object', async () => {
    expect(await done(lab.ask('DELETE', path()))).toEqual({});
    expect((await lab.ask('GET', path())).status).toBe(404);
    expect((await done(lab.ask('GET', parent()))).data).toEqual([]);
  });

  test.each(['0', '-1', '+1', '01', '1.0', '1e0', '0x1', 'one', '%201', '9'.repeat(30), '%00'])(
    'there is none with the id %s',
    async (id) => {
      for (const method of ['GET', 'PUT', 'DELETE'] as const) {
        const { status, body } = await lab.ask(method, `${parent()}/${id}`, method === 'PUT' ? {} : undefined);
        expect({ status, body }).toEqual({ status: 404, body: { errors: [{ reason: 'Not found' }] } });
      }
    },
  );
});

test('deleting takes along what is below', async () => {
  await done(lab.ask('DELETE', places.nodebalancer));
  for (const path of [places.configs, places.config, places.nodes])
    expect((await lab.ask('GET', path)).status).toBe(404);
  expect(lab.plane.config).toEqual({ nodebalancers: [] });
});

test('what is below one NodeBalancer is not below another', async () => {
  const { id } = await done(lab.ask('POST', NODEBALANCERS, { region: 'local' }));
  const elsewhere = places.config.replace(/nodebalancers\/\d+/, `nodebalancers/${id}`);
  for (const path of [elsewhere, `${elsewhere}/nodes`, `${elsewhere}/nodes/3`]) {
    expect((await lab.ask('GET', path)).status).toBe(404);
  }
  expect((await lab.ask('DELETE', elsewhere)).status).toBe(404);
  await done(lab.ask('GET', places.config));
});

describe('times', () => {
  test('have no zone; every change of a part moves that of the whole', async () => {
    const parts: readonly (() => Promise<unknown>)[] = [
      () => lab.ask('PUT', places.nodebalancer, { tags: ['abc'] }),
      () => lab.ask('PUT', places.config, { algorithm: 'source' }),
      () => lab.ask('POST', places.nodes, { label: 'node-2', address: '10.0.0.2:80' }),
      () => lab.ask('PUT', `${places.nodes}/3`, { weight: 9 }),
      () => lab.ask('DELETE', `${places.nodes}/3`),
      () => lab.ask('POST', places.rebuild, { nodes: [] }),
      () => lab.ask('POST', places.configs, { port: 81 }),
      () => lab.ask('DELETE', places.config),
    ];
    for (const [index, change] of parts.entries()) {
      lab.clockMs = START_MS + (index + 1) * 1000;
      await change();
      const { created, updated } = await done(lab.ask('GET', places.nodebalancer));
      expect({ created, updated }).toEqual({
        created: '2026-01-02T03:04:05',
        updated: `2026-01-02T03:04:${String(5 + index + 1).padStart(2, '0')}`,
      });
    }
  });
});

describe('state', () => {
  /** The data plane's view of the one node. */
  function observe(node: Partial<NodeSnapshot>): void {
    const [nodebalancer] = lab.plane.config.nodebalancers;
    const seen = { address: NODE.address, label: NODE.label, is_ejected: false, ...node } as NodeSnapshot;
    const frontend = { nodebalancer: nodebalancer?.label, port: 80, nodes: [seen] };
    lab.plane.frontends = [frontend as unknown as FrontendSnapshot];
  }
  test('of one config, one node or a list of them is told without a reading of all there are', async () => {
    observe({ health: 'down' });
    lab.plane.snapshot = () => {
      throw new Error('a snapshot was taken');
    };
    expect(await both()).toEqual({ status: 'DOWN', up: 0, down: 1 });
    expect((await done(lab.ask('GET', places.configs))).data[0].nodes_status).toEqual({ up: 0, down: 1 });
    expect((await done(lab.ask('GET', places.nodes))).data[0].status).toBe('DOWN');
    const overview = await done(lab.ask('GET', '/balancer/v1/nodebalancers'));
    expect(overview.data[0].configs[0].nodes_status).toEqual({ up: 0, down: 1 });
  });

  const both = async () => ({
    status: (await done(lab.ask('GET', `${places.nodes}/3`))).status,
    ...(await done(lab.ask('GET', places.config))).nodes_status,
  });

  const cases = [
    ['an unchecked node', { check: 'none' }, { health: 'unknown' }, { status: 'Unknown', up: 1, down: 0 }],
    [
      'one that is not checked yet',
      { check: 'connection' },
      { health: 'unknown' },
      { status: 'Unknown', up: 0, down: 1 },
    ],
    ['one that passes', { check: 'connection' }, { health: 'up' }, { status: 'UP', up: 1, down: 0 }],
    ['one that fails', { check: 'connection' }, { health: 'down' }, { status: 'DOWN', up: 0, down: 1 }],
    ['one that sessions found dead', {}, { health: 'unknown', is_ejected: true }, { status: 'DOWN', up: 0, down: 1 }],
  ] as const;
  test.each(cases)('of %s', async (_name, config, node, expected) => {
    await done(lab.ask('PUT', places.config, config));
    observe(node as Partial<NodeSnapshot>);
    expect(await both()).toEqual(expected);
  });

  test('a rebuild says of no node that it is up before it was seen, with checks or without', async () => {
    const status = async (config: object) =>
      (await done(lab.ask('POST', places.rebuild, { ...config, nodes: [{ id: 3 }] }))).nodes_status;
    expect(await status({})).toEqual({ up: 0, down: 1 });
    observe({ health: 'unknown' });
    expect(await status({})).toEqual({ up: 0, down: 1 });
    expect(await status({ check: 'connection' })).toEqual({ up: 0, down: 1 });
    observe({ health: 'up' });
    expect(await status({})).toEqual({ up: 1, down: 0 });
  });

  test('in mode reject a node is down, whatever is seen of it', async () => {
    await done(lab.ask('PUT', `${places.nodes}/3`, { mode: 'reject' }));
    observe({ health: 'up' });
    expect(await both()).toEqual({ status: 'DOWN', up: 0, down: 1 });
  });

  test('transfer is of this month, in megabytes; null before there was any', async () => {
    expect((await done(lab.ask('GET', places.nodebalancer))).transfer).toEqual({ in: null, out: null, total: null });
    const amounts = { connections: 1, bytesIn: 2 ** 20, bytesOut: 3 * 2 ** 20 };
    lab.context.statistics.record(lab.clockMs, new Map([[1, amounts]]));
    // Megabytes of 2^20 bytes, as everything that a client has ever read of them.
    expect((await done(lab.ask('GET', places.nodebalancer))).transfer).toEqual({ in: 1, out: 3, total: 4 });
  });
});

describe('the description', () => {
  type Described = { properties: Record<string, Record<string, unknown>>; required?: readonly string[] };
  async function bodyOf(path: string, method: 'post' | 'put'): Promise<Described> {
    const document = await done(lab.ask('GET', '/openapi.json'));
    return document.paths[path][method].requestBody.content['application/json'].schema;
  }
  const CONFIGS = '/nodebalancers/{nodebalancerId}/configs';
  const NODES = `${CONFIGS}/{configId}/nodes`;

  const required = [
    ['/nodebalancers', 'post', ['region']],
    ['/nodebalancers/{nodebalancerId}', 'put', undefined],
    [CONFIGS, 'post', undefined],
    [`${CONFIGS}/{configId}`, 'put', undefined],
    [`${CONFIGS}/{configId}/rebuild`, 'post', ['nodes']],
    [NODES, 'post', ['label', 'address']],
    [`${NODES}/{nodeId}`, 'put', undefined],
  ] as const;
  test.each(required)('%s %s requires %j', async (path, method, fields) => {
    expect((await bodyOf(path, method)).required).toEqual(fields);
  });

  test('marks the same fields as extensions in requests and in answers', async () => {
    const extensionsOf = (schema: { properties: object }) =>
      Object.entries(schema.properties)
        .filter(([, field]) => field['x-extension'] === true)
        .map(([key]) => key)
        .sort();
    expect(extensionsOf(await bodyOf(CONFIGS, 'post'))).toEqual(extensionsOf(ConfigView));
    expect(extensionsOf(await bodyOf(NODES, 'post'))).toEqual(extensionsOf(NodeView));
    expect(extensionsOf(NodeView)).toEqual(['max_connections', 'proxy_protocol', 'slow_start']);
  });

  test("has the API's defaults for what is new, and none for what is changed", async () => {
    const { properties: created } = await bodyOf(CONFIGS, 'post');
    expect(created).toMatchObject({
      port: { default: 80 },
      protocol: { default: 'tcp' },
      check_interval: { default: 31 },
      check_timeout: { default: 30 },
      check_attempts: { default: 3 },
      check_passive: { default: true },
    });
    const { properties: changed } = await bodyOf(`${CONFIGS}/{configId}`, 'put');
    for (const field of Object.values(changed)) expect(field).not.toHaveProperty('default');
  });

  test('says that a config ignores the nodes that are sent with it', async () => {
    const document = await done(lab.ask('GET', '/openapi.json'));
    expect(JSON.stringify(document.paths[CONFIGS].post.parameters)).toMatch(/ignored, as the Linode API does/);
  });
});
