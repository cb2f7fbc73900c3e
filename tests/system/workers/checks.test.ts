// What every check owes a node whatever its kind: the PROXY header shares a segment with what follows it, and an answer that
// is there counts, however busy the thread was when it came.

import { describe, expect, test } from 'vitest';
import { REASON } from '../../../core/health/node-states.ts';
import { addressOf, systemCalls } from '../../../core/linux/system-calls.ts';
import { PeerListener } from '../../../testing/peer.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { RawListener } from '../../../testing/raw-socket.ts';
import { run } from './checks-support.ts';

/** The longest line of version 1 (PROXY protocol, section 2.1) is longer than the header of version 2 that is sent here. */
const HEADER_BYTES_MAX = 107;

// getsockopt(2) with TCP_INFO: `struct tcp_info` of linux/tcp.h.
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const DATA_SEGMENTS_AT = 152;
const INFO_BYTES = 160;
const LENGTH_AT = INFO_BYTES;

/** Segments with data that a socket has received. */
function dataSegments(fd: number): number {
  const memory = new SharedArrayBuffer(INFO_BYTES + 4);
  const view = new DataView(memory);
  view.setUint32(LENGTH_AT, INFO_BYTES, true);
  const base = addressOf(memory);
  expect(systemCalls.getsockopt(fd, IPPROTO_TCP, TCP_INFO, base, base + LENGTH_AT)).toBe(0);
  expect(view.getUint32(LENGTH_AT, true)).toBe(INFO_BYTES);
  return view.getUint32(DATA_SEGMENTS_AT, true);
}

describe('the PROXY header and the request', () => {
  test.each([
    ['http', 'v1'],
    ['http', 'v2'],
    ['http_body', 'v2'],
  ] as const)('of a check %s are one segment, header %s', async (check, proxyProtocol) => {
    const listener = new RawListener(LOOPBACK_IPV4, await freePort());
    const { controller } = run(listener.port, { check, proxyProtocol });
    const node = await listener.accept();
    await eventually('the request to arrive', () => node.unread() > HEADER_BYTES_MAX);
    expect(dataSegments(node.fd)).toBe(1);
    controller.abort();
    node.close();
    listener.close();
  });
});

describe('a thread that was held up beyond the timeout', () => {
  const timeoutMs = 100;
  /** By its own clock the check was not: else a slow machine would make it inconclusive. */
  const stoodStill = (): number => 0;

  /** Nothing else runs meanwhile. */
  function holdUp(): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * timeoutMs);
  }

  test('counts the connection that has opened meanwhile', async () => {
    const node = await PeerListener.listen(LOOPBACK_IPV4, await freePort());
    const { result, count } = run(node.port, { timeoutMs }, stoodStill);
    holdUp();
    expect(await result).toMatchObject({ ok: true, reason: REASON.connected });
    expect(count()).toBe(1);
    await node.close();
  });

  test.each([
    ['http', REASON.status],
    ['http_body', REASON.bodyMatched],
  ] as const)('counts the answer that has arrived meanwhile: %s', async (check, reason) => {
    const node = await PeerListener.listen(LOOPBACK_IPV4, await freePort());
    const { result, count } = run(node.port, { check, body: 'ok', timeoutMs }, stoodStill);
    const peer = await node.accept();
    await peer.recvUntil('\r\n\r\n');
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    holdUp();
    expect(await result).toMatchObject({ ok: true, reason });
    expect(count()).toBe(1);
    await node.close();
  });

  test('still counts the answer that is missing', async () => {
    const node = await PeerListener.listen(LOOPBACK_IPV4, await freePort());
    const { result } = run(node.port, { check: 'http', timeoutMs }, stoodStill);
    const peer = await node.accept();
    await peer.recvUntil('\r\n\r\n');
    holdUp();
    expect(await result).toMatchObject({ ok: false, reason: REASON.timeout });
    await node.close();
  });
});
