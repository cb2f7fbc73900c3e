// The official JavaScript client itself, unmodified, with our answers behind its requests: what it sends and what it reads, as the
// Cloud Manager uses it.

import * as untyped from '@linode/api-v4';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Lab, startLab } from '../support.ts';

// biome-ignore lint/suspicious/noExplicitAny: each test knows what it asks for
type Ask = (...parts: readonly unknown[]) => Promise<any>;

interface Sent {
  readonly url: string;
  readonly method: string;
  readonly params?: Record<string, string>;
  readonly data?: string;
  readonly headers: { get(name: string): unknown };
}

/** Its types are for bundlers: what is re-exported is not found under Node's own rules. */
const { baseRequest, ...client } = untyped as unknown as Record<string, Ask> & {
  readonly baseRequest: { readonly defaults: { adapter: (sent: Sent) => Promise<unknown> } };
};

/** @returns its function of that name */
function ask(name: string): Ask {
  const found = client[name];
  if (found === undefined) throw new Error(`the client has no ${name}`);
  return found;
}

/** It sends none without, and creates them again one by one, because the API ignores them there. */
const NODES = [{ label: 'ignored', address: '192.168.1.9', port: 80, mode: 'accept', weight: 100 }];

let lab: Lab;
/** of the last answer */
let headers: Readonly<Record<string, unknown>>;

beforeEach(() => {
  lab = startLab({ addresses: [] });
  baseRequest.defaults.adapter = async (config) => {
    const { pathname } = new URL(config.url);
    const query = config.params === undefined ? '' : `?${new URLSearchParams(config.params)}`;
    const filter = config.headers.get('X-Filter');
    const answer = await lab.ask(
      config.method.toUpperCase() as 'GET',
      pathname + query,
      config.data,
      typeof filter === 'string' ? { 'x-filter': filter } : {},
    );
    headers = answer.headers;
    const response = { data: answer.body, status: answer.status, statusText: '', headers: {}, config };
    if (answer.status !== 200) throw Object.assign(new Error('refused'), { response });
    return response;
  };
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

test('knows its user and the region', async () => {
  expect(Number.isSafeInteger((await ask('getProfile')()).uid)).toBe(true);
  const { data } = await ask('getRegions')();
  expect(data[0]).toMatchObject({ id: 'local', monitors: { alerts: [] }, placement_group_limits: {} });
});

test('goes the way from a new NodeBalancer to nodes behind a PROXY header', async () => {
  const { id, region } = await ask('createNodeBalancer')({ region: 'local', label: 'mine', configs: [] });
  const config = await ask('createNodeBalancerConfig')(id, {
    port: 8443,
    protocol: 'tcp',
    check: 'connection',
    proxy_protocol: 'none',
    cipher_suite: 'legacy',
    udp_check_port: 1234,
    nodes: NODES,
  });
  expect(config).toMatchObject({ cipher_suite: 'legacy', udp_check_port: 1234 });
  // Two machines whose names agree once they are cut.
  const node = { label: 'a'.repeat(32), mode: 'accept' as const, weight: 100, port: 80 };
  const first = await ask('createNodeBalancerConfigNode')(id, config.id, { ...node, address: '192.168.1.2' });
  await ask('createNodeBalancerConfigNode')(id, config.id, { ...node, address: '192.168.1.3' });
  expect(headers).not.toHaveProperty('warnings');
  const { data: machines } = await ask('getLinodes')({ page_size: 500 }, { region });
  expect(machines.map(({ ipv4 }: { ipv4: string[] }) => ipv4)).toEqual([['192.168.1.2'], ['192.168.1.3']]);
  await ask('updateNodeBalancerConfigNode')(id, config.id, first.id, { ...node, address: '192.168.1.4' });
  expect((await ask('getNodeBalancerConfigNodes')(id, config.id)).data).toMatchObject([
    { id: first.id, address: '192.168.1.4:80', status: 'Unknown' },
    { address: '192.168.1.3:80' },
  ]);
  const changed = await ask('updateNodeBalancerConfig')(id, config.id, {
    protocol: 'tcp',
    proxy_protocol: 'v2',
    nodes: NODES,
  });
  expect(changed).toMatchObject({ proxy_protocol: 'v2', cipher_suite: 'legacy', udp_check_port: 1234 });
  expect(headers).not.toHaveProperty('warnings');
});

test('finds one of two that share every address by its name', async () => {
  await ask('createNodeBalancer')({ region: 'local', label: 'first', configs: [] });
  const { id, hostname } = await ask('createNodeBalancer')({ region: 'local', label: 'second', configs: [] });
  expect((await ask('getNodeBalancers')({}, { hostname })).data).toMatchObject([{ id }]);
});

test('is told what there is not, in a sentence', async () => {
  const body = { region: 'local', label: 'walled', configs: [] };
  await expect(ask('createNodeBalancer')({ ...body, firewall_id: 7 })).rejects.toMatchObject({
    response: { data: { errors: [{ field: 'firewall_id', reason: 'there are no firewalls here' }] } },
  });
  expect(await ask('createNodeBalancer')({ ...body, firewall_id: -1 })).toMatchObject({
    type: 'common',
  });
});
