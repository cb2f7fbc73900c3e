// The settings of the running process, as the API shows them: every variable with the value that is in force, also where the machine
// has decided it.

import type { EffectiveSetting } from '../control/data-plane.ts';
import { rowOf } from './env.ts';
import { VARIABLES, type VariableName } from './environment.ts';
import type { ProcessSettings } from './settings.ts';

export function effectiveSettings(settings: ProcessSettings): EffectiveSetting[] {
  const decided = decidedValues(settings);
  return Object.entries(VARIABLES).map(([key, variable]) => {
    const { name, value, source, meaning } = rowOf(variable);
    return { name, value: decided[key as VariableName] ?? value, source, meaning };
  });
}

/** Those that are limited by the machine, or follow from it. */
function decidedValues({ supervisor, dataDir }: ProcessSettings): Partial<Record<VariableName, string>> {
  const { connectionsMax, pipeBytes, pipes } = supervisor.settings;
  return {
    workers: String(supervisor.shards),
    connectionsMax: String(connectionsMax),
    backlog: String(supervisor.listeners.backlog),
    pipeBytes: String(pipeBytes),
    pipeTotalBytes: String(pipes * supervisor.shards * pipeBytes),
    dataDir,
  };
}
