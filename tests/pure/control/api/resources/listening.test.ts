// Which address a NodeBalancer gets, and what is said of a port that is taken.

import { afterEach, expect, test } from 'vitest';
import { hostAddresses } from '../../../../../control/api/host-addresses.ts';
import { RefusedChange } from '../../../../../control/data-plane.ts';
import { type Lab, startLab } from '../support.ts';
import { done, makeNodeBalancer, NODEBALANCERS, refused } from './support.ts';

let lab: Lab;
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

const make = (fields: Record<string, unknown> = {}) =>
  done(lab.ask('POST', NODEBALANCERS, { region: 'local', ...fields }));

test('the address that was asked for, when this machine has it', async () => {
  lab = startLab();
  expect((await make({ ipv4: '127.0.0.1' })).ipv4).toBe('127.0.0.1');
  expect(lab.plane.config.nodebalancers[0]).toMatchObject({ ipv4: '127.0.0.1', ipv6: null });
});

test('also another one that Linux takes for its own, and every one', async () => {
  lab = startLab();
  expect((await make({ ipv4: '127.3.2.1' })).ipv4).toBe('127.3.2.1');
  await make({ ipv4: '0.0.0.0' });
  expect(lab.plane.config.nodebalancers.map(({ ipv4 }) => ipv4)).toEqual(['127.3.2.1', '0.0.0.0']);
});

const LACKING =
  'this machine does not have the address 203.0.113.7; one that it has at times belongs in BALANCER_FLOATING_ADDRESSES';

test('one that this machine lacks is refused with the reason, and not replaced by another', async () => {
  lab = startLab();
  const body = { region: 'local', ipv4: '203.0.113.7', label: 'no', configs: [{ port: 0 }] };
  const errors = await refused(lab.ask('POST', NODEBALANCERS, body));
  expect(errors.map(({ field }) => field).sort()).toEqual(['configs[0].port', 'ipv4', 'label']);
  expect(errors.find(({ field }) => field === 'ipv4')).toEqual({ field: 'ipv4', reason: LACKING });
  expect(lab.store.read().inventory.nodebalancers).toEqual([]);
});

test('unless it is one of those that float', async () => {
  lab = startLab({ floating: ['203.0.113.7'] });
  expect((await make({ ipv4: '203.0.113.7' })).ipv4).toBe('203.0.113.7');
  expect(lab.plane.config.nodebalancers[0]).toMatchObject({ ipv4: '203.0.113.7', ipv6: null });
  const errors = await refused(lab.ask('POST', NODEBALANCERS, { region: 'local', ipv4: '203.0.113.8' }));
  expect(errors.map(({ field }) => field)).toEqual(['ipv4']);
});

test('a change is told the same; what was answered may be sent back, whatever has become of the address', async () => {
  lab = startLab({ addresses: ['192.0.2.1'] });
  const [own, every] = [await make(), await make()];
  for (const { id, ipv4 } of [own, every]) {
    const path = `${NODEBALANCERS}/${id}`;
    expect((await done(lab.ask('PUT', path, { ipv4 }))).ipv4).toBe(ipv4);
    expect(await refused(lab.ask('PUT', path, { ipv4: '203.0.113.7' }))).toEqual([{ field: 'ipv4', reason: LACKING }]);
    expect((await done(lab.ask('PUT', path, { ipv4: null }))).ipv4).toBe(ipv4);
  }
});

test('none asked for: the next address that is set aside, each once; one that is given back is free again', async () => {
  lab = startLab({ addresses: ['192.0.2.1', '192.0.2.2'] });
  const first = await make();
  expect(first.ipv4).toBe('192.0.2.1');
  expect((await make()).ipv4).toBe('192.0.2.2');
  await done(lab.ask('DELETE', `${NODEBALANCERS}/${first.id}`));
  expect((await make()).ipv4).toBe('192.0.2.1');
});

test("else every address, answered as this machine's first", async () => {
  lab = startLab({ addresses: [] });
  const { firstIpv4, firstIpv6 } = hostAddresses();
  expect(await make()).toMatchObject({ ipv4: firstIpv4, ipv6: firstIpv6 ?? null });
  expect(lab.plane.config.nodebalancers[0]).toMatchObject({
    ipv4: '0.0.0.0',
    ipv6: firstIpv6 === undefined ? null : '::',
  });
});

test.each(['', '10.0.0', '10.0.0.256', 'fd00::1', 'localhost', '10.0.0.1:80', 7, {}])(
  'an address that is none is not replaced: %j',
  async (ipv4) => {
    lab = startLab();
    const errors = await refused(lab.ask('POST', NODEBALANCERS, { region: 'local', ipv4 }));
    expect(errors.map(({ field }) => field)).toEqual(['ipv4']);
  },
);

test('an address stays when other things change, whatever a PUT says of it', async () => {
  lab = startLab({ addresses: ['192.0.2.1', '192.0.2.2'] });
  const { id } = await make();
  expect(await done(lab.ask('PUT', `${NODEBALANCERS}/${id}`, { label: 'renamed', ipv4: '127.0.0.1' }))).toMatchObject({
    label: 'renamed',
    ipv4: '192.0.2.1',
  });
});

test('a port is taken by another config, by one of another NodeBalancer on the address, and by every address', async () => {
  lab = startLab({ addresses: [] });
  const places = await makeNodeBalancer(lab, { port: 80 });
  const SENTENCE = 'Port must be unique amongst TCP / HTTP / HTTPS configurations.';
  expect(await refused(lab.ask('POST', places.configs, { port: 80 }))).toEqual([{ field: 'port', reason: SENTENCE }]);
  await done(lab.ask('POST', places.configs, { port: 81 }));
  expect(await refused(lab.ask('PUT', places.config, { port: 81 }))).toEqual([{ field: 'port', reason: SENTENCE }]);
  expect(await refused(lab.ask('POST', places.rebuild, { port: 81, nodes: [] }))).toEqual([
    { field: 'port', reason: SENTENCE },
  ]);
  for (const ipv4 of [undefined, '127.0.0.1']) {
    const body = { region: 'local', ipv4, configs: [{ port: 8080 }, { port: 80 }] };
    const [error, ...more] = await refused(lab.ask('POST', NODEBALANCERS, body));
    expect(more).toEqual([]);
    expect(error?.field).toBe('configs[1].port');
    expect(error?.reason).toContain('an address and port that nothing else listens on');
  }
});

test('the same port on two addresses is no collision', async () => {
  lab = startLab({ addresses: ['192.0.2.1', '192.0.2.2'] });
  await make({ configs: [{ port: 80 }] });
  await make({ configs: [{ port: 80 }] });
});

const refusedByThePlane = [
  ['POST', 'configs', { port: 81 }],
  ['PUT', 'config', { port: 81 }],
  ['POST', 'rebuild', { port: 81, nodes: [] }],
] as const;
test.each(refusedByThePlane)(
  'what the data plane cannot listen on is refused, with its reason: %s %s',
  async (method, place, body) => {
    lab = startLab();
    const places = await makeNodeBalancer(lab);
    const before = lab.store.read();
    lab.plane.refusal = new RefusedChange('192.0.2.1:81 is in use by nginx', { ip: '192.0.2.1', port: 81 });
    const errors = await refused(lab.ask(method, places[place], body));
    expect(errors).toEqual([{ field: 'port', reason: '192.0.2.1:81 is in use by nginx' }]);
    expect(lab.store.read()).toEqual(before);
  },
);
