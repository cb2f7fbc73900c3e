// Sessions that the shard ends before their time, in thousands of seeded worlds: timeouts of a few
// milliseconds, kills, nodes that go down, at any moment. Nobody may see an end of stream that its
// partner did not send (invariants.ts excuses none), and at a timeout nothing that was passed on is
// lost to a peer that still takes it.

import { expect, test } from 'vitest';
import type { Kernel } from '../../core/linux/kernel.ts';
import { SHARD } from '../../core/metrics/counters.ts';
import { cutNode, killSessions } from '../../core/session/session.ts';
import type { ShardSettings } from '../../core/session/settings.ts';
import { get, HIGH_WATER, PHASE_FREE, type SessionTable, WRITE_ENDED } from '../../core/session/table.ts';
import { Random } from './random.ts';
import { describeFailure, freshSeeds, type RunOptions, runSeeds, seedsFrom } from './runner.ts';
import { WORLD } from './session-world.ts';
import { SimulatedShard } from './shard-binding.ts';
import type { World } from './world.ts';
import { replaced, wrapKernel } from './wrapped-kernel.ts';

const FILE = 'tests/sim/cut.test.ts';
const RUNS = { quick: 100, thorough: 10_000 };
const SABOTAGED_RUNS_MAX = 100;

const CAUSES = ['timeouts', 'kills'] as const;
type Cause = (typeof CAUSES)[number];

interface Sabotage {
  readonly name: string;
  readonly cause: Cause;
  readonly kernel?: (kernel: Kernel) => Kernel;
  /** of a session that is about to be killed */
  readonly beforeKill?: (table: SessionTable, slot: number) => void;
}

/** @param onCut called at the end of a run, with the sessions that the shard has cut */
function optionsFor(cause: Cause, onCut: (sessions: number) => void, sabotage?: Sabotage): RunOptions {
  return {
    turnsMax: 400_000,
    world: WORLD,
    // Whoever is cut is reset, and does not get all.
    excused: () => true,
    bind: (world, kernel) => {
      const random = new Random(world.scenario.seed ^ 0x7070_7070);
      const made = sabotage?.kernel?.(kernel) ?? kernel;
      const audited = cause === 'timeouts' ? withoutLoss(world, made) : made;
      const settings = cause === 'timeouts' ? shortTimeouts(random) : {};
      const shard = new SimulatedShard(world, audited, { settings });
      return {
        turn() {
          shard.turn();
          if (cause === 'kills' && random.chance(0.05)) endSome(shard, random, sabotage);
        },
        stop: () => shard.stop(),
        close() {
          onCut(get(shard.shard.counters.shard, SHARD.cutByBalancer));
          shard.close();
          if (shard.bytesUnaccounted() !== 0)
            throw new Error(`${shard.bytesUnaccounted()} bytes are not accounted for`);
          if (shard.gauges() !== 0) throw new Error('a gauge is not back at zero');
        },
        counts: () => shard.counts(),
      };
    },
  };
}

function shortTimeouts(random: Random): Partial<ShardSettings> {
  return { idleTimeoutMs: random.size(1, 50), halfClosedTimeoutMs: random.size(1, 50), lingerTimeoutMs: 2000 };
}

/** On the word of an operator, or of the checks. */
function endSome({ shard }: SimulatedShard, random: Random, sabotage: Sabotage | undefined): void {
  const { table } = shard;
  if (random.chance(0.1)) return cutNode(shard, 0);
  for (let slot = 0; slot < get(table.shared, HIGH_WATER); slot++) {
    if (table.phase[slot] === PHASE_FREE || random.chance(0.5)) continue;
    sabotage?.beforeKill?.(table, slot);
    killSessions(shard, [{ slot, generation: get(table.generation, slot) }]);
  }
}

/**
 * The kernel, watched: a reset throws away what is in the send queue, which must be nothing that
 * its peer would yet take.
 */
function withoutLoss(world: World, kernel: Kernel): Kernel {
  const audit = (fd: number) => {
    const file = world.kernel.openDescriptors().find((one) => one.fd === fd)?.file;
    if (file?.kind !== 'socket') return;
    const { end } = file;
    const isLost = end.lingerZero && end.phase === 'open' && end.sendQueue.bytes > 0;
    const peer = world.peers.find((one) => one.end === end.peer);
    if (isLost && peer?.reads === true && !peer.end.cut) {
      throw new Error(`a reset overtakes ${end.sendQueue.bytes} bytes on their way to ${peer.describe()}`);
    }
  };
  return wrapKernel(kernel, {
    before(call, [fd]) {
      if (call === 'close' || call === 'closeTwo') audit(Number(fd));
      if (call === 'closeTwo') audit(Number(fd) + 1);
    },
  });
}

test.for(CAUSES)('%s: what is cut ends with a reset, and what has ended with a FIN', (cause) => {
  const seeds = freshSeeds(FILE, RUNS);
  let cut = 0;
  const { failure, runs } = runSeeds(
    seeds,
    optionsFor(cause, (sessions) => {
      cut += sessions;
    }),
  );
  expect(failure && describeFailure(failure, FILE)).toBe(undefined);
  expect(runs).toBe(seeds.length);
  if (seeds.length >= RUNS.quick) expect(cut).toBeGreaterThan(seeds.length);
});

const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'closes in order what it kills',
    cause: 'kills',
    beforeKill: ({ sideFlags }, slot) => {
      for (const side of [slot * 2, slot * 2 + 1]) sideFlags[side] = get(sideFlags, side) | WRITE_ENDED;
    },
  },
  {
    name: 'closes in order when the time is up',
    cause: 'timeouts',
    kernel: (kernel) => replaced(kernel, 'resetOnClose', () => 0),
  },
  {
    name: 'does not wait for what was passed on',
    cause: 'timeouts',
    kernel: (kernel) => replaced(kernel, 'unsent', () => 0),
  },
];

test.for(SABOTAGES)('a shard that $name is caught', (sabotage) => {
  const { failure } = runSeeds(
    seedsFrom(1, SABOTAGED_RUNS_MAX),
    optionsFor(sabotage.cause, () => {}, sabotage),
  );
  expect(failure?.failures.join('\n')).toMatch(/an end of stream that .* did not send|a reset overtakes/);
});
