// Big streams from a program of our own, which counts every byte: down (GET /big of the node's HTTP server), up (to the sink, which
// says what it got), or both at once. Once, or again and again until it is told to stop.

import { type Generator, startGenerator } from './generator.ts';

const DEADLINE_MS = 120_000;

export interface BulkLoad {
  httpPort: number;
  sinkPort: number;
  downStreams: number;
  upStreams: number;
  /** `/big` must be as long. */
  bytesPerStream: number;
  /** Each stream begins anew, over a new connection, until stop(). */
  repeat?: boolean;
}

export interface BulkResult {
  /** Bytes that each stream moved, whole multiples of `bytesPerStream`. */
  down: number[];
  up: number[];
  /** From go() until the last stream had ended. */
  microseconds: number;
}

export interface RunningBulk {
  go(): void;
  /** No stream begins anew; those under way go on to their end. */
  stop(): void;
  /** Rejects when a byte is missing. */
  finished(): Promise<BulkResult>;
}

/** @returns once the program is ready; nothing is connected before go() */
export async function startBulk(load: BulkLoad): Promise<RunningBulk> {
  const generator: Generator<BulkResult> = await startGenerator('bulk load', 'bulk-client.ts', load);
  return {
    go: () => generator.say('go'),
    stop: () => generator.say('stop'),
    finished: () => generator.result(DEADLINE_MS),
  };
}
