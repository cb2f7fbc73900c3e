// Peers that do not read, do not send, or read slowly through tiny windows: the sender is held back, the balancer takes no more
// than its buffers hold, other sessions go on, and once the peer reads again every byte arrives. Hundreds of them:
// stalled-crowd.test.ts. How much memory all that takes: tests/clock/data-path/memory.test.ts.

import { afterEach, describe, expect, test } from 'vitest';
import { VARIABLES } from '../../../cli/environment.ts';
import { userTimeoutMs } from '../../../core/linux/keepalive.ts';
import type { Peer } from '../../../testing/peer.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { RawListener, type RawOptions } from '../../../testing/raw-socket.ts';
import { untilQuickEnough } from '../../../testing/yardstick.ts';
import { statusOf } from '../pool/status.ts';
import { expectSame, openScene, pattern, type Scene } from './scene.ts';

const KIB = 1024;
const MIB = KIB * KIB;
const BUFFER_BYTES = VARIABLES.bufferBytes.default;
const PIPE_BYTES = VARIABLES.pipeBytes.default;

let scene: Scene;
let node: RawListener;
afterEach(async () => {
  await scene?.close();
  node?.close();
});

async function open(env: Readonly<Record<string, string>> = {}, sockets: RawOptions = {}) {
  node = new RawListener(LOOPBACK_IPV4, await freePort(), sockets);
  const nodes = [{ label: 'raw', address: `${LOOPBACK_IPV4}:${node.port}` }];
  scene = await openScene({ nodes, env });
}

interface Session {
  client: Peer;
  back: Peer;
}

async function pair(sockets: RawOptions = {}): Promise<Session> {
  const client = await scene.rawClient(sockets);
  return { client: client.toPeer(), back: (await node.accept()).toPeer() };
}

/** Bytes of both directions there and back, checked. */
async function exchange({ client, back }: Session, seed: number, bytes: number): Promise<void> {
  const [up, down] = [pattern(seed, bytes), pattern(seed + 1, bytes)];
  const sending = Promise.all([client.send(up), back.send(down)]);
  expectSame(await back.recv(bytes), up);
  expectSame(await client.recv(bytes), down);
  await sending;
}

/** Until the kernel takes nothing more of any of these senders. */
async function stalled(senders: readonly Peer[]): Promise<void> {
  let seen = -1;
  let quiet = 0;
  await eventually('all senders to be held back', () => {
    const left = senders.reduce((sum, { socket }) => sum + socket.writableLength, 0);
    quiet = left === seen && senders.every(({ socket }) => socket.writableLength > 0) ? quiet + 1 : 0;
    seen = left;
    return quiet >= 20;
  });
}

/** What the balancer has taken of all sessions and not passed on, by its own count. */
async function heldBytes(): Promise<number> {
  const [front] = (await statusOf(scene.balancer)).frontends;
  const back = front?.nodes[0];
  if (front === undefined || back === undefined) throw new Error('the scene has one port and one node');
  return front.bytes_in - back.bytes_out + (back.bytes_in - front.bytes_out);
}

for (const [name, env, heldBytesMax] of [
  ['splice auto', {}, BUFFER_BYTES + PIPE_BYTES],
  ['splice off', { BALANCER_SPLICE: 'off' }, BUFFER_BYTES],
  ['splice on, small buffers', { BALANCER_SPLICE: 'on', BALANCER_BUFFER_BYTES: '4096' }, 4096 + PIPE_BYTES],
] as const) {
  describe(name, () => {
    for (const idle of ['node', 'client'] as const) {
      test(`a ${idle} that does not read holds the sender back, nobody else, and then gets every byte`, async () => {
        await open(env);
        const { client, back } = await pair();
        const [reader, sender] = idle === 'node' ? [back, client] : [client, back];
        const other = await pair();
        await exchange(other, 10, 4 * MIB);
        reader.pause();
        const data = pattern(1, 48 * MIB);
        // Piece by piece, as a program would.
        for (let at = 0; at < data.length; at += MIB) sender.socket.write(data.subarray(at, at + MIB));
        await stalled([sender]);
        for (let i = 0; i < 5; i++) await exchange(other, 20 + i, 2 * MIB);
        expect(await heldBytes()).toBeLessThanOrEqual(heldBytesMax);
        expect(sender.socket.writableLength).toBeGreaterThan(0);
        // The other direction of the same session is free.
        await reader.send('still here');
        expect((await sender.recv(10)).toString()).toBe('still here');
        reader.resume();
        expectSame(await reader.recv(data.length), data);
      });
    }

    test('slow readers with tiny windows: megabytes both ways, byte by byte', async () => {
      const tiny = { receiveBytes: 16 * KIB, segmentBytes: 1460 };
      await open(env, tiny);
      const sessions: Session[] = [];
      // One after the other: the node would not know whose connection it accepts.
      for (let i = 0; i < 4; i++) sessions.push(await pair(tiny));
      await Promise.all(sessions.map((session, i) => exchange(session, 100 * i, 3 * MIB)));
    });

    test('clients that never send cost the others nothing, and may speak at last', async () => {
      await open(env);
      const silent: Session[] = [];
      for (let i = 0; i < 100; i++) silent.push(await pair());
      await exchange(await pair(), 1, 8 * MIB);
      for (const [i, session] of silent.entries()) await exchange(session, i, 100 + i);
    });
  });
}

test('a reader that is alive is not cut although it takes nothing for longer than keepalive needs', async () => {
  const keepaliveSeconds = 2;
  await open({
    BALANCER_KEEPALIVE_SECONDS: String(keepaliveSeconds),
    BALANCER_HALF_CLOSED_TIMEOUT_MS: String(2.25 * keepaliveSeconds * 1000),
  });
  const data = pattern(2, 24 * MIB);
  await untilQuickEnough(async () => {
    const { client, back } = await pair();
    client.pause();
    const sinceMs = performance.now();
    const sending = back.send(data).catch(() => {});
    await stalled([back]);
    // Its own timeout tells that the other one has not read for longer than that.
    const clock = await pair();
    await clock.client.fin();
    await clock.client.recvEnd();
    // In the end nobody waits for a reader any more.
    if (performance.now() - sinceMs > userTimeoutMs(keepaliveSeconds) - 1000) return false;
    client.resume();
    expectSame(await client.recv(data.length), data);
    await sending;
    return true;
  });
});

test('more stalled sessions than there is spill memory for: the others still move', async () => {
  // Blocks of 4 MiB: fifteen of them fill the slab. With the usual 64 KiB it takes a thousand clients that do not read.
  await open({ BALANCER_SPLICE: 'off', BALANCER_BUFFER_BYTES: String(4 * MIB) }, { sendBytes: 64 * KIB });
  const other = await pair();
  await exchange(other, 1, MIB);
  const greedy: Session[] = [];
  for (let i = 0; i < 24; i++) greedy.push(await pair({ receiveBytes: 4096, segmentBytes: 1460 }));
  const piece = pattern(3, MIB);
  for (const { client, back } of greedy) {
    client.pause();
    for (let i = 0; i < 40; i++) back.socket.write(piece);
  }
  await stalled(greedy.map(({ back }) => back));
  await exchange(other, 2, MIB);
});
