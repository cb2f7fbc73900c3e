// Sessions in which nothing happens end by their timeout, whatever the other timeouts are; traffic in one direction is enough
// to stay; and a client that does not take the last of a dead node's answer holds its session no longer than the linger timeout.
// What ends a session is told from its other timeouts, which are far away; how far it misses its own is measured in
// tests/clock/data-path/timeouts.test.ts.

import { afterEach, expect, test } from 'vitest';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { RawListener } from '../../../testing/raw-socket.ts';
import { untilQuickEnough } from '../../../testing/yardstick.ts';
import { expectSame, openScene, pattern, type Scene, type SceneOptions, SlowTalk, sendAll } from './scene.ts';

const IDLE_MS = 500;

let scene: Scene;
afterEach(() => scene?.close());

async function open(env: Readonly<Record<string, string>>, options: SceneOptions = {}): Promise<void> {
  scene = await openScene({ ...options, env });
}

test('an idle session is ended on both sides', async () => {
  await open({ BALANCER_IDLE_TIMEOUT_MS: String(IDLE_MS), BALANCER_CONNECT_TIMEOUT_MS: '400' });
  const { client, back } = await scene.pair();
  await client.send('ping');
  expect((await back.recv(4)).toString()).toBe('ping');
  await back.send('pong');
  expect((await client.recv(4)).toString()).toBe('pong');
  expect(await client.recvEnd()).toBe('rst');
  expect(await back.recvEnd()).toBe('rst');
  const { outcome, total_ms } = await scene.ended(client);
  expect(outcome).toBe('cD');
  expect(total_ms).toBeGreaterThanOrEqual(IDLE_MS);
});

test('an idle timeout shorter than the connect timeout holds too', async () => {
  await open({ BALANCER_IDLE_TIMEOUT_MS: String(IDLE_MS), BALANCER_CONNECT_TIMEOUT_MS: '600000' });
  const { client } = await scene.pair();
  expect(await client.recvEnd()).toBe('rst');
  const { total_ms } = await scene.ended(client);
  expect(total_ms).toBeGreaterThanOrEqual(IDLE_MS);
});

test('a node that never answers a request is the silent one', async () => {
  await open({ BALANCER_IDLE_TIMEOUT_MS: String(IDLE_MS), BALANCER_CONNECT_TIMEOUT_MS: '400' });
  const { client } = await scene.pair();
  await client.send('anybody there?');
  expect(await client.recvEnd()).toBe('rst');
  expect((await scene.ended(client)).outcome).toBe('sD');
});

test('traffic in one direction keeps a session', async () => {
  await open({ BALANCER_IDLE_TIMEOUT_MS: String(IDLE_MS), BALANCER_CONNECT_TIMEOUT_MS: '400' });
  await untilQuickEnough(async () => {
    const { client, back } = await scene.pair();
    const talk = new SlowTalk(back);
    // Two sessions in a row that say nothing, and are ended for it.
    for (let i = 0; i < 2; i++) {
      const silent = await scene.pair();
      await eventually('the end of a silent one', () => talk.goOn().then(() => silent.client.ended !== 'open'));
    }
    if (client.ended !== 'open' && talk.pauseMsMax > IDLE_MS / 2) return false;
    expect(client.ended).toBe('open');
    expectSame(await client.recv(talk.sent.length), talk.sent);
    expect(await client.recvEnd()).toBe('rst');
    return true;
  });
});

test('a client that stops reading is ended by a reset: a FIN would promise that it was everything', async () => {
  await open({ BALANCER_IDLE_TIMEOUT_MS: String(IDLE_MS), BALANCER_CONNECT_TIMEOUT_MS: '400' });
  const client = await scene.rawClient({ receiveBytes: 4096 });
  const { port } = client.local;
  const back = await scene.node.accept();
  const sending = back.send(pattern(1, 32 << 20)).catch(() => {});
  const { outcome } = await scene.ended(port);
  expect(outcome).toBe('cD');
  expect(await back.recvEnd()).toBe('rst');
  await sending;
  // What had arrived may be read; then it is a reset, never a quiet end.
  let n = 1;
  await eventually('the reset', () => {
    while (n > 0) n = client.recv();
    return n !== -11;
  });
  expect(n).toBe(-104);
  client.close();
});

test('the client uploads for ever to a node that has answered and gone: the linger timeout ends it', async () => {
  const node = new RawListener(LOOPBACK_IPV4, await freePort());
  try {
    const nodes = [{ label: 'raw', address: `${LOOPBACK_IPV4}:${node.port}` }];
    await open({ BALANCER_LINGER_TIMEOUT_MS: '400' }, { nodes });
    const client = await scene.client();
    const back = await node.accept();
    await client.send(pattern(2, 5000));
    await eventually('the request', () => back.unread() === 5000);
    const answer = pattern(3, 200_000);
    await sendAll(back, answer);
    back.fin();
    await eventually('the balancer’s kernel to have all', () => back.unsent() === 0);
    back.close();
    const endless = setInterval(() => client.socket.destroyed || client.socket.write(pattern(4, 1000)), 5);
    try {
      expectSame(await client.recvAll(), answer);
      const { outcome, total_ms } = await scene.ended(client);
      expect(outcome).toBe('SD');
      expect(total_ms).toBeGreaterThanOrEqual(400);
    } finally {
      clearInterval(endless);
    }
    client.destroy();
  } finally {
    node.close();
  }
});

test('a client that never takes the tail behind a reset is given up after the linger timeout', async () => {
  const node = new RawListener(LOOPBACK_IPV4, await freePort());
  try {
    const nodes = [{ label: 'raw', address: `${LOOPBACK_IPV4}:${node.port}` }];
    await open({ BALANCER_LINGER_TIMEOUT_MS: '400' }, { nodes });
    const client = await scene.rawClient({ receiveBytes: 4096 });
    const { port } = client.local;
    const back = await node.accept();
    await sendAll(back, pattern(5, 60_000));
    await eventually('the balancer’s kernel to have all', () => back.unsent() === 0);
    back.rst();
    expect((await scene.ended(port)).outcome).toBe('SD');
    client.close();
  } finally {
    node.close();
  }
});
