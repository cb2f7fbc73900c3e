// What is in force and what is stored are the same, whatever fails between the two; and a way back brings back the very things.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RefusedChange } from '../../../control/data-plane.ts';
import { type Lab, startLab } from './api/support.ts';

let lab: Lab;
beforeEach(() => {
  lab = startLab();
});
afterEach(() => lab.close());

const LIST = '/v4/nodebalancers';
const WEB = { region: 'local', label: 'web', configs: [{ port: 80 }] };

function revision(): number {
  return lab.store.read().revision;
}

test('a change that failed without being refused may be in force in part: it is taken back', async () => {
  await lab.ask('POST', LIST, WEB);
  const [before, config] = [revision(), lab.plane.config];
  const applied = vi.spyOn(lab.plane, 'apply');
  lab.plane.refusal = new Error('shard 0 did not answer within 10 s');
  expect((await lab.ask('POST', LIST, { ...WEB, label: 'shop', configs: [{ port: 81 }] })).status).toBe(500);
  expect(applied).toHaveBeenCalledTimes(2);
  expect([lab.plane.config, revision()]).toEqual([config, before]);
  expect(lab.faults).toHaveLength(1);
});

test('a refused one changed nothing, and nothing is taken back', async () => {
  const applied = vi.spyOn(lab.plane, 'apply');
  lab.plane.refusal = new RefusedChange('no');
  await lab.ask('POST', LIST, WEB);
  expect(applied).toHaveBeenCalledTimes(1);
});

test('where even the way back fails, the log has both reasons', async () => {
  vi.spyOn(lab.plane, 'apply')
    .mockRejectedValueOnce(new Error('first'))
    .mockRejectedValueOnce(new RefusedChange('second'));
  expect((await lab.ask('POST', LIST, WEB)).status).toBe(500);
  const [fault] = lab.faults;
  expect(fault).toMatchObject({
    message: expect.stringMatching(/is in force until the next one/),
    cause: { errors: [{ message: 'first' }, { message: 'second' }] },
  });
});

test('a rollback brings back ids and tags of what was replaced by another of the same name', async () => {
  const first = await lab.ask('POST', LIST, { ...WEB, tags: ['prod'] });
  const wanted = revision();
  await lab.ask('DELETE', `${LIST}/${first.body.id}`);
  const second = await lab.ask('POST', LIST, WEB);
  expect(second.body.id).not.toBe(first.body.id);
  const answer = await lab.ask('POST', '/balancer/v1/rollback', { revision: wanted });
  expect(answer.status).toBe(200);
  expect(answer.body.changes).toHaveLength(1);
  const { body } = await lab.ask('GET', `${LIST}/${first.body.id}`);
  expect(body).toMatchObject({ label: 'web', tags: ['prod'] });
  // Once is enough.
  const again = await lab.ask('POST', '/balancer/v1/rollback', { revision: wanted });
  expect(again.body.changes).toEqual([]);
});
