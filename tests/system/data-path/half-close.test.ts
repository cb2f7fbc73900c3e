// One direction ends, the other goes on: whoever sends FIN first, the rest of the conversation arrives to the last byte, and
// the FIN is passed on as a FIN. A half-closed session in which nothing happens any more is ended by its own timeout.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../testing/process.ts';
import { untilQuickEnough } from '../../../testing/yardstick.ts';
import { expectSame, openScene, pattern, type Scene, SlowTalk } from './scene.ts';

const MIB = 1 << 20;

for (const proxyProtocol of ['none', 'v2'] as const) {
  describe(`PROXY ${proxyProtocol}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await openScene({ proxyProtocol });
    });
    afterAll(() => scene?.close());

    async function pair() {
      const { client, back } = await scene.pair();
      if (proxyProtocol !== 'none') await back.readProxyHeader();
      return { client, back };
    }

    test('the client ends its direction, the node answers at length', async () => {
      const { client, back } = await pair();
      const [request, answer] = [pattern(1, 100_000), pattern(2, 16 * MIB)];
      await client.send(request);
      await client.fin();
      expectSame(await back.recvAll(), request);
      await back.send(answer);
      await back.fin();
      expectSame(await client.recvAll(), answer);
      expect(client.ended).toBe('fin');
      expect(await scene.ended(client)).toMatchObject({
        outcome: '--',
        bytes_from_client: request.length,
        bytes_to_client: answer.length,
      });
    });

    test('the node ends its direction, the client sends on at length', async () => {
      const { client, back } = await pair();
      const [greeting, upload] = [pattern(3, 100_000), pattern(4, 16 * MIB)];
      await back.send(greeting);
      await back.fin();
      expectSame(await client.recvAll(), greeting);
      await client.send(upload);
      await client.fin();
      expectSame(await back.recvAll(), upload);
      expect((await scene.ended(client)).outcome).toBe('--');
    });

    test('both ends finish at once with bytes on the way', async () => {
      const { client, back } = await pair();
      const [up, down] = [pattern(5, 3 * MIB), pattern(6, 3 * MIB)];
      const sending = [client.send(up), client.fin(), back.send(down), back.fin()];
      expectSame(await back.recvAll(), up);
      expectSame(await client.recvAll(), down);
      await Promise.all(sending);
    });

    test('a FIN without a byte before it arrives at once', async () => {
      const { client, back } = await pair();
      await client.fin();
      expect((await back.recvAll()).length).toBe(0);
      await back.send('answer');
      expect((await client.recv(6)).toString()).toBe('answer');
      await back.fin();
      expect((await client.recvAll()).length).toBe(0);
    });

    test('a FIN overtakes nothing: the node reads the upload only after the client has ended', async () => {
      const { client, back } = await pair();
      back.pause();
      const upload = pattern(7, 12 * MIB);
      const sending = client.send(upload);
      const ended = client.fin();
      await back.send('I hear you');
      expect((await client.recv(10)).toString()).toBe('I hear you');
      back.resume();
      expectSame(await back.recvAll(), upload);
      await Promise.all([sending, ended]);
      await back.fin();
    });

    test('the node goes on in small pieces after the client’s FIN', async () => {
      const { client, back } = await pair();
      await client.fin();
      await back.recvEnd();
      const pieces = Array.from({ length: 200 }, (_, index) => pattern(index, 1 + ((index * 37) % 500)));
      for (const piece of pieces) {
        await back.send(piece);
        expectSame(await client.recv(piece.length), piece);
      }
      await back.fin();
      expect((await client.recvAll()).length).toBe(0);
    });

    test('50 half-closed sessions at once keep their bytes apart', async () => {
      const pairs = [];
      for (let i = 0; i < 50; i++) pairs.push(await pair());
      await Promise.all(pairs.map(({ client }) => client.fin()));
      await Promise.all(
        pairs.map(async ({ client, back }, i) => {
          await back.recvEnd();
          const answer = pattern(1000 + i, 200_000 + i);
          await back.send(answer);
          await back.fin();
          expectSame(await client.recvAll(), answer);
        }),
      );
    });
  });
}

describe('half-closed timeout', () => {
  const TIMEOUT_MS = 400;
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene({ env: { BALANCER_HALF_CLOSED_TIMEOUT_MS: String(TIMEOUT_MS) } });
  });
  afterAll(() => scene?.close());

  for (const first of ['client', 'node'] as const) {
    test(`the ${first} has ended, the other is silent: both sides are ended, and the ${first} sees a reset`, async () => {
      const { client, back } = await scene.pair();
      const [ending, silent] = first === 'client' ? [client, back] : [back, client];
      await ending.send('last words');
      await ending.fin();
      expect((await silent.recvAll()).toString()).toBe('last words');
      expect(await ending.recvEnd()).toBe('rst');
      const { outcome, total_ms } = await scene.ended(client);
      expect(outcome).toBe(first === 'client' ? 'sD' : 'cD');
      expect(total_ms).toBeGreaterThanOrEqual(TIMEOUT_MS);
      silent.destroy();
    });
  }

  test('silence before the end does not count: who answers to the FIN is heard', async () => {
    const patientMs = 1500;
    const patient = await openScene({ env: { BALANCER_HALF_CLOSED_TIMEOUT_MS: String(patientMs) } });
    try {
      await untilQuickEnough(async () => {
        const { client, back } = await patient.pair();
        // Its own timeout tells that both sessions have been silent for longer than that.
        const clock = await patient.pair();
        await clock.client.fin();
        await patient.ended(clock.client);
        const finMs = performance.now();
        await client.fin();
        await back.recvEnd();
        // Later than the next tick of a timer: the log of another session is written.
        const later = await patient.pair();
        later.client.rst();
        await patient.ended(later.client);
        await back.send('answer');
        await back.fin();
        const end = await client.recvAll();
        if (end.length === 0 && performance.now() - finMs > patientMs / 2) return false;
        expect(end.toString()).toBe('answer');
        expect((await patient.ended(client)).outcome).toBe('--');
        return true;
      });
    } finally {
      await patient.close();
    }
  });

  test('bytes in the open direction keep the session alive past the timeout', async () => {
    await untilQuickEnough(async () => {
      const { client, back } = await scene.pair();
      await client.fin();
      await back.recvEnd();
      const talk = new SlowTalk(back);
      // Two half-closed sessions in a row that say nothing, and are ended for it.
      for (let i = 0; i < 2; i++) {
        const silent = await scene.pair();
        await silent.client.fin();
        await eventually('the end of a silent one', () => talk.goOn().then(() => silent.client.ended !== 'open'));
      }
      if (client.ended !== 'open' && talk.pauseMsMax > TIMEOUT_MS / 2) return false;
      await back.fin();
      expectSame(await client.recvAll(), talk.sent);
      expect((await scene.ended(client)).outcome).toBe('--');
      return true;
    });
  });
});
