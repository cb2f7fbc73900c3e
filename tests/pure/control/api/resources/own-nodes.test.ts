// Nodes that are the balancer itself: what leads back to its own port, and the API, is refused at the field that says it.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Lab, startLab } from '../support.ts';
import { done, makeNodeBalancer, NODEBALANCERS, type Places, refused } from './support.ts';

let lab: Lab;
let places: Places;
beforeEach(async () => {
  lab = startLab({ addresses: [] });
  places = await makeNodeBalancer(lab, { port: 81, nodes: [node('127.0.0.1:82')] });
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

const CIRCLE =
  /^found ".*" \(a circle: balancer1 port 8. -> .*\), expected a node that does not lead back to its own port$/;

function node(address: string, label = 'node-1') {
  return { label, address };
}

test('a port that closes a circle is refused with the node that does it, whoever writes it', async () => {
  const second = { port: 82, nodes: [node('192.0.2.1:80'), node('127.0.0.1:81', 'node-2')] };
  expect(await refused(lab.ask('POST', `${places.configs}?with_nodes=true`, second))).toEqual([
    { field: 'nodes[1].address', reason: expect.stringMatching(CIRCLE) },
  ]);
  const { id } = await done(lab.ask('POST', places.configs, { port: 82 }));
  const config = `${places.configs}/${id}`;
  expect(await refused(lab.ask('POST', `${config}/rebuild`, second))).toEqual([
    { field: 'nodes[1].address', reason: expect.stringMatching(CIRCLE) },
  ]);
  expect(await refused(lab.ask('POST', `${config}/nodes`, node('127.0.0.1:81')))).toEqual([
    { field: 'address', reason: expect.stringMatching(CIRCLE) },
  ]);
  const { id: nodeId } = await done(lab.ask('POST', `${config}/nodes`, node('127.0.0.1:83')));
  expect(await refused(lab.ask('PUT', `${config}/nodes/${nodeId}`, { address: '127.0.0.2:81' }))).toEqual([
    { field: 'address', reason: expect.stringMatching(CIRCLE) },
  ]);
});

test('a whole NodeBalancer, and a whole configuration, too', async () => {
  const body = {
    region: 'local',
    label: 'other',
    ipv4: '127.0.0.1',
    configs: [{ port: 90, nodes: [node('127.0.0.1:90')] }],
  };
  expect(await refused(lab.ask('POST', NODEBALANCERS, body))).toEqual([
    {
      field: 'configs[0].nodes[0].address',
      reason: expect.stringContaining('(a circle: other port 90 -> other port 90)'),
    },
  ]);
  const { region, ...nodebalancer } = body;
  expect(await refused(lab.ask('PUT', '/balancer/v1/configuration', { nodebalancers: [nodebalancer] }))).toEqual([
    {
      field: 'nodebalancers[0].configs[0].nodes[0].address',
      reason: expect.stringContaining('(a circle: other port 90 -> other port 90)'),
    },
  ]);
});

test('the API is no node', async () => {
  lab.own = { local: [], api: { ip: '127.0.0.1', port: 8080 } };
  expect(await refused(lab.ask('POST', places.nodes, node('127.0.0.1:8080', 'node-2')))).toEqual([
    { field: 'address', reason: expect.stringContaining("(the address of this balancer's API)") },
  ]);
  await done(lab.ask('POST', places.nodes, node('127.0.0.1:8081', 'node-2')));
});

test('an address that the machine gets later makes the node refused, and no other change', async () => {
  await done(lab.ask('POST', places.nodes, node('192.0.2.7:81', 'node-2')));
  const { revision } = lab.store.read();
  lab.own = { local: ['192.0.2.7'], api: undefined };
  await done(lab.ask('PUT', places.nodebalancer, { label: 'renamed' }));
  await done(lab.ask('PUT', places.config, { algorithm: 'leastconn' }));
  await done(lab.ask('POST', places.nodes, node('192.0.2.8:81', 'node-3')));
  const { id } = await done(lab.ask('POST', places.configs, { port: 82 }));
  const [error] = await refused(lab.ask('POST', `${places.configs}/${id}/nodes`, node('192.0.2.7:82')));
  expect(error).toMatchObject({ field: 'address', reason: expect.stringContaining('a circle') });
  const back = await lab.ask('POST', '/balancer/v1/rollback', { revision });
  expect([back.status, JSON.stringify(back.body)]).toEqual([400, expect.stringContaining('a circle')]);
});
