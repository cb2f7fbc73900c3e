// Load by wrk and by autocannon gives the same figures, and they are what the node saw; idle connections are held and idle.

import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HttpLoad, loadGeneratorVersion, runHttpLoad } from '../../../bench/load/http.ts';
import { type BenchNode, startLoadProgram, startNode } from '../../../bench/node.ts';
import { Peer } from '../../../testing/peer.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { NGINX } from '../../../testing/servers/nginx.ts';

const CONNECTIONS = 3;
const BIG_BYTES = 100_000;
const wrk = existsSync('/usr/bin/wrk') ? '' : ' (skipped: needs the Debian package wrk)';
const nginx = existsSync(NGINX) ? '' : ' (skipped: needs the Debian package nginx)';

const small = (port: number) => `http://${LOOPBACK_IPV4}:${port}/small`;

async function get(port: number, path: string, header = ''): Promise<string> {
  const peer = await Peer.connect({ host: LOOPBACK_IPV4, port });
  await peer.send(`${header}GET ${path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`);
  const answer = (await peer.recvAll()).toString('latin1');
  peer.destroy();
  return answer;
}

describe.skipIf(nginx !== '')(`with the node of the benchmark${nginx}`, () => {
  let node: BenchNode;
  beforeAll(async () => {
    node = await startNode(BIG_BYTES, 200);
  });
  afterAll(() => node.stop());

  test('the node serves the same with a PROXY header and without one, and counts both', async () => {
    const before = await node.counts();
    for (const path of ['/small', '/big']) {
      const withHeader = await get(node.httpPort, path, 'PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n');
      const plain = await get(node.plainHttpPort, path);
      expect(plain.length).toBe(withHeader.length);
      expect(plain).toMatch(path === '/big' ? /Content-Length: 100000\r\n/ : /x{64}$/);
    }
    const after = await node.counts();
    expect(after.connections - before.connections).toBe(4);
    expect(after.requests - before.requests).toBe(4);
  });

  /** One load, and how often the node was asked meanwhile. */
  async function measured(load: Omit<HttpLoad, 'url' | 'connections' | 'seconds'>) {
    const answerBytes = await get(node.plainHttpPort, '/small');
    const before = await node.counts();
    const url = small(node.plainHttpPort);
    const result = await runHttpLoad({ url, connections: CONNECTIONS, seconds: 1, ...load });
    const after = await node.counts();
    return {
      result,
      answerBytes: answerBytes.length,
      atNode: { requests: after.requests - before.requests, connections: after.connections - before.connections },
    };
  }

  const cases = [
    { generator: 'wrk', newConnections: false, skip: wrk },
    { generator: 'wrk', newConnections: true, skip: wrk },
    { generator: 'autocannon', newConnections: false, skip: '' },
    { generator: 'autocannon', newConnections: true, skip: '' },
  ] as const;

  for (const { generator, newConnections, skip } of cases) {
    const kind = newConnections ? 'new' : 'kept';
    test.skipIf(skip !== '')(`${generator}, ${kind} connections: counts are what the node saw${skip}`, async () => {
      const { result, atNode, answerBytes } = await measured({ generator, newConnections });
      expect(result.errors).toBe(0);
      expect(result.requests).toBeGreaterThan(0);
      expect(result.latency.totalCount).toBe(result.requests);
      // What was under way when the time was over is cut off, and only that. wrk connects once more, to try.
      expect(atNode.requests - result.requests).toBeGreaterThanOrEqual(0);
      expect(atNode.requests - result.requests).toBeLessThanOrEqual(CONNECTIONS);
      const connections = newConnections ? result.requests : 1;
      expect(atNode.connections).toBeGreaterThanOrEqual(connections);
      expect(atNode.connections).toBeLessThanOrEqual((newConnections ? result.requests : 0) + CONNECTIONS + 1);
      // A kept answer says "keep-alive" where a closing one says "close".
      const bytesPerAnswer = answerBytes + (newConnections ? 0 : 'keep-alive'.length - 'close'.length);
      expect(result.bytes).toBeGreaterThanOrEqual(result.requests * bytesPerAnswer);
      expect(result.bytes).toBeLessThanOrEqual((result.requests + CONNECTIONS) * bytesPerAnswer);
    });
  }

  test('idle connections are opened in steps, held, and gone with their program', async () => {
    const before = await node.counts();
    const client = await startLoadProgram('idle client', 'idle-client.ts', [String(node.plainHttpPort)]);
    for (const count of [10, 100]) {
      client.write(`${count}\n`);
      await client.waitForOutput(new RegExp(`^open ${count}$`, 'm'));
      const { connections, requests } = await node.counts();
      expect(connections - before.connections).toBe(count);
      expect(requests - before.requests).toBe(count);
    }
    client.closeInput();
    expect((await client.waitForExit()).code).toBe(0);
  });

  test('more idle connections than the node takes are a failure that says which', async () => {
    const client = await startLoadProgram('idle client', 'idle-client.ts', [String(node.plainHttpPort)]);
    client.write('1000\n');
    expect((await client.waitForExit()).code).toBe(1);
    expect(client.stderr).toMatch(/^idle: connection \d+/);
  });
});

test('an idle client without anybody to connect to says so', async () => {
  const client = await startLoadProgram('idle client', 'idle-client.ts', [String(await freePort())]);
  client.write('1\n');
  expect((await client.waitForExit()).code).toBe(1);
  expect(client.stderr).toMatch(/^idle: connection 0: ECONNREFUSED/);
});

test('answers other than 200 are errors of autocannon’s load too', async () => {
  const port = await freePort();
  let served = 0;
  const server = createServer((_request, response) => {
    response.statusCode = served++ % 2 === 0 ? 200 : 503;
    response.end('x');
  });
  await new Promise<void>((resolve) => {
    server.listen({ host: LOOPBACK_IPV4, port }, resolve);
  });
  const load = {
    url: small(port),
    connections: 1,
    seconds: 1,
    newConnections: false,
    generator: 'autocannon',
  } as const;
  const { errors, requests } = await runHttpLoad(load);
  server.closeAllConnections();
  server.close();
  expect(errors).toBeGreaterThan(0);
  expect(Math.abs(2 * errors - requests)).toBeLessThanOrEqual(1);
});

const refusals = [
  { generator: 'wrk', newConnections: false, message: /unable to connect/, skip: wrk },
  { generator: 'autocannon', newConnections: false, message: /autocannon: no answer from/, skip: '' },
  { generator: 'autocannon', newConnections: true, message: /cannot connect: ECONNREFUSED/, skip: '' },
] as const;

for (const { generator, newConnections, message, skip } of refusals) {
  const kind = newConnections ? 'new' : 'kept';
  test.skipIf(skip !== '')(`a port where nobody listens is a clear failure: ${generator}, ${kind}${skip}`, async () => {
    const load = { url: small(await freePort()), connections: 2, seconds: 1, newConnections, generator };
    await expect(runHttpLoad(load)).rejects.toThrow(message);
  });
}

test('the report can say which generator it was', () => {
  expect(loadGeneratorVersion()).toMatch(wrk === '' ? /wrk/ : /autocannon \d/);
});
