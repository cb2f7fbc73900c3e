// Bodies as clients of the Linode API send them: what they send besides, how they spell things, and what they send back unchanged.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Lab, NODE, startLab } from '../support.ts';
import { done, makeNodeBalancer, NODEBALANCERS, type Places, refused } from './support.ts';

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

describe('the official JavaScript client', () => {
  test('sends the port of a node beside its address', async () => {
    const body = { label: 'node-2', address: '192.168.1.2:8080', port: 8080, weight: 100, mode: 'accept' };
    const { id } = await done(lab.ask('POST', places.nodes, body));
    const changed = { ...body, address: '192.168.1.3:8081', port: 8081, config_id: 2, nodebalancer_id: 1, id };
    expect(await done(lab.ask('PUT', `${places.nodes}/${id}`, changed))).toMatchObject({ address: '192.168.1.3:8081' });
  });

  const joined = [
    ['fd00::2:80', '[fd00::2]:80'],
    ['::1:80', '[::1]:80'],
    ['2001:db8:0:0:0:0:0:1:65535', '[2001:db8:0:0:0:0:0:1]:65535'],
    ['::ffff:198.51.100.1:80', '[::ffff:198.51.100.1]:80'],
  ] as const;
  test.each(joined)('joins address and port without brackets: %s', async (sent, answered) => {
    const node = await done(lab.ask('POST', places.nodes, { label: 'node-2', address: sent }));
    expect(node.address).toBe(answered);
    await done(lab.ask('POST', places.rebuild, { nodes: [{ label: 'node-3', address: sent }] }));
    expect((await done(lab.ask('GET', places.nodes))).data[0].address).toBe(answered);
    const nested = { region: 'local', configs: [{ nodes: [{ label: 'node-4', address: sent }] }] };
    await done(lab.ask('POST', NODEBALANCERS, nested));
    expect(lab.plane.config.nodebalancers.at(-1)?.configs[0]?.nodes[0]?.address).toBe(answered);
  });

  test.each(['2001:db8::5', 'fd00::2:0', 'fd00::2:65536', 'fd00::2:', 'fd00::g:80', 'fe80::1%eth0:80', '::', ':80'])(
    'but %s is no address and port',
    async (address) => {
      const errors = await refused(lab.ask('POST', places.nodes, { label: 'node-2', address }));
      expect(errors.map(({ field }) => field)).toEqual(['address']);
    },
  );

  test('sends its own defaults for a NodeBalancer with configs and nodes', async () => {
    await done(
      lab.ask('POST', NODEBALANCERS, {
        region: 'local',
        label: 'from-the-manager',
        tags: [],
        firewall_id: 0,
        client_udp_sess_throttle: 0,
        configs: [
          {
            port: 443,
            protocol: 'tcp',
            algorithm: 'roundrobin',
            stickiness: 'table',
            check: 'connection',
            check_attempts: 2,
            check_interval: 5,
            check_timeout: 3,
            check_passive: true,
            proxy_protocol: 'none',
            cipher_suite: 'recommended',
            ssl_cert: '',
            ssl_key: '',
            udp_check_port: 80,
            nodes: [{ address: '192.168.1.2:80', label: 'one', mode: 'accept', weight: 100 }],
          },
        ],
      }),
    );
  });
});

test('what was answered may be sent back: nothing changes, and no revision is made', async () => {
  const { revision } = lab.store.read();
  for (const path of [places.nodebalancer, places.config, `${places.nodes}/3`]) {
    const answered = await done(lab.ask('GET', path));
    expect(await done(lab.ask('PUT', path, answered))).toEqual(answered);
  }
  const { data } = await done(lab.ask('GET', places.nodes));
  await done(lab.ask('POST', places.rebuild, { ...(await done(lab.ask('GET', places.config))), nodes: data }));
  expect((await done(lab.ask('GET', places.nodes))).data).toEqual(data);
  expect(lab.store.read().revision).toBe(revision);
});

test('an empty body changes nothing', async () => {
  const { revision } = lab.store.read();
  for (const path of [places.nodebalancer, places.config, `${places.nodes}/3`]) {
    await done(lab.ask('PUT', path));
    await done(lab.ask('PUT', path, {}));
  }
  expect(lab.store.read().revision).toBe(revision);
});

describe('nodes with one label', () => {
  // As the Kubernetes controller makes them: it cuts the names of its machines to 32 characters.
  const label = 'production-frankfurt-workerpool-large-1'.slice(0, 32);
  const pair = [1, 2].map((host) => ({ label, address: `10.0.1.${host}:31059`, mode: 'accept', weight: 100 }));

  test('come with a NodeBalancer, with a config, with a rebuild, one by one and by a change of name', async () => {
    await done(lab.ask('POST', NODEBALANCERS, { region: 'local', configs: [{ nodes: pair }] }));
    await done(lab.ask('POST', `${places.configs}?with_nodes=true`, { port: 81, nodes: pair }));
    await done(lab.ask('POST', places.rebuild, { nodes: pair }));
    const { id } = await done(lab.ask('POST', places.nodes, { label: 'another', address: '10.0.1.3:31059' }));
    await done(lab.ask('PUT', `${places.nodes}/${id}`, { label }));
    const { data } = await done(lab.ask('GET', places.nodes));
    expect(data.map((node: { label: string }) => node.label)).toEqual([label, label, label]);
  });

  test('are known by id and address: each is changed, moved and removed without the other', async () => {
    await done(lab.ask('POST', places.rebuild, { nodes: pair }));
    const [first, second] = (await done(lab.ask('GET', places.nodes))).data;
    await done(lab.ask('PUT', `${places.nodes}/${first.id}`, { weight: 7 }));
    await done(lab.ask('PUT', `${places.nodes}/${second.id}`, { address: '10.0.1.9:31059' }));
    expect(lab.plane.config.nodebalancers[0]?.configs[0]?.nodes).toMatchObject([
      { label, address: '10.0.1.1:31059', weight: 7 },
      { label, address: '10.0.1.9:31059', weight: 100 },
    ]);
    await done(lab.ask('DELETE', `${places.nodes}/${first.id}`));
    expect(lab.store.read().changes).toEqual([`balancer1 port 80: node ${label} (10.0.1.1:31059) removed`]);
    expect((await done(lab.ask('GET', places.nodes))).data).toMatchObject([{ id: second.id, weight: 100 }]);
  });

  test('but not one address', async () => {
    const twice = [pair[0], { ...pair[1], address: pair[0]?.address }];
    const errors = await refused(lab.ask('POST', places.rebuild, { nodes: twice }));
    expect(errors.map(({ field }) => field)).toEqual(['nodes[1].address']);
  });
});

describe('labels that nobody chose', () => {
  test('name the id', async () => {
    const { id, label } = await done(lab.ask('POST', NODEBALANCERS, { region: 'local' }));
    expect(label).toBe(`balancer${id}`);
  });

  test('are free ones', async () => {
    const { nextId } = lab.store.read().inventory;
    for (const ahead of [1, 2]) {
      const label = `balancer${nextId + ahead + 1}`;
      await done(lab.ask('POST', NODEBALANCERS, { region: 'local', label }));
    }
    const { id, label } = await done(lab.ask('POST', NODEBALANCERS, { region: 'local' }));
    expect(label).toBe(`balancer${id}`);
    expect(id).toBe(nextId + 4);
  });

  test('do not stand in for a bad one', async () => {
    const errors = await refused(lab.ask('POST', NODEBALANCERS, { region: 'local', label: '' }));
    expect(errors).toEqual([{ field: 'label', reason: 'Label must be between 3 and 32 characters.' }]);
  });
});
