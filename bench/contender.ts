// A contender is a balancer that the benchmark can start: ours or a peer. All get the same job: listening on the wildcard address
// with so many worker threads, a header of a kind to one node per port. What each of them needs for that is in bench/peers/;
// nothing here knows one of them by name, and nothing here measures.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../testing/ports.ts';
import { type Program, startProgram } from '../testing/process.ts';
import { listens } from '../testing/sockets.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../testing/temporary.ts';
import { CONTENDER_CPU, type Command, pinned } from './machine.ts';

/** Nobody measures the end: one that drains for longer is killed. */
const STOP_GRACE_MS = 5000;

/** What goes out in front of each connection. `v2+crc32c`: v2 with a checksum TLV. */
export type HeaderKind = 'none' | 'v1' | 'v2' | 'v2+crc32c';

/** One listening port and the node behind it. */
export interface Route {
  label: string;
  frontPort: number;
  nodePort: number;
  header: HeaderKind;
}

export interface Job {
  /** For whatever files it wants to write. */
  directory: string;
  routes: readonly Route[];
  /** Client connections that it must be able to hold. */
  connections: number;
  /** Worker threads, or processes where that is the contender's way. */
  workers: number;
  /** One line of JSON per ended session in this file, where the contender can. */
  sessionLog?: string;
  /** Set up for big streams, where the contender has settings that help them and cost others something. */
  bigStreams?: boolean;
  /** Health checks, stickiness and the throttle on, where the contender has them. */
  poolFeatures?: boolean;
}

export interface Contender {
  name: string;
  /** What it can send; the first is what it sends unless a scenario asks for another. */
  headers: readonly [HeaderKind, ...HeaderKind[]];
  workersMax: number;
  /** Whether it can write a line of JSON per ended session; absent: it cannot. */
  keepsSessionLog?: boolean;
  /** Whether it can be set up with health checks, stickiness and a throttle; absent: it cannot, or not here. */
  hasPoolFeatures?: boolean;
  /** Where its source tree lies, of a contender that is this project in some revision. Others have none. */
  root?: string;
  /** Why it cannot run here; undefined when it can. */
  unavailable(): string | undefined;
  version(): string;
  /** The configuration file: its name and its text. */
  configuration(job: Job): { file: string; text: string };
  command(file: string, job: Job): Command & { env?: Record<string, string> };
  /** What it prints when it listens; without it, only its sockets tell. */
  readyPattern?: RegExp;
}

/** What a scenario may ask for when it starts a contender. */
export interface Setup {
  /** default: the first of the contender's headers */
  header?: HeaderKind;
  /** default: 1 */
  workers?: number;
  /** default: true. Bound to one CPU, which only a single worker can be. */
  isPinned?: boolean;
  /** keep a line per ended session, where the contender can */
  logsSessions?: boolean;
  /** default: false. Where big streams flow, a peer gets the settings that are best for them. */
  bigStreams?: boolean;
  /** default: false */
  poolFeatures?: boolean;
}

export interface RunningContender {
  program: Program;
  pid: number;
  header: HeaderKind;
  /** to nginx: `/small`, `/big` */
  httpPort: number;
  /** to the sink */
  sinkPort: number;
  /** It was asked to keep a line per ended session, and can. */
  logsSessions: boolean;
  /** The lines of ended sessions so far; empty where it keeps none. */
  endedSessions(): Record<string, unknown>[];
  stop(): Promise<void>;
}

/** The routes that every running contender has, by their labels. */
const HTTP = 'http';
const SINK = 'sink';

export interface NodePorts {
  /** expects a PROXY header */
  httpPort: number;
  /** expects none */
  plainHttpPort: number;
  /** takes either */
  sinkPort: number;
}

/** The usual two routes to the node, on free ports. */
export async function routesTo(node: NodePorts, header: HeaderKind): Promise<Route[]> {
  const [httpPort = 0, sinkPort = 0] = await freePorts(2);
  const httpNodePort = header === 'none' ? node.plainHttpPort : node.httpPort;
  return [
    { label: HTTP, frontPort: httpPort, nodePort: httpNodePort, header },
    { label: SINK, frontPort: sinkPort, nodePort: node.sinkPort, header },
  ];
}

/** A Setup for these routes; the header is theirs. */
export interface Start extends Omit<Setup, 'header'> {
  routes: readonly Route[];
  connections: number;
}

/** A fresh process, listening on every route. One that does not come up is ended, and the error says what it said. */
export async function startContender(contender: Contender, start: Start): Promise<RunningContender> {
  const { routes, connections, workers = 1, isPinned = true, bigStreams = false, poolFeatures = false } = start;
  if (workers > contender.workersMax) throw new Error(`${contender.name} has ${contender.workersMax} workers at most`);
  const directory = makeTemporaryDirectory('bench-contender');
  const logsSessions = start.logsSessions === true && contender.keepsSessionLog === true;
  const sessionLog = logsSessions ? { sessionLog: join(directory, 'sessions.jsonl') } : {};
  const job: Job = { directory, routes, connections, workers, bigStreams, poolFeatures, ...sessionLog };
  // Several workers would share the one CPU, and measure nothing but each other.
  const cpu = isPinned && workers === 1 ? CONTENDER_CPU : 'any';
  const program = await startProgramFor(contender, job, cpu);
  try {
    await untilReady(program, contender, routes);
  } catch (error) {
    program.killGroup();
    await program.exit;
    removeTemporaryDirectory(directory);
    throw startFailure(program, contender, job, error);
  }
  return running(program, job);
}

async function startProgramFor(contender: Contender, job: Job, cpu: number | 'any'): Promise<Program> {
  const { file, text } = contender.configuration(job);
  const path = join(job.directory, file);
  writeFileSync(path, text);
  const { env, ...command } = contender.command(path, job);
  return startProgram({
    name: contender.name,
    ...pinned(cpu, command),
    cwd: job.directory,
    ...(env === undefined ? {} : { env }),
  });
}

async function untilReady(program: Program, contender: Contender, routes: readonly Route[]): Promise<void> {
  if (contender.readyPattern !== undefined) await program.waitForOutput(contender.readyPattern);
  for (const { frontPort } of routes) {
    // Asking about a process that is gone throws, which waitUntil takes for "not yet".
    const look = () => program.exited !== undefined || listens(program.pid, frontPort);
    await program.waitUntil(`port ${frontPort} to listen`, look);
  }
}

/** The one mistake that a user can do something about comes first, in the same words for all contenders. */
function startFailure(program: Program, contender: Contender, job: Job, cause: unknown): Error {
  const ports = job.routes.map(({ frontPort }) => frontPort).join(', ');
  const busy = /\bin use\b|EADDRINUSE/i.test(program.output);
  const [what = ''] = cause instanceof Error ? cause.message.split('\n') : [];
  const why = busy ? `address already in use: another program listens on one of its ports (${ports})` : what;
  const { file, text } = contender.configuration(job);
  const started = `${commandLine(contender, join(job.directory, file), job)}\n--- ${file}\n${text.trimEnd()}`;
  // The cause repeats what the program said last.
  return program.failure(`${contender.name} does not start: ${why}\n${started}`);
}

/** As one would type it, with the environment that is set for it. */
export function commandLine(contender: Contender, file: string, job: Job): string {
  const { command, args, env = {} } = contender.command(file, job);
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return [...settings, command, ...args].join(' ');
}

function running(program: Program, { routes, directory, sessionLog }: Job): RunningContender {
  let stopped: Promise<void> | undefined;
  return {
    program,
    pid: program.pid,
    header: routes[0]?.header ?? 'none',
    httpPort: frontPortOf(routes, HTTP),
    sinkPort: frontPortOf(routes, SINK),
    logsSessions: sessionLog !== undefined,
    endedSessions: () => readSessions(sessionLog),
    stop() {
      stopped ??= stopOnce(program, directory);
      return stopped;
    },
  };
}

function frontPortOf(routes: readonly Route[], label: string): number {
  // 0 is nobody's port: whoever starts a contender without this route does not ask for it either.
  return routes.find((route) => route.label === label)?.frontPort ?? 0;
}

/** The last line may be half written: it counts when its end is there. */
function readSessions(path: string | undefined): Record<string, unknown>[] {
  if (path === undefined || !existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line): Record<string, unknown> => JSON.parse(line));
}

async function stopOnce(program: Program, directory: string): Promise<void> {
  const endedBefore = program.exited !== undefined;
  await program.stop(STOP_GRACE_MS);
  removeTemporaryDirectory(directory);
  if (endedBefore) throw program.failure('it ended during the measurement');
}
