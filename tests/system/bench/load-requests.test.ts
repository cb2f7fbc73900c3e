// The generator of small requests, against servers that misbehave on purpose: what it counts is what happened, and an open loop's
// latency counts from the moment at which a request was meant to go out.

import { createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { runRequestLoad } from '../../../bench/load/requests.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';

const BODY = 'x'.repeat(64);
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

const HEADS_KEPT = 10;

interface Scripted {
  port: number;
  connections: number;
  requests: number;
  /** the first few, as they came */
  heads: string[];
  /** most requests that waited for an answer at the same time */
  waitingMax: number;
  close(): void;
}

const servers: Scripted[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** @param answer one request, the `index`-th of all; says when it is answered */
async function serve(answer: (socket: Socket, index: number) => Promise<void> | void): Promise<Scripted> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  let waiting = 0;
  const listener = createServer((socket) => {
    scripted.connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', async (bytes: Buffer) => {
      if (scripted.heads.length < HEADS_KEPT) scripted.heads.push(bytes.toString('latin1'));
      waiting++;
      scripted.waitingMax = Math.max(scripted.waitingMax, waiting);
      await answer(socket, scripted.requests++);
      waiting--;
    });
  });
  const scripted: Scripted = {
    port,
    connections: 0,
    requests: 0,
    heads: [],
    waitingMax: 0,
    close() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  servers.push(scripted);
  await new Promise<void>((resolve) => {
    listener.listen({ host: LOOPBACK_IPV4, port, backlog: 4096 }, resolve);
  });
  return scripted;
}

test('new connections: every answer is counted, and the server saw exactly as many', async () => {
  const server = await serve((socket) => void socket.end(ANSWER));
  const result = await runRequestLoad({ port: server.port, connections: 4, seconds: 0.3, newConnections: true });
  expect(result).toMatchObject({ errors: 0, requests: server.requests, connections: server.connections });
  expect(result.requests).toBeGreaterThan(0);
  expect(result.connections).toBe(result.requests);
  expect(result.bytes).toBe(result.requests * ANSWER.length);
  expect(result.latency.totalCount).toBe(result.requests);
  expect(result.microseconds).toBeGreaterThan(0);
});

test('kept connections: so many and no more, each used again', async () => {
  const server = await serve((socket) => void socket.write(ANSWER));
  const result = await runRequestLoad({ port: server.port, connections: 3, seconds: 0.3, newConnections: false });
  expect(result).toMatchObject({ errors: 0, requests: server.requests, connections: 3 });
  expect(server.connections).toBe(3);
  expect(result.bytes).toBe(result.requests * ANSWER.length);
  expect(result.latency.totalCount).toBe(result.requests);
});

test('the asked path is requested, and closing only where it is to close', async () => {
  const server = await serve((socket) => void socket.write(ANSWER));
  const load = { port: server.port, connections: 1, seconds: 1, ratePerSecond: 1 };
  await runRequestLoad({ ...load, newConnections: false });
  await runRequestLoad({ ...load, newConnections: false, path: '/other' });
  const closing = await serve((socket) => void socket.end(ANSWER));
  await runRequestLoad({ ...load, port: closing.port, newConnections: true });
  expect(server.heads).toEqual([
    'GET /small HTTP/1.1\r\nHost: bench\r\n\r\n',
    'GET /other HTTP/1.1\r\nHost: bench\r\n\r\n',
  ]);
  expect(closing.heads).toEqual(['GET /small HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n']);
});

test('an open loop sends what was intended, no more and no less', async () => {
  const server = await serve((socket) => void socket.write(ANSWER));
  const load = { port: server.port, connections: 2, seconds: 0.5, newConnections: false, ratePerSecond: 300 };
  expect(await runRequestLoad(load)).toMatchObject({ requests: 150, errors: 0, connections: 2 });
  expect(server.requests).toBe(150);
});

/** Once, at one request, a server does nothing at all for so long. */
function stallOnce(atIndex: number, ms: number): (socket: Socket, index: number) => Promise<void> {
  let over: Promise<void> = Promise.resolve();
  return async (socket, index) => {
    if (index === atIndex) over = new Promise((resolve) => setTimeout(resolve, ms));
    await over;
    socket.write(ANSWER);
  };
}

test('one stall is in the latency of every request that was due meanwhile, not only of those under way', async () => {
  const server = await serve(stallOnce(20, 300));
  const load = { port: server.port, connections: 2, seconds: 1, newConnections: false, ratePerSecond: 200 };
  const { requests, errors, latency } = await runRequestLoad(load);
  expect({ requests, errors, counted: latency.totalCount }).toEqual({ requests: 200, errors: 0, counted: 200 });
  expect(server.waitingMax).toBeLessThanOrEqual(2);
  // 60 of the 200 were due during the stall, spread evenly over it: the largest 40 waited 100 ms or more. Counted from the send, it
  // would be two of them. A slow machine makes all of this only larger.
  expect(latency.maxValue).toBeGreaterThan(250_000);
  expect(latency.getValueAtPercentile(80)).toBeGreaterThan(50_000);
});

test('an open loop of new connections opens each in its moment, also while none is answered', async () => {
  const stall = stallOnce(0, 300);
  const server = await serve(async (socket, index) => {
    await stall(socket, index);
    socket.end();
  });
  const load = { port: server.port, connections: 1, seconds: 0.5, newConnections: true, ratePerSecond: 100 };
  expect(await runRequestLoad(load)).toMatchObject({ requests: 50, connections: 50, errors: 0 });
  expect(server.connections).toBe(50);
  expect(server.waitingMax).toBeGreaterThan(5);
});

const CUT = ANSWER.slice(0, -10);

test.each([
  ['cut off in its body', true, CUT, 'ended before its answer was whole'],
  ['cut off, on a kept connection', false, CUT, 'ended before its answer was whole'],
  ['not 200', true, ANSWER.replace('200 OK', '502 Bad'), 'not 200'],
  ['too long', true, `${ANSWER}!`, 'more bytes'],
  ['missing altogether', true, '', 'ended before its answer was whole'],
])('an answer that is %s is an error, and only that one', async (_what, newConnections, bad, message) => {
  const server = await serve((socket, index) => {
    if (index % 10 === 3) socket.end(bad);
    else if (newConnections) socket.end(ANSWER);
    else socket.write(ANSWER);
  });
  const load = { port: server.port, connections: 2, seconds: 0.5, ratePerSecond: 200, newConnections };
  const result = await runRequestLoad(load);
  expect(result).toMatchObject({ requests: 90, errors: 10, firstError: expect.stringContaining(message) });
  expect(result.latency.totalCount).toBe(90);
  expect(server.requests).toBe(100);
});

test('a reset is an error with its name', async () => {
  const server = await serve((socket, index) => void (index === 0 ? socket.resetAndDestroy() : socket.end(ANSWER)));
  const load = { port: server.port, connections: 1, seconds: 0.1, ratePerSecond: 50, newConnections: true };
  expect(await runRequestLoad(load)).toMatchObject({
    requests: 4,
    errors: 1,
    firstError: expect.stringContaining('ECONNRESET'),
  });
});

test('what is never answered is an error in the end, and so is what waited behind it', async () => {
  const server = await serve(() => {});
  const load = { port: server.port, connections: 2, seconds: 0.1, ratePerSecond: 50, newConnections: false };
  const result = await runRequestLoad(load);
  expect(result).toMatchObject({ requests: 0, errors: 5, firstError: expect.stringContaining('no answer within') });
  expect(server.requests).toBe(2);
});

test.each([true, false])(
  'a port where nobody listens is one clear sentence (new connections: %s)',
  async (newConnections) => {
    const load = { port: await freePort(), connections: 2, seconds: 0.1, newConnections };
    await expect(runRequestLoad(load)).rejects.toThrow(/requests: cannot connect: ECONNREFUSED/);
  },
);
