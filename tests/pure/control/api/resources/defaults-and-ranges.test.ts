// Every default, and every value at the end of its range, as the Linode API has them; one past the end is in resources.test.ts, with
// its reason.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, NODE, startLab } from '../support.ts';
import { done, makeNodeBalancer, NODEBALANCERS, type Places } from './support.ts';

let lab: Lab;
let places: Places;
beforeAll(async () => {
  lab = startLab();
  places = await makeNodeBalancer(lab, { nodes: [NODE] });
});
afterAll(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

const CONFIG_DEFAULTS = {
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
  ssl_commonname: '',
  ssl_fingerprint: '',
  ssl_cert: null,
  ssl_key: null,
  udp_check_port: 80,
  udp_session_timeout: 16,
  proxy_protocol_crc32c: false,
  queue_size: 1000,
  queue_timeout: 5,
};

const NODE_DEFAULTS = {
  status: 'Unknown',
  weight: 50,
  mode: 'accept',
  vpc_config_id: null,
  max_connections: 0,
  slow_start: 0,
  proxy_protocol: null,
};

describe('defaults', () => {
  test('are the same for a config that comes with its NodeBalancer and for one that comes alone', async () => {
    expect(await done(lab.ask('GET', places.config))).toMatchObject(CONFIG_DEFAULTS);
    const alone = await done(lab.ask('POST', places.configs, { port: 81 }));
    expect(alone).toMatchObject({ ...CONFIG_DEFAULTS, port: 81 });
  });

  test('are the same for a node that comes with its NodeBalancer, alone, and with a rebuild', async () => {
    const { data } = await done(lab.ask('GET', places.nodes));
    expect(data[0]).toMatchObject(NODE_DEFAULTS);
    const alone = await done(lab.ask('POST', places.nodes, { label: 'node-2', address: '10.0.0.2:80' }));
    expect(alone).toMatchObject(NODE_DEFAULTS);
    await done(lab.ask('POST', places.rebuild, { nodes: [NODE, { label: 'node-3', address: '10.0.0.3:80' }] }));
    const rebuilt = await done(lab.ask('GET', places.nodes));
    expect(rebuilt.data[1]).toMatchObject(NODE_DEFAULTS);
  });

  // Null is what clients send for a field that they have nothing to say about.
  const nulls = (defaults: object) => Object.fromEntries(Object.keys(defaults).map((key) => [key, null]));

  test('null is no value', async () => {
    const { proxy_protocol: _value, ...fields } = NODE_DEFAULTS;
    const config = await done(lab.ask('POST', places.configs, { ...nulls(CONFIG_DEFAULTS), port: 82 }));
    expect(config).toMatchObject({ ...CONFIG_DEFAULTS, port: 82 });
    const node = { label: 'node-4', address: '10.0.0.4:80' };
    const nodes = `${places.configs}/${config.id}/nodes`;
    expect(await done(lab.ask('POST', nodes, { ...nulls(fields), ...node }))).toMatchObject(NODE_DEFAULTS);
    const made = { region: 'local', label: null, tags: null, ipv4: null, configs: null, vpcs: null, firewall_id: null };
    expect(await done(lab.ask('POST', NODEBALANCERS, made))).toMatchObject({ tags: [], client_conn_throttle: 0 });
  });

  test('in a change, null and what is left out keep what was there', async () => {
    const said = { port: 90, algorithm: 'source', check: 'connection', check_attempts: 7, proxy_protocol: 'v1' };
    const config = await done(lab.ask('POST', places.configs, said));
    const path = `${places.configs}/${config.id}`;
    expect(await done(lab.ask('PUT', path, nulls(CONFIG_DEFAULTS)))).toMatchObject(said);
    expect(await done(lab.ask('PUT', path, { check_attempts: 8 }))).toMatchObject({ ...said, check_attempts: 8 });
    const node = { label: 'node-1', address: '10.0.0.1:80', weight: 9, mode: 'backup', proxy_protocol: 'v2' };
    const { id } = await done(lab.ask('POST', `${path}/nodes`, node));
    expect(await done(lab.ask('PUT', `${path}/nodes/${id}`, { weight: null, mode: null }))).toMatchObject(node);
    // Here null is a value: the node does as its config does.
    expect(await done(lab.ask('PUT', `${path}/nodes/${id}`, { proxy_protocol: null }))).toMatchObject({
      ...node,
      proxy_protocol: null,
    });
  });
});

describe('taken', () => {
  const CHECKED = { check: 'http', check_path: '/' };
  const configs: readonly Record<string, unknown>[] = [
    { port: 1 },
    { port: 65535 },
    { protocol: 'tcp' },
    ...['roundrobin', 'leastconn', 'source'].map((algorithm) => ({ algorithm })),
    ...['none', 'table'].map((stickiness) => ({ stickiness })),
    ...['none', 'v1', 'v2'].map((proxy_protocol) => ({ proxy_protocol })),
    { check: 'none' },
    { check: 'connection' },
    CHECKED,
    { check: 'http_body', check_path: '/', check_body: 'ok' },
    { check: 'http', check_path: '/aZ09-%?&=.' },
    { check_interval: 2, check_timeout: 1 },
    { check_interval: 3600 },
    { check_interval: 31, check_timeout: 30 },
    { check_attempts: 1 },
    { check_attempts: 30 },
    { check_passive: false },
    { queue_size: 0, queue_timeout: 1 },
    { proxy_protocol: 'v2', proxy_protocol_crc32c: true },
  ];
  test.each(configs)('config %j', async (config) => {
    const made = await done(lab.ask('POST', places.configs, { port: 1000, ...config }));
    expect(made).toMatchObject(config);
    const path = `${places.configs}/${made.id}`;
    expect(await done(lab.ask('GET', path))).toEqual(made);
    await done(lab.ask('DELETE', path));
  });

  const nodes: readonly Record<string, unknown>[] = [
    { label: 'abc' },
    { label: 'a'.repeat(32) },
    { label: 'aZ0.-_' },
    { weight: 1 },
    { weight: 255 },
    ...['accept', 'reject', 'drain', 'backup'].map((mode) => ({ mode })),
    { address: '127.0.0.1:1' },
    { address: '192.168.0.1:65535' },
    { address: '203.0.113.9:80' },
    { address: '[::1]:80' },
    { address: '[fd00::2]:80' },
    { address: 'node.example:80' },
    { max_connections: 5, slow_start: 3600 },
    ...['none', 'v1', 'v2'].map((proxy_protocol) => ({ proxy_protocol })),
  ];
  test.each(nodes)('node %j', async (node) => {
    const made = await done(lab.ask('POST', places.nodes, { label: 'another', address: '10.9.9.9:9', ...node }));
    expect(made).toMatchObject(node);
    const path = `${places.nodes}/${made.id}`;
    expect(await done(lab.ask('GET', path))).toEqual(made);
    await done(lab.ask('DELETE', path));
  });

  const nodebalancers: readonly Record<string, unknown>[] = [
    { label: 'abc' },
    { label: 'a'.repeat(32) },
    { label: 'aZ0-_' },
    { client_conn_throttle: 0 },
    { client_conn_throttle: 20 },
    { tags: ['abc', 'x'.repeat(50)] },
    { client_udp_sess_throttle: 0 },
    { type: 'common' },
  ];
  test.each(nodebalancers)('NodeBalancer %j', async (nodebalancer) => {
    const made = await done(lab.ask('POST', NODEBALANCERS, { region: 'local', ...nodebalancer }));
    expect(made).toMatchObject(nodebalancer);
    const path = `${NODEBALANCERS}/${made.id}`;
    expect(await done(lab.ask('GET', path))).toEqual(made);
    await done(lab.ask('DELETE', path));
  });
});
