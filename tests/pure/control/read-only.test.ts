// Where the configuration comes from a file, every way to change it is refused, and the refusal names the file.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Lab, startLab } from './api/support.ts';

let lab: Lab;

beforeEach(async () => {
  lab = startLab();
  await lab.ask('PUT', '/balancer/v1/configuration', { nodebalancers: [{ label: 'web', configs: [] }] });
  expect(lab.store.read().revision).toBe(1);
  lab.plane.file = '/etc/balancer.yaml';
});

afterEach(() => lab.close());

test.for<['PUT' | 'POST', string, object]>([
  ['PUT', '/balancer/v1/configuration', { nodebalancers: [] }],
  ['POST', '/balancer/v1/rollback', { revision: 0 }],
  // The store of a file has no revisions: not that is the reason.
  ['POST', '/balancer/v1/rollback', { revision: 7 }],
  ['POST', '/v4/nodebalancers', { region: 'local', label: 'shop' }],
])('%s %s %j', async ([method, path, body]) => {
  const { status, body: answer } = await lab.ask(method, path, body);
  expect(status).toBe(403);
  expect(answer.errors).toEqual([
    { reason: expect.stringMatching(/^the configuration comes from \/etc\/balancer\.yaml: /) },
  ]);
  expect(lab.store.read().revision).toBe(1);
});
