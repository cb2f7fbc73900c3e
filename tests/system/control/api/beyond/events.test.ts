// Events over a real connection: what a browser would read, and one that stops reading.

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../../../../testing/process.ts';
import { type Lab, startLab } from '../../../../pure/control/api/support.ts';

let lab: Lab;
let port: number;
let token: string;
const open: { destroy(): unknown }[] = [];

beforeEach(async () => {
  lab = startLab();
  await lab.app.listen({ host: '127.0.0.1', port: 0 });
  port = (lab.app.server.address() as AddressInfo).port;
  ({ token } = lab.context.tokens.create('reader', 'read_only'));
});
afterEach(async () => {
  for (const stream of open.splice(0)) stream.destroy();
  expect(lab.faults).toEqual([]);
  await lab.close();
});

interface Reading {
  readonly answer: IncomingMessage;
  text(): string;
}

async function read(headers: Record<string, string> = {}): Promise<Reading> {
  const request = get({
    host: '127.0.0.1',
    port,
    path: '/balancer/v1/events',
    headers: { authorization: `Bearer ${token}`, ...headers },
    agent: false,
  });
  open.push(request);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  answer.on('error', () => {});
  return { answer, text: () => text };
}

function tell(message: string): void {
  lab.plane.emit({ time: '2026-01-02T03:04:05.000Z', kind: 'node', message });
}

test('what happens is told as it happens, with the headers of every answer', async () => {
  const { answer, text } = await read();
  expect(answer.statusCode).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': expect.stringContaining('no-store'),
    'x-content-type-options': 'nosniff',
  });
  tell('web port 80: node one is down');
  await lab.ask('POST', '/v4/nodebalancers', { region: 'local', label: 'shop' });
  await eventually('the change is told', () => text().includes('revision 1 by tester: shop: added'));
  expect(text()).toContain('"message":"web port 80: node one is down"');
  expect(text()).toContain('"kind":"configuration"');
});

test('a reader that comes back is told what it missed', async () => {
  const first = await read();
  tell('one');
  await eventually('the first event is read', () => first.text().includes('"one"'));
  const [, id = ''] = /^id: (.*)$/m.exec(first.text()) ?? [];
  first.answer.destroy();
  tell('two');
  const second = await read({ 'last-event-id': id });
  await eventually('the second event is read', () => second.text().includes('"two"'));
  expect(second.text()).not.toContain('"one"');
});

test('a reader that stops reading is cut off, and nothing is kept for it', async () => {
  const socket: Socket = connect(port, '127.0.0.1');
  open.push(socket);
  socket.on('error', () => {});
  socket.write(`GET /balancer/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  await once(socket, 'readable');
  const quick = await read();
  const connections = () => new Promise<number>((resolve) => lab.app.server.getConnections((_error, n) => resolve(n)));
  expect(await connections()).toBe(2);
  // What the kernel holds for the sleeper, and then some.
  let told = 0;
  await eventually('the sleeper is cut off', async () => {
    for (let i = 0; i < 100; i++) tell(`event ${++told} ${'x'.repeat(900)}`);
    return (await connections()) === 1;
  });
  await eventually('the other one reads everything', () => quick.text().includes(`event ${told} `));
});

test('without a token there is nothing to read, and a HEAD does not wait for events', async () => {
  expect((await read({ authorization: 'Bearer nonsense' })).answer.statusCode).toBe(401);
  const head = await lab.app.inject({
    method: 'HEAD',
    url: '/balancer/v1/events',
    headers: { authorization: `Bearer ${token}` },
  });
  expect(head.statusCode).toBe(404);
});

test('the server closes with readers there', async () => {
  const { answer } = await read();
  const closed = once(answer, 'close');
  await lab.app.close();
  await closed;
});

test.each<[who: string, end: (cookie: string) => Promise<unknown>]>([
  [
    'a login has ended',
    (cookie) => lab.app.inject({ method: 'POST', url: '/balancer/v1/login/end', headers: { cookie }, payload: {} }),
  ],
  ['a token was revoked', async () => lab.context.tokens.list().map(({ id }) => lab.context.tokens.revoke(id))],
])('whose %s is told nothing more', async (_who, end) => {
  const logged = await lab.app.inject({ method: 'POST', url: '/balancer/v1/login', payload: { token } });
  const cookie = String(logged.headers['set-cookie']).split(';')[0] ?? '';
  const headers: { cookie: string; authorization?: string } = { cookie };
  const request = get({ host: '127.0.0.1', port, path: '/balancer/v1/events', headers, agent: false });
  open.push(request);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  tell('before');
  await eventually('the first event', () => text.includes('before'));
  const ended = once(answer, 'end');
  await end(cookie);
  tell('afterwards');
  await ended;
  expect(text).not.toContain('afterwards');
});
