// Every descriptor that the kernel opens is close-on-exec, and non-blocking where a call on it could block: a spawned child that
// inherited a socket would keep its session half alive.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { AF_INET, AF_INET6 } from '../../../core/linux/kernel.ts';
import { Loopback } from '../../../testing/loopback.ts';

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

const net = new Loopback();
afterEach(() => net.closeAll());

function flagsOf(fd: number): number {
  const octal = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
  return Number.parseInt(octal ?? '', 8);
}

function openOneOfEach(): Record<string, number> {
  const { kernel } = net;
  const { fd: listener, port } = net.listen();
  const { fd: connecting } = net.connectTo('127.0.0.1', port);
  const accepted = net.accept(listener);
  const { readFd, writeFd } = net.pipe();
  return {
    listener,
    connecting,
    accepted,
    'pipe to read': readFd,
    'pipe to write': writeFd,
    'IPv4 socket': net.keep(kernel.openSocket(AF_INET)),
    'IPv6 socket': net.keep(kernel.openSocket(AF_INET6)),
    eventfd: net.keep(kernel.openWake()),
    epoll: net.keep(kernel.openEpoll()),
  };
}

test('flags: close-on-exec on all, non-blocking on all but epoll, whose waiting is meant', () => {
  const opened = openOneOfEach();
  const wrong = Object.entries(opened).flatMap(([name, fd]) => {
    const flags = flagsOf(fd);
    const blocks = (flags & O_NONBLOCK) === 0 && name !== 'epoll';
    return [...((flags & O_CLOEXEC) === 0 ? [`${name} is inherited`] : []), ...(blocks ? [`${name} blocks`] : [])];
  });
  expect(wrong).toEqual([]);
});

test('a spawned child has none of them', () => {
  // Inodes name them: the child's numbers may be the same and mean something else. All eventfds and epolls share one name.
  const opened = Object.entries(openOneOfEach()).map(([name, fd]) => [name, readlinkSync(`/proc/self/fd/${fd}`)]);
  const child = spawnSync('/bin/sh', ['-c', 'for fd in /proc/$$/fd/*; do readlink $fd; done; true'], {
    encoding: 'utf8',
  });
  expect(child.status).toBe(0);
  const inherited = child.stdout.split('\n');
  expect(inherited.length).toBeGreaterThan(3);
  expect(opened.filter(([, link]) => link !== undefined && inherited.includes(link))).toEqual([]);
});

test('one call closes a descriptor and its neighbour, and no other', () => {
  const opened = Array.from({ length: 64 }, () => net.kernel.openSocket(AF_INET));
  const at = opened.findIndex(
    (fd, i) => opened[i + 1] === fd + 1 && opened[i + 2] === fd + 2 && opened[i + 3] === fd + 3,
  );
  const [before = -1, first = -1, second = -1, after = -1] = opened.slice(at, at + 4);
  expect(net.kernel.closeTwo(first)).toBe(0);
  const isOpen = (fd: number) => existsSync(`/proc/self/fd/${fd}`);
  expect([before, first, second, after].map(isOpen)).toEqual([true, false, false, true]);
  for (const fd of opened) if (fd !== first && fd !== second) net.kernel.close(fd);
});
