// A reset is passed on as a reset, a FIN as a FIN, and neither overtakes bytes that came before it. Also when answer, FIN and
// reset reach the balancer in one piece: then it is stopped (SIGSTOP) until all three are there.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { connectRaw, openBlackHole, RawListener } from '../../../testing/raw-socket.ts';
import { tcpSocketsOf } from '../../../testing/sockets.ts';
import { expectSame, openScene, pattern, type Scene, sendAll } from './scene.ts';

const KIB = 1024;

let rawNode: RawListener;
let scene: Scene;
let rawScene: Scene;

beforeAll(async () => {
  rawNode = new RawListener(LOOPBACK_IPV4, await freePort());
  scene = await openScene();
  rawScene = await openScene({ nodes: [{ label: 'raw', address: `${LOOPBACK_IPV4}:${rawNode.port}` }] });
});

afterAll(async () => {
  await scene?.close();
  await rawScene?.close();
  rawNode?.close();
});

test('a client that resets in mid-transfer: the node gets a reset', async () => {
  const { client, back } = await scene.pair();
  const upload = pattern(1, 300 * KIB);
  await client.send(upload);
  expectSame(await back.recv(upload.length), upload);
  client.rst();
  expect(await back.recvEnd()).toBe('rst');
  expect(await scene.ended(client)).toMatchObject({ outcome: 'CD', errno: 'ECONNRESET' });
});

test('a node that resets in mid-transfer: the client gets a reset', async () => {
  const { client, back } = await scene.pair();
  const answer = pattern(2, 300 * KIB);
  await back.send(answer);
  expectSame(await client.recv(answer.length), answer);
  back.rst();
  expect(await client.recvEnd()).toBe('rst');
  expect(await scene.ended(client)).toMatchObject({ outcome: 'SD', errno: 'ECONNRESET' });
});

test('a reset while both directions are full of bytes reaches the other side', async () => {
  const { client, back } = await scene.pair();
  client.pause();
  back.pause();
  const sending = [client.send(pattern(3, 30 << 20)), back.send(pattern(4, 30 << 20))];
  const failed = Promise.allSettled(sending);
  await eventually('both to block', () => client.socket.writableLength > 0 && back.socket.writableLength > 0);
  client.rst();
  back.resume();
  expect(await back.recvEnd()).toBe('rst');
  await failed;
});

test('a reset after the client’s FIN still aborts the answer', async () => {
  const { client, back } = await scene.pair();
  await client.send('request');
  await client.fin();
  expect((await back.recvAll()).toString()).toBe('request');
  client.rst();
  const endless = setInterval(() => back.socket.write('more'), 5);
  try {
    await eventually('the node to see the reset', () => back.socket.destroyed || back.ended === 'rst');
  } finally {
    clearInterval(endless);
  }
  expect((await scene.ended(client)).outcome).toBe('CD');
});

for (const kib of [1, 16, 60]) {
  test(`an answer of ${kib} KiB, its FIN and a reset in one event: the client gets every byte`, async () => {
    const client = await rawScene.client();
    const back = await rawNode.accept();
    const answer = pattern(kib, kib * KIB);
    await client.send(pattern(5, 2000));
    await eventually('the request', () => back.unread() === 2000);
    rawScene.balancer.signal('SIGSTOP');
    try {
      await sendAll(back, answer);
      back.fin();
      await eventually('the balancer’s kernel to have all', () => back.unsent() === 0);
      back.close();
    } finally {
      rawScene.balancer.signal('SIGCONT');
    }
    expectSame(await client.recvAll(), answer);
    client.destroy();
  });
}

for (const kib of [64, 256, 1024, 4096]) {
  test(`the node answers ${kib} KiB, ends, and closes with the request unread`, async () => {
    const client = await rawScene.client();
    const back = await rawNode.accept();
    const answer = pattern(kib, kib * KIB);
    await client.send(pattern(6, 5000));
    await eventually('the request', () => back.unread() === 5000);
    await sendAll(back, answer);
    back.fin();
    await eventually('the balancer’s kernel to have all', () => back.unsent() === 0);
    back.close();
    expectSame(await client.recvAll(), answer);
    client.destroy();
  });
}

test('the node ends and closes while the client still uploads: the client gets the whole answer', async () => {
  const client = await rawScene.client();
  const back = await rawNode.accept();
  const answer = pattern(7, 500 * KIB);
  let isOver = false;
  const upload = (async () => {
    while (!isOver && !client.socket.destroyed) await client.send(pattern(8, 64 * KIB)).catch(() => {});
  })();
  await eventually('some of the upload', () => back.unread() > 10_000);
  await sendAll(back, answer);
  back.fin();
  await eventually('the balancer’s kernel to have all', () => back.unsent() === 0);
  back.close();
  expectSame(await client.recv(answer.length), answer);
  isOver = true;
  await upload;
  client.destroy();
});

test('a reset behind 300 KiB that the client has not read: it gets all of them, then the reset', async () => {
  const client = await rawScene.rawClient({ receiveBytes: 4096 });
  const back = await rawNode.accept();
  const answer = pattern(9, 300 * KIB);
  await sendAll(back, answer);
  await eventually('the balancer’s kernel to have all', () => back.unsent() === 0);
  back.rst();
  const reader = client.toPeer();
  expectSame(await reader.recv(answer.length), answer);
  expect(await reader.recvEnd()).toBe('rst');
});

test('a reset behind 300 KiB that the node has not read: it gets all of them, then the reset', async () => {
  const client = await rawScene.rawClient();
  const back = await rawNode.accept();
  const upload = pattern(10, 300 * KIB);
  await sendAll(client, upload);
  await eventually('the balancer’s kernel to have all', () => client.unsent() === 0);
  client.rst();
  const reader = back.toPeer();
  expectSame(await reader.recv(upload.length), upload);
  expect(await reader.recvEnd()).toBe('rst');
});

test('a client that closes with the answer unread: the node gets a reset', async () => {
  const client = await rawScene.rawClient();
  const back = await rawNode.accept();
  await sendAll(back, pattern(11, 1000));
  await eventually('the answer', () => client.unread() === 1000);
  client.close();
  expect(await back.toPeer().recvEnd()).toBe('rst');
});

test('a node that resets as soon as it has accepted: the client gets a reset, never an empty answer', async () => {
  const client = await rawScene.client();
  const ended = client.recvEnd();
  let isOver = false;
  void ended.finally(() => {
    isOver = true;
  });
  // The reset may come before anything was forwarded: then the balancer tries again, as often as it is set to.
  while (!isOver) {
    rawNode.tryAccept()?.rst();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await ended).toBe('rst');
  expect(client.bytesReceived).toBe(0);
});

test('a node that resets with the header unread: the client gets a reset', async () => {
  const node = new RawListener(LOOPBACK_IPV4, await freePort());
  const own = await openScene({
    proxyProtocol: 'v2',
    nodes: [{ label: 'raw', address: `${LOOPBACK_IPV4}:${node.port}` }],
  });
  try {
    const client = await own.client();
    const back = await node.accept();
    await eventually('the header', () => back.unread() === 28);
    back.close();
    expect(await client.recvEnd()).toBe('rst');
    expect(await own.ended(client)).toMatchObject({ attempts: 1, header_bytes: 28, outcome: 'SD' });
  } finally {
    await own.close();
    node.close();
  }
});

test('a node that answers and resets before it gets the header: the client sees the answer', async () => {
  const { listener, filler } = await openBlackHole(LOOPBACK_IPV4, await freePort());
  const own = await openScene({
    proxyProtocol: 'v2',
    nodes: [{ label: 'slow', address: `${LOOPBACK_IPV4}:${listener.port}` }],
    env: { BALANCER_CONNECT_RETRIES: '0' },
  });
  try {
    const client = await own.client();
    await eventually('the connect to be pending', () => hasSocketTo(own, listener.port));
    own.balancer.signal('SIGSTOP');
    try {
      listener.tryAccept()?.close();
      filler.close();
      // Linux sends the SYN again by itself, although the balancer stands still.
      const back = await listener.accept();
      back.send(pattern(12, 100));
      await eventually('the balancer’s kernel to have it', () => back.unsent() === 0);
      back.rst();
    } finally {
      own.balancer.signal('SIGCONT');
    }
    expectSame(await client.recv(100), pattern(12, 100));
    expect(await client.recvEnd()).toBe('rst');
  } finally {
    await own.close();
    listener.close();
  }
});

function hasSocketTo(of: Scene, port: number): boolean {
  return tcpSocketsOf(of.balancer.pid).some(({ remote }) => remote.port === port);
}

test('a client that resets while the connect is pending: the connect is given up, no header is sent', async () => {
  const hole = await openBlackHole(LOOPBACK_IPV4, await freePort());
  const own = await openScene({
    proxyProtocol: 'v2',
    nodes: [{ label: 'slow', address: `${LOOPBACK_IPV4}:${hole.listener.port}` }],
  });
  try {
    const client = await connectRaw(LOOPBACK_IPV4, own.port);
    const { port } = client.local;
    client.send(pattern(13, 1000));
    await eventually('the connect to be pending', () => hasSocketTo(own, hole.listener.port));
    client.rst();
    expect(await own.ended(port)).toMatchObject({ outcome: 'CC', header_bytes: 0, bytes_to_node: 0, attempts: 1 });
    expect(hasSocketTo(own, hole.listener.port)).toBe(false);
  } finally {
    await own.close();
    hole.filler.close();
    hole.listener.close();
  }
});
