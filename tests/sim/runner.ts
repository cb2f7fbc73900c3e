// Runs seeds: scenario -> world -> shard, turn by turn, with the invariants after every turn. The first failing seed is
// reported with the command that runs it alone, and with the last system calls before the failure: since a seed is the whole
// run, they come from running it once more with a trace.

import type { Kernel } from '../../core/linux/kernel.ts';
import { describeReplay, firstSeed, replayedOf, runsWanted } from '../../testing/suite/seeds.ts';
import { bySize, type Size } from '../../testing/suite/size.ts';
import { type Excused, Invariants, type ShardCounts } from './invariants.ts';
import { createScenario, describeScenario, type Scenario } from './scenario.ts';
import { World, type WorldOptions } from './world.ts';
import { tracedKernel } from './wrapped-kernel.ts';

/** The code under test, as much of it as a run needs. */
export interface ShardUnderTest {
  /** One wait and the handling of what it reported. */
  turn(): void;
  /** Accept nothing more, let the sessions end. */
  stop(): void;
  /** Give everything back that is still open. */
  close(): void;
  counts(): ShardCounts;
}

export interface RunOptions {
  /** Starts the code under test in `world`. All its system calls go to `kernel`. */
  bind(world: World, kernel: Kernel): ShardUnderTest;
  readonly world?: WorldOptions;
  readonly excused?: Excused;
  /** Adjusts what the seed gave, for tests of one thing. */
  adjust?(scenario: Scenario): Scenario;
  readonly turnsMax?: number;
  readonly simulatedMsMax?: number;
}

export interface RunResult {
  readonly scenario: Scenario;
  readonly failures: readonly string[];
  readonly turns: number;
  readonly simulatedMs: number;
  readonly calls: number;
  /** The last system calls, if the run was traced. */
  readonly trace: readonly string[];
}

const TURNS_MAX = 20_000;
const SIMULATED_MS_MAX = 600_000;
/** After the last script: late FINs, resets and lingering closes. */
const QUIET_MS = 5000;
const TRACE_LINES = 60;

export function runSeed(seed: number, options: RunOptions, traceLines = 0): RunResult {
  const drawn = createScenario(seed);
  const scenario = options.adjust?.(drawn) ?? drawn;
  const world = new World(scenario, options.world);
  const { kernel } = world;
  const trace: string[] = [];
  const invariants = new Invariants(world, options.excused);
  const startMs = kernel.nowMs();
  let turns = 0;
  let failures: string[] = [];
  try {
    const shard = options.bind(world, traceLines > 0 ? tracedKernel(kernel, traceLines, trace) : kernel);
    const untilMs = startMs + (options.simulatedMsMax ?? SIMULATED_MS_MAX);
    const turn = () => {
      shard.turn();
      turns++;
      failures = invariants.afterStep(shard.counts());
      return failures.length === 0 && turns < (options.turnsMax ?? TURNS_MAX) && kernel.nowMs() < untilMs;
    };
    while (!(world.finished && shard.counts().active === 0) && turn());
    shard.stop();
    // Stopping takes who still waited in a backlog: such sessions may go on for a while.
    let quietMs = kernel.nowMs() + QUIET_MS;
    while (failures.length === 0 && kernel.nowMs() < quietMs && turn()) {
      if (shard.counts().active > 0) quietMs = kernel.nowMs() + QUIET_MS;
    }
    if (failures.length === 0) {
      shard.close();
      failures = invariants.atEnd(shard.counts());
    }
  } catch (error) {
    failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return { scenario, failures, turns, simulatedMs: kernel.nowMs() - startMs, calls: kernel.calls, trace };
}

export interface ManyRuns {
  readonly runs: number;
  readonly turns: number;
  readonly calls: number;
  readonly failure: RunResult | undefined;
}

/** Stops at the first failing seed. */
export function runSeeds(seeds: readonly number[], options: RunOptions): ManyRuns {
  let turns = 0;
  let calls = 0;
  for (const [index, seed] of seeds.entries()) {
    const result = runSeed(seed, options);
    turns += result.turns;
    calls += result.calls;
    if (result.failures.length > 0) {
      return { runs: index + 1, turns, calls, failure: runSeed(seed, options, TRACE_LINES) };
    }
  }
  return { runs: seeds.length, turns, calls, failure: undefined };
}

/** `count` seeds that follow each other. */
export function seedsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/**
 * The seeds of this run for a test file: those that have failed in it before, then fresh ones.
 * @param usual how many fresh ones, where SIM_RUNS says nothing else
 */
export function freshSeeds(testFile: string, usual: Readonly<Record<Size, number>>): number[] {
  const replayed = replayedOf(testFile).map(({ seed }) => seed);
  return [...replayed, ...seedsFrom(firstSeed(), runsWanted(bySize(usual)))];
}

/** @param testFile the file to name in the replay command */
export function describeFailure(result: RunResult, testFile: string): string {
  return [
    describeScenario(result.scenario),
    ...result.failures.slice(0, 12).map((failure) => `  ${failure}`),
    `after ${result.turns} turns and ${result.simulatedMs.toFixed(3)} simulated ms`,
    describeReplay(testFile, result.scenario.seed),
    ...(result.trace.length > 0 ? ['the last system calls:', ...result.trace.map((line) => `  ${line}`)] : []),
  ].join('\n');
}
