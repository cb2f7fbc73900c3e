// The real kernel: system calls through libc, one thin wrapper each. It decides nothing; what to do about a result is the
// caller's business. A call through koffi costs about 0.1 us more than the system call itself.

import { monotonicMs } from '../base/clock.ts';
import { EAGAIN } from '../base/errno.ts';
import { Addresses } from './addresses.ts';
import { type Arena, createArena, type Kernel, SOCKADDR_BYTES, type SocketOption, writeEvent } from './kernel.ts';
import { addressOf, declare, interrupted, lastError } from './libc.ts';
import { sockaddrBytes } from './sockaddr.ts';
import { transferCalls } from './transfers.ts';

const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0x800;
const O_NONBLOCK = SOCK_NONBLOCK;
/** SOCK_, EPOLL_, EFD_ and O_CLOEXEC are one number. A spawned child that inherited a socket would keep its session half alive. */
const CLOEXEC = 0x80000;
const MSG_PEEK = 0x02;
const MSG_TRUNC = 0x20;
const MSG_NOSIGNAL = 0x4000;
const MSG_MORE = 0x8000;
/** the same number on x64 and arm64 (asm-generic/unistd.h) */
const SYS_CLOSE_RANGE = 436;
const SHUT_WR = 1;
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const FIONREAD = 0x541b;
const SIOCOUTQ = 0x5411;
const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;

// Levels and names of socket options (uapi/asm-generic/socket.h, uapi/linux/tcp.h, uapi/linux/in.h and in6.h).
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_KEEPALIVE = 9;
const SO_OOBINLINE = 10;
const SO_LINGER = 13;
const SO_REUSEPORT = 15;
const SO_RCVLOWAT = 18;
const SO_BINDTOIFINDEX = 62;
const IPPROTO_IP = 0;
const IP_BIND_ADDRESS_NO_PORT = 24;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_CONGESTION = 13;
const TCP_USER_TIMEOUT = 18;

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
  'reuse-address': (SOL_SOCKET << 16) | SO_REUSEADDR,
  'reuse-port': (SOL_SOCKET << 16) | SO_REUSEPORT,
  'bind-to-device': (SOL_SOCKET << 16) | SO_BINDTOIFINDEX,
  'v6-only': (IPPROTO_IPV6 << 16) | IPV6_V6ONLY,
};

const libc = {
  socket: declare('socket', ['int', 'int', 'int']),
  setsockopt: declare('setsockopt', ['int', 'int', 'int', 'uintptr_t', 'uint32_t']),
  bind: declare('bind', ['int', 'uintptr_t', 'uint32_t']),
  close: declare('close', ['int']),
  accept4: declare('accept4', ['int', 'uintptr_t', 'uintptr_t', 'int']),
  getsockname: declare('getsockname', ['int', 'uintptr_t', 'uintptr_t']),
  getpeername: declare('getpeername', ['int', 'uintptr_t', 'uintptr_t']),
  getsockopt: declare('getsockopt', ['int', 'int', 'int', 'uintptr_t', 'uintptr_t']),
  connect: declare('connect', ['int', 'uintptr_t', 'uint32_t']),
  recv: declare('recv', ['int', 'uintptr_t', 'size_t', 'int']),
  send: declare('send', ['int', 'uintptr_t', 'size_t', 'int']),
  shutdown: declare('shutdown', ['int', 'int']),
  ioctl: declare('ioctl', ['int', 'unsigned long', 'uintptr_t']),
  pipe2: declare('pipe2', ['uintptr_t', 'int']),
  fcntl: declare('fcntl', ['int', 'int', 'int']),
  read: declare('read', ['int', 'uintptr_t', 'size_t']),
  write: declare('write', ['int', 'uintptr_t', 'size_t']),
  splice: declare('splice', ['int', 'uintptr_t', 'int', 'uintptr_t', 'size_t', 'uint32_t']),
  epollCreate: declare('epoll_create1', ['int']),
  epollCtl: declare('epoll_ctl', ['int', 'int', 'int', 'uintptr_t']),
  epollWait: declare('epoll_wait', ['int', 'uintptr_t', 'int', 'int']),
  eventfd: declare('eventfd', ['uint32_t', 'int']),
  syscall: declare('syscall', ['long', 'uint32_t', 'uint32_t', 'uint32_t']),
};

/** Cells that calls write small results into: the last bytes of the arena. */
const CELLS = { integer: 0, length: 4, linger: 8, counter: 16, event: 24, address: 40, bytes: 40 + SOCKADDR_BYTES };

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
    ...transferCalls(arena, base),
    ...pipeCalls(base),
    ...epollCalls(arena, base, cellsAt),
  };
}

function receive(fd: number, address: number, bytes: number, flags: number): number {
  for (;;) {
    const n = libc.recv(fd, address, bytes, flags);
    if (n >= 0) return n;
    if (!interrupted()) return lastError();
  }
}

function transmit(fd: number, address: number, bytes: number, flags: number): number {
  for (;;) {
    const n = libc.send(fd, address, bytes, flags);
    if (n >= 0) return n;
    if (!interrupted()) return lastError();
  }
}

function socketCalls(arena: Arena, base: number, cellsAt: number) {
  const { view } = arena;
  const integerAt = cellsAt + CELLS.integer;
  const lengthAt = cellsAt + CELLS.length;
  const lingerAt = cellsAt + CELLS.linger;
  const integer = base + integerAt;
  const length = base + lengthAt;
  const linger = base + lingerAt;
  const sockaddrs = new Addresses(base);
  const received = new Addresses(base);
  const sent = new Addresses(base);

  const setInteger = (fd: number, level: number, name: number, value: number): number => {
    view.setInt32(integerAt, value, true);
    return libc.setsockopt(fd, level, name, integer, 4) === 0 ? 0 : lastError();
  };
  const queued = (fd: number, request: number): number =>
    libc.ioctl(fd, request, integer) === 0 ? view.getInt32(integerAt, true) : lastError();
  const address = (call: typeof libc.getsockname, fd: number, addressAt: number): number => {
    view.setInt32(lengthAt, SOCKADDR_BYTES, true);
    return call(fd, sockaddrs.of(addressAt), length) === 0 ? 0 : lastError();
  };

  return {
    accept(listenFd: number, addressAt: number): number {
      for (;;) {
        view.setInt32(lengthAt, SOCKADDR_BYTES, true);
        const fd = libc.accept4(listenFd, sockaddrs.of(addressAt), length, SOCK_NONBLOCK | CLOEXEC);
        if (fd >= 0) return fd;
        if (!interrupted()) return lastError();
      }
    },
    localAddress: (fd: number, addressAt: number) => address(libc.getsockname, fd, addressAt),
    peerAddress: (fd: number, addressAt: number) => address(libc.getpeername, fd, addressAt),
    openSocket(family: number): number {
      const fd = libc.socket(family, SOCK_STREAM | SOCK_NONBLOCK | CLOEXEC, IPPROTO_TCP);
      return fd >= 0 ? fd : lastError();
    },
    setOption(fd: number, option: SocketOption, value: number): number {
      const packed = OPTIONS[option];
      return setInteger(fd, packed >> 16, packed & 0xffff, value);
    },
    setCongestion(fd: number, nameAt: number, nameBytes: number): number {
      return libc.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, base + nameAt, nameBytes) === 0 ? 0 : lastError();
    },
    resetOnClose(fd: number): number {
      view.setInt32(lingerAt, 1, true);
      view.setInt32(lingerAt + 4, 0, true);
      return libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, linger, 8) === 0 ? 0 : lastError();
    },
    bind(fd: number, addressAt: number): number {
      return libc.bind(fd, sockaddrs.of(addressAt), sockaddrBytes(arena, addressAt)) === 0 ? 0 : lastError();
    },
    connect(fd: number, addressAt: number): number {
      // An interrupted non-blocking connect goes on by itself (connect(2)); asking again would answer EALREADY.
      return libc.connect(fd, sockaddrs.of(addressAt), sockaddrBytes(arena, addressAt)) === 0 ? 0 : lastError();
    },
    takeError(fd: number): number {
      view.setInt32(lengthAt, 4, true);
      const result = libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, integer, length);
      return result === 0 ? view.getInt32(integerAt, true) : lastError();
    },
    recv: (fd: number, at: number, bytes: number) => receive(fd, received.of(at), bytes, 0),
    peek: (fd: number, at: number, bytes: number) => receive(fd, received.of(at), bytes, MSG_PEEK),
    discard: (fd: number, bytes: number) => receive(fd, 0, bytes, MSG_TRUNC),
    send: (fd: number, at: number, bytes: number) => transmit(fd, sent.of(at), bytes, MSG_NOSIGNAL),
    sendMore: (fd: number, at: number, bytes: number) => transmit(fd, sent.of(at), bytes, MSG_NOSIGNAL | MSG_MORE),
    shutdownWrite: (fd: number) => (libc.shutdown(fd, SHUT_WR) === 0 ? 0 : lastError()),
    unread: (fd: number) => queued(fd, FIONREAD),
    unsent: (fd: number) => queued(fd, SIOCOUTQ),
    close(fd: number): number {
      // Never retried: Linux has let go of the number even when it answers EINTR (close(2)).
      return libc.close(fd) === 0 ? 0 : lastError();
    },
    closeTwo(fd: number): number {
      // By number: libc has a name for it only since glibc 2.34. Where the kernel does not know it (before 5.9), or a sandbox forbids
      // it, nothing was closed.
      if (libc.syscall(SYS_CLOSE_RANGE, fd, fd + 1, 0) === 0) return 0;
      const first = libc.close(fd) === 0 ? 0 : lastError();
      const second = libc.close(fd + 1) === 0 ? 0 : lastError();
      return first === 0 ? second : first;
    },
  };
}

function pipeCalls(base: number) {
  const NO_OFFSET = 0;
  return {
    openPipe: (fdsAt: number) => (libc.pipe2(base + fdsAt, O_NONBLOCK | CLOEXEC) === 0 ? 0 : lastError()),
    resizePipe(fd: number, bytes: number): number {
      const size = libc.fcntl(fd, F_SETPIPE_SZ, bytes);
      return size >= 0 ? size : lastError();
    },
    pipeSize(fd: number): number {
      const size = libc.fcntl(fd, F_GETPIPE_SZ, 0);
      return size >= 0 ? size : lastError();
    },
    write(fd: number, at: number, bytes: number): number {
      for (;;) {
        const n = libc.write(fd, base + at, bytes);
        if (n >= 0) return n;
        if (!interrupted()) return lastError();
      }
    },
    splice(fromFd: number, toFd: number, bytes: number): number {
      for (;;) {
        const n = libc.splice(fromFd, NO_OFFSET, toFd, NO_OFFSET, bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n >= 0) return n;
        if (!interrupted()) return lastError();
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
      const fd = libc.epollCreate(CLOEXEC);
      return fd >= 0 ? fd : lastError();
    },
    watch(epollFd: number, fd: number, events: number, tag: number, generation: number): number {
      writeEvent(arena, eventAt, events, tag, generation);
      return libc.epollCtl(epollFd, EPOLL_CTL_ADD, fd, event) === 0 ? 0 : lastError();
    },
    unwatch: (epollFd: number, fd: number) =>
      libc.epollCtl(epollFd, EPOLL_CTL_DEL, fd, event) === 0 ? 0 : lastError(),
    wait(epollFd: number, eventsAt: number, maxEvents: number, timeoutMs: number): number {
      // Interrupted, it has not looked: in a process that was stopped and goes on, everybody's time would seem to be up.
      for (let forMs = timeoutMs; ; forMs = 0) {
        const n = libc.epollWait(epollFd, eventLists.of(eventsAt), maxEvents, forMs);
        if (n >= 0) return n;
        if (!interrupted()) return lastError();
      }
    },
    openWake(): number {
      const fd = libc.eventfd(0, O_NONBLOCK | CLOEXEC);
      return fd >= 0 ? fd : lastError();
    },
    wake(fd: number): number {
      view.setUint32(counterAt, 1, true);
      view.setUint32(counterAt + 4, 0, true);
      const n = libc.write(fd, counter, 8);
      // A counter that is full is readable all the same.
      if (n >= 0) return 0;
      const error = lastError();
      return error === -EAGAIN ? 0 : error;
    },
    takeWake(fd: number): number {
      return libc.read(fd, counter, 8) >= 0 ? 0 : lastError();
    },
  };
}
