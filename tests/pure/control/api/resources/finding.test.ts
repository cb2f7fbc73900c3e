// How clients find what is theirs: a name of its own for each NodeBalancer, filters by name and address, the machines that are nodes,
// and who they are themselves.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../support.ts';
import { done, makeNodeBalancer, NODEBALANCERS } from './support.ts';

let lab: Lab;
beforeEach(() => {
  // None has an address of its own.
  lab = startLab({ addresses: [] });
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

const make = (fields: object = {}) => done(lab.ask('POST', NODEBALANCERS, { region: 'local', ...fields }));
const found = async (path: string, filter: object) =>
  (await done(lab.ask('GET', path, undefined, { 'x-filter': JSON.stringify(filter) }))).data;

describe('the hostname of a NodeBalancer', () => {
  test('is its own, and stays when label, address and the others change', async () => {
    const all = [await make(), await make(), await make({ ipv4: '127.0.0.1' })];
    const names = all.map(({ hostname }) => hostname);
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]+(\.[\w-]+)+$/i);
    await done(lab.ask('DELETE', `${NODEBALANCERS}/${all[0].id}`));
    const { hostname } = await done(lab.ask('PUT', `${NODEBALANCERS}/${all[1].id}`, { label: all[0].label }));
    expect(hostname).toBe(names[1]);
    expect((await make()).hostname).not.toBe(names[0]);
  });

  test('finds it and no other', async () => {
    const all = [await make(), await make()];
    for (const { id, hostname } of all) {
      expect(await found(NODEBALANCERS, { hostname })).toMatchObject([{ id }]);
      expect(await found(NODEBALANCERS, { hostname: { '+contains': `nb-${id}.` } })).toMatchObject([{ id }]);
    }
    expect(await found(NODEBALANCERS, { hostname: 'nb-999.nowhere' })).toEqual([]);
  });
});

describe('the IPv6 address of a NodeBalancer', () => {
  const FILE = {
    nodebalancers: [
      { label: 'first', ipv4: '192.0.2.1', ipv6: '2001:DB8:0:0::A', configs: [] },
      { label: 'second', ipv4: '192.0.2.2', ipv6: '2001:db8::b', configs: [] },
      { label: 'third', ipv4: '192.0.2.3' },
    ],
  };
  beforeEach(() => done(lab.ask('PUT', '/balancer/v1/configuration', FILE)));

  test.each(['2001:db8::a', '2001:DB8:0:0::A', '2001:0db8:0000::000a'])(
    'finds it in any spelling: %s',
    async (ipv6) => {
      expect(await found(NODEBALANCERS, { ipv6 })).toMatchObject([{ label: 'first' }]);
    },
  );

  test('is answered in the spelling that all agree on', async () => {
    const { data } = await done(lab.ask('GET', NODEBALANCERS));
    expect(data.map(({ ipv6 }: { ipv6: string | null }) => ipv6)).toEqual(['2001:db8::a', '2001:db8::b', null]);
  });

  test('goes with every operator of a filter', async () => {
    const labels = async (filter: object) =>
      (await found(NODEBALANCERS, filter)).map(({ label }: { label: string }) => label);
    expect(await labels({ ipv6: { '+neq': '2001:DB8::A' } })).toEqual(['second', 'third']);
    expect(await labels({ '+or': [{ ipv6: '2001:db8::b' }, { ipv4: '192.0.2.3' }] })).toEqual(['second', 'third']);
    expect(await labels({ ipv6: null })).toEqual(['third']);
    expect(await labels({ '+order_by': 'hostname', '+order': 'desc' })).toEqual(['third', 'second', 'first']);
  });
});

describe('/linode/instances', () => {
  const INSTANCES = '/v4/linode/instances';
  const node = (label: string, address: string) => ({ label, address });

  test('are the machines that are nodes, one for each address', async () => {
    await makeNodeBalancer(lab, {
      port: 8081,
      nodes: [node('one', '192.168.1.2:80'), node('also-one', '192.168.1.2:81'), node('six', '[fd00:0::2]:80')],
    });
    await makeNodeBalancer(lab, { port: 8082, nodes: [node('name', 'host.example:80'), node('two', '10.0.0.9:80')] });
    const { data, results } = await done(lab.ask('GET', `${INSTANCES}?page=1&page_size=500`));
    expect(results).toBe(3);
    expect(data).toMatchObject([
      { label: 'one', ipv4: ['192.168.1.2'], ipv6: null, region: 'local', status: 'running' },
      { label: 'six', ipv4: [], ipv6: 'fd00::2/128' },
      { label: 'two', ipv4: ['10.0.0.9'] },
    ]);
    for (const machine of data) {
      expect(Number.isSafeInteger(machine.id)).toBe(true);
      expect(await done(lab.ask('GET', `${INSTANCES}/${machine.id}`))).toEqual(machine);
    }
    expect((await lab.ask('GET', `${INSTANCES}/7`)).status).toBe(404);
  });

  test('can be filtered, as the Cloud Manager does by region', async () => {
    await makeNodeBalancer(lab, { nodes: [node('one', '192.168.1.2:80'), node('two', '192.168.1.3:80')] });
    expect(await found(INSTANCES, { region: 'local' })).toHaveLength(2);
    expect(await found(INSTANCES, { region: 'elsewhere' })).toEqual([]);
    expect(await found(INSTANCES, { ipv4: '192.168.1.3' })).toMatchObject([{ label: 'two' }]);
    expect(await found(INSTANCES, { label: { '+contains': 'ON' } })).toMatchObject([{ label: 'one' }]);
  });

  test('an address that is not among them is a node as well, and then is; its id stays', async () => {
    expect((await done(lab.ask('GET', INSTANCES))).data).toEqual([]);
    const { nodes, rebuild } = await makeNodeBalancer(lab);
    await done(lab.ask('POST', nodes, node('typed', '192.168.200.7:8080')));
    const [{ id }] = await found(INSTANCES, { ipv4: '192.168.200.7' });
    await done(lab.ask('POST', rebuild, { nodes: [node('other', '192.168.200.7:9')] }));
    expect((await done(lab.ask('GET', INSTANCES))).data).toMatchObject([{ id, label: 'other' }]);
  });
});

test('a profile has a number, one for each name', async () => {
  const profileOf = async (label: string) => {
    const { token } = lab.context.tokens.create(label, 'read_only');
    const headers = { authorization: `Bearer ${token}` };
    return (await lab.app.inject({ method: 'GET', url: '/v4/profile', headers })).json();
  };
  const [ann, again, bob] = [await profileOf('ann'), await profileOf('ann'), await profileOf('bob')];
  expect(ann).toMatchObject({ username: 'ann', uid: expect.any(Number) });
  expect(Number.isSafeInteger(ann.uid) && ann.uid > 0).toBe(true);
  expect(again.uid).toBe(ann.uid);
  expect(bob.uid).not.toBe(ann.uid);
});

test('the region says that there are no placement groups and no monitors', async () => {
  const { data } = await done(lab.ask('GET', '/v4/regions'));
  const missing = {
    placement_group_limits: {
      maximum_pgs_per_customer: 0,
      maximum_linodes_per_pg: 0,
      maximum_linodes_per_flexible_pg: 0,
    },
    monitors: { alerts: [], metrics: [] },
  };
  expect(data).toMatchObject([missing]);
  expect(await done(lab.ask('GET', '/v4/regions/local'))).toMatchObject(missing);
});
