// Big streams through a contender, as the benchmark sees them: started, told to go, told to stop where they repeat, and asked what
// they moved. Every stream was checked at both ends: nginx's answer by its content-length, an upload by the sink's count.

import { startGenerator } from './generator.ts';

const DEADLINE_MS = 120_000;

export interface BulkLoad {
  /** where `/big` of `bytesPerStream` bytes is */
  httpPort: number;
  /** where the sink is */
  sinkPort: number;
  downStreams: number;
  upStreams: number;
  bytesPerStream: number;
  /** How often each stream is done, one after the other, in a new connection each; default: 1. */
  times?: number;
  /** Each stream begins again, in a new connection, until `stop`. */
  repeat?: boolean;
}

/** Bytes moved per stream; the sum, where it was done several times. */
export interface BulkResult {
  down: number[];
  up: number[];
  /** From `go` to the end of the last stream. */
  microseconds: number;
}

export interface RunningBulk {
  go(): void;
  /** Ends repeating: each stream finishes what it is at. */
  stop(): void;
  /** As soon as the last stream is over; `finished` has to follow. */
  moved(): Promise<BulkResult>;
  /** Once the program is gone, too. Rejects when a byte is missing or a stream did not end in order. To be asked for once. */
  finished(): Promise<BulkResult>;
}

/** Resolves when everything is ready and nothing has been sent. */
export async function startBulk(load: BulkLoad): Promise<RunningBulk> {
  const generator = await startGenerator<BulkResult>('bulk load', 'bulk-client.ts', load);
  return {
    go: () => generator.say('go'),
    stop: () => generator.say('stop'),
    moved: () => generator.figures(DEADLINE_MS),
    async finished() {
      const result = await generator.result(DEADLINE_MS);
      check(load, result);
      return result;
    },
  };
}

/** The programs have checked each stream already; a mistake there must not become a figure here. */
function check(
  { downStreams, upStreams, bytesPerStream, times = 1, repeat = false }: BulkLoad,
  { down, up }: BulkResult,
): void {
  const isRight = (bytes: number) => (repeat ? bytes % bytesPerStream === 0 : bytes === bytesPerStream * times);
  const isComplete = down.length === downStreams && up.length === upStreams;
  if (isComplete && [...down, ...up].every(isRight)) return;
  const found = `down ${down.join(', ')}; up ${up.join(', ')}`;
  throw new Error(`streams of ${found} bytes, expected ${downStreams} down and ${upStreams} up of ${bytesPerStream}`);
}
