// Program: big streams at once, each way. `bulk-client.ts OPTIONS` (BulkLoad as JSON); it says `ready`, waits for `go`,
// with `repeat` also for `stop`, answers with one line of JSON (BulkResult), and ends with its input.

import type { BulkLoad, BulkResult } from './bulk.ts';
import { DownStream, placeFetch, placeLength, type Stream, UpStream } from './bulk-streams.ts';
import { listen, say, waitForEnd, waitForGo } from './control.ts';
import { Engine } from './engine.ts';
import { orFail } from './failure.ts';

/** Large enough that a call's cost is nothing beside the bytes', small enough for the cache. */
const BUFFER_BYTES = 256 * 1024;

function makeStreams(engine: Engine, load: BulkLoad): { down: Stream[]; up: Stream[] } {
  const { httpPort, sinkPort, downStreams, upStreams, bytesPerStream } = load;
  const common = { engine, bytesPerStream };
  const fetch = { ...common, addressAt: engine.placeAddress(httpPort), ...placeFetch(engine) };
  const upload = { ...common, addressAt: engine.placeAddress(sinkPort), ...placeLength(engine, bytesPerStream) };
  return {
    down: Array.from({ length: downStreams }, (_, i) => new DownStream({ ...fetch, slot: i })),
    up: Array.from({ length: upStreams }, (_, i) => new UpStream({ ...upload, slot: downStreams + i })),
  };
}

/** Until each is over so many times; with `repeat` each begins again until somebody says stop. */
function run(engine: Engine, streams: readonly Stream[], { repeat = false, times = 1 }: BulkLoad): void {
  let goesOn = repeat;
  const left = new Int32Array(streams.length).fill(times - 1);
  let running = streams.length;
  listen(engine, (line) => {
    if (line === 'stop') goesOn = false;
  });
  for (const stream of streams) stream.begin();
  while (running > 0) {
    engine.poll(-1, (slot, mask) => {
      const stream = streams[slot];
      if (stream?.ready(mask) !== true) return;
      const again = left[slot] ?? 0;
      left[slot] = again - 1;
      if (goesOn || again > 0) stream.begin();
      else running--;
    });
  }
}

orFail('bulk', () => {
  const load: BulkLoad = JSON.parse(process.argv[2] ?? '{}');
  const engine = new Engine(load.downStreams + load.upStreams, BUFFER_BYTES);
  const { down, up } = makeStreams(engine, load);
  waitForGo();
  const startMs = engine.kernel.nowMs();
  run(engine, [...down, ...up], load);
  const result: BulkResult = {
    down: down.map(({ moved }) => moved),
    up: up.map(({ moved }) => moved),
    microseconds: (engine.kernel.nowMs() - startMs) * 1000,
  };
  say(JSON.stringify(result));
});
waitForEnd();
