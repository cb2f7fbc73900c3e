// As much load of small HTTP requests as a contender takes: wrk where it is installed. Else autocannon for kept connections, and
// the generator of our own for new ones (autocannon loses count when it reconnects for every request). Those need many times
// wrk's CPU: with them the client limits the rate. Which one it was is part of the report.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Histogram } from 'hdr-histogram-js';
import { runProgram } from '../../testing/process.ts';
import { createLatency, decodeLatency, type EncodedLatency } from '../latency.ts';
import { type Command, LOAD_CPU, pinned, versionOf } from '../machine.ts';
import { runRequestLoad } from './requests.ts';

const WRK = '/usr/bin/wrk';
const SPARE_MS = 30_000;

export interface HttpLoad {
  url: string;
  connections: number;
  seconds: number;
  /** A new connection for every request. */
  newConnections: boolean;
  /** default: wrk, where it is installed */
  generator?: 'wrk' | 'autocannon';
}

export interface HttpResult {
  requests: number;
  /** All bytes received. */
  bytes: number;
  errors: number;
  microseconds: number;
  /** One value per answer, in microseconds: from the request on, or from the connect on where our own generator makes new ones. */
  latency: Histogram;
}

/** What the programs hand over. */
export type WireHttpResult = Omit<HttpResult, 'latency'> & { latency: EncodedLatency };
type WrkFigures = Omit<HttpResult, 'latency'> & { latencies: number[] };

export function loadGeneratorVersion(): string {
  if (existsSync(WRK)) return versionOf(WRK, ['-v']).replace(/ \[.*/, '');
  const { version }: { version: string } = createRequire(import.meta.url)('autocannon/package.json');
  return `no wrk: own generator for new connections, autocannon ${version} for kept ones`;
}

/** Rejects when there is no answer at all. */
export async function runHttpLoad(load: HttpLoad): Promise<HttpResult> {
  const generator = load.generator ?? (existsSync(WRK) ? 'wrk' : 'autocannon');
  const run = generator === 'wrk' ? runWrk : load.newConnections ? runOwn : runAutocannon;
  const result = await run(load);
  if (result.requests === 0) throw new Error(`${generator}: no answer from ${load.url}, ${result.errors} errors`);
  return result;
}

async function runWrk(load: HttpLoad): Promise<HttpResult> {
  const env = { WRK_CONNECTIONS: String(load.connections) };
  const { latencies, ...rest } = await figuresOf<WrkFigures>('wrk', { ...wrkCommand(load), env }, load);
  const latency = createLatency();
  for (let i = 0; i < latencies.length; i += 2) {
    latency.recordValueWithCount(latencies[i] ?? 0, latencies[i + 1] ?? 0);
  }
  if (rest.errors === 0 && latency.totalCount !== rest.requests) {
    throw new Error(
      `wrk: ${latency.totalCount} latencies of ${rest.requests} requests: a version that counts otherwise?`,
    );
  }
  return { ...rest, latency };
}

function wrkCommand({ url, connections, seconds, newConnections }: HttpLoad): Command {
  const script = resolve(import.meta.dirname, 'wrk-report.lua');
  const close = newConnections ? ['-H', 'Connection: close'] : [];
  return {
    command: WRK,
    args: ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '-s', script, ...close, url],
  };
}

async function runAutocannon(load: HttpLoad): Promise<HttpResult> {
  const { url, connections, seconds } = load;
  const file = resolve(import.meta.dirname, 'autocannon-client.ts');
  const command = { command: process.execPath, args: [file, url, String(connections), String(seconds)] };
  const { latency, ...rest } = await figuresOf<WireHttpResult>('autocannon', command, load);
  return { ...rest, latency: decodeLatency(latency) };
}

function runOwn({ url, connections, seconds }: HttpLoad): Promise<HttpResult> {
  const { port, pathname: path } = new URL(url);
  return runRequestLoad({ port: Number(port), path, connections, seconds, newConnections: true });
}

/** Runs a generator; gives what its one line of JSON says. */
async function figuresOf<Figures>(
  name: string,
  { env = {}, ...command }: Command & { env?: Record<string, string> },
  { seconds }: HttpLoad,
): Promise<Figures> {
  const program = await runProgram({ name, ...pinned(LOAD_CPU, command), env }, seconds * 1000 + SPARE_MS);
  const line = program.stdout.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw program.failure('no figures');
  return JSON.parse(line);
}
