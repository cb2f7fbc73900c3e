// Active checks at their sockets: what a node sees of a check of kind `connection`, header and farewell included, and what
// the check makes of nodes that refuse, vanish or go on for ever.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ECONNREFUSED } from '../../../core/base/errno.ts';
import { parseIp } from '../../../core/base/ip.ts';
import { REASON } from '../../../core/health/node-states.ts';
import { type Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort, hasIpv6, LOOPBACK_IPV4, LOOPBACK_IPV6 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { openBlackHole } from '../../../testing/raw-socket.ts';
import { FAREWELL_MS, Farewells, LATE_MS } from '../../../workers/checks/attempt.ts';
import { run } from './checks-support.ts';

const LOCAL_HEX = '0d0a0d0a000d0a515549540a20000000';
const connected = { ok: true, reason: REASON.connected, detail: 0, tookMs: expect.any(Number) };

let node: PeerListener;

beforeEach(async () => {
  node = await PeerListener.listen(LOOPBACK_IPV4, await freePort());
});

afterEach(() => node.close());

/** Both sides end: the check's socket is closed by then. */
async function endBoth(peer: Peer): Promise<void> {
  await peer.fin();
  await eventually('the connection to be closed', () => peer.socket.destroyed);
}

describe('a node that takes connections', () => {
  test('passes, and sees a FIN and nothing else', async () => {
    const { result } = run(node.port);
    const peer = await node.accept();
    expect(await result).toEqual(connected);
    expect((await peer.recvAll()).length).toBe(0);
    await endBoth(peer);
    expect(peer.ended).toBe('fin');
  });

  test('with PROXY v2 sees LOCAL, exactly 16 bytes in one piece, then FIN', async () => {
    const { result } = run(node.port, { proxyProtocol: 'v2' });
    const peer = await node.accept();
    expect(await result).toEqual(connected);
    expect((await peer.recvAll()).toString('hex')).toBe(LOCAL_HEX);
    expect(peer.pieces).toEqual([16]);
    await endBoth(peer);
    expect(peer.ended).toBe('fin');
  });

  test("with PROXY v1 sees one line with the connection's own ends", async () => {
    const { result } = run(node.port, { proxyProtocol: 'v1' });
    const peer = await node.accept();
    expect(await result).toEqual(connected);
    const { remote } = peer;
    const line = `PROXY TCP4 ${remote.address} ${LOOPBACK_IPV4} ${remote.port} ${node.port}\r\n`;
    expect((await peer.recvAll()).toString('latin1')).toBe(line);
    expect(peer.pieces).toEqual([line.length]);
    await endBoth(peer);
    expect(peer.ended).toBe('fin');
  });

  test('is reached over IPv6 too', async ({ skip }) => {
    if (!(await hasIpv6())) return skip('this machine has no ::1');
    const sixth = await PeerListener.listen(LOOPBACK_IPV6, await freePort());
    const { result } = run(sixth.port, { ip: parseIp(LOOPBACK_IPV6), proxyProtocol: 'v1' });
    const peer = await sixth.accept();
    expect(await result).toEqual(connected);
    const line = `PROXY TCP6 ::1 ::1 ${peer.remote.port} ${sixth.port}\r\n`;
    expect((await peer.recvAll()).toString('latin1')).toBe(line);
    await sixth.close();
  });

  test('and speaks first sees no reset: what it says is read, before and after the FIN', async () => {
    const { result } = run(node.port, { proxyProtocol: 'v2' });
    const peer = await node.accept();
    await peer.send(Buffer.alloc(100_000, 'greeting'));
    expect(await result).toEqual(connected);
    expect((await peer.recvAll()).toString('hex')).toBe(LOCAL_HEX);
    await peer.send(Buffer.alloc(200_000, 'goodbye'));
    await endBoth(peer);
    expect(peer.ended).toBe('fin');
  });

  test('and resets the farewell has passed all the same', async () => {
    const { result, count } = run(node.port, { proxyProtocol: 'v2' });
    const peer = await node.accept();
    expect(await result).toEqual(connected);
    peer.rst();
    // By the time of another check's result the reset has been seen here.
    const next = run(node.port);
    expect(await next.result).toEqual(connected);
    expect(count()).toBe(1);
  });

  test('and never ends is left when the time is up', async () => {
    const { result, count } = run(node.port, { timeoutMs: 100 });
    const peer = await node.accept();
    expect(await result).toEqual(connected);
    await peer.recvEnd();
    // Only a closed socket answers this with a reset.
    await eventually('the check to have closed its socket', () => {
      if (!peer.socket.destroyed) peer.socket.write('still here');
      return peer.ended === 'rst';
    });
    expect(count()).toBe(1);
  });

  test('and never ends is left at once where there is no room for a farewell', async () => {
    const { result } = run(node.port, {}, undefined, new Farewells(0));
    const peer = await node.accept();
    expect(await result).toEqual(connected);
    await eventually(
      'the check to have closed its socket',
      () => {
        if (!peer.socket.destroyed) peer.socket.write('still here');
        return peer.ended === 'rst';
      },
      FAREWELL_MS / 2,
    );
  });
});

describe('a node that does not', () => {
  test('fails with the errno when it refuses', async () => {
    const { result } = run(await freePort());
    const failed = { ok: false, reason: REASON.connectError, detail: ECONNREFUSED, tookMs: expect.any(Number) };
    expect(await result).toEqual(failed);
  });

  test('fails with the timeout when it does not answer', async () => {
    const { listener, filler } = await openBlackHole(LOOPBACK_IPV4, await freePort());
    const { result, count } = run(listener.port, { timeoutMs: 150 });
    expect(await result).toEqual({ ok: false, reason: REASON.timeout, detail: 0, tookMs: expect.any(Number) });
    expect(count()).toBe(1);
    filler.close();
    listener.close();
  });

  test('fails when its host name was never resolved, and not within the call', async () => {
    const { result, count } = run(node.port, { ip: undefined });
    expect(count()).toBe(0);
    expect(await result).toEqual({ ok: false, reason: REASON.noAddress, detail: 0, tookMs: 0 });
  });
});

describe('a process that was suspended', () => {
  /** A clock that leaps between the start and the result. */
  function leaping(byMs: number): () => number {
    let isFirst = true;
    return () => {
      const nowMs = isFirst ? 0 : byMs;
      isFirst = false;
      return nowMs;
    };
  }

  test('judges by a timeout that it sees a little too late, and not by one that it sees later', async () => {
    const { listener, filler } = await openBlackHole(LOOPBACK_IPV4, await freePort());
    const timeoutMs = 100;
    const tooLate = run(listener.port, { timeoutMs }, leaping(timeoutMs + LATE_MS + 1));
    const late = run(listener.port, { timeoutMs }, leaping(timeoutMs + LATE_MS));
    expect(await tooLate.result).toBe('inconclusive');
    expect(await late.result).toMatchObject({ ok: false, reason: REASON.timeout, tookMs: timeoutMs + LATE_MS });
    filler.close();
    listener.close();
  });

  test('nor by an error, but a success is one', async () => {
    const closed = run(await freePort(), { timeoutMs: 1000 }, leaping(60_000));
    const open = run(node.port, { timeoutMs: 1000 }, leaping(60_000));
    expect(await closed.result).toBe('inconclusive');
    expect(await open.result).toEqual({ ...connected, tookMs: 60_000 });
  });
});

describe('a check that is given up', () => {
  test('closes its connection and says nothing', async () => {
    const { listener, filler } = await openBlackHole(LOOPBACK_IPV4, await freePort());
    const pending = run(listener.port);
    const unresolved = run(node.port, { ip: undefined });
    pending.controller.abort();
    unresolved.controller.abort();
    const other = run(node.port);
    expect(await other.result).toEqual(connected);
    expect([pending.count(), unresolved.count()]).toEqual([0, 0]);
    filler.close();
    listener.close();
  });

  test('ends its farewell too, and gives its room to the next', async () => {
    const farewells = new Farewells(1);
    const { result, controller, count } = run(node.port, {}, undefined, farewells);
    const peer = await node.accept();
    await result;
    expect(farewells.take()).toBe(false);
    await peer.recvEnd();
    controller.abort();
    await eventually('the check to have closed its socket', () => {
      if (!peer.socket.destroyed) peer.socket.write('still here');
      return peer.ended === 'rst';
    });
    expect(count()).toBe(1);
    expect(farewells.take()).toBe(true);
  });
});
