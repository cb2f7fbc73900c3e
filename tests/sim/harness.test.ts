// The harness, tested with a relay that is right and with one that is broken in a known way: it must pass the first for every
// seed and find each of the others soon.

import { expect, test } from 'vitest';
import { describeFailure, freshSeeds, type RunOptions, runSeed, runSeeds, seedsFrom } from './runner.ts';
import { type Sabotage, ToyRelay } from './toy-relay.ts';

const RUNS = { quick: 300, thorough: 10_000 };
const FILE = 'tests/sim/harness.test.ts';

function toy(sabotage: Sabotage): RunOptions {
  return {
    bind: (world, kernel) => {
      const nodes = world.scenario.nodes.map((node) => node.address);
      return new ToyRelay(kernel, world.listenerFds, nodes, sabotage);
    },
  };
}

test('a relay that is right passes every seed', () => {
  const seeds = freshSeeds(FILE, RUNS);
  const { failure, ...sums } = runSeeds(seeds, toy('none'));
  expect(failure && describeFailure(failure, FILE)).toBe(undefined);
  expect(sums.runs).toBe(seeds.length);
});

test.for<Sabotage>([
  'loses-a-byte',
  'sends-twice',
  'mixes-sessions',
  'closes-twice',
  'leaks',
  'ends-on-hup',
  'fin-for-reset',
  'reset-for-fin',
  'forgets-writable',
  'trusts-short-read',
  'keeps-stale-events',
])('a relay that %s is found', (sabotage) => {
  const { failure, runs } = runSeeds(seedsFrom(1, 300), toy(sabotage));
  expect(failure).not.toBe(undefined);
  expect(runs).toBeLessThan(300);
});

test('a seed is the whole run', () => {
  const a = runSeed(7, toy('none'), 1000);
  const b = runSeed(7, toy('none'), 1000);
  expect(a.trace.length).toBeGreaterThan(10);
  expect(a).toEqual(b);
});
