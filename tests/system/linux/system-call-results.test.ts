// The convention of every call: 0 or more is success, a failure is -errno of exactly this call, and nothing throws.

import { afterEach, describe, expect, test } from 'vitest';
import { EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EBADF, EINVAL, ENOTCONN, EPIPE } from '../../../core/base/errno.ts';
import { AF_INET, EPOLLIN, NOWHERE } from '../../../core/linux/kernel.ts';
import { writeSockaddr } from '../../../core/linux/sockaddr.ts';
import { ADDRESS_AT, DATA_AT, EVENTS_AT, ipOf, Loopback } from '../../../testing/loopback.ts';

const CLOSED_FD = 1 << 20;
const EAFNOSUPPORT = 97;
const EEXIST = 17;
const ENOENT = 2;

let net = new Loopback();
afterEach(() => {
  net.closeAll();
  net = new Loopback();
});

test('every call on a descriptor that is not open answers -EBADF', () => {
  const { kernel } = net;
  writeSockaddr(kernel.arena, ADDRESS_AT, ipOf('127.0.0.1'), 0, 1);
  const epollFd = net.keep(kernel.openEpoll());
  kernel.prepareConnections(epollFd, EPOLLIN, DATA_AT, 0);
  const results = {
    accept: kernel.accept(CLOSED_FD, ADDRESS_AT),
    localAddress: kernel.localAddress(CLOSED_FD, ADDRESS_AT),
    peerAddress: kernel.peerAddress(CLOSED_FD, ADDRESS_AT),
    setOption: kernel.setOption(CLOSED_FD, 'no-delay', 1),
    setCongestion: kernel.setCongestion(CLOSED_FD, DATA_AT, 5),
    resetOnClose: kernel.resetOnClose(CLOSED_FD),
    bind: kernel.bind(CLOSED_FD, ADDRESS_AT),
    connect: kernel.connect(CLOSED_FD, ADDRESS_AT),
    takeError: kernel.takeError(CLOSED_FD),
    acceptConnection: kernel.acceptConnection(CLOSED_FD, ADDRESS_AT, NOWHERE, 0, 0),
    recv: kernel.recv(CLOSED_FD, DATA_AT, 1),
    send: kernel.send(CLOSED_FD, DATA_AT, 1),
    sendMore: kernel.sendMore(CLOSED_FD, DATA_AT, 1),
    sendLast: kernel.sendLast(CLOSED_FD, DATA_AT, 1),
    shutdownWrite: kernel.shutdownWrite(CLOSED_FD),
    unread: kernel.unread(CLOSED_FD),
    unsent: kernel.unsent(CLOSED_FD),
    close: kernel.close(CLOSED_FD),
    resizePipe: kernel.resizePipe(CLOSED_FD, 65536),
    pipeSize: kernel.pipeSize(CLOSED_FD),
    write: kernel.write(CLOSED_FD, DATA_AT, 1),
    splice: kernel.splice(CLOSED_FD, CLOSED_FD, 1),
    watch: kernel.watch(epollFd, CLOSED_FD, EPOLLIN, 0, 0),
    unwatch: kernel.unwatch(epollFd, CLOSED_FD),
    wait: kernel.wait(CLOSED_FD, EVENTS_AT, 1, 0),
    wake: kernel.wake(CLOSED_FD),
    takeWake: kernel.takeWake(CLOSED_FD),
  };
  expect(results).toEqual(Object.fromEntries(Object.keys(results).map((call) => [call, -EBADF])));
});

describe('sockets', () => {
  test('a family that does not exist', () => {
    expect(net.kernel.openSocket(9999)).toBe(-EAFNOSUPPORT);
  });

  test('nothing to accept, nothing to read: EAGAIN', () => {
    const { fd } = net.listen();
    expect(net.kernel.accept(fd, ADDRESS_AT)).toBe(-EAGAIN);
    const { near } = net.pair();
    expect(net.kernel.recv(near, DATA_AT, 10)).toBe(-EAGAIN);
  });

  test('no room to send: EAGAIN, not a block', () => {
    const { near } = net.pair();
    let sent = 0;
    for (;;) {
      const n = net.kernel.send(near, DATA_AT, 1 << 20);
      if (n < 0) {
        expect(n).toBe(-EAGAIN);
        break;
      }
      sent += n;
    }
    expect(sent).toBeGreaterThan(0);
  });

  test('an address of another machine cannot be bound, one of ours in use neither', () => {
    const { kernel } = net;
    const { port } = net.listen();
    const fd = net.keep(kernel.openSocket(AF_INET));
    writeSockaddr(kernel.arena, ADDRESS_AT, ipOf('192.0.2.1'), 0, 0);
    expect(kernel.bind(fd, ADDRESS_AT)).toBe(-EADDRNOTAVAIL);
    writeSockaddr(kernel.arena, ADDRESS_AT, ipOf('127.0.0.1'), 0, port);
    expect(kernel.bind(fd, ADDRESS_AT)).toBe(-EADDRINUSE);
  });

  test('a socket that is not connected has no peer and sends nothing', () => {
    const fd = net.keep(net.kernel.openSocket(AF_INET));
    expect(net.kernel.peerAddress(fd, ADDRESS_AT)).toBe(-ENOTCONN);
    expect(net.kernel.shutdownWrite(fd)).toBe(-ENOTCONN);
    expect(net.kernel.send(fd, DATA_AT, 1)).toBe(-EPIPE);
  });

  test('a congestion control that does not exist', () => {
    const fd = net.keep(net.kernel.openSocket(AF_INET));
    expect(net.kernel.setCongestion(fd, DATA_AT, net.put('no-such-one'))).toBe(-ENOENT);
  });

  test('an option with a value out of range', () => {
    const fd = net.keep(net.kernel.openSocket(AF_INET));
    expect(net.kernel.setOption(fd, 'keepalive-idle-s', 40_000)).toBe(-EINVAL);
  });
});

describe('pipes and epoll', () => {
  test('an empty pipe has nothing to splice, a full one takes nothing', () => {
    const { readFd, writeFd } = net.pipe();
    const { near, far } = net.pair();
    expect(net.kernel.splice(readFd, near, 10)).toBe(-EAGAIN);
    expect(net.kernel.resizePipe(writeFd, 4096)).toBe(4096);
    expect(net.kernel.write(writeFd, DATA_AT, 4096)).toBe(4096);
    expect(net.kernel.write(writeFd, DATA_AT, 1)).toBe(-EAGAIN);
    expect(net.kernel.send(far, DATA_AT, 1)).toBe(1);
    expect(net.kernel.splice(near, writeFd, 1)).toBe(-EAGAIN);
  });

  test('a pipe without a reader', () => {
    const { readFd, writeFd } = net.pipe();
    net.close(readFd);
    expect(net.kernel.write(writeFd, DATA_AT, 1)).toBe(-EPIPE);
  });

  test('splice needs a pipe', () => {
    const { near, far } = net.pair();
    expect(net.kernel.splice(near, far, 10)).toBe(-EINVAL);
    expect(net.kernel.pipeSize(near)).toBe(-EBADF);
  });

  test('a descriptor is watched once, and unwatched once', () => {
    const { kernel } = net;
    const epollFd = net.keep(kernel.openEpoll());
    const { readFd } = net.pipe();
    expect(kernel.watch(epollFd, readFd, EPOLLIN, 1, 1)).toBe(0);
    expect(kernel.watch(epollFd, readFd, EPOLLIN, 1, 1)).toBe(-EEXIST);
    expect(kernel.unwatch(epollFd, readFd)).toBe(0);
    expect(kernel.unwatch(epollFd, readFd)).toBe(-ENOENT);
  });
});
