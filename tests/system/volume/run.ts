// Starts the two ends of a volume test, runs a job through whatever stands between them, and says what both ends counted.

import { resolve } from 'node:path';
import { type Program, startProgram } from '../../../testing/process.ts';
import type { Job } from './client.ts';
import type { Totals } from './protocol.ts';

export const VOLUME_DEADLINE_MS = 180_000;

export interface Outcome {
  atClient: Totals;
  /** Only what this job added. */
  atNode: Totals;
}

function startPart(name: string, file: string, argument: string): Promise<Program> {
  return startProgram({
    name,
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', resolve(import.meta.dirname, file), argument],
  });
}

export async function startVolumeNode(port: number): Promise<Program> {
  const node = await startPart('volume node', 'node.ts', String(port));
  await node.waitForOutput(/ready/);
  return node;
}

async function totalsOf(node: Program): Promise<Totals> {
  const from = node.output.length;
  node.write('totals\n');
  const [line] = await node.waitForOutput(/^\{.*\}$/m, undefined, from);
  return JSON.parse(line);
}

export async function runVolume(node: Program, job: Job): Promise<Outcome> {
  const before = await totalsOf(node);
  const client = await startPart('volume client', 'client.ts', JSON.stringify(job));
  const [line] = await client.waitForOutput(/^\{.*\}$/m, VOLUME_DEADLINE_MS);
  const exit = await client.waitForExit();
  if (exit.code !== 0) throw client.failure('it failed');
  const after = await totalsOf(node);
  const atNode: Totals = {
    sessions: after.sessions - before.sessions,
    bytesUp: after.bytesUp - before.bytesUp,
    bytesDown: after.bytesDown - before.bytesDown,
    problemCount: after.problemCount - before.problemCount,
    problems: after.problems.slice(before.problems.length),
  };
  return { atClient: JSON.parse(line), atNode };
}
