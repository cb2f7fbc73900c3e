// NodeBalancers, configs and nodes through the API: defaults, merging, ids, tags of versions, and every reason for a refusal.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RefusedChange } from '../../../../control/data-plane.ts';
import { type Lab, NODE, startLab } from './support.ts';

let lab: Lab;
beforeEach(() => {
  lab = startLab();
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

async function makeConfig(config: Record<string, unknown> = {}): Promise<{ base: string; config: string; id: number }> {
  const nodebalancer = await lab.ask('POST', '/v4/nodebalancers', { region: 'local' });
  const base = `/v4/nodebalancers/${nodebalancer.body.id}`;
  const made = await lab.ask('POST', `${base}/configs`, config);
  expect(made.status, JSON.stringify(made.body)).toBe(200);
  return { base, config: `${base}/configs/${made.body.id}`, id: made.body.id };
}

test('firewalls: there are none, and none can be chosen', async () => {
  const { base } = await makeConfig();
  const empty = { data: [], page: 1, pages: 1, results: 0 };
  expect(await lab.ask('GET', `${base}/firewalls`)).toMatchObject({ status: 200, body: empty });
  expect(await lab.ask('PUT', `${base}/firewalls`, { firewall_ids: [] })).toMatchObject({ status: 200, body: empty });
  for (const [body, reason] of [
    [{ firewall_ids: [7] }, 'there are no firewalls here'],
    [{ firewall_ids: 'all' }, 'firewall_ids must be a list'],
    [{}, 'firewall_ids must be a list'],
  ] as const) {
    const errors = [{ field: 'firewall_ids', reason }];
    expect(await lab.ask('PUT', `${base}/firewalls`, body)).toMatchObject({ status: 400, body: { errors } });
  }
  expect((await lab.ask('PUT', '/v4/nodebalancers/99/firewalls', { firewall_ids: [] })).status).toBe(404);
});

describe('create', () => {
  test('a NodeBalancer has the defaults of the Linode API', async () => {
    const { status, body } = await lab.ask('POST', '/v4/nodebalancers', { region: 'local', tags: null });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: 1,
      label: 'balancer1',
      region: 'local',
      type: 'common',
      ipv4: '192.0.2.1',
      ipv6: null,
      created: '2026-01-02T03:04:05',
      updated: '2026-01-02T03:04:05',
      client_conn_throttle: 0,
      client_udp_sess_throttle: 0,
      lke_cluster: null,
      tags: [],
      transfer: { in: null, out: null, total: null },
    });
  });

  test('a config has the defaults of the Linode API, but for the protocol', async () => {
    const { config } = await makeConfig({ nodes: [NODE] });
    const { body } = await lab.ask('GET', config);
    expect(body).toEqual({
      id: 2,
      port: 80,
      protocol: 'tcp',
      algorithm: 'roundrobin',
      stickiness: 'none',
      check: 'none',
      check_interval: 31,
      check_timeout: 30,
      check_attempts: 3,
      check_path: '',
      check_body: '',
      check_passive: true,
      proxy_protocol: 'none',
      cipher_suite: 'recommended',
      nodebalancer_id: 1,
      ssl_commonname: '',
      ssl_fingerprint: '',
      ssl_cert: null,
      ssl_key: null,
      // Sent here, nodes are ignored.
      nodes_status: { up: 0, down: 0 },
      udp_check_port: 80,
      udp_session_timeout: 16,
      proxy_protocol_crc32c: false,
      queue_size: 1000,
      queue_timeout: 5,
    });
  });

  test('nodes that come with a NodeBalancer are created', async () => {
    const made = await lab.ask('POST', '/v4/nodebalancers', {
      region: 'local',
      label: 'web',
      configs: [{ port: 8080, proxy_protocol: 'v2', nodes: [NODE] }],
    });
    expect(made.status).toBe(200);
    const configs = await lab.ask('GET', '/v4/nodebalancers/1/configs');
    expect(configs.body).toMatchObject({ results: 1, data: [{ port: 8080, proxy_protocol: 'v2' }] });
    const nodes = await lab.ask('GET', `/v4beta/nodebalancers/1/configs/${configs.body.data[0].id}/nodes`);
    expect(nodes.body.data).toEqual([
      {
        id: 3,
        address: '10.0.0.1:80',
        label: 'node-1',
        status: 'Unknown',
        weight: 50,
        mode: 'accept',
        config_id: 2,
        nodebalancer_id: 1,
        vpc_config_id: null,
        max_connections: 0,
        slow_start: 0,
        proxy_protocol: null,
      },
    ]);
    expect(lab.plane.config.nodebalancers[0]?.configs[0]?.nodes[0]?.address).toBe('10.0.0.1:80');
  });

  test('a config takes its nodes with it where that is asked for', async () => {
    const { base } = await makeConfig();
    const made = await lab.ask('POST', `${base}/configs?with_nodes=true`, { port: 81, nodes: [NODE] });
    expect(made.status).toBe(200);
    const { body } = await lab.ask('GET', `${base}/configs/${made.body.id}/nodes`);
    expect(body.data).toHaveLength(1);
  });
});

describe('change', () => {
  test('a partial change keeps the rest', async () => {
    const { config } = await makeConfig({ port: 443, check: 'connection', proxy_protocol: 'v1' });
    const { status, body } = await lab.ask('PUT', config, { algorithm: 'leastconn' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ port: 443, check: 'connection', proxy_protocol: 'v1', algorithm: 'leastconn' });
  });

  test('a config keeps its nodes, whatever a PUT says of them', async () => {
    const { config } = await makeConfig();
    await lab.ask('POST', `${config}/nodes`, NODE);
    await lab.ask('PUT', config, { port: 81, nodes: [] });
    expect((await lab.ask('GET', `${config}/nodes`)).body.results).toBe(1);
  });

  test('a rebuild keeps nodes with an id, adds those without, and drops the rest', async () => {
    const { config } = await makeConfig();
    const first = (await lab.ask('POST', `${config}/nodes`, { ...NODE, weight: 7 })).body;
    await lab.ask('POST', `${config}/nodes`, { label: 'node-2', address: '10.0.0.2:80' });
    const { status, body } = await lab.ask('POST', `${config}/rebuild`, {
      proxy_protocol: 'v2',
      nodes: [
        { id: first.id, address: first.address, label: 'renamed' },
        { label: 'node-3', address: '10.0.0.3:80' },
      ],
    });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).not.toHaveProperty('nodes');
    const nodes = (await lab.ask('GET', `${config}/nodes`)).body.data;
    expect(nodes).toMatchObject([
      { id: first.id, label: 'renamed', weight: 7 },
      { label: 'node-3', weight: 50 },
    ]);
    expect(nodes).toHaveLength(2);
  });

  test('an id is never given twice', async () => {
    const { base, config, id } = await makeConfig();
    await lab.ask('DELETE', config);
    const again = await lab.ask('POST', `${base}/configs`, {});
    expect(again.body.id).toBeGreaterThan(id);
  });

  test('what is gone is not found', async () => {
    const { base, config } = await makeConfig();
    expect((await lab.ask('DELETE', config)).body).toEqual({});
    for (const [method, path] of [
      ['GET', config],
      ['PUT', config],
      ['DELETE', config],
      ['POST', `${config}/rebuild`],
      ['GET', `${config}/nodes`],
      ['GET', `${base}/configs/none`],
      ['GET', '/v4/nodebalancers/0'],
      ['GET', '/v4/nodebalancers/1e3'],
    ] as const) {
      const { status, body } = await lab.ask(method, path, method === 'GET' ? undefined : {});
      expect({ path, status, body }).toEqual({ path, status: 404, body: { errors: [{ reason: 'Not found' }] } });
    }
  });
});

describe('versions', () => {
  test('a change against what has changed meanwhile is refused', async () => {
    const { config } = await makeConfig();
    const seen = String((await lab.ask('GET', config)).headers.etag);
    const first = await lab.ask('PUT', config, { port: 81 }, { 'if-match': seen });
    expect(first.status).toBe(200);
    const second = await lab.ask('PUT', config, { port: 82 }, { 'if-match': seen });
    expect(second.status).toBe(409);
    expect(second.body.errors[0].reason).toContain('tester');
    expect((await lab.ask('GET', config)).body.port).toBe(81);
    expect((await lab.ask('PUT', config, { port: 82 }, { 'if-match': String(first.headers.etag) })).status).toBe(200);
  });

  test("a config's version covers its nodes", async () => {
    const { config } = await makeConfig();
    const seen = String((await lab.ask('GET', config)).headers.etag);
    await lab.ask('POST', `${config}/nodes`, NODE);
    const rebuilt = await lab.ask('POST', `${config}/rebuild`, { nodes: [] }, { 'if-match': seen });
    expect(rebuilt.status).toBe(409);
    expect((await lab.ask('GET', `${config}/nodes`)).body.results).toBe(1);
  });
});

describe('refused', () => {
  // What is sent to which path, and what is said of which field.
  const NEW = '/v4/nodebalancers';
  const CONFIGS = '/v4/nodebalancers/1/configs';
  const NODES = '/v4/nodebalancers/1/configs/2/nodes';
  const REBUILD = '/v4/nodebalancers/1/configs/2/rebuild';
  const cases: readonly (readonly [path: string, body: unknown, field: string | undefined, reason: string | RegExp])[] =
    [
      [NEW, {}, 'region', 'region is required'],
      [NEW, { region: 'us-east' }, 'region', 'region is not valid'],
      [NEW, { region: 'local', label: 'ab' }, 'label', 'Label must be between 3 and 32 characters.'],
      [NEW, { region: 'local', label: 'a'.repeat(33) }, 'label', 'Label must be between 3 and 32 characters.'],
      [NEW, { region: 'local', label: 'has space' }, 'label', "Label can't contain special characters or spaces."],
      [NEW, { region: 'local', label: 'taken' }, 'label', /a label of its own/],
      [
        NEW,
        { region: 'local', client_conn_throttle: 21 },
        'client_conn_throttle',
        'Client Connection Throttle must be between 0 and 20.',
      ],
      [
        NEW,
        { region: 'local', client_conn_throttle: -1 },
        'client_conn_throttle',
        'Client Connection Throttle must be between 0 and 20.',
      ],
      [
        NEW,
        { region: 'local', client_conn_throttle: '5' },
        'client_conn_throttle',
        'Client Connection Throttle must be a number.',
      ],
      [NEW, { region: 'local', tags: ['ab'] }, 'tags[0]', /3 to 50 characters/],
      [
        NEW,
        { region: 'local', configs: [{ nodes: [{ label: 'n-1', address: '10.0.0.1' }] }] },
        'configs[0].nodes[0].address',
        /no port/,
      ],
      [
        NEW,
        { region: 'local', configs: [{ port: 80 }, { port: 80 }] },
        'configs[1].port',
        'Port must be unique amongst TCP / HTTP / HTTPS configurations.',
      ],
      [NEW, [], undefined, 'The body must be a JSON object.'],
      [CONFIGS, { port: 0 }, 'port', 'Port must be between 1 and 65535.'],
      [CONFIGS, { port: 65536 }, 'port', 'Port must be between 1 and 65535.'],
      [CONFIGS, { port: '80' }, 'port', 'Port must be a number.'],
      [CONFIGS, { port: 80 }, 'port', 'Port must be unique amongst TCP / HTTP / HTTPS configurations.'],
      [CONFIGS, { port: 1, protocol: 'http' }, 'protocol', /not served yet/],
      [CONFIGS, { port: 1, protocol: 'udp' }, 'protocol', /not served yet/],
      [CONFIGS, { port: 1, protocol: 'sctp' }, 'protocol', /expected tcp/],
      [CONFIGS, { port: 1, stickiness: 'http_cookie' }, 'stickiness', /only for protocol http/],
      [CONFIGS, { port: 1, check_attempts: 0 }, 'check_attempts', 'Attempts should be greater than or equal to 1.'],
      [CONFIGS, { port: 1, check_attempts: 31 }, 'check_attempts', 'Attempts should be less than or equal to 30.'],
      [CONFIGS, { port: 1, check_timeout: 0 }, 'check_timeout', 'Timeout should be greater than or equal to 1.'],
      [CONFIGS, { port: 1, check_timeout: 31 }, 'check_timeout', 'Timeout should be less than or equal to 30.'],
      [CONFIGS, { port: 1, check_interval: 1 }, 'check_interval', 'Interval should be greater than or equal to 2.'],
      [CONFIGS, { port: 1, check_interval: 3601 }, 'check_interval', 'Interval should be less than or equal to 3600.'],
      [CONFIGS, { port: 1, check_interval: 5, check_timeout: 5 }, 'check_timeout', /less than check_interval/],
      [CONFIGS, { port: 1, check_interval: 5 }, 'check_interval', /more than check_timeout/],
      [CONFIGS, { port: 1, check: 'http' }, 'check_path', 'An HTTP path is required.'],
      [CONFIGS, { port: 1, check: 'http_body', check_path: '/' }, 'check_body', 'An HTTP body regex is required.'],
      [CONFIGS, { port: 1, check: 'http_body', check_path: '/', check_body: '(' }, 'check_body', /regular expression/],
      [CONFIGS, { port: 1, check: 'http', check_path: '/a b' }, 'check_path', /letters, digits/],
      [CONFIGS, { port: 1, proxy_protocol: 'v3' }, 'proxy_protocol', /none, v1 or v2/],
      [NODES, {}, 'label', 'label is required'],
      [NODES, { label: 'n-1' }, 'address', 'IP address is required.'],
      [NODES, { label: 'n', address: '10.0.0.2:80' }, 'label', 'Label should be between 3 and 32 characters.'],
      [
        NODES,
        { label: 'n 1', address: '10.0.0.2:80' },
        'label',
        'Label may only contain letters, numbers, periods, dashes, and underscores.',
      ],
      [NODES, { label: 'n-1', address: '10.0.0.2:0' }, 'address', 'Port must be between 1 and 65535.'],
      [NODES, { label: 'n-1', address: '10.0.0.2:80', weight: 0 }, 'weight', 'Weight must be between 1 and 255.'],
      [NODES, { label: 'n-1', address: '10.0.0.2:80', weight: 256 }, 'weight', 'Weight must be between 1 and 255.'],
      [NODES, { label: 'n-1', address: '10.0.0.2:80', mode: 'none' }, 'mode', /accept, reject, drain or backup/],
      [NODES, { label: 'n-1', address: '10.0.0.9:80' }, 'address', /an address that no other node/],
      [
        REBUILD,
        { nodes: [{ id: 999, label: 'n-1', address: '10.0.0.2:80' }] },
        'nodes[0].id',
        'Not a node of this config',
      ],
      [
        REBUILD,
        { nodes: [{ label: 'n-1', address: '10.0.0.2:80', weight: 0 }] },
        'nodes[0].weight',
        'Weight must be between 1 and 255.',
      ],
    ];

  test.each(cases)('%s %j', async (path, body, field, reason) => {
    await lab.ask('POST', NEW, {
      region: 'local',
      label: 'taken',
      configs: [{ port: 80, nodes: [{ label: 'old', address: '10.0.0.9:80' }] }],
    });
    const before = lab.store.read().revision;
    const answer = await lab.ask('POST', path, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(400);
    const errors: { field?: string; reason: string }[] = answer.body.errors;
    const matching = errors.find((error) => error.field === field);
    if (typeof reason === 'string') expect(matching?.reason).toBe(reason);
    else expect(matching?.reason).toMatch(reason);
    expect(lab.store.read().revision).toBe(before);
  });

  test('all problems come at once', async () => {
    const { body } = await lab.ask('POST', NEW, {
      label: 'a',
      client_conn_throttle: 99,
      configs: [{ port: 0, check: 'http', nodes: [{ weight: 0 }] }],
    });
    const fields = body.errors.map((error: { field: string }) => error.field).sort();
    expect(fields).toEqual([
      'client_conn_throttle',
      'configs[0].check_path',
      'configs[0].nodes[0].address',
      'configs[0].nodes[0].label',
      'configs[0].nodes[0].weight',
      'configs[0].port',
      'label',
      'region',
    ]);
  });

  test('a change is judged after merging', async () => {
    const { config } = await makeConfig({ proxy_protocol: 'v1', check: 'http', check_path: '/' });
    const { status, body } = await lab.ask('PUT', config, { check_path: '' });
    expect(status).toBe(400);
    expect(body.errors).toEqual([{ field: 'check_path', reason: 'An HTTP path is required.' }]);
  });

  test('a port that cannot be listened on is named, and nothing is stored', async () => {
    const { base } = await makeConfig();
    const before = lab.store.read().revision;
    lab.plane.refusal = new RefusedChange('192.0.2.1:81 is in use by nginx', { ip: '192.0.2.1', port: 81 });
    const { status, body } = await lab.ask('POST', `${base}/configs`, { port: 81 });
    expect(status).toBe(400);
    expect(body.errors).toEqual([{ field: 'port', reason: '192.0.2.1:81 is in use by nginx' }]);
    expect(lab.store.read().revision).toBe(before);
  });

  test('under a configuration file nothing can be changed', async () => {
    lab.plane.file = '/etc/balancer.yaml';
    const { status, body } = await lab.ask('POST', NEW, { region: 'local' });
    expect(status).toBe(403);
    expect(body.errors[0].reason).toContain('/etc/balancer.yaml');
  });
});

test('fifty writers at once lose nothing', async () => {
  const { config } = await makeConfig();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      lab.ask('POST', `${config}/nodes`, { label: `node-${index}`, address: `10.0.1.${index}:80` }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
  const { body } = await lab.ask('GET', `${config}/nodes`);
  expect(body.results).toBe(50);
  expect(new Set(body.data.map(({ id }: { id: number }) => id)).size).toBe(50);
});
