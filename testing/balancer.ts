// The balancer under test: the real binary, started as a user starts it, with a configuration file of the test's.
// BALANCER_TEST_SUBJECT=haproxy puts HAProxy in its place: a test that fails there too is wrong about TCP, not about us.

import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import type { BalancerSpec, ConfigSpec } from './balancer-spec.ts';
import { DEADLINE_MS } from './deadline.ts';
import { type Exit, type Program, startProgram } from './process.ts';
import { type StandIn, standInCommand } from './stand-in.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from './temporary.ts';

const ROOT = resolve(import.meta.dirname, '..');
export const BALANCER = join(ROOT, 'bin/balancer');

const READY = /^.*\bready\b.*$/m;
const RELOADED = /^.*\bSIGHUP: .*$/m;
/** Within the test's own directory: no two balancers meet there. */
const DATA_DIRECTORY = 'data';

/** The tests' own variables have the balancer's prefix, and it warns about names that it does not know. */
const WITHOUT_TEST_VARIABLES: Record<string, undefined> = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('BALANCER_TEST_'))
    .map((name) => [name, undefined]),
);

export interface BalancerOptions {
  env?: Readonly<Record<string, string | undefined>>;
  /** Further arguments of `balancer run`. */
  args?: readonly string[];
  /** Run as nobody where the tests run as root. */
  unprivileged?: boolean;
}

export class Balancer {
  readonly program: Program;
  readonly configFile: string;
  readonly directory: string;
  readonly #standIn: StandIn | undefined;

  constructor(program: Program, directory: string, configFile: string, standIn: StandIn | undefined) {
    this.program = program;
    this.directory = directory;
    this.configFile = configFile;
    this.#standIn = standIn;
  }

  /** Where its status socket is. */
  get dataDirectory(): string {
    return join(this.directory, DATA_DIRECTORY);
  }

  get pid(): number {
    return this.program.pid;
  }

  /** Resident memory of the process. */
  rssBytes(): number {
    const kilobytes = readFileSync(`/proc/${this.pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m)?.[1];
    if (kilobytes === undefined) throw this.program.failure('no VmRSS in /proc');
    return Number(kilobytes) * 1024;
  }

  /** How many descriptors the process has open. */
  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  signal(name: NodeJS.Signals): void {
    this.program.signal(name);
  }

  /** Replaces the file the way an editor does, sends SIGHUP, and waits for the log line that says how it went. */
  async reload(spec: BalancerSpec | string): Promise<string> {
    if (this.#standIn !== undefined) throw new Error(`${this.#standIn.name} does not reload in place`);
    const from = this.program.output.length;
    writeConfig(this.configFile, spec);
    this.signal('SIGHUP');
    const [line] = await this.program.waitForOutput(RELOADED, undefined, from);
    return line;
  }

  /** SIGTERM, the drain, the end. Fails when it had to be killed, because the drain has a deadline. */
  async stop(): Promise<Exit> {
    const exit = await this.program.stop(DEADLINE_MS);
    removeTemporaryDirectory(this.directory);
    if (exit.signal === 'SIGKILL') throw this.program.failure(`did not end within ${DEADLINE_MS} ms of SIGTERM`);
    return exit;
  }
}

function writeConfig(file: string, spec: BalancerSpec | string): void {
  writeFileSync(`${file}.new`, typeof spec === 'string' ? spec : stringify(spec));
  renameSync(`${file}.new`, file);
}

/** Starts the balancer and waits until everything listens. */
export async function startBalancer(spec: BalancerSpec, options: BalancerOptions = {}): Promise<Balancer> {
  const directory = makeTemporaryDirectory('run');
  const configFile = join(directory, 'balancer.yaml');
  writeConfig(configFile, spec);
  const standIn = standInCommand(spec, directory);
  const program = await startProgram({
    name: standIn?.name ?? 'balancer',
    command: standIn?.command ?? BALANCER,
    args: standIn?.args ?? ['run', '-f', configFile, ...(options.args ?? [])],
    env: {
      ...WITHOUT_TEST_VARIABLES,
      BALANCER_DRAIN_TIMEOUT_MS: '2000',
      BALANCER_DATA_DIR: join(directory, DATA_DIRECTORY),
      // They would all want the same port.
      BALANCER_ADMIN_ADDRESS: 'off',
      ...options.env,
    },
    cwd: directory,
    unprivileged: options.unprivileged === true,
  });
  try {
    if (standIn !== undefined) await program.waitUntil('the stand-in to listen', () => standIn.ready(program.pid));
    else await program.waitForOutput(READY, DEADLINE_MS);
  } catch (error) {
    // The test gets no Balancer to stop.
    program.killGroup();
    removeTemporaryDirectory(directory);
    throw error;
  }
  return new Balancer(program, directory, configFile, standIn);
}

/**
 * The environment of a balancer that takes faults from stdin and keeps to other times than its own: names
 * and meanings are in workers/pace.ts, and the balancer refuses what it does not know.
 */
export function paced(pace: Readonly<Record<string, number>>): Record<string, string> {
  const text = Object.entries(pace).map(([name, ms]) => `${name}=${ms}`);
  return { BALANCER_TEST_FAULTS: '1', BALANCER_TEST_PACE: text.join() };
}

/** The smallest configuration: one port, some nodes, IPv4 or both families. */
export function onePort(config: ConfigSpec, front: { ipv4?: string; ipv6?: string } = {}): BalancerSpec {
  return { nodebalancers: [{ label: 'test', ipv4: '127.0.0.1', ...front, configs: [config] }] };
}
