// Load of small requests by wrk and by autocannon: both count what the server counted, and both give their latencies as histograms
// in microseconds.

import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { runHttpLoad } from '../../bench/load/http.ts';
import { LOOPBACK_IPV4 } from '../support/ports.ts';

const CONNECTIONS = 4;

let server: Server | undefined;
let served = 0;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

function listen(): Promise<string> {
  served = 0;
  const small = createServer((_request, response) => {
    served++;
    response.end('x'.repeat(64));
  });
  server = small;
  return new Promise((resolve) => {
    small.listen(0, LOOPBACK_IPV4, () => {
      const address = small.address();
      if (typeof address === 'object' && address !== null) resolve(`http://${LOOPBACK_IPV4}:${address.port}/small`);
    });
  });
}

const GENERATORS = existsSync('/usr/bin/wrk') ? (['wrk', 'autocannon'] as const) : (['autocannon'] as const);

for (const generator of GENERATORS) {
  for (const newConnections of [false, true]) {
    test(`${generator}, ${newConnections ? 'new' : 'kept'} connections`, async () => {
      const url = await listen();
      const load = { url, connections: CONNECTIONS, seconds: 1, newConnections, generator };
      const { requests, bytes, errors, microseconds, latency } = await runHttpLoad(load);
      expect(errors).toBe(0);
      expect(requests).toBeGreaterThan(0);
      // When time is up each connection may have one on its way; wrk tries the address once beforehand.
      expect(served - requests).toBeGreaterThanOrEqual(0);
      expect(served - requests).toBeLessThanOrEqual(CONNECTIONS + 1);
      expect(bytes).toBeGreaterThanOrEqual(requests * 64);
      expect(microseconds).toBeGreaterThanOrEqual(900_000);
      expect(latency.totalCount).toBeGreaterThanOrEqual(requests);
      const [p50, p99] = [latency.getValueAtPercentile(50), latency.getValueAtPercentile(99)];
      expect(p50).toBeGreaterThan(0);
      expect(p99).toBeGreaterThanOrEqual(p50);
      expect(p99).toBeLessThan(microseconds);
    });
  }
}
