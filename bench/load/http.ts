// As much load of small HTTP requests as a contender takes: wrk where it is installed. Else autocannon for kept connections, and
// the generator of our own for new ones (autocannon loses count when it reconnects for every request). Those need many times
// wrk's CPU: with them the client limits the rate. Which one it was is part of the report.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Histogram } from 'hdr-histogram-js';
import { runProgram } from '../../tests/support/process.ts';
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
  /** From the request to its answer, in microseconds. */
  latency: Histogram;
}

export function loadGeneratorVersion(): string {
  if (existsSync(WRK)) return versionOf(WRK, ['-v']).replace(/ \[.*/, '');
  const { version }: { version: string } = createRequire(import.meta.url)('autocannon/package.json');
  return `no wrk: own generator for new connections, autocannon ${version} for kept ones`;
}

export function runHttpLoad(load: HttpLoad): Promise<HttpResult> {
  const generator = load.generator ?? (existsSync(WRK) ? 'wrk' : 'autocannon');
  if (generator === 'wrk') return runWrk(load);
  return load.newConnections ? runOwn(load) : runAutocannon(load);
}

async function runWrk(load: HttpLoad): Promise<HttpResult> {
  const figures: Omit<HttpResult, 'latency'> & { latencies: number[] } = await run('wrk', wrkCommand(load), load);
  const { latencies, ...rest } = figures;
  const latency = createLatency();
  for (let i = 0; i + 1 < latencies.length; i += 2)
    latency.recordValueWithCount(latencies[i] ?? 0, latencies[i + 1] ?? 0);
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
  const figures: Omit<HttpResult, 'latency'> & { latency: EncodedLatency } = await run('autocannon', command, load);
  return { ...figures, latency: decodeLatency(figures.latency) };
}

function runOwn({ url, connections, seconds }: HttpLoad): Promise<HttpResult> {
  const { port, pathname: path } = new URL(url);
  return runRequestLoad({ port: Number(port), path, connections, seconds, newConnections: true });
}

/** Runs a generator; gives what its one line of JSON says. */
async function run<Figures>(name: string, command: Command, { seconds }: HttpLoad): Promise<Figures> {
  const program = await runProgram({ name, ...pinned(LOAD_CPU, command) }, seconds * 1000 + SPARE_MS);
  const line = program.stdout.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw program.failure('no figures');
  return JSON.parse(line);
}
