// The real binary in ways that startBalancer has no need of: runs that end by themselves, and runs through a shell that changes
// limits or redirects output first.

import { join } from 'node:path';
import { stringify } from 'yaml';
import { BALANCER, Balancer } from '../../../testing/balancer.ts';
import type { BalancerSpec } from '../../../testing/balancer-spec.ts';
import { fileWith } from '../../../testing/files.ts';
import { type ProgramOptions, startProgram } from '../../../testing/process.ts';

/** No variable of the balancer but those that a test sets. */
export const BARE_ENVIRONMENT: Readonly<Record<string, undefined>> = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('BALANCER_'))
    .map((name) => [name, undefined]),
);

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
  /** of stderr, without empty ones */
  lines: string[];
}

/** Runs the binary to its end. */
export async function runBinary(
  args: readonly string[],
  options: Pick<ProgramOptions, 'env' | 'unprivileged'> = {},
): Promise<Ran> {
  const program = await startProgram({
    name: `balancer ${args.join(' ')}`,
    command: BALANCER,
    args,
    ...options,
    env: { ...BARE_ENVIRONMENT, ...options.env },
  });
  program.closeInput();
  try {
    const { code } = await program.waitForExit();
    const { stdout, stderr } = program;
    return { code, stdout, stderr, lines: stderr.split('\n').filter((line) => line !== '') };
  } finally {
    program.killGroup();
  }
}

/** Starts the balancer from a shell that does something first: `$@` is the command, which the script has to exec. */
export async function startThroughShell(
  script: string,
  spec: BalancerSpec,
  env: Readonly<Record<string, string>> = {},
): Promise<Balancer> {
  const configFile = fileWith(stringify(spec));
  const directory = join(configFile, '..');
  const program = await startProgram({
    name: 'balancer',
    command: '/bin/sh',
    args: ['-c', script, 'sh', BALANCER, 'run', '-f', configFile],
    env: { ...BARE_ENVIRONMENT, BALANCER_DRAIN_TIMEOUT_MS: '2000', BALANCER_ADMIN_ADDRESS: 'off', ...env },
    cwd: directory,
  });
  try {
    await program.waitForOutput(/^balancer ready\b/m);
  } catch (error) {
    program.killGroup();
    throw error;
  }
  return new Balancer(program, directory, configFile, undefined);
}
