// The distance between two clocks is not that of a moment in which the reader had no processor.

import { expect, test } from 'vitest';
import { clockOffset, monotonicMs } from '../../../core/base/clock.ts';

/** A pair of clocks, the first 500 ms ahead, which are read by somebody who is held up before some readings. */
function clocks(heldUpMs: readonly number[]) {
  let trueMs = 1000;
  let readings = 0;
  const read = (aheadMs: number) => () => {
    trueMs += heldUpMs[readings++] ?? 0.001;
    return trueMs + aheadMs;
  };
  return { ahead: read(500), behind: read(0) };
}

test('is that of two readings without a pause between them', () => {
  const { ahead, behind } = clocks([]);
  expect(clockOffset(ahead, behind)).toBeCloseTo(500, 1);
});

test.each([
  ['before the second clock', [0.001, 40, 0.001]],
  ['behind it', [0.001, 0.001, 40]],
  ['several times', [0.001, 40, 0.001, 0.001, 0.001, 30, 20, 20, 20]],
])('a pause %s does not count', (_, heldUpMs) => {
  const { ahead, behind } = clocks(heldUpMs);
  expect(clockOffset(ahead, behind)).toBeCloseTo(500, 1);
});

test('where every reading is late, the least late one counts, and there is an end', () => {
  let trueMs = 0;
  let readings = 0;
  const late = () => {
    readings++;
    trueMs += readings === 8 ? 3 : 10;
    return trueMs;
  };
  expect(clockOffset(late, late)).toBe(3);
  expect(readings).toBe(60);
});

test('the monotonic clock is the one that hrtime shows', () => {
  const before = Number(process.hrtime.bigint()) / 1e6;
  const now = monotonicMs();
  const after = Number(process.hrtime.bigint()) / 1e6;
  expect(now).toBeGreaterThan(before - 1);
  expect(now).toBeLessThan(after + 1);
});
