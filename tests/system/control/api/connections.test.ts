// Whatever strangers do with connections, there is room for the next one, and whoever is logged in keeps theirs.

import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Connections } from '../../../../control/api/connections.ts';
import { OpenApi } from '../../../../control/api/openapi.ts';
import { createServer as createApi } from '../../../../control/api/server.ts';
import { CERTIFICATE, KEY } from '../../../../testing/certificate.ts';
import { eventually } from '../../../../testing/process.ts';
import { type Lab, startLab } from '../../../pure/control/api/support.ts';

const MAX = 4;
const LOGIN = 'POST /balancer/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

let lab: Lab;
let api: FastifyInstance;
let token: string;
let sockets: Socket[];

beforeEach(async () => {
  lab = startLab();
  sockets = [];
  ({ token } = lab.context.tokens.create('operator', 'read_write'));
  api = createApi(lab.context, { trusted: false, connectionsMax: MAX });
  await api.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await api.close();
  await lab.close();
  expect(lab.faults).toEqual([]);
});

interface Client {
  readonly socket: Socket;
  text(): string;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function watch(socket: Socket): Client {
  sockets.push(socket);
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  return { socket, text: () => text };
}

async function open(bytes = ''): Promise<Client> {
  const client = watch(connect(portOf(api.server as Server), '127.0.0.1'));
  await once(client.socket, 'connect');
  if (bytes !== '') client.socket.write(bytes);
  return client;
}

async function says(client: Client, bytes: string, status: number): Promise<void> {
  const from = client.text().length;
  client.socket.write(bytes);
  await eventually(`the answer ${status}`, () => client.text().slice(from).startsWith(`HTTP/1.1 ${status} `));
}

const livez = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
const list = (): string =>
  `GET /v4/nodebalancers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`;

describe.each([
  ['that say nothing', ''],
  ['with half of a request’s headers', 'GET /livez HTTP/1.1\r\nHost: loc'],
  ['with half of a body', `${LOGIN}Content-Length: 100\r\n\r\n{`],
  ['that have asked and do nothing more', livez],
])('strangers %s', (_name, bytes) => {
  test('make room for whoever comes, and never are more than the limit', async () => {
    const operator = await open();
    await says(operator, list(), 200);
    for (let i = 0; i < 10 * MAX; i++) {
      await open(bytes);
      expect(api.connections.open).toBeLessThanOrEqual(MAX);
    }
    await says(await open(), livez, 200);
    // The oldest of all connections, and idle: but somebody is logged in there.
    await says(operator, list(), 200);
    expect(api.connections.ended.room).toBeGreaterThanOrEqual(9 * MAX);
  });
});

test('event streams take half of the connections at most, so that a new one is always answered', async () => {
  const streams: Promise<IncomingMessage>[] = [];
  for (let i = 0; i < MAX / 2 + 1; i++) {
    const request = get({
      port: portOf(api.server as Server),
      host: '127.0.0.1',
      path: '/balancer/v1/events',
      headers: { authorization: `Bearer ${token}` },
      agent: false,
    });
    request.on('socket', (socket) => sockets.push(socket)).on('error', () => {});
    streams.push(once(request, 'response').then(([answer]) => answer as IncomingMessage));
  }
  const codes = (await Promise.all(streams)).map(({ statusCode }) => statusCode);
  expect(codes.sort()).toEqual([200, 200, 503]);
  for (let i = 0; i < 2 * MAX; i++) await says(await open(), list(), 200);
});

test('with HTTPS strangers without a handshake make room, too, and a login is kept', async () => {
  const secure = createApi(lab.context, {
    trusted: false,
    connectionsMax: MAX,
    tls: { certificate: CERTIFICATE, key: KEY },
  });
  await secure.listen({ host: '127.0.0.1', port: 0 });
  try {
    const port = portOf(secure.server as Server);
    const openTls = async (): Promise<Client> => {
      const socket = connectTls({ port, host: '127.0.0.1', ca: CERTIFICATE });
      const client = watch(socket);
      await once(socket, 'secureConnect');
      return client;
    };
    const operator = await openTls();
    await says(operator, list(), 200);
    for (let i = 0; i < 5 * MAX; i++) await once(watch(connect(port, '127.0.0.1')).socket, 'connect');
    await says(await openTls(), livez, 200);
    for (let i = 0; i < 5 * MAX; i++) await openTls();
    await says(operator, list(), 200);
    expect(secure.connections.open).toBeLessThanOrEqual(MAX);
    operator.socket.destroy();
    await eventually('it to be forgotten', () => secure.connections.open < MAX);
  } finally {
    await secure.close();
  }
});

describe('who does not read', () => {
  const MIB = 1 << 20;
  let server: Server;
  let connections: Connections;
  let made: number;
  let ours: Socket[];

  beforeEach(async () => {
    made = 0;
    ours = [];
    server = createServer();
    connections = new Connections({ connectionsMax: 100, bytesMax: 32 * MIB });
    const large = 'x'.repeat(8 * MIB);
    connections.serve(server, false, (request, response) => {
      made++;
      ours.push(request.socket);
      if (request.headers.authorization !== undefined) connections.noteLogin(request.socket);
      connections.makeRoomForBytes(request.socket, large.length);
      response.end(large);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function askAndNotRead(header = ''): Promise<Socket> {
    const socket = connect(portOf(server), '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {}).pause();
    await once(socket, 'connect');
    const before = made;
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${header}\r\n`.repeat(50));
    await eventually('its answer', () => made > before);
    return socket;
  }

  test('has one answer waiting, and all together no more than the limit: the oldest without a login go', async () => {
    const operator = await askAndNotRead('Authorization: x\r\n');
    const first = await askAndNotRead();
    for (let i = 0; i < 10; i++) await askAndNotRead();
    expect(made).toBe(12);
    expect(connections.ended.bytes).toBeGreaterThanOrEqual(12 - 5);
    expect(connections.open).toBeLessThanOrEqual(5);
    const ended = async (socket: Socket): Promise<boolean> => {
      socket.resume();
      let bytes = 0;
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      await eventually('an answer, or an end', () => bytes > 8 * MIB || socket.destroyed);
      return bytes <= 8 * MIB;
    };
    expect([await ended(first), await ended(operator)]).toEqual([true, false]);
  });

  test('is cut when nothing has moved for a while', async () => {
    await askAndNotRead();
    const [socket] = ours;
    await eventually('its answer to wait', () => (socket?.writableLength ?? 0) > 0);
    server.emit('timeout', socket);
    expect([socket?.destroyed, connections.ended.stalled]).toEqual([true, 1]);
  });
});

describe('a body that stops coming', () => {
  test('is answered as too late, and its connection ends', async () => {
    let ours: Socket | undefined;
    api.server.once('connection', (socket: Socket) => {
      ours = socket;
    });
    const client = await open(`${LOGIN}Content-Length: 100\r\n\r\n{`);
    await eventually('its request', () => api.connections.open === 1 && (ours?.bytesRead ?? 0) > 0);
    // What Node.js says when nothing has moved for as long as it was told.
    api.server.emit('timeout', ours);
    await once(client.socket, 'close');
    expect(client.text()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('and the times are those that are promised', () => {
    const { headersTimeout, requestTimeout, timeout } = api.server as Server;
    expect({ headersTimeout, requestTimeout, timeout }).toEqual({
      headersTimeout: 5000,
      requestTimeout: 30_000,
      timeout: 10_000,
    });
  });
});

test('what is always the same is made once', async () => {
  const document = vi.spyOn(OpenApi.prototype, 'document');
  const page = vi.spyOn(OpenApi.prototype, 'page');
  for (const method of ['GET', 'HEAD', 'GET'] as const) {
    for (const url of ['/openapi.json', '/docs/api']) expect((await api.inject({ method, url })).statusCode).toBe(200);
  }
  expect([document.mock.calls.length, page.mock.calls.length]).toEqual([1, 1]);
  vi.restoreAllMocks();
});
