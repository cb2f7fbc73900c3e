// Program: requests over kept connections by autocannon, `autocannon-client.ts URL CONNECTIONS SECONDS`. Prints one line of JSON.
// autocannon's own histogram has whole milliseconds; each response's time goes into one of microseconds instead.

import autocannon from 'autocannon';
import { createLatency, encodeLatency } from '../latency.ts';

const [url = '', connections, seconds] = process.argv.slice(2);
const latency = createLatency();
const load = autocannon({ url, connections: Number(connections), duration: Number(seconds) }, (error, result) => {
  if (error !== null) throw error;
  const { duration, errors, timeouts, non2xx, requests, throughput } = result;
  const figures = {
    microseconds: duration * 1e6,
    requests: requests.total,
    bytes: throughput.total,
    errors: errors + timeouts + non2xx,
    latency: encodeLatency(latency),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
});
load.on('response', (_client, _statusCode, _resBytes, responseMs) =>
  latency.recordValue(Math.round(responseMs * 1000)),
);
