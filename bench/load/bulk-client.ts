// Program: big streams. `bulk-client.ts OPTIONS` (BulkLoad as JSON); it says `ready`, waits for `go`, takes `stop`, and answers with
// one line of JSON (BulkResult).

import type { BulkLoad, BulkResult } from './bulk.ts';
import { BulkLoop } from './bulk-loop.ts';
import { listen, say, waitForGo } from './control.ts';
import { Engine } from './engine.ts';
import { orFail } from './failure.ts';

/** What a stream reads or writes in one call. */
const BUFFER_BYTES = 1 << 20;

function main(): void {
  const load: BulkLoad = JSON.parse(process.argv[2] ?? '{}');
  const engine = new Engine(load.downStreams + load.upStreams, BUFFER_BYTES);
  const loop = new BulkLoop(engine, load);
  waitForGo();
  listen(engine, (line) => {
    if (line === 'stop') loop.repeats = false;
  });
  loop.begin();
  while (loop.active > 0) engine.poll(-1, loop.onEvent);
  const { down, up, microseconds } = loop;
  const result: BulkResult = { down, up, microseconds };
  say(JSON.stringify(result));
}

orFail('bulk', main);
process.exit(0);
