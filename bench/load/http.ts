// Load of small HTTP requests: wrk where it is installed, else a client of our own for new connections and autocannon for
// kept ones. Those need many times wrk's CPU, and autocannon measures latency in whole milliseconds: with them the
// client limits the rate. All give the same figures, and which one it was is part of the report.
// With `Connection: close` latency runs from the request on: connecting is the kernel's work, not the contender's.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { runProgram } from '../../tests/support/process.ts';
import { type Command, LOAD_CPU, pinned, versionOf } from '../machine.ts';

const WRK = '/usr/bin/wrk';
const DEADLINE_MS = 60_000;

export interface HttpLoad {
  url: string;
  connections: number;
  seconds: number;
  /** A new connection for every request. */
  newConnections: boolean;
}

export interface HttpResult {
  requests: number;
  bytes: number;
  errors: number;
  microseconds: number;
  p50Us: number;
  p99Us: number;
}

const autocannonFile = (): string => createRequire(import.meta.url).resolve('autocannon/autocannon.js');

export function loadGeneratorVersion(): string {
  if (existsSync(WRK)) return versionOf(WRK, ['-v']);
  const { version }: { version: string } = createRequire(import.meta.url)('autocannon/package.json');
  return `no wrk: own client for new connections, autocannon ${version} for kept ones`;
}

export async function runHttpLoad(load: HttpLoad): Promise<HttpResult> {
  if (existsSync(WRK)) return JSON.parse(await figures('wrk', wrkCommand(load)));
  if (load.newConnections) return JSON.parse(await figures('new-client', newClientCommand(load)));
  return fromAutocannon(await figures('autocannon', autocannonCommand(load)));
}

/** Runs a generator; gives the one line of JSON that it prints. */
async function figures(name: string, command: Command): Promise<string> {
  const program = await runProgram({ name, ...pinned(LOAD_CPU, command) }, DEADLINE_MS);
  const line = program.stdout.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw program.failure('no figures');
  return line;
}

function wrkCommand({ url, connections, seconds, newConnections }: HttpLoad): Command {
  const script = resolve(import.meta.dirname, 'wrk-report.lua');
  const close = newConnections ? ['-H', 'Connection: close'] : [];
  return {
    command: WRK,
    args: ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '-s', script, ...close, url],
  };
}

function newClientCommand({ url, connections, seconds }: HttpLoad): Command {
  const file = resolve(import.meta.dirname, 'new-client.ts');
  return { command: process.execPath, args: [file, url, String(connections), String(seconds)] };
}

function autocannonCommand({ url, connections, seconds }: HttpLoad): Command {
  const args = ['--json', '--no-progress', '-c', String(connections), '-d', String(seconds), url];
  return { command: process.execPath, args: [autocannonFile(), ...args] };
}

function fromAutocannon(line: string): HttpResult {
  const report: {
    duration: number;
    errors: number;
    timeouts: number;
    non2xx: number;
    requests: { total: number };
    throughput: { total: number };
    latency: { p50: number; p99: number };
  } = JSON.parse(line);
  return {
    requests: report.requests.total,
    bytes: report.throughput.total,
    errors: report.errors + report.timeouts + report.non2xx,
    microseconds: report.duration * 1e6,
    p50Us: report.latency.p50 * 1000,
    p99Us: report.latency.p99 * 1000,
  };
}
