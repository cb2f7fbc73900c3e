// A client may send as many requests in advance as it likes: they are begun one after the other, and what has not begun costs nothing.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Exchange, PIECE_BYTES, serveInTurns, type Turns } from '../../../control/turns.ts';
import { eventually } from '../../../testing/process.ts';

const SHORTEST = 'GET / HTTP/1.1\r\nHost:\r\n\r\n';

let server: Server;
let begun: Exchange[];
let parsed: number;
/** those with an Expect header, which are not among them */
let expected: number;
let turns: Turns[];
let clients: Socket[];
/** what a request is answered with */
let answer: (exchange: Exchange) => void;

beforeEach(async () => {
  begun = [];
  turns = [];
  clients = [];
  parsed = 0;
  expected = 0;
  answer = ({ request, response }) => response.end(`${request.url} `);
  server = createServer({ requireHostHeader: false });
  serveInTurns(
    server,
    (request, response) => {
      begun.push({ request, response });
      answer({ request, response });
    },
    false,
    (_socket, one) => {
      turns.push(one);
      return () => {};
    },
  );
  server.on('request', () => parsed++);
  server.on('checkExpectation', () => expected++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  for (const client of clients) client.destroy();
  server.closeAllConnections();
  server.close();
});

function open(): Socket {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  clients.push(socket);
  return socket;
}

function gets(count: number): string {
  const paths = Array.from({ length: count }, (_, i) => `/${i}`);
  return paths.map((path, i) => `GET ${path} HTTP/1.1\r\nHost: a\r\n${end(i === count - 1)}\r\n`).join('');
}
const end = (isLast: boolean): string => (isLast ? 'Connection: close\r\n' : '');

test('of 64 KiB of requests one is begun, and hardly more are parsed, while it is not answered', async () => {
  answer = () => {};
  const client = open();
  client.write(SHORTEST.repeat(Math.ceil(65_536 / SHORTEST.length)));
  await eventually('the rest to wait', () => (turns[0]?.heldBytes ?? 0) > 0);
  // Whoever comes later has their turn meanwhile.
  open().write(SHORTEST);
  await eventually('another client', () => begun.length === 2);
  expect(begun.map(({ request }) => request.socket.remotePort)).toContain(client.localPort);
  expect(parsed).toBeLessThanOrEqual(1 + Math.ceil(PIECE_BYTES / SHORTEST.length) + 1);
});

test('what is sent without an end is not read without an end', async () => {
  answer = () => {};
  const client = open();
  let sent = 0;
  const more = (): void => {
    while (client.writable && client.writableLength === 0 && sent < 64 << 20) {
      client.write(SHORTEST.repeat(4096));
      sent += SHORTEST.length * 4096;
    }
  };
  client.on('drain', more);
  more();
  await eventually('it to be held', () => begun.length === 1 && (turns[0]?.heldBytes ?? 0) > 0);
  open().write(SHORTEST);
  await eventually('another client', () => begun.length === 2);
  // One read, and what came while that was looked at.
  expect(turns[0]?.heldBytes).toBeLessThanOrEqual(4 * 65_536);
});

test('each is answered, in order, also when each takes its time', async () => {
  answer = ({ request, response }) => setImmediate(() => response.end(`${request.url} `));
  const client = open();
  client.write(gets(300));
  const said = await text(client);
  expect([...said.matchAll(/\/(\d+) /g)].map(([, number]) => Number(number))).toEqual(
    Array.from({ length: 300 }, (_, i) => i),
  );
});

test('also when the answers are larger than what the system takes at once', async () => {
  const large = Buffer.alloc(1 << 20, 'x');
  answer = ({ response }) => response.end(large);
  const client = open();
  client.write(gets(20));
  let bytes = 0;
  client.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(client, 'close');
  expect(begun).toHaveLength(20);
  expect(bytes).toBeGreaterThan(20 << 20);
});

test('bodies in between, with and without a length, are whole', async () => {
  answer = ({ request, response }) => void text(request).then((body) => response.end(`<${body.length}>`));
  const client = open();
  const body = 'y\r\n\r\n'.repeat(10_000);
  client.write(`POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  client.write(
    `POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n${'z'.repeat(1000)}\r\n0\r\n\r\n`,
  );
  client.write(gets(2));
  expect([...(await text(client)).matchAll(/<(\d+)>/g)].map(([, n]) => n)).toEqual(['50000', '1000', '0', '0']);
});

test('whoever has sent their last byte gets all answers', async () => {
  const client = open();
  client.end(gets(50).replace('Connection: close\r\n', ''));
  const said = await text(client);
  expect(said.match(/HTTP\/1\.1 200/g)).toHaveLength(50);
});

test('after an answer that closes the connection nothing more is begun', async () => {
  answer = ({ response }) => response.writeHead(200, { connection: 'close' }).end();
  const client = open();
  client.write(SHORTEST.repeat(1000));
  await text(client);
  expect(begun).toHaveLength(1);
});

test.each([
  ['an expectation that nobody knows', 'GET / HTTP/1.1\r\nHost:\r\nExpect: x\r\n\r\n'],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
])('requests with %s, which Node.js would refuse by itself at once, wait like any other', async (_name, bytes) => {
  answer = () => {};
  open().write(bytes.repeat(1000));
  await eventually('the rest to wait', () => begun.length === 1 && (turns[0]?.heldBytes ?? 0) > 0);
  expect(parsed + expected).toBeLessThanOrEqual(1 + Math.ceil(PIECE_BYTES / bytes.length));
});
