// Scenario `micro`: what single steps of the core cost, in nanoseconds, with nothing around them. It shows which change made a step
// dearer; what a step means for a connection only the other scenarios can say. Peers have no place here.

import { resolve } from 'node:path';
import { runProgram } from '../../testing/process.ts';
import type { Contender } from '../contender.ts';
import { CONTENDER_CPU, pinned } from '../machine.ts';
import { OPERATIONS } from '../micro/catalogue.ts';
import type { MicroResult } from '../micro/main.ts';
import type { Scenario } from '../scenario.ts';

const PROGRAM = resolve(import.meta.dirname, '../micro/main.ts');
const DEADLINE_MS = 60_000;

export const micro: Scenario = {
  name: 'micro',
  describe: ({ httpSeconds }) =>
    `${OPERATIONS.length} steps of the core alone, batches of at least 1 ms, their median, ${httpSeconds} s per round`,
  metrics: () => OPERATIONS.map(({ id, label }) => ({ id, label, unit: 'ns', better: 'lower' })),
  leavesOut: (contender) => (contender.root === undefined ? 'it has no core that could be imported' : undefined),
  async measure({ scale, contender }) {
    const { figures, missing } = await runMicro(rootOf(contender), scale.httpSeconds);
    if (Object.keys(figures).length === 0) throw new Error(`nothing to time: ${missing.join('; ')}`);
    return { figures };
  },
};

function rootOf({ name, root }: Contender): string {
  if (root === undefined) throw new Error(`${name} has no core that could be imported`);
  return root;
}

/** @param root of the tree whose core it is */
export async function runMicro(root: string, seconds: number): Promise<MicroResult> {
  const command = { command: process.execPath, args: [PROGRAM, root, String(seconds)] };
  const program = await runProgram({ name: 'micro', ...pinned(CONTENDER_CPU, command) }, DEADLINE_MS);
  return JSON.parse(program.stdout);
}
