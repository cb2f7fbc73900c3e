// A pool whose nodes refuse, vanish and come back, in hundreds of seeded worlds: limits hold at every connect, an ejected node is
// tried by one session at a time, and no client is turned away while a node is well. A failure prints its seed and the command that
// replays it.

import { expect, test } from 'vitest';
import { NO_TALLY, PoolAudit, type PoolTally } from './pool-audit.ts';
import { poolScenario } from './pool-scenario.ts';
import { describeFailure, freshSeeds, type RunOptions, runSeed, runSeeds, seedsFrom } from './runner.ts';
import { WORLD } from './session-world.ts';

const FILE = 'tests/sim/pool.test.ts';
const RUNS = { quick: 100, thorough: 5000 };
const SABOTAGED_RUNS_MAX = 100;

/** @param sabotage called before each turn */
function pool(tally: PoolTally = { ...NO_TALLY }, sabotage: (audit: PoolAudit) => void = () => {}): RunOptions {
  return {
    turnsMax: 400_000,
    world: WORLD,
    adjust: poolScenario,
    bind: (world, kernel) => {
      const audit = new PoolAudit(world, kernel, tally);
      return {
        turn() {
          sabotage(audit);
          audit.turn();
        },
        stop: () => audit.stop(),
        close: () => audit.close(),
        counts: () => audit.counts(),
      };
    },
  };
}

test('limits, trials and queues hold while nodes come and go, and clients find the node that is well', () => {
  const tally = { ...NO_TALLY };
  const seeds = freshSeeds(FILE, RUNS);
  const { failure, ...sums } = runSeeds(seeds, pool(tally));
  expect(failure && describeFailure(failure, FILE)).toBe(undefined);
  expect(sums.runs).toBe(seeds.length);
  // The runs are about what they are meant to be about.
  if (seeds.length < RUNS.quick) return;
  for (const [what, often] of Object.entries(tally)) expect(often, what).toBeGreaterThan(seeds.length / 10);
});

const SABOTAGES: readonly (readonly [name: string, sabotage: (audit: PoolAudit) => void, finding: RegExp])[] = [
  [
    'reserves no place at a node',
    // It sums the cells of no shard: there is always room.
    ({ simulated: { shard } }) => Object.assign(shard, { allCounters: [] }),
    /connections, its limit is/,
  ],
  [
    'forgets who tries an ejected node',
    ({ simulated: { shard } }) => shard.nodeStates.trialAt.fill(0),
    /two sessions try it at once/,
  ],
  [
    'takes whatever fails for the trial',
    ({ simulated: { shard } }) => {
      for (const [slot, node] of shard.table.node.entries()) {
        if (node > 0) shard.table.trial[slot] = shard.nodeStates.trialAt[node - 1] ?? 0;
      }
    },
    /stays out, and its trial is still under way/,
  ],
  [
    'does not try another node',
    ({ simulated: { shard } }) => Object.assign(shard.settings, { connectRetries: 0 }),
    /was turned away/,
  ],
  [
    'takes ejected nodes for none',
    ({ simulated: { shard } }) => {
      for (const [row, isEjected] of shard.nodeStates.isEjected.entries()) {
        if (isEjected === 1) shard.nodeStates.health[row] = 2;
      }
    },
    /ended as SC after \d attempts/,
  ],
];

test.for(SABOTAGES)('a shard that %s is caught', ([, sabotage, finding]) => {
  const { failure } = runSeeds(seedsFrom(1, SABOTAGED_RUNS_MAX), pool(undefined, sabotage));
  expect(failure?.failures.join('\n')).toMatch(finding);
});

test('a seed is the whole run', () => {
  expect(runSeed(5, pool(), 200)).toEqual(runSeed(5, pool(), 200));
});
