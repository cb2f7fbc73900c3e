import { expect, test } from 'vitest';
import { Serial } from '../../../workers/serial.ts';

test('one after the other, in the order of asking, and a failure is its own affair', async () => {
  const serial = new Serial();
  const done: string[] = [];
  const slow = Promise.withResolvers<void>();
  const first = serial.run(async () => {
    await slow.promise;
    done.push('first');
    throw new Error('no');
  });
  const second = serial.run(async () => {
    done.push('second');
    return 2;
  });
  await Promise.resolve();
  expect(done).toEqual([]);
  slow.resolve();
  await expect(first).rejects.toThrow('no');
  expect(await second).toBe(2);
  expect(done).toEqual(['first', 'second']);
});
