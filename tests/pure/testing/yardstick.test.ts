// The yardstick judges a time by what the machine did meanwhile: too slow is red on a quiet machine, at
// once; on a busy one it is measured again, and then by its own time. What grows is red when it never stops.

import { expect, test } from 'vitest';
import { Delays, growsAtMost, type Measured, ownCpuMs, takesAtMost } from '../../../testing/yardstick.ts';

const LIMIT_MS = 100;

/** @param times what each attempt takes, and is held up */
async function judge(...times: readonly (readonly [tookMs: number, heldUpMs: number])[]) {
  let attempts = 0;
  const attempt = async (): Promise<Measured> => {
    const [tookMs, heldUpMs] = times[Math.min(attempts++, times.length - 1)] ?? [0, 0];
    return { tookMs, heldUpMs };
  };
  const verdict = await takesAtMost(LIMIT_MS, attempt).then(
    () => 'quick enough',
    (error: Error) => error.message,
  );
  return { attempts, verdict };
}

test('quick enough is quick enough, whatever the machine did', async () => {
  expect(await judge([100, 0])).toEqual({ attempts: 1, verdict: 'quick enough' });
  expect(await judge([10, 500])).toEqual({ attempts: 1, verdict: 'quick enough' });
});

test('too slow on a quiet machine fails at the first attempt', async () => {
  const { attempts, verdict } = await judge([180, 15]);
  expect(attempts).toBe(1);
  expect(verdict).toBe('it may take 100 ms, and took 180 ms, of which it was held up for 15');
});

test('who was held up is measured again, until a moment is quiet', async () => {
  expect(await judge([300, 200], [250, 100], [90, 5])).toEqual({ attempts: 3, verdict: 'quick enough' });
});

test('and found too slow as soon as nobody held it up', async () => {
  const { attempts, verdict } = await judge([900, 700], [850, 20]);
  expect(attempts).toBe(2);
  expect(verdict).toMatch(/took 900 ms, of which it was held up for 700; then 850 ms, of which it was held up for 20$/);
});

test('where no moment is quiet, its own time decides, after some attempts', async () => {
  expect(await judge([300, 210])).toEqual({ attempts: 5, verdict: 'quick enough' });
  const { attempts, verdict } = await judge([300, 100]);
  expect(attempts).toBe(5);
  expect(verdict).toMatch(/^it may take 100 ms, and took 300 ms/);
});

test('what an attempt throws is its own failure, not a repetition', async () => {
  const error = new Error('wrong answer');
  await expect(takesAtMost(LIMIT_MS, () => Promise.reject(error))).rejects.toBe(error);
});

test('delays are those of the time between, of threads that came and went too', () => {
  const states = [
    { main: 5e6, worker: 70e6 },
    { main: 6e6, worker: 90e6, late: 3e6 },
    { main: 6e6, late: 4e6 },
  ];
  const delays = new Delays([1], () => new Map(Object.entries(states.shift() ?? {})));
  delays.sample();
  expect(delays.waitedMs).toBeGreaterThanOrEqual(1 + 20 + 3);
  delays.sample();
  expect(delays.waitedMs).toBeGreaterThanOrEqual(1 + 20 + 4);
});

test('what grows once has been touched; what grows each time is left behind', async () => {
  const grow = (...steps: number[]) => {
    let bytes = 1000;
    let stretches = 0;
    const growing = growsAtMost(
      10,
      () => bytes,
      async () => {
        bytes += steps[stretches++] ?? 0;
      },
    );
    return growing.then(
      () => stretches,
      (error: Error) => error.message,
    );
  };
  expect(await grow(10)).toBe(1);
  expect(await grow(500, 200, 3)).toBe(3);
  expect(await grow(500, -3)).toBe(2);
  expect(await grow(11, 11, 11)).toBe('it may grow by 10 bytes, and grew each time by more: 11, 11, 11');
});

test('CPU time is that of what is done, not of what is waited for', () => {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const asleep = ownCpuMs(() => Atomics.wait(cell, 0, 0, 50));
  const busy = ownCpuMs(() => {
    const before = process.threadCpuUsage().user;
    while (process.threadCpuUsage().user - before < 20_000);
  });
  expect(busy).toBeGreaterThanOrEqual(20);
  expect(asleep).toBeLessThan(busy);
});
