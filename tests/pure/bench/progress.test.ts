// The progress of a run: a line per measurement in a file, one line that rewrites itself on a terminal, and an honest estimate.

import { expect, test } from 'vitest';
import { duration, Progress } from '../../../bench/progress.ts';

const MEASUREMENTS = [
  { scenario: 'new', contender: 'a' },
  { scenario: 'idle', contender: 'a' },
  { scenario: 'new', contender: 'a' },
  { scenario: 'idle', contender: 'a' },
];

function run(screen: { isTTY?: boolean; columns?: number }, tookMs: readonly number[]): string[] {
  const written: string[] = [];
  let nowMs = 5000;
  const progress = new Progress({ ...screen, write: (text: string) => written.push(text) }, () => nowMs);
  progress.expect(MEASUREMENTS);
  for (const [index, measurement] of MEASUREMENTS.entries()) {
    progress.step({ ...measurement, round: 1 + Math.floor(index / 2), rounds: 2 });
    nowMs += tookMs[index] ?? 0;
  }
  progress.say('done');
  return written;
}

test('in a file every measurement has its line; what was measured before takes as long again', () => {
  expect(run({}, [10_000, 2000, 10_000])).toEqual([
    'bench: round 1/2 new a, 0:00 so far\n',
    'bench: round 1/2 idle a, 0:10 so far, about 0:30 left\n',
    'bench: round 2/2 new a, 0:12 so far, about 0:12 left\n',
    'bench: round 2/2 idle a, 0:22 so far, about 0:02 left\n',
    'bench: done\n',
  ]);
});

test('on a terminal one line rewrites itself, is no wider than the screen, and goes before other text', () => {
  const written = run({ isTTY: true, columns: 20 }, [10_000, 2000, 10_000]);
  expect(written.slice(0, 2)).toEqual(['\r\x1b[Kbench: round 1/2 ne', '\r\x1b[Kbench: round 1/2 id']);
  expect(written.slice(-2)).toEqual(['\r\x1b[K', 'bench: done\n']);
});

test('a terminal that does not know its size gets what fits everywhere', () => {
  const [, , third = ''] = run({ isTTY: true, columns: 0 }, [10_000, 2000, 10_000]);
  expect(third).toBe('\r\x1b[Kbench: round 2/2 new a, 0:12 so far, about 0:12 left');
});

test('durations are minutes and seconds', () => {
  expect([0, 7400, 59_900, 754_000].map(duration)).toEqual(['0:00', '0:07', '1:00', '12:34']);
});
