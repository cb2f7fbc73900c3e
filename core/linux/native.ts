// The real kernel: one thin wrapper for each call. It decides nothing; what to do about a result is the caller's business. A call
// through koffi costs about 0.1 us more than the system call itself.

import { monotonicMs } from '../base/clock.ts';
import { EAGAIN, EINTR, ENOPROTOOPT } from '../base/errno.ts';
import {
  CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  F_GETPIPE_SZ,
  F_SETPIPE_SZ,
  FIONREAD,
  IP_BIND_ADDRESS_NO_PORT,
  IP_FREEBIND,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  MSG_MORE,
  MSG_NOSIGNAL,
  MSG_PEEK,
  MSG_TRUNC,
  NONBLOCK,
  SHUT_WR,
  SIOCOUTQ,
  SO_BINDTOIFINDEX,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_OOBINLINE,
  SO_RCVLOWAT,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_STREAM,
  SOL_SOCKET,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
  TCP_CONGESTION,
  TCP_INFO,
  TCP_INFO_BYTES,
  TCP_INFO_RECEIVED_AT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
  TCP_USER_TIMEOUT,
} from './abi.ts';
import { Addresses } from './addresses.ts';
import { connectionCalls } from './connections.ts';
import { type Arena, createArena, type Kernel, SOCKADDR_BYTES, type SocketOption, writeEvent } from './kernel.ts';
import { sockaddrBytes } from './sockaddr.ts';
import { addressOf, systemCalls as linux } from './system-calls.ts';
import { transferCalls } from './transfers.ts';

/** Level and name of each option, packed: level << 16 | name. */
const OPTIONS: Readonly<Record<SocketOption, number>> = {
  'no-delay': (IPPROTO_TCP << 16) | TCP_NODELAY,
  keepalive: (SOL_SOCKET << 16) | SO_KEEPALIVE,
  'keepalive-idle-s': (IPPROTO_TCP << 16) | TCP_KEEPIDLE,
  'keepalive-interval-s': (IPPROTO_TCP << 16) | TCP_KEEPINTVL,
  'user-timeout-ms': (IPPROTO_TCP << 16) | TCP_USER_TIMEOUT,
  'receive-low-water': (SOL_SOCKET << 16) | SO_RCVLOWAT,
  'oob-inline': (SOL_SOCKET << 16) | SO_OOBINLINE,
  'bind-address-no-port': (IPPROTO_IP << 16) | IP_BIND_ADDRESS_NO_PORT,
  'free-bind': (IPPROTO_IP << 16) | IP_FREEBIND,
  'reuse-address': (SOL_SOCKET << 16) | SO_REUSEADDR,
  'reuse-port': (SOL_SOCKET << 16) | SO_REUSEPORT,
  'bind-to-device': (SOL_SOCKET << 16) | SO_BINDTOIFINDEX,
  'v6-only': (IPPROTO_IPV6 << 16) | IPV6_V6ONLY,
};

/** Cells that calls write small results into: the last bytes of the arena. */
const CELLS = { integer: 0, length: 4, linger: 8, counter: 16, event: 24, info: 40, bytes: 40 + TCP_INFO_BYTES };

/** Bytes that `createKernel` takes from the end of an arena for itself. */
export const KERNEL_CELL_BYTES = CELLS.bytes;

/** @param memory the shard's arena; its last KERNEL_CELL_BYTES belong to the kernel object */
export function createKernel(memory: SharedArrayBuffer): Kernel {
  const arena = createArena(memory);
  const base = addressOf(memory);
  const cellsAt = memory.byteLength - KERNEL_CELL_BYTES;
  return {
    arena,
    nowMs: monotonicMs,
    ...socketCalls(arena, base, cellsAt),
    ...connectionCalls(arena, base, cellsAt + CELLS.event),
    ...transferCalls(arena, base),
    ...pipeCalls(base),
    ...epollCalls(arena, base, cellsAt),
  };
}

function receive(fd: number, address: number, bytes: number, flags: number): number {
  for (;;) {
    const n = linux.recvfrom(fd, address, bytes, flags);
    if (n !== -EINTR) return n;
  }
}

function transmit(fd: number, address: number, bytes: number, flags: number): number {
  for (;;) {
    const n = linux.sendto(fd, address, bytes, flags);
    if (n !== -EINTR) return n;
  }
}

function socketCalls(arena: Arena, base: number, cellsAt: number) {
  const { view } = arena;
  const integerAt = cellsAt + CELLS.integer;
  const lengthAt = cellsAt + CELLS.length;
  const lingerAt = cellsAt + CELLS.linger;
  const infoAt = cellsAt + CELLS.info;
  const integer = base + integerAt;
  const length = base + lengthAt;
  const linger = base + lingerAt;
  const info = base + infoAt;
  const sockaddrs = new Addresses(base);
  const received = new Addresses(base);
  const sent = new Addresses(base);

  const setInteger = (fd: number, level: number, name: number, value: number): number => {
    view.setInt32(integerAt, value, true);
    return linux.setsockopt(fd, level, name, integer, 4);
  };
  /** What the call left in the cell, where it worked. */
  const integerAfter = (result: number): number => (result === 0 ? view.getInt32(integerAt, true) : result);
  const queued = (fd: number, request: number): number => integerAfter(linux.ioctl(fd, request, integer));
  const address = (call: typeof linux.getsockname, fd: number, addressAt: number): number => {
    view.setInt32(lengthAt, SOCKADDR_BYTES, true);
    return call(fd, sockaddrs.of(addressAt), length);
  };

  return {
    accept(listenFd: number, addressAt: number): number {
      for (;;) {
        view.setInt32(lengthAt, SOCKADDR_BYTES, true);
        const fd = linux.accept4(listenFd, sockaddrs.of(addressAt), length, NONBLOCK | CLOEXEC);
        if (fd !== -EINTR) return fd;
      }
    },
    localAddress: (fd: number, addressAt: number) => address(linux.getsockname, fd, addressAt),
    peerAddress: (fd: number, addressAt: number) => address(linux.getpeername, fd, addressAt),
    openSocket(family: number): number {
      return linux.socket(family, SOCK_STREAM | NONBLOCK | CLOEXEC, IPPROTO_TCP);
    },
    setOption(fd: number, option: SocketOption, value: number): number {
      const packed = OPTIONS[option];
      return setInteger(fd, packed >> 16, packed & 0xffff, value);
    },
    setCongestion(fd: number, nameAt: number, nameBytes: number): number {
      return linux.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, base + nameAt, nameBytes);
    },
    resetOnClose(fd: number): number {
      view.setInt32(lingerAt, 1, true);
      view.setInt32(lingerAt + 4, 0, true);
      return linux.setsockopt(fd, SOL_SOCKET, SO_LINGER, linger, 8);
    },
    bind(fd: number, addressAt: number): number {
      return linux.bind(fd, sockaddrs.of(addressAt), sockaddrBytes(arena, addressAt));
    },
    connect(fd: number, addressAt: number): number {
      // An interrupted non-blocking connect goes on by itself (connect(2)); asking again would answer EALREADY.
      return linux.connect(fd, sockaddrs.of(addressAt), sockaddrBytes(arena, addressAt));
    },
    takeError(fd: number): number {
      view.setInt32(lengthAt, 4, true);
      return integerAfter(linux.getsockopt(fd, SOL_SOCKET, SO_ERROR, integer, length));
    },
    recv: (fd: number, at: number, bytes: number) => receive(fd, received.of(at), bytes, 0),
    peek: (fd: number, at: number, bytes: number) => receive(fd, received.of(at), bytes, MSG_PEEK),
    discard: (fd: number, bytes: number) => receive(fd, 0, bytes, MSG_TRUNC),
    send: (fd: number, at: number, bytes: number) => transmit(fd, sent.of(at), bytes, MSG_NOSIGNAL),
    sendMore: (fd: number, at: number, bytes: number) => transmit(fd, sent.of(at), bytes, MSG_NOSIGNAL | MSG_MORE),
    shutdownWrite: (fd: number) => linux.shutdown(fd, SHUT_WR),
    unread: (fd: number) => queued(fd, FIONREAD),
    received(fd: number): number {
      view.setInt32(lengthAt, TCP_INFO_BYTES, true);
      const result = linux.getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, length);
      if (result < 0) return result;
      // A kernel that does not count them answers with less.
      if (view.getInt32(lengthAt, true) < TCP_INFO_BYTES) return -ENOPROTOOPT;
      return Number(view.getBigUint64(infoAt + TCP_INFO_RECEIVED_AT, true));
    },
    unsent: (fd: number) => queued(fd, SIOCOUTQ),
    close(fd: number): number {
      // Never retried: Linux has let go of the number even when it answers EINTR (close(2)).
      return linux.close(fd);
    },
    closeTwo(fd: number): number {
      // Where the kernel does not know it (before 5.9), or a sandbox forbids it, nothing was closed.
      if (linux.close_range(fd, fd + 1) === 0) return 0;
      const first = linux.close(fd);
      const second = linux.close(fd + 1);
      return first === 0 ? second : first;
    },
  };
}

function pipeCalls(base: number) {
  const NO_OFFSET = 0;
  return {
    openPipe: (fdsAt: number) => linux.pipe2(base + fdsAt, NONBLOCK | CLOEXEC),
    resizePipe(fd: number, bytes: number): number {
      return linux.fcntl(fd, F_SETPIPE_SZ, bytes);
    },
    pipeSize(fd: number): number {
      return linux.fcntl(fd, F_GETPIPE_SZ, 0);
    },
    write(fd: number, at: number, bytes: number): number {
      for (;;) {
        const n = linux.write(fd, base + at, bytes);
        if (n !== -EINTR) return n;
      }
    },
    splice(fromFd: number, toFd: number, bytes: number): number {
      for (;;) {
        const n = linux.splice(fromFd, NO_OFFSET, toFd, NO_OFFSET, bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n !== -EINTR) return n;
      }
    },
  };
}

function epollCalls(arena: Arena, base: number, cellsAt: number) {
  const { view } = arena;
  const eventAt = cellsAt + CELLS.event;
  const counterAt = cellsAt + CELLS.counter;
  const event = base + eventAt;
  const counter = base + counterAt;
  const eventLists = new Addresses(base);
  return {
    openEpoll(): number {
      return linux.epoll_create1(CLOEXEC);
    },
    watch(epollFd: number, fd: number, events: number, tag: number, generation: number): number {
      writeEvent(arena, eventAt, events, tag, generation);
      return linux.epoll_ctl(epollFd, EPOLL_CTL_ADD, fd, event);
    },
    unwatch: (epollFd: number, fd: number) => linux.epoll_ctl(epollFd, EPOLL_CTL_DEL, fd, event),
    wait(epollFd: number, eventsAt: number, maxEvents: number, timeoutMs: number): number {
      // Interrupted, it has not looked: in a process that was stopped and goes on, everybody's time would seem to be up.
      for (let forMs = timeoutMs; ; forMs = 0) {
        const n = linux.epoll_pwait(epollFd, eventLists.of(eventsAt), maxEvents, forMs);
        if (n !== -EINTR) return n;
      }
    },
    openWake(): number {
      return linux.eventfd2(0, NONBLOCK | CLOEXEC);
    },
    wake(fd: number): number {
      view.setUint32(counterAt, 1, true);
      view.setUint32(counterAt + 4, 0, true);
      const n = linux.write(fd, counter, 8);
      // A counter that is full is readable all the same.
      return n >= 0 || n === -EAGAIN ? 0 : n;
    },
    takeWake(fd: number): number {
      return Math.min(linux.read(fd, counter, 8), 0);
    },
  };
}
