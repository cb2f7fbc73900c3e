// Runs seeds: scenario -> world -> shard, turn by turn, with the invariants after every turn. The first failing seed is
// reported with the command that runs it alone, and with the last system calls before the failure: since a seed is the whole
// run, they come from running it once more with a trace.

import type { Kernel } from '../../core/linux/kernel.ts';
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
export function runSeeds(first: number, count: number, options: RunOptions): ManyRuns {
  let turns = 0;
  let calls = 0;
  for (let seed = first; seed < first + count; seed++) {
    const result = runSeed(seed, options);
    turns += result.turns;
    calls += result.calls;
    if (result.failures.length > 0) {
      return { runs: seed - first + 1, turns, calls, failure: runSeed(seed, options, TRACE_LINES) };
    }
  }
  return { runs: count, turns, calls, failure: undefined };
}

/** `SIM_SEED` runs one seed, `SIM_FIRST` and `SIM_RUNS` another range. */
export function seedRange(defaultCount: number): { first: number; count: number } {
  const { SIM_SEED, SIM_FIRST, SIM_RUNS } = process.env;
  if (SIM_SEED !== undefined) return { first: Number(SIM_SEED), count: 1 };
  return { first: Number(SIM_FIRST ?? 1), count: Number(SIM_RUNS ?? defaultCount) };
}

/** @param testFile the file to name in the replay command */
export function describeFailure(result: RunResult, testFile: string): string {
  return [
    describeScenario(result.scenario),
    ...result.failures.slice(0, 12).map((failure) => `  ${failure}`),
    `after ${result.turns} turns and ${result.simulatedMs.toFixed(3)} simulated ms`,
    `run it alone: SIM_SEED=${result.scenario.seed} npm test -- ${testFile}`,
    ...(result.trace.length > 0 ? ['the last system calls:', ...result.trace.map((line) => `  ${line}`)] : []),
  ].join('\n');
}
