// Nodes by turns, in seeded worlds: frontends are changed and shards die between any two turns of the loop, and the nodes are connected
// to in the very order in which a policy that nobody disturbs would have chosen them.

import { expect, test } from 'vitest';
import { RoundRobin } from '../../core/balance/round-robin.ts';
import type { Kernel } from '../../core/linux/kernel.ts';
import type { FrontendPlan } from '../../core/session/plan.ts';
import { addressOf, formatAddress } from './network.ts';
import { Random } from './random.ts';
import { describeFailure, freshSeeds, type RunOptions, runSeeds, type ShardUnderTest, seedsFrom } from './runner.ts';
import type { Scenario } from './scenario.ts';
import { clientScript, randomConversation } from './scripts.ts';
import { WORLD } from './session-world.ts';
import { frontendOf, SimulatedShard } from './shard-binding.ts';
import type { World } from './world.ts';
import { wrapKernel } from './wrapped-kernel.ts';

const FILE = 'tests/sim/turns.test.ts';
const RUNS = { quick: 30, thorough: 2000 };
const SABOTAGED_RUNS_MAX = 50;
const COME_MS = 2000;
const SMALL = { streamMax: 300, segmentMax: 40, queueMax: 4096 } as const;

interface Tally {
  connects: number;
  changes: number;
  deaths: number;
}

/** Every node accepts: each session connects once, to the node that was chosen for it. */
function wellNodes(drawn: Scenario): Scenario {
  const random = new Random(drawn.seed ^ 0x7777_7777);
  const conversation = randomConversation(random, SMALL);
  const well = { failChance: 0, blackHoleChance: 0, selfChance: 0, atOnceChance: 0, troubleChance: 0 };
  return {
    ...drawn,
    scale: SMALL,
    conversation,
    faults: { ...drawn.faults, openSocketErrors: 0, optionErrors: 0, descriptorsMax: 1024 },
    listeners: [{ address: addressOf('0.0.0.0', 80), backlog: 128 }],
    nodes: Array.from({ length: random.int(2, 5) }, (_, i) => ({
      address: addressOf(`10.0.1.${i + 1}`, 8080),
      failErrno: 0,
      connectMsMax: random.size(1, 20),
      ...well,
    })),
    clients: Array.from({ length: random.int(10, 40) }, (_, i) => ({
      startMs: random.between(0, COME_MS),
      from: addressOf(`192.0.2.${i + 1}`, 40_000 + i),
      listener: 0,
      script: clientScript(random, conversation, false),
    })),
  };
}

function planOf(scenario: Scenario): FrontendPlan {
  const random = new Random(scenario.seed ^ 0x8888_8888);
  const drawn = frontendOf(scenario, 0);
  const isEqual = random.chance(0.5);
  return {
    ...drawn,
    algorithm: 'roundrobin',
    isSticky: false,
    nodes: drawn.nodes.map((node) => ({
      ...node,
      maxConnections: 0,
      slowStartMs: 0,
      weight: isEqual ? 50 : random.int(1, 5),
    })),
  };
}

class TurnsAudit implements ShardUnderTest {
  readonly #simulated: SimulatedShard;
  readonly #kernel: Kernel;
  readonly #random: Random;
  readonly #tally: Tally;
  readonly #beforeDeath: (simulated: SimulatedShard) => void;
  readonly #undisturbed: RoundRobin;
  readonly #everyNode: Uint8Array;
  /** by index: of the nodes in the order of the first plan */
  readonly #addresses: readonly string[];

  constructor(world: World, kernel: Kernel, tally: Tally, beforeDeath: (simulated: SimulatedShard) => void) {
    const { scenario } = world;
    const plan = planOf(scenario);
    this.#random = new Random(scenario.seed ^ 0x9999_9999);
    this.#tally = tally;
    this.#beforeDeath = beforeDeath;
    this.#addresses = scenario.nodes.map(({ address }) => formatAddress(address));
    const weights = plan.nodes.map(({ weight }) => weight);
    this.#undisturbed = new RoundRobin(weights, 0, 1);
    this.#everyNode = new Uint8Array(weights.length).fill(1);
    this.#kernel = wrapKernel(kernel, {
      after: (call, _, fd) => {
        if (call !== 'openConnection') return;
        const { remote } = world.kernel.endAt(Number(fd));
        this.#connected(remote === undefined ? 'nowhere' : formatAddress(remote));
      },
    });
    this.#simulated = new SimulatedShard(world, this.#kernel, {
      settings: { connectionsMax: 32, connectTimeoutMs: 5000 },
      frontends: [plan],
    });
  }

  #connected(address: string): void {
    this.#tally.connects++;
    const expected = this.#addresses[this.#undisturbed.choose(this.#everyNode)];
    if (address !== expected) throw new Error(`connects to ${address}, the turn is ${expected}'s`);
  }

  turn(): void {
    if (this.#random.chance(0.05)) this.#change();
    if (this.#random.chance(0.05)) this.#die();
    this.#simulated.turn();
  }

  #change(): void {
    const random = this.#random;
    this.#tally.changes++;
    this.#simulated.change((frontend) => ({
      ...frontend,
      label: `frontend-${random.uint32()}`,
      nodes: random.chance(0.5) ? frontend.nodes.toReversed() : frontend.nodes,
    }));
  }

  #die(): void {
    this.#tally.deaths++;
    this.#beforeDeath(this.#simulated);
    this.#simulated.adopt(this.#kernel);
  }

  stop(): void {
    this.#simulated.stop();
  }

  close(): void {
    this.#simulated.close();
  }

  counts() {
    return this.#simulated.counts();
  }
}

function turns(tally: Tally, beforeDeath: (simulated: SimulatedShard) => void = () => {}): RunOptions {
  return {
    turnsMax: 400_000,
    world: WORLD,
    adjust: wellNodes,
    bind: (world, kernel) => new TurnsAudit(world, kernel, tally, beforeDeath),
  };
}

const NO_TALLY: Tally = { connects: 0, changes: 0, deaths: 0 };

test('nodes keep their turns over changes of their frontend and deaths of its shard', () => {
  const tally = { ...NO_TALLY };
  const seeds = freshSeeds(FILE, RUNS);
  const { failure } = runSeeds(seeds, turns(tally));
  expect(failure && describeFailure(failure, FILE)).toBe(undefined);
  if (seeds.length < RUNS.quick) return;
  for (const [what, often] of Object.entries(tally)) expect(often, what).toBeGreaterThan(seeds.length);
});

test('a successor that does not look whose turn it is, is caught', () => {
  const forget = ({ shard }: SimulatedShard) => shard.turns.form.fill(0);
  const { failure } = runSeeds(seedsFrom(1, SABOTAGED_RUNS_MAX), turns({ ...NO_TALLY }, forget));
  expect(failure?.failures.join('\n')).toMatch(/the turn is/);
});
