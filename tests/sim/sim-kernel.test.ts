// The simulated kernel's own semantics, one by one. What two sockets and a pipe can show is also asked of the real kernel, in
// kernel-contract.test.ts; the rest follows net/ipv4/tcp.c, fs/eventpoll.c, fs/pipe.c and fs/splice.c of Linux 6.18.

import { expect, test } from 'vitest';
import {
  EADDRNOTAVAIL,
  EAGAIN,
  EBADF,
  ECONNREFUSED,
  ECONNRESET,
  EHOSTUNREACH,
  EINPROGRESS,
  EMFILE,
  ENOTCONN,
  EPIPE,
  ETIMEDOUT,
} from '../../core/base/errno.ts';
import { AF_INET, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from '../../core/linux/kernel.ts';
import { CALM, connectedFront, describeEvents, fill, Lab } from './lab.ts';
import { addressOf } from './network.ts';

const ALL_READY = 'IN|OUT|ERR|HUP|RDHUP';

test('a descriptor takes the lowest free number, and what is closed is closed once', () => {
  const { kernel } = new Lab();
  const a = kernel.openSocket(AF_INET);
  const b = kernel.openSocket(AF_INET);
  expect(kernel.close(a)).toBe(0);
  expect(kernel.openSocket(AF_INET)).toBe(a);
  expect(kernel.openDescriptors().map(({ fd }) => fd)).toEqual([b, a]);
  expect(kernel.violations).toEqual([]);
  kernel.close(b);
  expect(kernel.close(b)).toBe(-EBADF);
  expect(kernel.recv(b, 0, 10)).toBe(-EBADF);
  expect(kernel.violations).toHaveLength(2);
});

test('the limit on descriptors is EMFILE, and accept leaves the connection queued', () => {
  const lab = new Lab({ descriptorsMax: 2 });
  const { client, listenFd } = lab.knock();
  const fd = lab.kernel.openSocket(AF_INET);
  expect(lab.kernel.openSocket(AF_INET)).toBe(-EMFILE);
  expect(lab.kernel.accept(listenFd, lab.addressAt)).toBe(-EMFILE);
  lab.kernel.close(fd);
  expect(lab.kernel.accept(listenFd, lab.addressAt)).toBe(fd);
  expect(client.phase).toBe('open');
});

test('a listener is reported as long as something is queued', () => {
  const lab = new Lab();
  const { listenFd } = lab.knock();
  const epollFd = lab.kernel.openEpoll();
  lab.kernel.watch(epollFd, listenFd, EPOLLIN, 7, 1);
  expect(lab.events(epollFd)).toEqual(['7: IN']);
  expect(lab.events(epollFd)).toEqual(['7: IN']);
  expect(lab.kernel.accept(listenFd, lab.addressAt)).toBeGreaterThan(0);
  expect(lab.kernel.accept(listenFd, lab.addressAt)).toBe(-EAGAIN);
  expect(lab.events(epollFd)).toEqual([]);
});

test('an edge is reported once, again with new bytes, and an ADD reports what is true already', () => {
  const lab = new Lab();
  const { client, fd, epollFd } = connectedFront(lab);
  expect(lab.events(epollFd)).toEqual(['1: OUT']);
  expect(lab.events(epollFd)).toEqual([]);
  client.send(fill(3));
  expect(lab.eventsAfter(epollFd, 5)).toEqual(['1: IN|OUT']);
  expect(lab.events(epollFd)).toEqual([]);
  client.send(fill(3));
  expect(lab.eventsAfter(epollFd, 5)).toEqual(['1: IN|OUT']);
  const other = lab.kernel.openEpoll();
  lab.kernel.watch(other, fd, EPOLLIN | EPOLLRDHUP, 9, 1);
  expect(lab.events(other)).toEqual(['9: IN']);
});

test('an event of a descriptor that was closed since vanishes', () => {
  const lab = new Lab();
  const { client, fd, epollFd } = connectedFront(lab);
  client.send(fill(3));
  lab.kernel.passMs(5);
  lab.kernel.close(fd);
  expect(lab.events(epollFd)).toEqual([]);
});

test('bytes, FIN and reset come in one event, and the bytes are still there', () => {
  const lab = new Lab();
  const { client, fd, epollFd } = connectedFront(lab);
  client.send(fill(5));
  lab.kernel.passMs(5);
  lab.reset(client);
  expect(lab.events(epollFd)).toEqual([`1: ${ALL_READY}`]);
  expect(lab.recv(fd, 3)).toBe(3);
  expect(lab.recv(fd, 9)).toBe(2);
  expect(lab.recv(fd, 9)).toBe(-ECONNRESET);
  expect(lab.recv(fd, 9)).toBe(0);
  expect(lab.send(fd, 1)).toBe(-EPIPE);
});

test.for(['recv', 'send', 'takeError', 'splice'] as const)('a reset is reported once, to %s', (call) => {
  const lab = new Lab();
  const { client, fd } = connectedFront(lab);
  const pipe = lab.pipe();
  lab.reset(client);
  if (call === 'recv') expect(lab.recv(fd, 1)).toBe(-ECONNRESET);
  if (call === 'send') expect(lab.send(fd, 1)).toBe(-ECONNRESET);
  if (call === 'takeError') expect(lab.kernel.takeError(fd)).toBe(ECONNRESET);
  if (call === 'splice') expect(lab.kernel.splice(fd, pipe.writeFd, 10)).toBe(-ECONNRESET);
  expect(lab.kernel.takeError(fd)).toBe(0);
  expect(lab.recv(fd, 1)).toBe(0);
  expect(lab.send(fd, 1)).toBe(-EPIPE);
  expect(lab.kernel.shutdownWrite(fd)).toBe(-ENOTCONN);
  expect(lab.kernel.peerAddress(fd, lab.addressAt)).toBe(-ENOTCONN);
  expect(lab.kernel.localAddress(fd, lab.addressAt)).toBe(0);
});

test('a reset after FIN is EPIPE, and the end of the stream stays an end', () => {
  const lab = new Lab();
  const { client, fd, epollFd } = connectedFront(lab);
  client.send(fill(5));
  client.shutdownWrite();
  expect(lab.eventsAfter(epollFd, 5)).toEqual(['1: IN|OUT|RDHUP']);
  lab.reset(client);
  expect(lab.events(epollFd)).toEqual([`1: ${ALL_READY}`]);
  expect([lab.recv(fd, 9), lab.recv(fd, 9)]).toEqual([5, 0]);
  expect(lab.kernel.takeError(fd)).toBe(EPIPE);
  expect(lab.recv(fd, 9)).toBe(0);
  expect(lab.send(fd, 1)).toBe(-EPIPE);
});

test('bytes sent to a peer that closed come back as a reset', () => {
  const lab = new Lab();
  const { client, fd, epollFd } = connectedFront(lab);
  client.close();
  expect(lab.eventsAfter(epollFd, 5)).toEqual(['1: IN|OUT|RDHUP']);
  expect(lab.send(fd, 4)).toBe(4);
  expect(lab.eventsAfter(epollFd, 5)).toEqual([`1: ${ALL_READY}`]);
  expect(lab.recv(fd, 9)).toBe(0);
  expect(lab.send(fd, 1)).toBe(-EPIPE);
});

test('own shutdown is an event; the second FIN makes it a hangup', () => {
  const lab = new Lab();
  const { client, fd, epollFd } = connectedFront(lab);
  lab.events(epollFd);
  expect(lab.kernel.shutdownWrite(fd)).toBe(0);
  expect(lab.events(epollFd)).toEqual(['1: OUT']);
  expect(lab.send(fd, 1)).toBe(-EPIPE);
  lab.kernel.passMs(5);
  client.recv(1, () => {});
  client.close();
  expect(lab.eventsAfter(epollFd, 5)).toEqual(['1: IN|OUT|HUP|RDHUP']);
  expect(lab.recv(fd, 1)).toBe(0);
});

test('an orderly close goes on delivering, and FIN comes last', () => {
  const lab = new Lab();
  const { client, fd } = connectedFront(lab);
  expect(lab.send(fd, 30_000)).toBe(30_000);
  lab.kernel.close(fd);
  let received = 0;
  for (let i = 0; i < 100 && client.poll() !== 0; i++) {
    lab.kernel.passMs(5);
    received += Math.max(
      0,
      client.recv(10_000, () => {}),
    );
  }
  expect(received).toBe(30_000);
  expect(client.recv(1, () => {})).toBe(0);
  expect(client.resetReceived).toBe(false);
});

test.for(['unread input', 'linger 0'] as const)('a close with %s resets and cuts the tail', (reason) => {
  const lab = new Lab({}, { ...CALM, receiveLimit: 1000 });
  const { client, fd } = connectedFront(lab);
  client.send(fill(10));
  lab.send(fd, 30_000);
  lab.kernel.passMs(50);
  if (reason === 'linger 0') {
    lab.recv(fd, 10);
    lab.kernel.resetOnClose(fd);
  }
  lab.kernel.close(fd);
  lab.kernel.passMs(50);
  expect(client.recv(30_000, () => {})).toBe(1000);
  expect(client.recv(30_000, () => {})).toBe(-ECONNRESET);
});

test('a linger of 0 resets nothing once both FINs are out and all is delivered', () => {
  const lab = new Lab();
  const { client, fd } = connectedFront(lab);
  client.shutdownWrite();
  lab.kernel.passMs(5);
  lab.kernel.shutdownWrite(fd);
  lab.kernel.resetOnClose(fd);
  lab.kernel.close(fd);
  lab.kernel.passMs(5);
  expect([client.finReceived, client.resetReceived]).toEqual([true, false]);
});

test('a reset empties the send queue, but SIOCOUTQ keeps counting it', () => {
  const lab = new Lab({}, { ...CALM, receiveLimit: 1000, sendLimit: 5000 });
  const { client, fd } = connectedFront(lab);
  expect(lab.send(fd, 9000)).toBe(5000);
  lab.kernel.passMs(50);
  expect(lab.kernel.unsent(fd)).toBe(4000);
  lab.reset(client);
  expect(lab.kernel.unsent(fd)).toBe(4000);
  expect(lab.kernel.endAt(fd).sendQueue.bytes).toBe(0);
});

test('SIOCOUTQ counts an FIN that is under way', () => {
  const lab = new Lab();
  const { fd } = connectedFront(lab);
  lab.kernel.shutdownWrite(fd);
  expect(lab.kernel.unsent(fd)).toBe(1);
  lab.kernel.passMs(5);
  expect(lab.kernel.unsent(fd)).toBe(0);
});

test('the edge of writability comes when a third of the queue is free', () => {
  const lab = new Lab({}, { ...CALM, receiveLimit: 1000, sendLimit: 5000 });
  const { client, fd, epollFd } = connectedFront(lab);
  expect(lab.send(fd, 9000)).toBe(5000);
  expect(lab.send(fd, 1)).toBe(-EAGAIN);
  expect(lab.eventsAfter(epollFd, 50)).toEqual([]);
  expect(lab.send(fd, 9000)).toBe(1000);
  client.recv(1000, () => {});
  expect(lab.eventsAfter(epollFd, 50)).toEqual([]);
  client.recv(1000, () => {});
  expect(lab.eventsAfter(epollFd, 50)).toEqual(['1: OUT']);
});

test('a window that stays shut for the user timeout ends the connection; the reader learns of it when it reads', () => {
  const lab = new Lab({}, { ...CALM, receiveLimit: 1000, sendLimit: 5000 });
  const { client, fd, epollFd } = connectedFront(lab);
  lab.kernel.setOption(fd, 'user-timeout-ms', 500);
  lab.send(fd, 3000);
  expect(lab.eventsAfter(epollFd, 400)).toEqual(['1: OUT']);
  expect(lab.eventsAfter(epollFd, 400)).toEqual([`1: ${ALL_READY}`]);
  expect(lab.kernel.takeError(fd)).toBe(ETIMEDOUT);
  expect(client.recv(9000, () => {})).toBe(1000);
  lab.kernel.passMs(5);
  expect(client.recv(9000, () => {})).toBe(-ECONNRESET);
});

test('keepalive notices a network that is gone', () => {
  const lab = new Lab();
  const { client, fd, epollFd } = connectedFront(lab);
  lab.kernel.setOption(fd, 'keepalive', 1);
  lab.kernel.setOption(fd, 'keepalive-idle-s', 10);
  lab.kernel.setOption(fd, 'user-timeout-ms', 5000);
  client.wire.cut(client);
  expect(lab.eventsAfter(epollFd, 14_000)).toEqual(['1: OUT']);
  expect(lab.eventsAfter(epollFd, 3000)).toEqual([`1: ${ALL_READY}`]);
  expect(lab.recv(fd, 1)).toBe(-ETIMEDOUT);
});

test('recv stops at the urgent byte, splice never passes it and even reports an end of stream there', () => {
  const lab = new Lab();
  const { client, fd, epollFd } = connectedFront(lab);
  lab.kernel.setOption(fd, 'oob-inline', 1);
  client.send(fill(3));
  client.sendUrgent(fill(1));
  client.send(fill(3));
  expect(lab.eventsAfter(epollFd, 20)).toEqual(['1: IN|PRI|OUT']);
  const { writeFd } = lab.pipe();
  expect(lab.kernel.splice(fd, writeFd, 100)).toBe(3);
  expect(lab.kernel.splice(fd, writeFd, 100)).toBe(-EAGAIN);
  expect(lab.kernel.unread(fd)).toBe(4);
  client.shutdownWrite();
  lab.kernel.passMs(5);
  expect(lab.kernel.splice(fd, writeFd, 100)).toBe(0);
  expect([lab.recv(fd, 100), lab.recv(fd, 100)]).toEqual([4, 0]);
});

test('without oob-inline the urgent byte is missing from the stream', () => {
  const lab = new Lab();
  const { client, fd } = connectedFront(lab);
  client.send(fill(2));
  client.sendUrgent(fill(1));
  client.send(fill(2));
  lab.kernel.passMs(20);
  expect([lab.recv(fd, 100), lab.recv(fd, 100), lab.recv(fd, 100)]).toEqual([2, 2, -EAGAIN]);
});

test('a queued connection that was reset is accepted and then fails', () => {
  const lab = new Lab();
  const { client, listenFd } = lab.knock();
  client.send(fill(3));
  lab.kernel.passMs(5);
  lab.reset(client);
  const fd = lab.kernel.accept(listenFd, lab.addressAt);
  expect(fd).toBeGreaterThan(0);
  expect([lab.recv(fd, 9), lab.recv(fd, 9), lab.recv(fd, 9)]).toEqual([3, -ECONNRESET, 0]);
});

test('a listener that closes resets what is queued', () => {
  const lab = new Lab();
  const { client, listenFd } = lab.knock();
  lab.kernel.closeLent(listenFd);
  lab.kernel.passMs(5);
  expect(client.error).toBe(ECONNRESET);
});

test('a new socket is hung up and can do nothing', () => {
  const lab = new Lab();
  const fd = lab.kernel.openSocket(AF_INET);
  const epollFd = lab.watch(fd);
  expect(lab.events(epollFd)).toEqual(['1: OUT|HUP']);
  expect([lab.recv(fd, 1), lab.send(fd, 1), lab.kernel.shutdownWrite(fd)]).toEqual([-ENOTCONN, -EPIPE, -ENOTCONN]);
});

test('a connect that is refused says so with ERR and HUP, and SO_ERROR once', () => {
  const lab = new Lab();
  const { fd, epollFd, result } = lab.connect({ outcome: 'fail', afterMs: 1, errno: ECONNREFUSED });
  expect(result).toBe(-EINPROGRESS);
  expect([lab.recv(fd, 1), lab.send(fd, 1)]).toEqual([-EAGAIN, -EAGAIN]);
  expect(lab.eventsAfter(epollFd, 5)).toEqual([`1: ${ALL_READY}`]);
  expect(lab.kernel.takeError(fd)).toBe(ECONNREFUSED);
  expect([lab.kernel.takeError(fd), lab.recv(fd, 1), lab.send(fd, 1)]).toEqual([0, 0, -EPIPE]);
});

test('a connect can fail or succeed at once', () => {
  const lab = new Lab();
  expect(lab.connect({ outcome: 'fail', afterMs: 0, errno: EADDRNOTAVAIL }).result).toBe(-EADDRNOTAVAIL);
  const now = lab.connect({ outcome: 'accept', afterMs: 0, limits: CALM, onAccept: () => {} });
  expect(now.result).toBe(0);
  expect(lab.events(now.epollFd)).toEqual(['1: OUT']);
  lab.kernel.network.refuseBind(addressOf('10.9.9.9', 0), EADDRNOTAVAIL);
  expect(lab.bind('10.9.9.9')).toBe(-EADDRNOTAVAIL);
  expect(lab.bind('10.9.9.8')).toBe(0);
});

test('a connect to nowhere says nothing until the user timeout', () => {
  const lab = new Lab();
  const { fd, epollFd } = lab.connect({ outcome: 'black-hole' }, 3000);
  lab.events(epollFd);
  expect(lab.eventsAfter(epollFd, 2900)).toEqual([]);
  expect(lab.eventsAfter(epollFd, 200)).toEqual([`1: ${ALL_READY}`]);
  expect(lab.kernel.takeError(fd)).toBe(ETIMEDOUT);
});

test('a later failure carries its own error', () => {
  const lab = new Lab();
  const { fd } = lab.connect({ outcome: 'fail', afterMs: 3, errno: EHOSTUNREACH });
  lab.kernel.passMs(5);
  expect(lab.recv(fd, 1)).toBe(-EHOSTUNREACH);
});

test('a connect to oneself is connected, and hears what it says', () => {
  const lab = new Lab();
  const { fd } = lab.connect({ outcome: 'self', afterMs: 1 });
  lab.kernel.passMs(5);
  expect(lab.addressName((at) => lab.kernel.localAddress(fd, at))).toBe('10.0.1.1:8080');
  expect(lab.addressName((at) => lab.kernel.peerAddress(fd, at))).toBe('10.0.1.1:8080');
  lab.send(fd, 3);
  lab.kernel.passMs(5);
  expect(lab.recv(fd, 9)).toBe(3);
});

test('a pipe is full when its slots are, however few bytes they hold', () => {
  const lab = new Lab({}, { ...CALM, segmentMax: 1, sendLimit: 4096 });
  const { client, fd } = connectedFront(lab);
  client.send(fill(40));
  lab.kernel.passMs(100);
  const { readFd, writeFd } = lab.pipe();
  expect(lab.kernel.splice(fd, writeFd, 1000)).toBe(16);
  expect(lab.kernel.splice(fd, writeFd, 1000)).toBe(-EAGAIN);
  expect([lab.kernel.unread(readFd), lab.kernel.pipeSize(readFd)]).toEqual([16, 65_536]);
  expect(lab.kernel.splice(readFd, fd, 3)).toBe(3);
  expect(lab.kernel.splice(fd, writeFd, 1000)).toBe(3);
});

test('a full pipe hides the end of the stream', () => {
  const lab = new Lab();
  const { client, fd } = connectedFront(lab);
  const { writeFd } = lab.pipe();
  client.close();
  lab.kernel.passMs(5);
  expect(lab.kernel.write(writeFd, lab.dataAt, 65_536)).toBe(65_536);
  expect(lab.kernel.splice(fd, writeFd, 10)).toBe(-EAGAIN);
});

test('a pipe keeps its bytes when the socket that they were for is reset', () => {
  const lab = new Lab();
  const { client, fd } = connectedFront(lab);
  const { readFd, writeFd } = lab.pipe();
  expect(lab.kernel.splice(readFd, fd, 10)).toBe(-EAGAIN);
  lab.kernel.write(writeFd, lab.dataAt, 3);
  lab.reset(client);
  expect([lab.kernel.splice(readFd, fd, 9), lab.kernel.splice(readFd, fd, 9)]).toEqual([-ECONNRESET, -EPIPE]);
  expect(lab.kernel.unread(readFd)).toBe(3);
  lab.kernel.close(writeFd);
});

test('a splice sends the pages of sixteen slots at a time: a reset between two of these steps is consumed, and shows as a short count', () => {
  const lab = new Lab({}, { ...CALM, segmentMax: 1 });
  const { client, fd } = connectedFront(lab);
  const { readFd, writeFd } = lab.pipe();
  lab.kernel.resizePipe(writeFd, 1 << 20);
  client.send(fill(40));
  lab.kernel.passMs(100);
  expect(lab.kernel.splice(fd, writeFd, 100)).toBe(40);
  const end = lab.kernel.endAt(fd);
  const { send } = end;
  let pieces = 0;
  end.send = (bytes) => {
    if (++pieces === 16) end.resetArrived();
    // The sixteenth is still of the step that has begun before the reset.
    return pieces === 16 ? bytes.length : send.call(end, bytes);
  };
  expect(lab.kernel.splice(readFd, fd, 40)).toBe(16);
  expect([lab.kernel.takeError(fd), lab.kernel.splice(readFd, fd, 24), lab.kernel.unread(readFd)]).toEqual([
    0,
    -EPIPE,
    24,
  ]);
});

test('an urgent byte that is not in line was received, and nobody reads it', () => {
  for (const [inline, unread, reads] of [
    [1, 6, [5, 1, 0]],
    [0, 5, [5, 0, 0]],
  ] as const) {
    const lab = new Lab();
    const { client, fd } = connectedFront(lab);
    lab.kernel.setOption(fd, 'oob-inline', inline);
    client.send(fill(5));
    client.sendUrgent(fill(1));
    lab.kernel.passMs(20);
    lab.reset(client);
    lab.kernel.takeError(fd);
    expect([lab.kernel.received(fd), lab.kernel.unread(fd)]).toEqual([6, unread]);
    expect([lab.recv(fd, 100), lab.recv(fd, 100), lab.recv(fd, 100)]).toEqual(reads);
    expect([lab.kernel.received(fd), lab.kernel.unread(fd)]).toEqual([6, 0]);
  }
});

test('pipes grow to the soft limit, then they come small', () => {
  const lab = new Lab({ pipePagesSoft: 300 });
  const a = lab.pipe();
  expect(lab.kernel.resizePipe(a.readFd, 1 << 20)).toBe(1 << 20);
  expect(lab.kernel.resizePipe(a.readFd, 1 << 21)).toBe(-1);
  const b = lab.pipe();
  expect(lab.kernel.resizePipe(b.readFd, 1 << 20)).toBe(-1);
  const sizes = [lab.pipe(), lab.pipe()].map(({ readFd }) => lab.kernel.pipeSize(readFd));
  expect(sizes).toEqual([65_536, 8192]);
  lab.kernel.close(a.readFd);
  lab.kernel.close(a.writeFd);
  expect(lab.kernel.resizePipe(b.readFd, 1 << 20)).toBe(1 << 20);
});

test('write fills a page per slot and the last page with odd bytes', () => {
  const lab = new Lab();
  const { readFd, writeFd } = lab.pipe();
  expect(lab.kernel.resizePipe(writeFd, 8192)).toBe(8192);
  expect(lab.kernel.write(writeFd, lab.dataAt, 4000)).toBe(4000);
  expect(lab.kernel.write(writeFd, lab.dataAt, 96)).toBe(96);
  expect(lab.kernel.write(writeFd, lab.dataAt, 5000)).toBe(4096);
  expect(lab.kernel.write(writeFd, lab.dataAt, 1)).toBe(-EAGAIN);
  expect(lab.kernel.resizePipe(writeFd, 4096)).toBe(-16);
  expect(lab.kernel.unread(readFd)).toBe(8192);
});

test('an invented EAGAIN or short read is followed by an edge', () => {
  const lab = new Lab({ emptyReads: 0.5, shortReads: 0.5 });
  const { client, fd, epollFd } = connectedFront(lab);
  client.send(fill(5000));
  let received = 0;
  for (let waits = 0; received < 5000; waits++) {
    expect(waits).toBeLessThan(1000);
    lab.eventsAfter(epollFd, 10);
    received += Math.max(0, lab.recv(fd, 5000));
  }
  expect(received).toBe(5000);
});

test('an invented full or short write is followed by an edge', () => {
  const lab = new Lab({ fullWrites: 0.5, shortWrites: 0.5 });
  const { fd, epollFd } = connectedFront(lab);
  lab.events(epollFd);
  // The first send is a connection's header: a new send queue has room for it.
  expect(lab.send(fd, 100)).toBe(100);
  for (let i = 0; i < 50; i++) {
    if (lab.send(fd, 100) === 100) continue;
    expect(lab.eventsAfter(epollFd, 10)).toEqual([`1: ${describeEvents(EPOLLOUT)}`]);
  }
});

test('wait moves the clock to the next event or the timeout, and a wake ends it', () => {
  const lab = new Lab();
  const { kernel } = lab;
  const epollFd = kernel.openEpoll();
  const wakeFd = kernel.openWake();
  kernel.watch(epollFd, wakeFd, EPOLLIN, 5, 0);
  const startMs = kernel.nowMs();
  expect(kernel.wait(epollFd, lab.eventsAt, 4, 500)).toBe(0);
  expect(kernel.nowMs() - startMs).toBeGreaterThanOrEqual(500);
  kernel.clock.after(100, () => kernel.wake(wakeFd));
  expect(kernel.wait(epollFd, lab.eventsAt, 4, 500)).toBe(1);
  expect(kernel.nowMs() - startMs).toBeLessThan(700);
  kernel.takeWake(wakeFd);
  expect(kernel.wait(epollFd, lab.eventsAt, 4, 0)).toBe(0);
  kernel.wait(epollFd, lab.eventsAt, 4, -1);
  expect(kernel.violations).toHaveLength(1);
});
