// New connections, one request each, where wrk is missing (autocannon loses count when it reconnects for every request):
// `new-client.ts URL CONNECTIONS SECONDS`. Prints one line of JSON. Latency runs from the request on, as with wrk.

import { connect } from 'node:net';
import { build } from 'hdr-histogram-js';

const [url = '', connections, seconds] = process.argv.slice(2);
const { hostname, port, pathname } = new URL(url);
const request = `GET ${pathname} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`;
const latencyUs = build({
  lowestDiscernibleValue: 1,
  highestTrackableValue: 60_000_000,
  numberOfSignificantValueDigits: 3,
});
let requests = 0;
let bytes = 0;
let errors = 0;

/** One connection; resolves when it is over, however it ended. */
function fetchOnce(): Promise<void> {
  return new Promise((resolve) => {
    let startNs = 0n;
    let answer = '';
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      startNs = process.hrtime.bigint();
      socket.write(request);
    });
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.once('error', () => {
      errors++;
    });
    socket.once('end', () => {
      latencyUs.recordValue(Number(process.hrtime.bigint() - startNs) / 1000);
      bytes += answer.length;
      if (isComplete(answer)) requests++;
      else errors++;
    });
    socket.once('close', () => resolve());
  });
}

function isComplete(answer: string): boolean {
  const length = Number(answer.match(/^content-length: (\d+)\r$/im)?.[1]);
  return answer.startsWith('HTTP/1.1 200') && answer.length === answer.indexOf('\r\n\r\n') + 4 + length;
}

const start = performance.now();
const end = start + Number(seconds) * 1000;
await Promise.all(
  Array.from({ length: Number(connections) }, async () => {
    while (performance.now() < end) await fetchOnce();
  }),
);
const microseconds = (performance.now() - start) * 1000;
const p50Us = latencyUs.getValueAtPercentile(50);
const p99Us = latencyUs.getValueAtPercentile(99);
process.stdout.write(`${JSON.stringify({ microseconds, requests, bytes, errors, p50Us, p99Us })}\n`);
