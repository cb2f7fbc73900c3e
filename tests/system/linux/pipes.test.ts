// Pipes and splice(2) of the real kernel: what the relay relies on to move bytes without copying them.

import { afterEach, describe, expect, test } from 'vitest';
import { EAGAIN } from '../../../core/base/errno.ts';
import { DATA_AT, Loopback } from '../../../testing/loopback.ts';

const PAGE_BYTES = 4096;
/** Slots of a pipe of the default size: each holds one segment, however small. */
const DEFAULT_SLOTS = 16;

let net = new Loopback();
afterEach(() => {
  net.closeAll();
  net = new Loopback();
});

describe('size', () => {
  test('a resize answers what was given, and the size can be read back from both ends', () => {
    const { readFd, writeFd } = net.pipe();
    expect(net.kernel.resizePipe(writeFd, 256 << 10)).toBe(256 << 10);
    expect([net.kernel.pipeSize(readFd), net.kernel.pipeSize(writeFd)]).toEqual([256 << 10, 256 << 10]);
  });

  test('Linux rounds up to a power of two of pages', () => {
    const { writeFd } = net.pipe();
    expect(net.kernel.resizePipe(writeFd, 65537)).toBe(131072);
    expect(net.kernel.pipeSize(writeFd)).toBe(131072);
    expect(net.kernel.resizePipe(writeFd, 1)).toBe(PAGE_BYTES);
  });

  test('a pipe that holds more than the new size keeps its size', () => {
    const { writeFd } = net.pipe();
    net.kernel.resizePipe(writeFd, 65536);
    expect(net.kernel.write(writeFd, DATA_AT, 3 * PAGE_BYTES)).toBe(3 * PAGE_BYTES);
    expect(net.kernel.resizePipe(writeFd, PAGE_BYTES)).toBeLessThan(0);
    expect(net.kernel.pipeSize(writeFd)).toBe(65536);
  });
});

describe('fill', () => {
  test('unread is what is in it', () => {
    const { readFd, writeFd } = net.pipe();
    expect(net.kernel.unread(readFd)).toBe(0);
    expect(net.kernel.write(writeFd, DATA_AT, 100)).toBe(100);
    expect(net.kernel.write(writeFd, DATA_AT, 50)).toBe(50);
    expect(net.kernel.unread(readFd)).toBe(150);
  });

  test('a write takes what fits, then nothing', () => {
    const { readFd, writeFd } = net.pipe();
    const size = net.kernel.pipeSize(writeFd);
    expect(net.kernel.write(writeFd, DATA_AT, size + 1000)).toBe(size);
    expect(net.kernel.write(writeFd, DATA_AT, 1)).toBe(-EAGAIN);
    expect(net.kernel.unread(readFd)).toBe(size);
  });
});

describe('splice', () => {
  test('socket to pipe to socket: the same bytes, and nothing left', () => {
    const from = net.pair();
    const to = net.pair();
    const { readFd, writeFd } = net.pipe();
    const length = net.put('through a pipe, unseen');
    net.kernel.send(from.far, DATA_AT, length);
    net.until('bytes', () => net.kernel.unread(from.near) === length);
    expect(net.kernel.splice(from.near, writeFd, 1000)).toBe(length);
    expect([net.kernel.unread(from.near), net.kernel.unread(readFd)]).toEqual([0, length]);
    expect(net.kernel.splice(from.near, writeFd, 1000)).toBe(-EAGAIN);
    expect(net.kernel.splice(readFd, to.near, 7)).toBe(7);
    expect(net.kernel.splice(readFd, to.near, 1000)).toBe(length - 7);
    expect(net.kernel.unread(readFd)).toBe(0);
    net.put('?'.repeat(length));
    net.until('all bytes', () => net.kernel.unread(to.far) === length);
    expect(net.kernel.recv(to.far, DATA_AT, 1000)).toBe(length);
    expect(net.taken(length)).toBe('through a pipe, unseen');
  });

  test('answers 0 at the end of the stream', () => {
    const { near, far } = net.pair();
    const { writeFd } = net.pipe();
    net.kernel.shutdownWrite(far);
    net.until('the end', () => net.kernel.splice(near, writeFd, 1000) === 0);
  });

  test('a pipe of the default size is full after 16 small segments: EAGAIN says nothing about the socket then', () => {
    const { near, far } = net.pair();
    const { readFd, writeFd } = net.pipe();
    net.kernel.setOption(far, 'no-delay', 1);
    // One segment after another, so that Linux cannot join them in the receive queue.
    let taken = 0;
    for (let i = 0; i < DEFAULT_SLOTS; i++) {
      net.kernel.send(far, DATA_AT, 100);
      net.until('a segment', () => net.kernel.unread(near) === 100);
      expect(net.kernel.splice(near, writeFd, 65536)).toBe(100);
      taken += 100;
    }
    net.kernel.send(far, DATA_AT, 100);
    net.until('one more', () => net.kernel.unread(near) === 100);
    expect(net.kernel.splice(near, writeFd, 65536)).toBe(-EAGAIN);
    expect([net.kernel.unread(readFd), net.kernel.unread(near)]).toEqual([taken, 100]);
  });
});
