// A contender is a balancer that the benchmark can start: ours or a peer. All get the same job: one thread, listening on
// the wildcard address, a PROXY header to one node per port.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, startProgram } from '../tests/support/process.ts';
import { listens } from '../tests/support/sockets.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../tests/support/temporary.ts';
import { CONTENDER_CPU, type Command, pinned } from './machine.ts';

/** One listening port and the node behind it. */
export interface Route {
  label: string;
  frontPort: number;
  nodePort: number;
}

export interface Job {
  /** For whatever files it wants to write. */
  directory: string;
  routes: readonly Route[];
  /** Client connections that it must be able to hold. */
  connections: number;
}

export interface Contender {
  name: string;
  proxyVersion: 'v1' | 'v2';
  /** Why it cannot run here; undefined when it can. */
  unavailable(): string | undefined;
  version(): string;
  /** The configuration file: its name and its text. */
  configuration(job: Job): { file: string; text: string };
  command(file: string, job: Job): Command & { env?: Record<string, string> };
  /** What it prints when it listens; without it, only its sockets tell. */
  readyPattern?: RegExp;
}

export interface RunningContender {
  program: Program;
  pid: number;
  stop(): Promise<void>;
}

/** A fresh process, listening on every route. */
export async function startContender(contender: Contender, job: Omit<Job, 'directory'>): Promise<RunningContender> {
  const directory = makeTemporaryDirectory(`bench-${contender.name}`);
  const ownJob = { ...job, directory };
  const { file, text } = contender.configuration(ownJob);
  const path = join(directory, file);
  writeFileSync(path, text);
  const { env, ...command } = contender.command(path, ownJob);
  const program = await startProgram({
    name: contender.name,
    ...pinned(CONTENDER_CPU, command),
    cwd: directory,
    ...(env === undefined ? {} : { env }),
  });
  if (contender.readyPattern !== undefined) await program.waitForOutput(contender.readyPattern);
  for (const { frontPort } of job.routes) {
    await program.waitUntil(`port ${frontPort} to listen`, () => listens(program.pid, frontPort));
  }
  return {
    program,
    pid: program.pid,
    async stop() {
      if (program.exited !== undefined) throw program.failure('it ended during the measurement');
      await program.stop();
      removeTemporaryDirectory(directory);
    },
  };
}
