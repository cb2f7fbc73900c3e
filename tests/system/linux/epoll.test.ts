// epoll and eventfd of the real kernel: the 64 bits that a watch carries come back unharmed, an edge comes once, and a wake
// reaches a thread that waits. A bit lost here would deliver an event to somebody else's session.

import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { EAGAIN } from '../../../core/base/errno.ts';
import {
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  EVENT_BYTES,
  eventGeneration,
  eventMask,
  eventTag,
  writeEvent,
} from '../../../core/linux/kernel.ts';
import { DATA_AT, EVENTS_AT, Loopback } from '../../../testing/loopback.ts';
import { holds } from '../../../testing/suite/property.ts';

let net = new Loopback();
afterEach(() => {
  net.closeAll();
  net = new Loopback();
});

interface Event {
  mask: number;
  tag: number;
  generation: number;
}

function waitOn(epollFd: number, timeoutMs = 0, maxEvents = 16): Event[] {
  const count = net.kernel.wait(epollFd, EVENTS_AT, maxEvents, timeoutMs);
  expect(count).toBeGreaterThanOrEqual(0);
  const { arena } = net.kernel;
  return Array.from({ length: count }, (_, i) => ({
    mask: eventMask(arena, EVENTS_AT, i),
    tag: eventTag(arena, EVENTS_AT, i),
    generation: eventGeneration(arena, EVENTS_AT, i),
  }));
}

describe('tags and generations', () => {
  test('all 64 bits come back', () => {
    const { kernel } = net;
    const epollFd = net.keep(kernel.openEpoll());
    const wakeFd = net.keep(kernel.openWake());
    kernel.wake(wakeFd);
    const edges = fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fffe, 0xffff_ffff);
    const uint32 = fc.oneof(edges, fc.integer({ min: 0, max: 0xffff_ffff }));
    holds(
      fc.property(uint32, uint32, (tag, generation) => {
        expect(kernel.watch(epollFd, wakeFd, EPOLLIN, tag, generation)).toBe(0);
        const events = waitOn(epollFd);
        expect(kernel.unwatch(epollFd, wakeFd)).toBe(0);
        expect(events).toEqual([{ mask: EPOLLIN, tag, generation }]);
      }),
    );
  });

  test('a negative generation comes back as the same 32 bits', () => {
    const { kernel } = net;
    const epollFd = net.keep(kernel.openEpoll());
    const wakeFd = net.keep(kernel.openWake());
    kernel.wake(wakeFd);
    kernel.watch(epollFd, wakeFd, EPOLLIN, 5, -2);
    expect(waitOn(epollFd)).toEqual([{ mask: EPOLLIN, tag: 5, generation: 0xffff_fffe }]);
  });

  test('several descriptors in one wait, each with its own', () => {
    const { kernel } = net;
    const epollFd = net.keep(kernel.openEpoll());
    for (let i = 0; i < 20; i++) {
      const wakeFd = net.keep(kernel.openWake());
      kernel.wake(wakeFd);
      kernel.watch(epollFd, wakeFd, EPOLLIN, 100 + i, 0xf000_0000 + i);
    }
    const first = waitOn(epollFd, 0, 7);
    expect(first).toHaveLength(7);
    const all = waitOn(epollFd, 0, 64);
    expect(all.map(({ tag }) => tag).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => 100 + i));
    for (const { tag, generation } of all) expect(generation - 0xf000_0000).toBe(tag - 100);
  });

  test('a record that writeEvent makes is read back, wherever it lies', () => {
    const { arena } = net.kernel;
    const second = EVENTS_AT + EVENT_BYTES;
    arena.bytes.fill(0xaa, EVENTS_AT, EVENTS_AT + 3 * EVENT_BYTES);
    writeEvent(arena, second, (EPOLLIN | EPOLLET) >>> 0, 0xfedc_ba98, 0x8765_4321);
    expect(eventMask(arena, EVENTS_AT, 1)).toBe(0x8000_0001);
    expect(eventTag(arena, EVENTS_AT, 1)).toBe(0xfedc_ba98);
    expect(eventGeneration(arena, EVENTS_AT, 1)).toBe(0x8765_4321);
    expect(arena.bytes[EVENTS_AT + EVENT_BYTES - 1]).toBe(0xaa);
    expect(arena.bytes[EVENTS_AT + 2 * EVENT_BYTES]).toBe(0xaa);
  });
});

describe('events of a connection', () => {
  const INTEREST = (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) >>> 0;

  test('an edge comes once, also with EPOLLET, the top bit of the mask', () => {
    const { near, far } = net.pair();
    const epollFd = net.keep(net.kernel.openEpoll());
    expect(net.kernel.watch(epollFd, near, INTEREST, 1, 0)).toBe(0);
    expect(waitOn(epollFd).map(({ mask }) => mask)).toEqual([EPOLLOUT]);
    expect(waitOn(epollFd)).toEqual([]);
    net.kernel.send(far, DATA_AT, 1);
    expect(waitOn(epollFd, 5000).map(({ mask }) => mask)).toEqual([EPOLLIN | EPOLLOUT]);
    expect(waitOn(epollFd)).toEqual([]);
  });

  test('without EPOLLET what is left is reported again', () => {
    const { near, far } = net.pair();
    const epollFd = net.keep(net.kernel.openEpoll());
    net.kernel.watch(epollFd, near, EPOLLIN, 1, 0);
    net.kernel.send(far, DATA_AT, 1);
    expect(waitOn(epollFd, 5000)).toHaveLength(1);
    expect(waitOn(epollFd)).toHaveLength(1);
    net.kernel.recv(near, DATA_AT, 10);
    expect(waitOn(epollFd)).toEqual([]);
  });

  test('a new ADD reports an edge that was already taken: a successor relies on it', () => {
    const { near, far } = net.pair();
    const first = net.keep(net.kernel.openEpoll());
    net.kernel.watch(first, near, INTEREST, 1, 0);
    net.kernel.send(far, DATA_AT, 1);
    net.until('bytes', () => net.kernel.unread(near) === 1);
    expect(waitOn(first)).toHaveLength(1);
    expect(waitOn(first)).toEqual([]);
    const second = net.keep(net.kernel.openEpoll());
    net.kernel.watch(second, near, INTEREST, 2, 9);
    expect(waitOn(second)).toEqual([{ mask: EPOLLIN | EPOLLOUT, tag: 2, generation: 9 }]);
  });

  test('unwatched is silent', () => {
    const { near, far } = net.pair();
    const epollFd = net.keep(net.kernel.openEpoll());
    net.kernel.watch(epollFd, near, INTEREST, 1, 0);
    waitOn(epollFd);
    net.kernel.unwatch(epollFd, near);
    net.kernel.send(far, DATA_AT, 1);
    net.until('bytes', () => net.kernel.unread(near) === 1);
    expect(waitOn(epollFd)).toEqual([]);
  });
});

describe('wake', () => {
  test('many wakes are one event, and taking empties it', () => {
    const { kernel } = net;
    const epollFd = net.keep(kernel.openEpoll());
    const wakeFd = net.keep(kernel.openWake());
    kernel.watch(epollFd, wakeFd, EPOLLIN, 0x8000_0000, 0);
    expect(waitOn(epollFd)).toEqual([]);
    for (let i = 0; i < 5; i++) expect(kernel.wake(wakeFd)).toBe(0);
    expect(waitOn(epollFd).map(({ tag }) => tag)).toEqual([0x8000_0000]);
    expect(kernel.takeWake(wakeFd)).toBe(0);
    expect(waitOn(epollFd)).toEqual([]);
    expect(kernel.takeWake(wakeFd)).toBe(-EAGAIN);
  });

  test('a wake on a counter that is full succeeds: it is readable all the same', () => {
    const { kernel } = net;
    const wakeFd = net.keep(kernel.openWake());
    // The highest value of an eventfd, in one write(2).
    kernel.arena.view.setBigUint64(DATA_AT, 0xffff_ffff_ffff_fffen, true);
    expect(kernel.write(wakeFd, DATA_AT, 8)).toBe(8);
    expect(kernel.write(wakeFd, DATA_AT, 8)).toBe(-EAGAIN);
    expect(kernel.wake(wakeFd)).toBe(0);
    expect(kernel.takeWake(wakeFd)).toBe(0);
  });

  test('a wait without events returns when its time is up', () => {
    const epollFd = net.keep(net.kernel.openEpoll());
    const before = performance.now();
    expect(waitOn(epollFd, 20)).toEqual([]);
    expect(performance.now() - before).toBeGreaterThan(19);
  });
});
