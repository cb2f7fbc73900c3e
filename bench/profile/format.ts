// Profiles as text: per scenario one table with the contenders side by side, system calls with their share of time and their number,
// then the functions at the top, contender by contender. Only formatting.

import { figure } from '../figures.ts';
import { formatTable, left, right } from '../table.ts';
import type { Share } from './shares.ts';
import type { Profile, ScenarioProfile } from './take.ts';

/** A system call below both is noise: it is part of the sum, and not worth a line. */
const SHARE_SHOWN_MIN = 0.005;
const PER_UNIT_SHOWN_MIN = 0.02;
const CALLS_SHOWN = 20;

/** For whoever wonders about the function that is always on top. */
const CATCH = `A system call's share includes what it calls, a function's does not. Where the clock that takes the samples cannot interrupt
(interrupts are off), it strikes right after: _raw_spin_unlock_irqrestore and the like stand for what ran before them.`;

export function formatProfiles(scenarios: readonly ScenarioProfile[], notes: readonly string[]): string {
  const lines = notes.map((note) => `note: ${note}`);
  if (notes.length > 0) lines.push('');
  for (const scenario of scenarios) lines.push(...formatScenario(scenario), '');
  const hasStacks = scenarios.some(({ profiles }) => profiles.some(({ time }) => time !== undefined));
  if (hasStacks) lines.push(CATCH);
  return `${lines.join('\n').trimEnd()}\n`;
}

function formatScenario({ name, description, unit, profiles }: ScenarioProfile): string[] {
  const row = (title: string, cells: (profile: Profile) => [string, string]) => [
    left(title),
    ...profiles.flatMap((profile) => cells(profile).map(right)),
  ];
  return [
    `${name}: ${description}; shares of own CPU time, and how often per ${unit}`,
    ...formatTable([
      row('', ({ contender }) => [contender, `/${unit}`]),
      row('own CPU, us', ({ ownUsPerUnit }) => ['', figure(ownUsPerUnit)]),
      row('in the kernel', ({ kernelShare }) => [percent(kernelShare), '']),
      ...callNames(profiles).map((call) => row(`  ${call}`, (profile) => callCells(profile, call))),
      row('  other kernel', ({ time }) => [percent(time?.otherKernelShare), '']),
      row('system calls in all', ({ calls }) => ['', perUnit(calls?.total)]),
      row('samples', ({ time }) => [time === undefined ? '-' : String(time.samples), '']),
    ]),
    ...profiles.flatMap(formatTopFunctions),
  ];
}

/** All that matter to anybody, what costs most first. */
function callNames(profiles: readonly Profile[]): string[] {
  const weights = new Map<string, number>();
  const weigh = (name: string, weight: number) => weights.set(name, Math.max(weights.get(name) ?? 0, weight));
  for (const { time, calls } of profiles) {
    for (const { name, share } of time?.systemCalls ?? []) if (share >= SHARE_SHOWN_MIN) weigh(name, 1 + share);
    for (const [name, often] of Object.entries(calls?.calls ?? {})) {
      // Below any that has a share, however often it is made.
      if (often >= PER_UNIT_SHOWN_MIN) weigh(name, often / (1 + often));
    }
  }
  return [...weights]
    .sort((a, b) => b[1] - a[1])
    .slice(0, CALLS_SHOWN)
    .map(([name]) => name);
}

/** Blank is "never", a dash "not known". */
function callCells({ time, calls }: Profile, call: string): [string, string] {
  const share = time?.systemCalls.find(({ name }) => name === call)?.share ?? 0;
  const often = calls?.calls[call] ?? 0;
  return [
    time !== undefined && share === 0 ? '' : percent(time && share),
    calls !== undefined && often === 0 ? '' : perUnit(calls && often),
  ];
}

function perUnit(count: number | undefined): string {
  return count === undefined ? '-' : count.toFixed(2);
}

function percent(share: number | undefined): string {
  return share === undefined ? '-' : `${(100 * share).toFixed(1)}%`;
}

function formatTopFunctions({ contender, time }: Profile): string[] {
  if (time === undefined) return [];
  return [
    ...formatFunctions(`${contender}, user space`, time.userFunctions),
    ...formatFunctions(`${contender}, kernel`, time.kernelFunctions),
  ];
}

function formatFunctions(title: string, functions: readonly Share[]): string[] {
  return [`  ${title}:`, ...functions.map(({ name, share }) => `  ${percent(share).padStart(7)} ${name}`)];
}
