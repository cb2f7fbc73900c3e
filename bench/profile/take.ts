// The profile of one contender under one load: a warm-up, then one run for stacks and another for system calls, because counting
// calls slows them and would show up in the time. What a profile is stands here too, as plain JSON.

import type { RunningContender } from '../contender.ts';
import { measureCpu } from '../meters.ts';
import type { Scale } from '../options.ts';
import { type CallRates, ratesOf } from './calls.ts';
import type { ProfileLoad } from './loads.ts';
import { summarize, type TimeShares } from './shares.ts';
import type { Tools } from './tools.ts';
import { countCallsWithPerf, countCallsWithStrace, type Load, sampleStacks } from './watch.ts';

export interface ScenarioProfile {
  name: string;
  description: string;
  /** what calls and CPU time are counted per */
  unit: string;
  profiles: Profile[];
}

export interface Profile {
  contender: string;
  /** 0..1; of the samples, or else from /proc */
  kernelShare: number;
  /** With perf at work: a little more than the scenario of the same name says. */
  ownUsPerUnit: number;
  /** absent where stacks cannot be sampled */
  time?: TimeShares;
  /** absent where nothing counts them */
  calls?: CallRates;
}

export interface Subject {
  contender: string;
  /** of its source tree, for names of its files */
  root?: string | undefined;
  running: RunningContender;
}

/** Counts are exact after any time; what has 1 % of it needs some thousand samples to be told from nothing. */
const ROUNDS_SAMPLED = 3;

export function sampledSeconds({ httpSeconds }: Scale): number {
  return ROUNDS_SAMPLED * httpSeconds;
}

export async function takeProfile(
  { contender, root, running }: Subject,
  load: ProfileLoad,
  scale: Scale,
  tools: Tools,
  directory: string,
): Promise<Profile> {
  const run: Load = () => load.run(running, scale, scale.httpSeconds);
  const sampled: Load = () => load.run(running, scale, sampledSeconds(scale));
  // Longer than a round's: a cold process would show the compiler at work, and not what it compiles.
  await run();
  const { ownUs, kernelShare, units, time } = await takeTime(running.pid, sampled, tools, directory, root);
  const calls = await takeCalls(running.pid, run, tools, directory);
  return {
    contender,
    kernelShare: time?.kernelShare ?? kernelShare,
    ownUsPerUnit: ownUs / units,
    ...(time === undefined ? {} : { time }),
    ...(calls === undefined ? {} : { calls }),
  };
}

async function takeTime(pid: number, run: Load, { canSample }: Tools, directory: string, root: string | undefined) {
  if (!canSample) {
    const { result: units, ...use } = await measureCpu(pid, run);
    return { ...use, units, time: undefined };
  }
  // Measured around the load alone: perf takes its time to attach.
  let use = { ownUs: 0, kernelShare: 0 };
  const { found, units } = await sampleStacks(pid, directory, async () => {
    const { result, ...measured } = await measureCpu(pid, run);
    use = measured;
    return result;
  });
  return { ...use, units, time: summarize(found, root) };
}

async function takeCalls(
  pid: number,
  run: Load,
  { counter }: Tools,
  directory: string,
): Promise<CallRates | undefined> {
  if (counter === undefined) return undefined;
  const count = counter === 'perf' ? countCallsWithPerf : countCallsWithStrace;
  const { found, units } = await count(pid, directory, run);
  return ratesOf(found, units);
}
