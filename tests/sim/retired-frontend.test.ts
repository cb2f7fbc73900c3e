// A change removes a frontend while its sessions wait for a node, wait to try again, or connect; then its shard dies, again and again,
// between two steps. Nobody may notice: everybody keeps place and deadline, finds the node that is well, and is served.

import { expect, test } from 'vitest';
import { SHARD } from '../../core/metrics/counters.ts';
import { deadlineOf } from '../../core/session/deadline.ts';
import type { Shard } from '../../core/session/shard.ts';
import { get, HIGH_WATER, isChoosing, PHASE_QUEUED, PHASE_RETRYING } from '../../core/session/table.ts';
import { NO_TALLY, PoolAudit } from './pool-audit.ts';
import { poolScenario } from './pool-scenario.ts';
import { Random } from './random.ts';
import { describeFailure, freshSeeds, type RunOptions, runSeeds } from './runner.ts';
import type { Scenario } from './scenario.ts';
import { WORLD } from './session-world.ts';

const FILE = 'tests/sim/retired-frontend.test.ts';
const RUNS = { quick: 60, thorough: 3000 };
/** by then every client has come */
const COME_MS = 100;
const DEATHS = 4;

/** Sessions found at a death, over all runs. */
interface Tally {
  queued: number;
  retrying: number;
  choosing: number;
}

/** All clients at once: they have to wait. */
function crowd(drawn: Scenario): Scenario {
  const scenario = poolScenario(drawn);
  const clients = scenario.clients.map((client) => ({ ...client, startMs: client.startMs % COME_MS }));
  return { ...scenario, clients };
}

/** What a session is about to do, in the order of its frontend's line. */
function intentions(shard: Shard): string[] {
  const { queues, table } = shard;
  const found: string[] = [];
  for (let slot = 0; slot < get(table.shared, HIGH_WATER); slot++) {
    if (!isChoosing(get(table.phase, slot))) continue;
    found.push(`slot ${slot}: phase ${table.phase[slot]} until ${deadlineOf(shard, slot)}`);
  }
  // Of those that joined within one turn none was first.
  for (let slot = get(queues.head, 0) - 1; slot >= 0; slot = get(queues.next, slot) - 1) {
    found.push(`in line since ${table.phaseMs[slot]}`);
  }
  return found;
}

function removed(tally: Tally): RunOptions {
  return {
    turnsMax: 400_000,
    world: WORLD,
    adjust: crowd,
    bind: (world, kernel) => {
      const audit = new PoolAudit(world, kernel, { ...NO_TALLY });
      const { simulated } = audit;
      const random = new Random(world.scenario.seed ^ 0x6666_6666);
      const startMs = kernel.nowMs();
      const retireMs = startMs + COME_MS + random.size(10, 2000);
      const deathsMs = Array.from({ length: DEATHS }, () => retireMs + random.size(1, 5000)).sort((a, b) => a - b);
      let isRetired = false;
      const die = () => {
        const { shard } = simulated;
        const before = intentions(shard);
        count(tally, shard);
        simulated.adopt(shard.kernel);
        const after = intentions(simulated.shard);
        if (after.join() !== before.join()) throw new Error(`before the death: ${before}; after it: ${after}`);
      };
      return {
        turn() {
          if (!isRetired && kernel.nowMs() >= retireMs) {
            isRetired = true;
            simulated.retireFrontends();
          }
          // Clients whom the listener that goes has not yet accepted are not what this is about.
          const isThrough = isRetired && simulated.shard.counters.shard[SHARD.leavingListeners] === 0;
          while (isThrough && kernel.nowMs() >= (deathsMs[0] ?? Number.POSITIVE_INFINITY)) {
            deathsMs.shift();
            // A further change: who is told of what depends on the sessions that are left.
            if (random.chance(0.5)) simulated.retireFrontends();
            die();
          }
          audit.turn();
        },
        stop: () => audit.stop(),
        close: () => audit.close(),
        counts: () => audit.counts(),
      };
    },
  };
}

function count(tally: Tally, { table }: Shard): void {
  for (let slot = 0; slot < get(table.shared, HIGH_WATER); slot++) {
    const phase = get(table.phase, slot);
    if (phase === PHASE_QUEUED) tally.queued++;
    if (phase === PHASE_RETRYING) tally.retrying++;
    if (isChoosing(phase)) tally.choosing++;
  }
}

test('sessions of a frontend that is gone do not notice the death of their shard', () => {
  const tally = { queued: 0, retrying: 0, choosing: 0 };
  const seeds = freshSeeds(FILE, RUNS);
  const { failure } = runSeeds(seeds, removed(tally));
  expect(failure && describeFailure(failure, FILE)).toBe(undefined);
  if (seeds.length < RUNS.quick) return;
  for (const [what, often] of Object.entries(tally)) expect(often, what).toBeGreaterThan(seeds.length / 10);
});
