// What only tests may change of a process is closed unless it was opened, and wrong values are named.

import { expect, test } from 'vitest';
import { readTestSettings } from '../../../cli/faults.ts';
import { PACE } from '../../../workers/pace.ts';

test('nothing is set: no faults, and the usual times', () => {
  for (const env of [{}, { BALANCER_TEST_PACE: '', BALANCER_TEST_FAULTS: '' }]) {
    expect(readTestSettings(env)).toEqual({ allowFaults: false, pace: PACE, errors: [] });
  }
});

test('other times are taken together with faults', () => {
  const env = { BALANCER_TEST_FAULTS: '1', BALANCER_TEST_PACE: 'backlogMs=100' };
  expect(readTestSettings(env)).toEqual({ allowFaults: true, pace: { ...PACE, backlogMs: 100 }, errors: [] });
});

test.each([undefined, '0', 'yes', 'true'])('and refused without: BALANCER_TEST_FAULTS=%s', (faults) => {
  const { pace, errors } = readTestSettings({ BALANCER_TEST_FAULTS: faults, BALANCER_TEST_PACE: 'backlogMs=100' });
  expect(pace).toBe(PACE);
  expect(errors).toEqual(['BALANCER_TEST_PACE: it is for tests, and taken only together with BALANCER_TEST_FAULTS=1']);
});

test('each mistake is told, with the variable in which it is', () => {
  const { pace, errors } = readTestSettings({ BALANCER_TEST_FAULTS: '1', BALANCER_TEST_PACE: 'x=1,stopMs=0' });
  expect(pace).toBe(PACE);
  expect(errors).toEqual([
    expect.stringMatching(/^BALANCER_TEST_PACE: found "x=1", expected NAME=/),
    expect.stringMatching(/^BALANCER_TEST_PACE: found "stopMs=0", expected stopMs= /),
  ]);
});
