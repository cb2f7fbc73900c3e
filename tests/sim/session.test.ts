// The session code against thousands of seeded worlds: partial reads and writes, resets at any moment, urgent data, refused and
// black-holed connects, descriptors running out, a thread dying in the middle of a call. A failure prints its seed and the
// command that replays it.

import { expect, test } from 'vitest';
import type { Kernel, SocketOption } from '../../core/linux/kernel.ts';
import {
  describeFailure,
  freshSeeds,
  type RunOptions,
  runSeed,
  runSeeds,
  type ShardUnderTest,
  seedsFrom,
} from './runner.ts';
import { WORLD } from './session-world.ts';
import { SimulatedShard } from './shard-binding.ts';
import type { World } from './world.ts';
import { replaced } from './wrapped-kernel.ts';

const FILE = 'tests/sim/session.test.ts';
const RUNS = { quick: 300, thorough: 20_000 };
const SABOTAGED_RUNS_MAX = 400;
/** Adds what only this shard can tell to the end of a run. */
function audited(shard: SimulatedShard): ShardUnderTest {
  return {
    turn: () => shard.turn(),
    stop: () => shard.stop(),
    counts: () => shard.counts(),
    close: () => {
      shard.close();
      if (shard.bytesUnaccounted() !== 0) throw new Error(`${shard.bytesUnaccounted()} bytes are not accounted for`);
      if (shard.gauges() !== 0) throw new Error('a gauge is not back at zero');
    },
  };
}

/** Small buffers and long streams take many turns. */
const TURNS_MAX = 400_000;

const PLAIN: RunOptions = {
  turnsMax: TURNS_MAX,
  world: WORLD,
  bind: (world: World, kernel) => audited(new SimulatedShard(world, kernel)),
};

test('every seed: no byte lost, doubled or reordered, every descriptor closed once, counters add up', () => {
  const seeds = freshSeeds(FILE, RUNS);
  const { failure, ...sums } = runSeeds(seeds, PLAIN);
  expect(failure && describeFailure(failure, FILE)).toBe(undefined);
  expect(sums.runs).toBe(seeds.length);
});

/** The session code as it would be with one mistake in it, made at the seam to the kernel. */
const SABOTAGES: readonly (readonly [name: string, sabotage: (kernel: Kernel) => Kernel])[] = [
  ['passes a reset on as a FIN', (kernel) => replaced(kernel, 'resetOnClose', () => 0)],
  ['passes no FIN on', (kernel) => replaced(kernel, 'shutdownWrite', () => 0)],
  ['leaves writes to Nagle’s algorithm', (kernel) => withoutOption(kernel, 'no-delay')],
  ['holds bytes back that nothing follows', (kernel) => replaced(kernel, 'send', kernel.sendMore.bind(kernel))],
  [
    'takes a stalled write for a finished one',
    (kernel) => replaced(kernel, 'write', (_fd: number, _at: number, bytes: number) => bytes),
  ],
  ['waits for more than ever comes', (kernel) => withoutOption(kernel, 'receive-low-water', 1)],
  ['loses the last byte of a read', (kernel) => shortened(kernel, 'recv')],
  ['miscounts what several calls in one came to', (kernel) => shortened(kernel, 'transferred')],
];

/** @param leftValue the value that is not set; absent: none is */
function withoutOption(kernel: Kernel, left: SocketOption, leftValue?: number): Kernel {
  return replaced(kernel, 'setOption', (fd: number, option: SocketOption, value: number) =>
    option === left && value === (leftValue ?? value) ? 0 : kernel.setOption(fd, option, value),
  );
}

function shortened(kernel: Kernel, call: 'recv' | 'transferred'): Kernel {
  return replaced(kernel, call, (first: number, at: number, bytes: number) => {
    const n = call === 'recv' ? kernel.recv(first, at, bytes) : kernel.transferred(first);
    return n > 1 ? n - 1 : n;
  });
}

test.for(SABOTAGES)('a shard that %s is caught', ([, sabotage]) => {
  const bind: RunOptions['bind'] = (world, kernel) => audited(new SimulatedShard(world, sabotage(kernel)));
  const { failure } = runSeeds(seedsFrom(1, SABOTAGED_RUNS_MAX), { ...PLAIN, bind });
  expect(failure).not.toBe(undefined);
});

test('a seed is the whole run', () => {
  expect(runSeed(11, PLAIN, 200)).toEqual(runSeed(11, PLAIN, 200));
});
