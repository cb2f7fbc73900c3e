// The seam between the balancer and Linux: every operation that a shard asks of the kernel, as an interface. `native.ts` is
// the real one; the tests have a simulated one with its own clock. Nothing here allocates, throws or blocks, except `wait`.
//
// Conventions: a result >= 0 is success, a negative one is `-errno`; EINTR never comes back. Descriptors that a call opens
// are non-blocking and close-on-exec. Memory is named by its offset in the arena (`…At`), never by a JavaScript view.

/** One stretch of shared memory that the kernel reads and writes for a shard: events, addresses, buffers. */
export interface Arena {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly view: DataView<SharedArrayBuffer>;
}

export function createArena(memory: SharedArrayBuffer): Arena {
  return { bytes: new Uint8Array(memory), view: new DataView(memory) };
}

// Events (epoll_ctl(2)).
export const EPOLLIN = 0x001;
export const EPOLLPRI = 0x002;
export const EPOLLOUT = 0x004;
export const EPOLLERR = 0x008;
export const EPOLLHUP = 0x010;
export const EPOLLRDHUP = 0x2000;
export const EPOLLET = 0x8000_0000;

export const AF_INET = 2;
export const AF_INET6 = 10;

/** Room for the larger of sockaddr_in (16 bytes) and sockaddr_in6 (28 bytes). */
export const SOCKADDR_BYTES = 28;

/** How many transfers one call carries out at most, and the memory that it takes. */
export const TRANSFERS_MAX = 64;
export const TRANSFERS_BYTES = 8192;
/** In place of a transfer's result: it was not carried out. */
export const NOT_DONE = -(2 ** 30);

/** As a place in the arena: there is none. */
export const NOWHERE = -1;

/** A socket option by its meaning; `native.ts` knows the level and the number. The values are plain integers. */
export type SocketOption =
  | 'no-delay' // TCP_NODELAY, 0 or 1
  | 'keepalive' // SO_KEEPALIVE, 0 or 1
  | 'keepalive-idle-s' // TCP_KEEPIDLE
  | 'keepalive-interval-s' // TCP_KEEPINTVL
  | 'user-timeout-ms' // TCP_USER_TIMEOUT
  | 'receive-low-water' // SO_RCVLOWAT, bytes; 1 is none
  | 'oob-inline' // SO_OOBINLINE, 0 or 1
  | 'bind-address-no-port' // IP_BIND_ADDRESS_NO_PORT, 0 or 1
  | 'free-bind' // IP_FREEBIND, 0 or 1; of IPv6 sockets, too
  | 'reuse-address' // SO_REUSEADDR, 0 or 1
  | 'reuse-port' // SO_REUSEPORT, 0 or 1
  | 'bind-to-device' // SO_BINDTOIFINDEX, index of a network device
  | 'v6-only'; // IPV6_V6ONLY, 0 or 1

export interface Kernel {
  readonly arena: Arena;

  /** CLOCK_MONOTONIC in milliseconds, with fractions; the same clock in every thread of the process. */
  nowMs(): number;

  /** accept4(2). The client's sockaddr lands at `addressAt`. @returns descriptor or -errno */
  accept(listenFd: number, addressAt: number): number;
  /** getsockname(2) into `addressAt`. */
  localAddress(fd: number, addressAt: number): number;
  /** getpeername(2) into `addressAt`. */
  peerAddress(fd: number, addressAt: number): number;

  /** socket(2): a TCP socket. @param family AF_INET or AF_INET6 @returns descriptor or -errno */
  openSocket(family: number): number;
  setOption(fd: number, option: SocketOption, value: number): number;
  /** TCP_CONGESTION; the name's bytes lie at `nameAt`. */
  setCongestion(fd: number, nameAt: number, nameBytes: number): number;
  /** SO_LINGER with time 0: the coming close sends a reset. */
  resetOnClose(fd: number): number;
  bind(fd: number, addressAt: number): number;
  /** connect(2); -EINPROGRESS is the normal answer. */
  connect(fd: number, addressAt: number): number;
  /** SO_ERROR, which this call clears. @returns positive errno, 0 for none, or -errno of the call itself */
  takeError(fd: number): number;

  /**
   * How connections are opened and watched from now on. Needed before the three calls below.
   * @param events EPOLL… bits
   * @param congestionAt name of the nodes' sockets' congestion control @param congestionBytes 0: the system's
   */
  prepareConnections(epollFd: number, events: number, congestionAt: number, congestionBytes: number): void;
  /**
   * accept4(2), getsockname(2) into `localAt` unless that is NOWHERE, and a watch with this tag and generation, in one go.
   * @returns descriptor, whatever came of the rest, or -errno of accept4
   */
  acceptConnection(listenFd: number, addressAt: number, localAt: number, tag: number, generation: number): number;
  /**
   * socket(2) for the address's family, SO_OOBINLINE and the congestion control, bind(2) unless `sourceAt` is NOWHERE, connect(2), and a watch
   * with this tag and generation, in one go.
   * @returns descriptor, whatever came of the rest, or -errno of socket
   */
  openConnection(addressAt: number, sourceAt: number, tag: number, generation: number): number;
  /** Behind a descriptor, what came of the rest: 0, or -errno of the call that failed, behind which none was made. A pending connect is no failure. */
  restOfConnection(): number;

  /** recv(2). @returns bytes, 0 at the end of the stream, or -errno */
  recv(fd: number, at: number, bytes: number): number;
  /** recv(2) with MSG_PEEK: as recv, but the bytes stay in the queue. */
  peek(fd: number, at: number, bytes: number): number;
  /** recv(2) with MSG_TRUNC: takes bytes out of the queue without copying them (tcp(7)). */
  discard(fd: number, bytes: number): number;
  /** send(2) with MSG_NOSIGNAL. @returns bytes or -errno */
  send(fd: number, at: number, bytes: number): number;
  /** send(2) with MSG_MORE too: the kernel may hold the bytes back until the next send, the FIN or the close. */
  sendMore(fd: number, at: number, bytes: number): number;
  /** The same, and if it takes all bytes, our FIN with them. @returns bytes or -errno */
  sendLast(fd: number, at: number, bytes: number): number;
  /**
   * Opens the way to carry out several reads and writes with one call. Without it the five below must not be called.
   * @param at TRANSFERS_BYTES of the arena, a multiple of 8; what a predecessor left there is taken over, its results included
   * @returns 0 or -errno
   */
  openTransfers(at: number): number;
  closeTransfers(): void;
  /** Notes a recv(2) as transfer `index`, 0 to TRANSFERS_MAX - 1. Its result is NOT_DONE until it is carried out. */
  noteRecv(index: number, fd: number, at: number, bytes: number): void;
  /** Notes a send(2) in the same way. */
  noteSend(index: number, fd: number, at: number, bytes: number): void;
  /** Carries out the transfers 0 to `count` - 1, one after the other. */
  transfer(count: number): void;
  /** What recv or send would have answered, or NOT_DONE. */
  transferred(index: number): number;

  /** shutdown(2) with SHUT_WR: our FIN follows the bytes already sent. */
  shutdownWrite(fd: number): number;
  /** Bytes in the receive queue of a socket or pipe (FIONREAD). */
  unread(fd: number): number;
  /**
   * Bytes that a socket has received in all its life, read or not, with its peer's FIN counted as
   * one more (TCP_INFO, tcpi_bytes_received). @returns how many, or -errno
   */
  received(fd: number): number;
  /** Bytes in a socket's send queue that the peer has not acknowledged (SIOCOUTQ). */
  unsent(fd: number): number;
  close(fd: number): number;
  /** close_range(2): this descriptor and the one of the next number, in one call. */
  closeTwo(fd: number): number;

  /** pipe2(2): both descriptors, as two int32 (read end, write end), land at `fdsAt`. */
  openPipe(fdsAt: number): number;
  /** F_SETPIPE_SZ. @returns the size given, or -errno */
  resizePipe(fd: number, bytes: number): number;
  /** F_GETPIPE_SZ */
  pipeSize(fd: number): number;
  /** write(2) into a pipe. */
  write(fd: number, at: number, bytes: number): number;
  /** splice(2) with SPLICE_F_MOVE | SPLICE_F_NONBLOCK; one of the two is a pipe. @returns bytes, 0 at the end, -errno */
  splice(fromFd: number, toFd: number, bytes: number): number;

  openEpoll(): number;
  /** EPOLL_CTL_ADD. The event's 64 data bits come back as `tag` (low half) and `generation` (high half), both uint32. */
  watch(epollFd: number, fd: number, events: number, tag: number, generation: number): number;
  /** EPOLL_CTL_DEL */
  unwatch(epollFd: number, fd: number): number;
  /** epoll_pwait(2), without a mask, into the records at `eventsAt`; read them with `eventMask`, `eventTag`, `eventGeneration`. */
  wait(epollFd: number, eventsAt: number, maxEvents: number, timeoutMs: number): number;

  /** eventfd(2) */
  openWake(): number;
  /** Makes the eventfd readable. */
  wake(fd: number): number;
  /** Reads the eventfd empty. */
  takeWake(fd: number): number;
}

/** struct epoll_event is packed on x86-64 only (uapi/linux/eventpoll.h). */
const PACKED = process.arch === 'x64';
export const EVENT_BYTES = PACKED ? 12 : 16;
const DATA_AT = PACKED ? 4 : 8;

export function eventMask(arena: Arena, eventsAt: number, index: number): number {
  return arena.view.getUint32(eventsAt + index * EVENT_BYTES, true);
}

export function eventTag(arena: Arena, eventsAt: number, index: number): number {
  return arena.view.getUint32(eventsAt + index * EVENT_BYTES + DATA_AT, true);
}

export function eventGeneration(arena: Arena, eventsAt: number, index: number): number {
  return arena.view.getUint32(eventsAt + index * EVENT_BYTES + DATA_AT + 4, true);
}

/** Takes the event out of the list: its mask is empty. */
export function dropEvent(arena: Arena, eventsAt: number, index: number): void {
  arena.view.setUint32(eventsAt + index * EVENT_BYTES, 0, true);
}

/** The other way round, for `watch` and for simulated kernels. */
export function writeEvent(arena: Arena, recordAt: number, mask: number, tag: number, generation: number): void {
  arena.view.setUint32(recordAt, mask, true);
  arena.view.setUint32(recordAt + DATA_AT, tag, true);
  arena.view.setUint32(recordAt + DATA_AT + 4, generation, true);
}
