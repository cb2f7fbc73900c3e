// A stream that the balancer cuts must not look complete, whatever the reason: who has not got the
// other side's FIN gets a reset. And who has got it gets everything before it, also when nobody has
// read that yet. At a timeout even what was only passed on arrives before the reset.

import { Buffer } from 'node:buffer';
import { afterEach, expect, test } from 'vitest';
import type { Peer } from '../../../testing/peer.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import type { RawSocket } from '../../../testing/raw-socket.ts';
import { tcpSocketsOf } from '../../../testing/sockets.ts';
import { runBinary } from '../process/binary.ts';
import { expectSame, openScene, pattern, type Scene } from './scene.ts';

/**
 * More than the client's kernel takes without somebody who reads, less than the balancer's does.
 */
const ANSWER = pattern(1, 60_000);
const PART = 'half of the answer';

let scene: Scene;
afterEach(() => scene?.close());

/**
 * Three sessions: in the midst of an answer; the node has ended, and its client reads nothing; the
 * client has ended.
 */
interface Sessions {
  readonly midst: Pair<Peer>;
  readonly nodeEnded: Pair<RawSocket>;
  readonly clientEnded: Pair<Peer>;
}

interface Pair<Client> {
  readonly client: Client;
  readonly back: Peer;
}

async function begin(): Promise<Sessions> {
  const midst = await scene.pair();
  await midst.client.send('q');
  expect((await midst.back.recv(1)).toString()).toBe('q');
  await midst.back.send(PART);
  expect((await midst.client.recv(PART.length)).toString()).toBe(PART);
  const clientEnded = await scene.pair();
  await clientEnded.client.send('last words');
  await clientEnded.client.fin();
  expect((await clientEnded.back.recvAll()).toString()).toBe('last words');
  return { midst, nodeEnded: await beginEnded(), clientEnded };
}

async function beginEnded(): Promise<Pair<RawSocket>> {
  const client = await scene.rawClient({ receiveBytes: 4096 });
  const { port } = client.local;
  const back = await scene.node.accept();
  await back.send(ANSWER);
  await back.fin();
  const front = () => tcpSocketsOf(scene.balancer.pid).find(({ remote }) => remote.port === port);
  await eventually('the FIN to be passed on', () => front()?.isOpen !== true);
  return { client, back };
}

/** What all see once their sessions are over. */
async function expectCut({ midst, nodeEnded, clientEnded }: Sessions): Promise<void> {
  expect(await Promise.all([midst.client, midst.back].map((peer) => peer.recvEnd()))).toEqual(['rst', 'rst']);
  expect(await clientEnded.client.recvEnd()).toBe('rst');
  expect(await nodeEnded.back.recvEnd()).toBe('rst');
  const client = nodeEnded.client.toPeer();
  expectSame(await client.recvAll(), ANSWER);
  client.destroy();
}

test('by the operator, and by the drain deadline', async () => {
  const adminPort = await freePort();
  scene = await openScene({ env: { BALANCER_ADMIN_ADDRESS: `${LOOPBACK_IPV4}:${adminPort}` } });
  const killed = await begin();
  const { code, stderr } = await runBinary(['kill', '--port', String(scene.port)], {
    env: { BALANCER_DATA_DIR: scene.balancer.dataDirectory },
  });
  expect(code, stderr).toBe(0);
  await expectCut(killed);
  const drained = await begin();
  // The scene's drain takes no time at all.
  scene.balancer.signal('SIGTERM');
  expect(await scene.balancer.program.waitForExit()).toEqual({ code: 0, signal: null });
  await expectCut(drained);
});

test('by a timeout', async () => {
  scene = await openScene({
    env: { BALANCER_IDLE_TIMEOUT_MS: '3000', BALANCER_HALF_CLOSED_TIMEOUT_MS: '2000' },
  });
  const sessions = await begin();
  await expectCut(sessions);
  expect((await scene.ended(sessions.midst.client)).outcome).toBe('cD');
});

test('what was passed on before a timeout arrives before the reset', async () => {
  scene = await openScene({ env: { BALANCER_IDLE_TIMEOUT_MS: '500', BALANCER_LINGER_TIMEOUT_MS: '15000' } });
  const client = await scene.rawClient({ receiveBytes: 4096 });
  const { port } = client.local;
  const back = await scene.node.accept();
  await back.send(ANSWER);
  // The node has everything that it was sent, and hears of it at once.
  expect(await back.recvEnd()).toBe('rst');
  expect(scene.allEnded()).toEqual([]);
  const reader = client.toPeer();
  expectSame(await reader.recv(ANSWER.length), ANSWER);
  expect(await reader.recvEnd()).toBe('rst');
  expect(await scene.ended(port)).toMatchObject({ outcome: 'cD', bytes_to_client: ANSWER.length });
});

test('an upload that is cut does not look complete to the node', async () => {
  scene = await openScene({ env: { BALANCER_IDLE_TIMEOUT_MS: '1000' } });
  const { client, back } = await scene.pair();
  await client.send(ANSWER.subarray(0, 24_000));
  expectSame(Buffer.from(await back.recv(24_000)), ANSWER.subarray(0, 24_000));
  expect(await back.recvEnd()).toBe('rst');
});
