// Scenario `idle`: how much memory a connection costs that has had one answer and now only waits. Growth alone would hide
// tables that were allocated at start, so the totals stand beside it. Sockets and pipes live in the kernel and are not
// in these figures, for no contender.

import { pssBytes } from '../meters.ts';
import { startLoadProgram } from '../node.ts';
import type { Sample, Scenario } from '../scenario.ts';

const DEADLINE_MS = 60_000;
const MIB = 1024 * 1024;

export const idle: Scenario = {
  name: 'idle',
  describe: ({ idleSteps }) => `memory (PSS) of the whole process tree at 0, ${idleSteps.join(', ')} idle connections`,
  metrics: ({ idleSteps }) => [
    { id: 'growth', label: 'growth per connection', unit: 'B', better: 'lower' },
    ...[0, ...idleSteps].map(
      (count) => ({ id: `at${count}`, label: `memory at ${count}`, unit: 'MiB', better: 'none' }) as const,
    ),
  ],
  async measure({ scale, contender, httpFrontPort }): Promise<Sample> {
    const client = await startLoadProgram('idle client', 'idle-client.ts', [String(httpFrontPort)]);
    const totals: Sample = {};
    const first = pssBytes(contender.pid);
    totals.at0 = first / MIB;
    let last = first;
    let connections = 1;
    for (const count of scale.idleSteps) {
      client.write(`${count}\n`);
      await client.waitForOutput(new RegExp(`^open ${count}$`, 'm'), DEADLINE_MS);
      last = pssBytes(contender.pid);
      connections = count;
      totals[`at${count}`] = last / MIB;
    }
    client.closeInput();
    await client.waitForExit();
    return { growth: (last - first) / connections, ...totals };
  },
};
