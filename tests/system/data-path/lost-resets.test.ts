// Resets in the midst of bulk, by the hundred. The write that meets one may consume it, and what is
// left looks like the end of a stream: none may reach the other side as a FIN. And where a FIN came
// first, that is what the other side gets, behind every byte.

import { Buffer } from 'node:buffer';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { RawListener } from '../../../testing/raw-socket.ts';
import { bySize } from '../../../testing/suite/size.ts';
import { openScene, pattern, type Scene, sendAll } from './scene.ts';

const RESETS = bySize({ quick: 100, thorough: 20_000 });
const AT_ONCE = 6;
const BULK = pattern(1, 1 << 18);
const ANSWER = pattern(2, 1 << 16);
/**
 * A resetter has read so many bytes at most: some resets come before the first splice, some in the
 * midst of many.
 */
const READ_BYTES_MAX = 1_500_000;
const ANSWER_BYTES_MAX = 60_000;

type End = 'fin' | 'rst';

/** Whatever comes first; a socket that saw a FIN may yet hear of a reset. */
function endOf(socket: Socket): Promise<End> {
  return new Promise((resolve) => {
    socket.once('end', () => resolve('fin'));
    socket.once('error', () => resolve('rst'));
    socket.once('close', () => resolve('rst'));
  });
}

/** Sends as fast as it is taken, until the socket has ended. */
function sendForEver(socket: Socket): void {
  const more = () => {
    while (socket.writable && socket.write(BULK));
  };
  socket.on('drain', more).on('error', () => {});
  more();
}

function resetAfter(socket: Socket, bytes: number): void {
  let got = 0;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    got += chunk.length;
    if (got >= bytes) socket.resetAndDestroy();
  });
}

/** `RESETS` of them, some at a time. @returns how many times each answer came */
async function tally(one: () => Promise<string>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let begun = 0;
  const some = async () => {
    while (begun++ < RESETS) {
      const answer = await one();
      counts[answer] = (counts[answer] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  return counts;
}

/** Begins with its own length. */
function answerOf(bytes: number): Buffer {
  const answer = Buffer.from(ANSWER.subarray(0, bytes));
  answer.writeUInt32BE(bytes);
  return answer;
}

/**
 * A node that has said all, and ends; what it hears meanwhile it reads for a while, and then
 * resets.
 */
async function answerAndReset(node: RawListener): Promise<void> {
  const back = await turnsUntil(() => node.tryAccept());
  let left = randomBytes(READ_BYTES_MAX);
  const reading = () => {
    for (let n = 1; n > 0 && left > 0; left -= n) n = Math.max(0, back.recv());
  };
  await sendAll(back, answerOf(3 + randomBytes(ANSWER_BYTES_MAX)));
  back.fin();
  await turnsUntil(() => {
    reading();
    return back.unsent() === 0 && left <= 0 ? true : undefined;
  });
  back.rst();
}

/**
 * Asks again in each turn of the event loop. A test that waits for ever has a deadline of its own.
 */
async function turnsUntil<T>(find: () => T | undefined): Promise<T> {
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const randomBytes = (max: number) => 1 + Math.floor(Math.random() * max);

for (const splice of ['auto', 'on', 'off'] as const) {
  describe(`splice ${splice}`, () => {
    let node: RawListener;
    let server: Server;
    let scene: Scene;
    let rawScene: Scene;
    let onNode: (socket: Socket) => void = () => {};

    beforeAll(async () => {
      node = new RawListener(LOOPBACK_IPV4, await freePort());
      server = createServer({ allowHalfOpen: true }, (socket) => onNode(socket));
      const port = await freePort();
      await new Promise<void>((resolve) => server.listen({ host: LOOPBACK_IPV4, port }, resolve));
      const open = (label: string, at: number) =>
        openScene({ nodes: [{ label, address: `${LOOPBACK_IPV4}:${at}` }], env: { BALANCER_SPLICE: splice } });
      scene = await open('node', port);
      rawScene = await open('raw', node.port);
    });
    afterAll(async () => {
      await scene?.close();
      await rawScene?.close();
      node?.close();
      await new Promise((resolve) => server?.close(resolve));
    });

    test('a node that resets an upload: no client sees a FIN', async () => {
      onNode = (socket) => resetAfter(socket, randomBytes(READ_BYTES_MAX));
      const counts = await tally(async () => {
        const client = connect({ host: LOOPBACK_IPV4, port: scene.port, allowHalfOpen: true });
        client.resume();
        client.once('connect', () => sendForEver(client));
        const end = await endOf(client);
        client.destroy();
        return end;
      });
      expect(counts).toEqual({ rst: RESETS });
    });

    test('a client that resets a download: no node sees a FIN', async () => {
      const ends: Promise<End>[] = [];
      onNode = (socket) => {
        socket.resume();
        ends.push(endOf(socket).finally(() => socket.destroy()));
        sendForEver(socket);
      };
      await tally(async () => {
        const client = connect({ host: LOOPBACK_IPV4, port: scene.port });
        resetAfter(client, randomBytes(READ_BYTES_MAX));
        await new Promise((resolve) => client.once('close', resolve));
        return 'reset';
      });
      const seen = await Promise.all(ends);
      expect([seen.length, seen.filter((end) => end === 'fin').length]).toEqual([RESETS, 0]);
    });

    test('a node that answers, ends and resets while the upload goes on: each client gets all, and a FIN', async () => {
      const counts = await tally(async () => {
        const client = connect({ host: LOOPBACK_IPV4, port: rawScene.port });
        client.once('connect', () => sendForEver(client));
        const got: Buffer[] = [];
        client.on('data', (chunk: Buffer) => got.push(chunk));
        const [end] = await Promise.all([endOf(client), answerAndReset(node)]);
        client.destroy();
        const all = Buffer.concat(got);
        const isWhole = all.length >= 4 && all.equals(answerOf(all.readUInt32BE()));
        return `${end}, ${isWhole ? 'all' : `${all.length} bytes`}`;
      });
      expect(counts).toEqual({ 'fin, all': RESETS });
    });
  });
}
