// Probes: open to everybody, true about draining.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lab, startLab } from '../support.ts';

let lab: Lab;
beforeAll(() => {
  lab = startLab();
});
afterAll(() => lab.close());

async function probe(url: string): Promise<[status: number, body: unknown]> {
  const answer = await lab.app.inject({ url, remoteAddress: '192.0.2.9' });
  return [answer.statusCode, answer.json()];
}

test.each([
  ['starting', 503],
  ['ready', 200],
  ['draining', 503],
] as const)('while it is %s, /readyz answers %d with that word, and /livez 200', async (readiness, status) => {
  lab.plane.ready = readiness;
  expect(await probe('/readyz')).toEqual([status, { status: readiness }]);
  expect(await probe('/livez')).toEqual([200, { status: 'ok' }]);
});

test('a probe by HEAD has the status alone', async () => {
  lab.plane.ready = 'draining';
  const answer = await lab.app.inject({ method: 'HEAD', url: '/readyz' });
  expect([answer.statusCode, answer.body]).toEqual([503, '']);
});
