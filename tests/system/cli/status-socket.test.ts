// The socket that a running process answers on: made and removed with care for what already lies there, never a reason
// to fail, and short with clients that do not behave.

import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AnswerError, askStatus, socketPath } from '../../../control/status-client.ts';
import { StatusSocket } from '../../../control/status-socket.ts';
import { eventually } from '../../../testing/process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';
import type { Snapshot } from '../../../workers/snapshot.ts';
import { SAMPLE } from '../../pure/cli/status-sample.ts';
import { makeNotebook, type Notebook } from '../../pure/workers/notebook.ts';

const TIMEOUT_MS = 5000;

let parent: string;
let directory: string;
let path: string;
let notebook: Notebook;
let opened: StatusSocket[];
let others: Server[];

beforeEach(() => {
  parent = makeTemporaryDirectory('status');
  directory = join(parent, 'data');
  path = socketPath(directory);
  notebook = makeNotebook();
  opened = [];
  others = [];
});

afterEach(async () => {
  await Promise.all(opened.map((socket) => socket.close()));
  for (const server of others) server.close();
  removeTemporaryDirectory(parent);
});

async function open(at = directory, snapshot: () => Snapshot = () => SAMPLE): Promise<StatusSocket | undefined> {
  const socket = await StatusSocket.open(at, snapshot, notebook);
  if (socket !== undefined) opened.push(socket);
  return socket;
}

async function mustOpen(): Promise<StatusSocket> {
  const socket = await open();
  if (socket === undefined) throw new Error(`no socket: ${notebook.lines.join('\n')}`);
  return socket;
}

async function close(socket: StatusSocket): Promise<void> {
  opened.splice(opened.indexOf(socket), 1);
  await socket.close();
}

/** Somebody else's socket, in the way of ours. @returns the listener */
async function listenAt(at: string, onConnection: (socket: Socket) => void): Promise<Server> {
  mkdirSync(directory, { recursive: true });
  const server = createServer(onConnection);
  others.push(server);
  server.listen(at);
  await once(server, 'listening');
  return server;
}

interface Answer {
  status: number | undefined;
  headers: Record<string, unknown>;
  text: string;
}

function ask(method: string, url: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked = request({ socketPath: path, method, path: url, agent: false }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
  });
  asked.on('error', reject);
  asked.end();
  return promise;
}

/** Sends these bytes. @returns all that comes back until the end of the connection */
async function say(bytes: string): Promise<string> {
  const socket = connect(path);
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  socket.on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

describe('the socket', () => {
  test('is made for its user alone, in a directory that is made too', async () => {
    const deep = join(directory, 'a', 'b');
    expect(await open(deep)).toBeDefined();
    expect(statSync(deep).mode & 0o777).toBe(0o700);
    expect(statSync(socketPath(deep)).mode & 0o777).toBe(0o600);
    expect(readdirSync(deep)).toEqual(['balancer.sock']);
    expect(notebook.lines).toEqual([]);
  });

  test('leaves the mode of a directory that was there', async () => {
    mkdirSync(directory);
    chmodSync(directory, 0o750);
    await mustOpen();
    expect(statSync(directory).mode & 0o777).toBe(0o750);
  });

  test('answers with the snapshot of the moment', async () => {
    let sessions = 0;
    await open(directory, () => ({ ...SAMPLE, sessions: ++sessions }));
    expect(await askStatus(path, TIMEOUT_MS)).toEqual({ ...SAMPLE, sessions: 1 });
    expect(await askStatus(path, TIMEOUT_MS)).toEqual({ ...SAMPLE, sessions: 2 });
  });

  test('has one answer per connection, however many are asked for at once', async () => {
    let taken = 0;
    await open(directory, () => ({ ...SAMPLE, sessions: ++taken }));
    const answers = await say('GET /status HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(1000));
    expect([answers.match(/HTTP\/1\.1 200/g)?.length, taken]).toEqual([1, 1]);
  });

  test('is gone after its close, and can be opened again', async () => {
    await close(await mustOpen());
    expect(readdirSync(directory)).toEqual([]);
    await mustOpen();
    expect((await askStatus(path, TIMEOUT_MS)).pid).toBe(SAMPLE.pid);
  });

  test('is gone with clients still connected, whatever they have said', async () => {
    const socket = await mustOpen();
    const clients = ['', 'GET /sta', 'GET /status HTTP/1.1\r\nhost: x\r\n'].map((text) => {
      const client = connect(path);
      client.on('error', () => {});
      if (text !== '') client.write(text);
      return client;
    });
    await Promise.all(clients.map((client) => once(client, 'connect')));
    await askStatus(path, TIMEOUT_MS);
    const ends = clients.map((client) => once(client, 'close'));
    await close(socket);
    await Promise.all(ends);
    expect(existsSync(path)).toBe(false);
  });

  test("is left where another process's has taken its place", async () => {
    const socket = await mustOpen();
    const other = await listenAt(join(directory, 'other'), (client) => client.end());
    renameSync(join(directory, 'other'), path);
    await close(socket);
    expect(lstatSync(path).isSocket()).toBe(true);
    expect(other.listening).toBe(true);
  });
});

describe('what lies there already', () => {
  test('a socket that nobody answers any more is replaced', async () => {
    const server = await listenAt(join(directory, 'dead'), () => {});
    // Its listener removes the name it knows when it closes; the other one stays, as after a crash.
    renameSync(join(directory, 'dead'), path);
    server.close();
    await once(server, 'close');
    expect(lstatSync(path).isSocket()).toBe(true);
    await mustOpen();
    expect(notebook.lines).toEqual([]);
    expect(await askStatus(path, TIMEOUT_MS)).toEqual(SAMPLE);
  });

  test('a living one belongs to another balancer, which the warning names', async () => {
    await mustOpen();
    expect(await open()).toBeUndefined();
    expect(notebook.lines).toHaveLength(1);
    expect(notebook.lines[0]).toMatch(/^warn: /);
    for (const part of [path, `another balancer (pid ${SAMPLE.pid})`, 'BALANCER_DATA_DIR'])
      expect(notebook.lines[0]).toContain(part);
    expect(await askStatus(path, TIMEOUT_MS)).toEqual(SAMPLE);
  });

  test.for<[string, (socket: Socket) => void]>([
    ['says nothing', () => {}],
    ['hangs up', (socket) => socket.end()],
    ['speaks something else', (socket) => socket.end('220 mail ESMTP\r\n')],
    ['has another kind of status', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')],
    ['stops in the middle', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"pid":1')],
  ])('a living one that %s is not touched', async ([, behave]) => {
    const clients: Socket[] = [];
    await listenAt(path, (client) => {
      clients.push(client);
      client.on('error', () => {});
      behave(client);
    });
    const { ino } = statSync(path);
    expect(await open()).toBeUndefined();
    expect(notebook.lines).toHaveLength(1);
    expect(notebook.lines[0]).toMatch(/^warn: no status socket at .*: another process \(.+\) has it/);
    expect(statSync(path).ino).toBe(ino);
    for (const client of clients) client.destroy();
  });

  test('a file that is no socket stays as it is', async () => {
    mkdirSync(directory);
    writeFileSync(path, 'precious');
    expect(await open()).toBeUndefined();
    expect(notebook.lines).toEqual([expect.stringMatching(/^warn: .*a file in its way that is not a socket/)]);
    expect(readFileSync(path, 'utf8')).toBe('precious');
    expect(readdirSync(directory)).toEqual(['balancer.sock']);
  });
});

describe('a directory that cannot be used is one warning', () => {
  test('a file instead of a directory', async () => {
    writeFileSync(directory, '');
    expect(await open()).toBeUndefined();
    expect(notebook.lines).toEqual([
      expect.stringMatching(/^warn: no status socket at .*it is there, and is no directory/),
    ]);
  });

  test('one where nobody may make anything', async () => {
    expect(await open('/sys/balancer')).toBeUndefined();
    expect(notebook.lines).toEqual([
      expect.stringMatching(/^warn: no status socket at \/sys\/balancer\/balancer\.sock: .*\((EPERM|EACCES|EROFS)\)/),
    ]);
  });

  test('a path of 107 bytes is used, one of 108 is not', async () => {
    const fill = (bytes: number) =>
      join(parent, 'x'.repeat(bytes - Buffer.byteLength(socketPath(join(parent, ''))) - 1));
    const longest = fill(107);
    expect(Buffer.byteLength(socketPath(longest))).toBe(107);
    expect(await open(longest)).toBeDefined();
    expect((await askStatus(socketPath(longest), TIMEOUT_MS)).pid).toBe(SAMPLE.pid);
    expect(notebook.lines).toEqual([]);
    expect(await open(fill(108))).toBeUndefined();
    expect(notebook.lines).toEqual([expect.stringMatching(/^warn: .*its path is longer than 107 bytes/)]);
    expect(existsSync(fill(108))).toBe(false);
  });
});

describe('a request', () => {
  test.for<[string, string, number, string | undefined]>([
    ['GET', '/', 404, 'there is only /status'],
    ['GET', '/status/', 404, 'there is only /status'],
    ['GET', '//', 404, 'there is only /status'],
    ['POST', '/nothing', 404, 'there is only /status'],
    ['POST', '/status', 405, 'only GET and HEAD are possible'],
    ['DELETE', '/status', 405, 'only GET and HEAD are possible'],
    ['GET', '/status?pretty', 200, undefined],
  ])('%s %s is answered with %i', async ([method, url, status, reason]) => {
    await mustOpen();
    const answer = await ask(method, url);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', connection: 'close' });
    expect(answer.headers.allow).toBe(status === 405 ? 'GET, HEAD' : undefined);
    expect(JSON.parse(answer.text)).toEqual(reason === undefined ? SAMPLE : { errors: [{ reason }] });
  });

  test('with HEAD is answered without a body', async () => {
    await mustOpen();
    const [head, get] = [await ask('HEAD', '/status'), await ask('GET', '/status')];
    expect([head.status, head.text]).toEqual([200, '']);
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
  });

  test('with more headers than anybody needs is refused', async () => {
    await mustOpen();
    expect(await say(`GET /status HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(5000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await askStatus(path, TIMEOUT_MS)).toEqual(SAMPLE);
  });

  test('that is none is refused', async () => {
    await mustOpen();
    expect(await say('\u0000\u0001 nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('that never ends is given up', async () => {
    await mustOpen();
    expect(await say('GET /status HTTP/1.1\r\n')).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('during which reading fails is answered, logged, and ends nothing', async () => {
    let isBroken = true;
    await open(directory, () => {
      if (isBroken) throw new Error('a broken cell');
      return SAMPLE;
    });
    const answer = await ask('GET', '/status');
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.text)).toEqual({ errors: [{ reason: 'the status cannot be read; the log says why' }] });
    expect(notebook.lines).toEqual([expect.stringMatching(/^error: status socket: Error: a broken cell/)]);
    isBroken = false;
    expect(await askStatus(path, TIMEOUT_MS)).toEqual(SAMPLE);
  });
});

describe('asking', () => {
  test('a peer that does not answer ends at the deadline', async () => {
    const clients: Socket[] = [];
    await listenAt(path, (client) => {
      clients.push(client);
      client.on('error', () => {});
    });
    await expect(askStatus(path, 20)).rejects.toThrow(new AnswerError('no answer within 20 ms'));
    await eventually('its connection to end', () => clients.length === 1 && clients[0]?.resume().closed === true);
  });

  test.for<[string, () => void, string]>([
    ['nothing', () => {}, 'ENOENT'],
    ['a file', () => writeFileSync(path, ''), 'ECONNREFUSED'],
  ])('at %s fails with the code', async ([, prepare, code]) => {
    mkdirSync(directory);
    prepare();
    await expect(askStatus(path, TIMEOUT_MS)).rejects.toMatchObject({ code });
  });
});
