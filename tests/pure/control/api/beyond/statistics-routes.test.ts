// Graphs through the API: the shape and the sentence that clients look for, and averages that are true at the right
// edge.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Lab, START_MS, startLab } from '../support.ts';

const DAY = '/v4/nodebalancers/1/stats';
const HOUR = '/balancer/v1/nodebalancers/1/statistics';

let lab: Lab;
beforeEach(async () => {
  lab = startLab();
  lab.clockMs = START_MS - (START_MS % 300_000);
  await lab.ask('POST', '/v4/nodebalancers', { region: 'local', label: 'web' });
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

/** Ten seconds with 20 connections, 1,000 bytes in and 5,000 out, sampled at their end. */
function pass(intervals: number): void {
  for (let i = 0; i < intervals; i++) {
    const amounts = new Map([[1, { connections: 20, bytesIn: 1000, bytesOut: 5000 }]]);
    lab.context.statistics.record(lab.clockMs, amounts);
    lab.clockMs += 10_000;
  }
}

test.each([DAY, HOUR])('%s says that there is nothing yet, in the words that clients look for', async (path) => {
  const { status, body } = await lab.ask('GET', path);
  expect([status, body]).toEqual([400, { errors: [{ reason: 'Stats are unavailable at this time.' }] }]);
});

test.each([DAY, HOUR])('%s of a NodeBalancer that is not there is not found', async (path) => {
  expect((await lab.ask('GET', path.replace('/1/', '/99/'))).status).toBe(404);
});

test('a day has averages of 5 minutes: connections and bits per second', async () => {
  const from = lab.clockMs;
  pass(31);
  const { body } = await lab.ask('GET', DAY);
  expect(body.title).toBe('web (1) - day (5 min avg)');
  expect(body.data.connections).toEqual([
    [from, 2],
    [from + 300_000, 2],
  ]);
  expect(body.data.traffic.in).toEqual([
    [from, 800],
    [from + 300_000, 800],
  ]);
  expect(body.data.traffic.out.map(([, bits]: [number, number]) => bits)).toEqual([4000, 4000]);
});

test('the interval that is not over is the average of its part', async () => {
  pass(3);
  lab.clockMs += 4000;
  expect((await lab.ask('GET', DAY)).body.data.connections[0][1]).toBe(2);
});

test('an hour has averages of 10 seconds, and that is also what it has without a range', async () => {
  pass(6);
  const { body } = await lab.ask('GET', HOUR);
  expect(body.title).toBe('web (1) - hour (10 sec avg)');
  expect(body.data.connections).toHaveLength(6);
  expect(body.data.traffic.in).toHaveLength(6);
  expect(body.data.traffic.out).toHaveLength(6);
  expect(body.data.connections.every(([, rate]: [number, number]) => rate === 2)).toBe(true);
  expect((await lab.ask('GET', `${HOUR}?range=hour`)).body).toEqual(body);
  expect((await lab.ask('GET', `${HOUR}?range=day`)).body).toEqual((await lab.ask('GET', DAY)).body);
});

test.each(['range=week', 'range=', 'range=hour&range=day'])('%s is no range', async (query) => {
  const { status, body } = await lab.ask('GET', `${HOUR}?${query}`);
  expect([status, body.errors[0].field]).toEqual([400, 'range']);
});
