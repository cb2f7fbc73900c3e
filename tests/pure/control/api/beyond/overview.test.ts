// The list that the page opens with: every NodeBalancer with its ports, the same numbers as the API of /v4 has.

import { Check } from 'typebox/value';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OverviewView } from '../../../../../control/api/overview-routes.ts';
import { type Lab, NODE, startLab } from '../support.ts';
import { frontendOf, nodeOf } from './support.ts';

const PATH = '/balancer/v1/nodebalancers';

let lab: Lab;
beforeEach(() => {
  lab = startLab();
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

test('is empty at first', async () => {
  expect((await lab.ask('GET', PATH)).body).toEqual({ data: [] });
});

test('has each NodeBalancer as /v4 answers it, and of its configs what a list shows', async () => {
  for (const [label, port] of [
    ['web', 80],
    ['mail', 25],
  ] as const) {
    const configs = [{ port, check: 'connection', nodes: [NODE] }];
    await lab.ask('POST', '/v4/nodebalancers', { region: 'local', label, configs });
  }
  lab.plane.frontends = [frontendOf('mail', 25, { nodes: [nodeOf(NODE.label, NODE.address)] })];
  const { body } = await lab.ask('GET', PATH);
  expect(Check(OverviewView, body)).toBe(true);
  const { data } = (await lab.ask('GET', '/v4/nodebalancers')).body;
  expect(body.data.map(({ configs: _configs, ...nodebalancer }: Record<string, unknown>) => nodebalancer)).toEqual(
    data,
  );
  for (const [index, { id }] of data.entries()) {
    const [config] = (await lab.ask('GET', `/v4/nodebalancers/${id}/configs`)).body.data;
    const { port, protocol, proxy_protocol, nodes_status } = config;
    expect(body.data[index].configs).toEqual([{ id: config.id, port, protocol, proxy_protocol, nodes_status }]);
  }
  expect(body.data.map(({ configs }: { configs: { nodes_status: object }[] }) => configs[0]?.nodes_status)).toEqual([
    { up: 0, down: 1 },
    { up: 1, down: 0 },
  ]);
});
