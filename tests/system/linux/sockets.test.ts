// Connections of the real kernel over the loopback: what arrives, in which order things end, and what the queues say.

import { afterEach, describe, expect, test } from 'vitest';
import { EAGAIN, ECONNREFUSED, ECONNRESET, EINPROGRESS, EPIPE } from '../../../core/base/errno.ts';
import { formatIp } from '../../../core/base/ip.ts';
import { AF_INET } from '../../../core/linux/kernel.ts';
import { addressOf, systemCalls } from '../../../core/linux/system-calls.ts';
import { ADDRESS_AT, DATA_AT, Loopback, readOption } from '../../../testing/loopback.ts';
import { hasIpv6 } from '../../../testing/ports.ts';

const IP_BIND_ADDRESS_NO_PORT = 24;
const IPPROTO_TCP = 6;
const SOL_SOCKET = 1;
const MSG_OOB = 1;
const BYTES = new SharedArrayBuffer(8);

let net = new Loopback();
afterEach(() => {
  net.closeAll();
  net = new Loopback();
});

const withIpv6 = (await hasIpv6()) ? ['127.0.0.1', '::1'] : ['127.0.0.1'];

describe.for(withIpv6)('a connection over %s', (ip) => {
  test('names both ends the same way round from both sides', () => {
    const { fd: listenFd, port } = net.listen(ip);
    const { fd: far, result } = net.connectTo(ip, port);
    expect(result).toBe(-EINPROGRESS);
    const near = net.accept(listenFd);
    const client = net.readAddress();
    expect(formatIp(client.ip, 0)).toBe(ip);
    expect(net.addressOf(far)).toEqual(client);
    expect(net.addressOf(near).port).toBe(port);
    expect(net.kernel.peerAddress(near, ADDRESS_AT)).toBe(0);
    expect(net.readAddress()).toEqual(client);
    expect(net.kernel.peerAddress(far, ADDRESS_AT)).toBe(0);
    expect(net.readAddress().port).toBe(port);
  });

  test('carries bytes both ways, and each direction ends by itself', () => {
    const { kernel } = net;
    const { near, far } = net.pair(ip);
    expect(kernel.send(far, DATA_AT, net.put('ping'))).toBe(4);
    net.put('????');
    net.until('bytes', () => kernel.unread(near) === 4);
    expect(kernel.recv(near, DATA_AT, 100)).toBe(4);
    expect(net.taken(4)).toBe('ping');
    expect(kernel.shutdownWrite(far)).toBe(0);
    net.until('the end', () => kernel.recv(near, DATA_AT, 100) === 0);
    expect(kernel.send(far, DATA_AT, 1)).toBe(-EPIPE);
    expect(kernel.send(near, DATA_AT, net.put('late answer'))).toBe(11);
    net.put('???????????');
    net.until('the answer', () => kernel.recv(far, DATA_AT, 100) === 11);
    expect(net.taken(11)).toBe('late answer');
    expect(kernel.recv(far, DATA_AT, 100)).toBe(-EAGAIN);
  });
});

describe('how a connection ends', () => {
  test('a close is an end of stream for the peer', () => {
    const { near, far } = net.pair();
    net.close(far);
    net.until('the end', () => net.kernel.recv(near, DATA_AT, 1) === 0);
    expect(net.kernel.takeError(near)).toBe(0);
  });

  test('a close after resetOnClose is a reset for the peer', () => {
    const { near, far } = net.pair();
    expect(net.kernel.resetOnClose(far)).toBe(0);
    net.close(far);
    let n = -EAGAIN;
    net.until('the reset', () => {
      n = net.kernel.recv(near, DATA_AT, 1);
      return n !== -EAGAIN;
    });
    // It is reported once; from then on the stream only looks ended.
    expect([n, net.kernel.recv(near, DATA_AT, 1)]).toEqual([-ECONNRESET, 0]);
  });

  test('takeError gives the pending reset, and clears it', () => {
    const { near, far } = net.pair();
    net.kernel.resetOnClose(far);
    net.close(far);
    let errno = 0;
    net.until('the error', () => {
      errno = net.kernel.takeError(near);
      return errno !== 0;
    });
    expect(errno).toBe(ECONNRESET);
    expect(net.kernel.takeError(near)).toBe(0);
  });

  test('takeError of a refused connect is ECONNREFUSED, once', () => {
    const { fd: gone, port } = net.listen();
    net.close(gone);
    const { fd } = net.connectTo('127.0.0.1', port);
    let errno = 0;
    net.until('the refusal', () => {
      errno = net.kernel.takeError(fd);
      return errno !== 0;
    });
    expect([errno, net.kernel.takeError(fd)]).toEqual([ECONNREFUSED, 0]);
  });
});

describe('queues', () => {
  test('unread counts what was not received, unsent what was not acknowledged', () => {
    const { kernel } = net;
    const { near, far } = net.pair();
    expect([kernel.unread(near), kernel.unsent(far)]).toEqual([0, 0]);
    kernel.send(far, DATA_AT, 1000);
    net.until('1000 bytes', () => kernel.unread(near) === 1000);
    net.until('the acknowledgement', () => kernel.unsent(far) === 0);
    expect(kernel.recv(near, DATA_AT, 300)).toBe(300);
    expect(kernel.unread(near)).toBe(700);
  });

  test('an urgent byte that is not in line was received, and nobody reads it', () => {
    for (const [inline, unread, reads] of [
      [1, 5, [4, 1, 0]],
      [0, 4, [4, 0, 0]],
    ] as const) {
      const { kernel } = net;
      const { near, far } = net.pair();
      kernel.setOption(near, 'oob-inline', inline);
      // The last one is the urgent one.
      expect(systemCalls.sendto(far, addressOf(BYTES), 5, MSG_OOB)).toBe(5);
      net.until('all of it', () => kernel.received(near) === 5);
      kernel.resetOnClose(far);
      net.close(far);
      net.until('the reset', () => kernel.takeError(near) === ECONNRESET);
      expect([kernel.received(near), kernel.unread(near)]).toEqual([5, unread]);
      expect(reads.map(() => kernel.recv(near, DATA_AT, 100))).toEqual(reads);
      expect([kernel.received(near), kernel.unread(near)]).toEqual([5, 0]);
    }
  });

  test('what a full receiver does not take stays unsent', () => {
    const { kernel } = net;
    const { near, far } = net.pair();
    let sent = 0;
    for (let n = 0; n >= 0; n = kernel.send(far, DATA_AT, 1 << 20)) sent += n;
    expect(kernel.unsent(far)).toBeGreaterThan(0);
    expect(kernel.unread(near) + kernel.unsent(far)).toBeGreaterThanOrEqual(sent);
  });
});

describe('options', () => {
  test.for([
    ['no-delay', IPPROTO_TCP, 1, 1],
    ['keepalive', SOL_SOCKET, 9, 1],
    ['keepalive-idle-s', IPPROTO_TCP, 4, 77],
    ['keepalive-interval-s', IPPROTO_TCP, 5, 78],
    ['user-timeout-ms', IPPROTO_TCP, 18, 123_456],
    ['oob-inline', SOL_SOCKET, 10, 1],
    ['bind-address-no-port', 0, IP_BIND_ADDRESS_NO_PORT, 1],
  ] as const)('%s is set where Linux reads it', ([option, level, name, value]) => {
    const fd = net.keep(net.kernel.openSocket(AF_INET));
    expect(readOption(fd, level, name)).not.toBe(value);
    expect(net.kernel.setOption(fd, option, value)).toBe(0);
    expect(readOption(fd, level, name)).toBe(value);
  });

  test('the clock is CLOCK_MONOTONIC and has fractions', () => {
    const before = Number(process.hrtime.bigint()) / 1e6;
    const times = Array.from({ length: 100 }, () => net.kernel.nowMs());
    const after = Number(process.hrtime.bigint()) / 1e6;
    // The offset between two readings of the clock at start is all that may be off.
    expect(Math.min(...times)).toBeGreaterThan(before - 1);
    expect(Math.max(...times)).toBeLessThan(after + 1);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.some((ms) => !Number.isInteger(ms))).toBe(true);
  });
});
