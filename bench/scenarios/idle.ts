// Scenario `idle`: how much memory a connection costs that has had one answer and now only waits, and what the contender's CPU does
// meanwhile. Growth is counted from the first step on: it is what each further connection takes, without what the process makes once
// for the first of them. It alone would hide that, and tables that were allocated at start, so the totals stand beside it.
// Sockets and pipes live in the kernel and are not in these figures, for no contender. What is counted as memory stands in
// ../meters.ts.

import { type RequestLoad, runRequestLoad } from '../load/requests.ts';
import { measureCpu, memoryBytes } from '../meters.ts';
import { startLoadProgram } from '../node.ts';
import type { Scale } from '../options.ts';
import type { Sample, Scenario } from '../scenario.ts';

const DEADLINE_MS = 60_000;
const MIB = 1024 * 1024;

export const idle: Scenario = {
  name: 'idle',
  describe: ({ idleSteps }) => `memory of the whole process tree at 0, ${idleSteps.join(', ')} idle connections`,
  metrics: ({ idleSteps }) => [
    { id: 'growthBytes', label: 'growth per connection', unit: 'B', better: 'lower' },
    ...[0, ...idleSteps].map(
      (count) => ({ id: `at${count}`, label: `memory at ${count}`, unit: 'MiB', better: 'none' }) as const,
    ),
    { id: 'ownIdle', label: `own CPU while ${idleSteps.at(-1)} idle`, unit: 'ms/s', better: 'none' },
  ],
  async measure({ scale, start }): Promise<Sample> {
    const contender = await start();
    if (scale.warmUpSeconds > 0) await runRequestLoad(warmUpOf(contender.httpPort, scale));
    const client = await startLoadProgram('idle client', 'idle-client.ts', [String(contender.httpPort)]);
    const figures: Record<string, number> = { at0: memoryBytes(contender.pid) / MIB };
    const steps: { count: number; bytes: number }[] = [];
    for (const count of scale.idleSteps) {
      client.write(`${count}\n`);
      await client.waitForOutput(new RegExp(`^open ${count}$`, 'm'), DEADLINE_MS);
      const bytes = memoryBytes(contender.pid);
      steps.push({ count, bytes });
      figures[`at${count}`] = bytes / MIB;
    }
    figures.growthBytes = slope(steps);
    const { ownUs } = await measureCpu(contender.pid, () => pause(scale.idleSeconds));
    figures.ownIdle = ownUs / 1000 / scale.idleSeconds;
    client.closeInput();
    await client.waitForExit();
    return { figures };
  },
};

/** Bytes per connection between the first step and the last. */
function slope(steps: readonly { count: number; bytes: number }[]): number {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined || first === last) throw new Error('growth needs two steps');
  return (last.bytes - first.bytes) / (last.count - first.count);
}

/** What the first connections of a process take is theirs alone. */
function warmUpOf(port: number, { keepaliveConnections, warmUpSeconds }: Scale): RequestLoad {
  return { port, connections: keepaliveConnections, newConnections: true, seconds: warmUpSeconds };
}

/** The one place where time itself is what is waited for. */
function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
