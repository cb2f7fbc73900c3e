// Program: requests over kept connections by autocannon, `autocannon-client.ts URL CONNECTIONS SECONDS`. Prints one line of JSON
// (WireHttpResult). autocannon's own histogram has whole milliseconds; each response's time goes into one of microseconds instead.

import autocannon from 'autocannon';
import { createLatency, encodeLatency } from '../latency.ts';
import type { WireHttpResult } from './http.ts';

const [url = '', connections, seconds] = process.argv.slice(2);
const latency = createLatency();
const startMs = performance.now();
const load = autocannon({ url, connections: Number(connections), duration: Number(seconds) }, (error, result) => {
  if (error !== null) throw error;
  // Its own duration is rounded to 10 ms; its errors include timeouts, but no answers other than 200.
  const figures: WireHttpResult = {
    microseconds: (performance.now() - startMs) * 1000,
    requests: result.requests.total,
    bytes: result.throughput.total,
    errors: result.errors + result.non2xx,
    latency: encodeLatency(latency),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
});
load.on('response', (_client, _statusCode, _bytes, latencyMs) => latency.recordValue(Math.round(latencyMs * 1000)));
