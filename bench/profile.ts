// `npm run bench -- profile`: where the time goes, in the kernel and outside of it, for each chosen scenario and contender. Puts the
// parts together: tools (what is possible here), loads, watching, and the text. A profile explains a figure; it is none, because
// whoever is watched is slower.

import { makeTemporaryDirectory, removeTemporaryDirectory } from '../testing/temporary.ts';
import { type Contender, routesTo, startContender } from './contender.ts';
import type { BenchNode } from './node.ts';
import { type Options, UsageError } from './options.ts';
import { formatProfiles } from './profile/format.ts';
import { PROFILE_LOADS, type ProfileLoad } from './profile/loads.ts';
import { noteNames, removeNames, withNames } from './profile/names.ts';
import { type Profile, type ScenarioProfile, sampledSeconds, takeProfile } from './profile/take.ts';
import { probeTools, type Tools } from './profile/tools.ts';
import { connectionLimit, withNode } from './rounds.ts';

/**
 * @param scenarios names; those without a profile are left out, which the text says
 * @param say told what is being profiled
 * @returns the text to print: for a reader, or JSON with `options.json`
 * @throws UsageError when none of the scenarios has a profile
 */
export async function runProfile(
  options: Pick<Options, 'scale' | 'json'>,
  contenders: readonly Contender[],
  scenarios: readonly string[],
  say: (text: string) => void = () => {},
): Promise<string> {
  const { scale, json } = options;
  const loads = PROFILE_LOADS.filter(({ name }) => scenarios.includes(name));
  const possible = PROFILE_LOADS.map(({ name }) => name).join(', ');
  if (loads.length === 0) throw new UsageError(`${scenarios.join(', ')}: only ${possible} have a profile`);
  const leftOut = scenarios.filter((name) => !loads.some((load) => load.name === name));
  const tools = probeTools();
  const notes = [...tools.notes, ...(leftOut.length > 0 ? [`${leftOut.join(', ')}: no profile of these`] : [])];

  const profiles = await withNode(scale, (node) => takeProfiles(loads, contenders, { scale, node, tools, say }));
  return json ? `${JSON.stringify({ notes, scenarios: profiles }, null, 2)}\n` : formatProfiles(profiles, notes);
}

interface Setting {
  scale: Options['scale'];
  node: BenchNode;
  tools: Tools;
  say(text: string): void;
}

async function takeProfiles(
  loads: readonly ProfileLoad[],
  contenders: readonly Contender[],
  setting: Setting,
): Promise<ScenarioProfile[]> {
  const scenarios: ScenarioProfile[] = [];
  for (const load of loads) {
    const profiles: Profile[] = [];
    for (const contender of contenders) {
      setting.say(`profile ${load.name} ${contender.name}`);
      profiles.push(await profileOne(load, contender, setting));
    }
    const description = `${load.describe(setting.scale)}, ${sampledSeconds(setting.scale)} s`;
    scenarios.push({ name: load.name, description, unit: load.unit, profiles });
  }
  return scenarios;
}

async function profileOne(load: ProfileLoad, contender: Contender, { scale, node, tools }: Setting): Promise<Profile> {
  const routes = await routesTo(node, contender.headers[0]);
  const running = await startContender(withNames(contender), { routes, connections: connectionLimit() });
  const { program, pid } = running;
  noteNames(pid);
  const directory = makeTemporaryDirectory('bench-profile');
  try {
    const subject = { contender: contender.name, root: contender.root, running };
    const profile = await takeProfile(subject, load, scale, tools, directory);
    await running.stop();
    return profile;
  } catch (error) {
    throw new Error(`profile of ${contender.name}, scenario ${load.name}`, { cause: error });
  } finally {
    if (program.exited === undefined) program.killGroup();
    await program.exit;
    removeTemporaryDirectory(directory);
    removeNames(pid);
  }
}
