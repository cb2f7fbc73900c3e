// The command line of `npm run bench` and what its sizes mean. No other file here knows argv.

import { parseArgs } from 'node:util';

/** How much work one measurement does. `tiny` is for the test that keeps the benchmark from rotting: no figures to quote. */
export interface Scale {
  name: string;
  rounds: number;
  warmUpSeconds: number;
  httpSeconds: number;
  newConnectionsAtOnce: number;
  keepaliveConnections: number;
  bulkStreams: number;
  bulkBytesPerStream: number;
  /** Numbers of idle connections at which memory is read, rising. */
  idleSteps: readonly number[];
}

const MIB = 1024 * 1024;

const SCALES: Readonly<Record<string, Scale>> = {
  full: {
    name: 'full',
    rounds: 7,
    warmUpSeconds: 1,
    httpSeconds: 3,
    newConnectionsAtOnce: 32,
    keepaliveConnections: 64,
    bulkStreams: 8,
    bulkBytesPerStream: 256 * MIB,
    idleSteps: [2000, 5000],
  },
  quick: {
    name: 'quick',
    rounds: 3,
    warmUpSeconds: 1,
    httpSeconds: 1,
    newConnectionsAtOnce: 32,
    keepaliveConnections: 64,
    bulkStreams: 4,
    bulkBytesPerStream: 128 * MIB,
    idleSteps: [500, 1000],
  },
  tiny: {
    name: 'tiny',
    rounds: 1,
    warmUpSeconds: 0,
    httpSeconds: 1,
    newConnectionsAtOnce: 4,
    keepaliveConnections: 4,
    bulkStreams: 2,
    bulkBytesPerStream: 4 * MIB,
    idleSteps: [10, 20],
  },
};

export interface Options {
  scale: Scale;
  scenarios: string[];
  peers: string[];
  json: boolean;
  /** keep the run and make BENCHMARKS.md from it */
  record: boolean;
  /** Congestion control for the run, or `keep`. */
  congestion: string;
}

export class UsageError extends Error {}

export const USAGE = `usage: npm run bench -- [options]
  --rounds N          measure every contender N times (default 7; under 6 there is no verdict)
  --quick             small sizes, 3 rounds: does it run, and roughly how fast
  --scale NAME        full (default), quick or tiny
  --only A,B          only these scenarios
  --peers A,B         only these peers
  --congestion NAME   congestion control for the run, restored afterwards (default cubic; keep: change nothing)
  --record            keep the run in bench/results and make BENCHMARKS.md from it
  --json              everything measured as JSON on stdout
`;

/** Throws UsageError. `scenarios` and `peers` are the names that exist. */
export function parseOptions(args: string[], scenarios: readonly string[], peers: readonly string[]): Options {
  const { values } = readArgs(args);
  const scaleName = values.scale ?? (values.quick === true ? 'quick' : 'full');
  const scale = SCALES[scaleName];
  if (scale === undefined) throw new UsageError(`--scale ${scaleName}: expected ${Object.keys(SCALES).join(', ')}`);
  const rounds = values.rounds === undefined ? scale.rounds : Number(values.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw new UsageError(`--rounds ${values.rounds}: expected 1 or more`);
  return {
    scale: { ...scale, rounds },
    scenarios: chosen('--only', values.only, scenarios),
    peers: chosen('--peers', values.peers, peers),
    json: values.json === true,
    record: values.record === true,
    congestion: values.congestion ?? 'cubic',
  };
}

function readArgs(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        rounds: { type: 'string' },
        quick: { type: 'boolean' },
        scale: { type: 'string' },
        only: { type: 'string' },
        peers: { type: 'string' },
        congestion: { type: 'string' },
        json: { type: 'boolean' },
        record: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function chosen(option: string, list: string | undefined, known: readonly string[]): string[] {
  if (list === undefined) return [...known];
  const names = list.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new UsageError(`${option} ${unknown.join(',')}: expected ${known.join(', ')}`);
  return known.filter((name) => names.includes(name));
}
