// Accepting and opening connections, and ending what was sent: each with all the calls that follow anyway, as one chain.

import { assert } from '../base/assert.ts';
import { EINPROGRESS, EINTR } from '../base/errno.ts';
import {
  CLOEXEC,
  EPOLL_CTL_ADD,
  ERRNO_MAX,
  IP_BIND_ADDRESS_NO_PORT,
  IPPROTO_IP,
  IPPROTO_TCP,
  MSG_MORE,
  MSG_NOSIGNAL,
  NONBLOCK,
  SHUT_WR,
  SO_OOBINLINE,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_CONGESTION,
} from './abi.ts';
import { type Cell, Chain } from './chain.ts';
import { type Arena, type Kernel, NOWHERE, SOCKADDR_BYTES, writeEvent } from './kernel.ts';
import { sockaddrBytes, sockaddrFamily } from './sockaddr.ts';

type ConnectionCalls = Pick<
  Kernel,
  'prepareConnections' | 'acceptConnection' | 'openConnection' | 'restOfConnection' | 'sendLast'
>;

/** @param base where the arena begins in this process @param eventAt room for a struct epoll_event */
export function connectionCalls(arena: Arena, base: number, eventAt: number): ConnectionCalls {
  let connections: Connections | undefined;
  const prepared = (): Connections => {
    assert(connections !== undefined, 'connections are prepared');
    return connections;
  };
  const sending = new Sending(base);
  return {
    prepareConnections(epollFd, events, congestionAt, congestionBytes): void {
      connections = new Connections(arena, base, { epollFd, events, eventAt, congestionAt, congestionBytes });
    },
    acceptConnection: (listenFd, addressAt, localAt, tag, generation) =>
      prepared().accept(listenFd, addressAt, localAt, tag, generation),
    openConnection: (addressAt, sourceAt, tag, generation) => prepared().open(addressAt, sourceAt, tag, generation),
    restOfConnection: () => prepared().rest,
    sendLast: (fd, at, bytes) => sending.sendLast(fd, at, bytes),
  };
}

/** A socket without an option is better than none. */
const WHATEVER = { least: -ERRNO_MAX };

interface Settings {
  epollFd: number;
  events: number;
  eventAt: number;
  congestionAt: number;
  congestionBytes: number;
}

class Connections {
  readonly #arena: Arena;
  readonly #settings: Settings;
  readonly #accepting: Accepting;
  readonly #acceptingNamed: Accepting;
  readonly #opening: Opening;
  readonly #openingBound: Opening;
  rest = 0;

  constructor(arena: Arena, base: number, settings: Settings) {
    this.#arena = arena;
    this.#settings = settings;
    this.#accepting = new Accepting(base, settings, false);
    this.#acceptingNamed = new Accepting(base, settings, true);
    this.#opening = new Opening(base, settings, false);
    this.#openingBound = new Opening(base, settings, true);
  }

  accept(listenFd: number, addressAt: number, localAt: number, tag: number, generation: number): number {
    this.#writeEvent(tag, generation);
    const accepting = localAt === NOWHERE ? this.#accepting : this.#acceptingNamed;
    do this.rest = accepting.run(listenFd, addressAt, localAt);
    while (accepting.fd === -EINTR);
    return accepting.fd;
  }

  open(addressAt: number, sourceAt: number, tag: number, generation: number): number {
    this.#writeEvent(tag, generation);
    const opening = sourceAt === NOWHERE ? this.#opening : this.#openingBound;
    this.rest = opening.run(this.#arena, addressAt, sourceAt);
    return opening.fd;
  }

  #writeEvent(tag: number, generation: number): void {
    writeEvent(this.#arena, this.#settings.eventAt, this.#settings.events, tag, generation);
  }
}

/** Lets the socket in `fd` be watched for the event at `eventAt`. */
function addWatch(chain: Chain, fd: Cell, result: Cell, { epollFd, eventAt }: Settings): void {
  chain.add('epoll_ctl', [chain.cell(epollFd), chain.cell(EPOLL_CTL_ADD), fd, chain.place(eventAt)], result);
}

/** accept4, getsockname if it is to be named, epoll_ctl. */
class Accepting {
  readonly #chain: Chain;
  readonly #listenFd: Cell;
  readonly #address: Cell;
  readonly #addressBytes: Cell;
  readonly #local: Cell;
  readonly #localBytes: Cell;
  readonly #fd: Cell;
  readonly #run: () => number;

  constructor(base: number, settings: Settings, isNamed: boolean) {
    const chain = new Chain(base);
    this.#chain = chain;
    this.#listenFd = chain.cell();
    this.#address = chain.cell();
    this.#addressBytes = chain.cell();
    this.#local = chain.cell();
    this.#localBytes = chain.cell();
    this.#fd = chain.cell();
    const flags = chain.cell(NONBLOCK | CLOEXEC);
    const result = chain.cell();
    chain.add('accept4', [this.#listenFd, this.#address, chain.pointer(this.#addressBytes), flags], this.#fd);
    if (isNamed) chain.add('getsockname', [this.#fd, this.#local, chain.pointer(this.#localBytes)], result);
    addWatch(chain, this.#fd, result, settings);
    this.#run = chain.finished();
  }

  /** What the last chain has accepted, or -errno. */
  get fd(): number {
    return this.#chain.take(this.#fd);
  }

  run(listenFd: number, addressAt: number, localAt: number): number {
    const chain = this.#chain;
    chain.put(this.#listenFd, listenFd);
    chain.putAddress(this.#address, addressAt);
    chain.put(this.#addressBytes, SOCKADDR_BYTES);
    if (localAt !== NOWHERE) {
      chain.putAddress(this.#local, localAt);
      chain.put(this.#localBytes, SOCKADDR_BYTES);
    }
    return this.#run();
  }
}

/** socket, its options, bind if it is to be bound, connect, epoll_ctl: a socket that is not yet connecting would report HUP. */
class Opening {
  readonly #chain: Chain;
  readonly #family: Cell;
  readonly #address: Cell;
  readonly #addressBytes: Cell;
  readonly #source: Cell;
  readonly #sourceBytes: Cell;
  readonly #fd: Cell;
  readonly #run: () => number;

  constructor(base: number, settings: Settings, isBound: boolean) {
    const chain = new Chain(base);
    this.#chain = chain;
    this.#family = chain.cell();
    this.#address = chain.cell();
    this.#addressBytes = chain.cell();
    this.#source = chain.cell();
    this.#sourceBytes = chain.cell();
    this.#fd = chain.cell();
    const fd = this.#fd;
    const result = chain.cell();
    const type = chain.cell(SOCK_STREAM | NONBLOCK | CLOEXEC);
    const on = chain.pointer(chain.cell(1));
    const onBytes = chain.cell(4);
    const tcp = chain.cell(IPPROTO_TCP);
    const turnOn = (level: number, name: number) =>
      chain.add('setsockopt', [fd, chain.cell(level), chain.cell(name), on, onBytes], result, WHATEVER);
    chain.add('socket', [this.#family, type, tcp], fd);
    turnOn(SOL_SOCKET, SO_OOBINLINE);
    if (settings.congestionBytes > 0) {
      const name = chain.place(settings.congestionAt);
      const bytes = chain.cell(settings.congestionBytes);
      chain.add('setsockopt', [fd, tcp, chain.cell(TCP_CONGESTION), name, bytes], result, WHATEVER);
    }
    if (isBound) {
      // The port is chosen at connect, where the whole four-tuple counts, not at bind, where it would be taken for all nodes.
      turnOn(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
      chain.add('bind', [fd, this.#source, this.#sourceBytes], result);
    }
    chain.add('connect', [fd, this.#address, this.#addressBytes], result, { or: -EINPROGRESS });
    addWatch(chain, fd, result, settings);
    this.#run = chain.finished();
  }

  /** What the last chain has opened, or -errno. */
  get fd(): number {
    return this.#chain.take(this.#fd);
  }

  run(arena: Arena, addressAt: number, sourceAt: number): number {
    const chain = this.#chain;
    chain.put(this.#family, sockaddrFamily(arena, addressAt));
    chain.putAddress(this.#address, addressAt);
    chain.put(this.#addressBytes, sockaddrBytes(arena, addressAt));
    if (sourceAt !== NOWHERE) {
      chain.putAddress(this.#source, sourceAt);
      chain.put(this.#sourceBytes, sockaddrBytes(arena, sourceAt));
    }
    return this.#run();
  }
}

/** send with MSG_MORE, and shutdown where that took all. */
class Sending {
  readonly #chain: Chain;
  readonly #fd: Cell;
  readonly #address: Cell;
  readonly #bytes: Cell;
  readonly #sent: Cell;
  readonly #sendStep: number;
  readonly #run: () => number;

  constructor(base: number) {
    const chain = new Chain(base);
    this.#chain = chain;
    this.#fd = chain.cell();
    this.#address = chain.cell();
    this.#bytes = chain.cell();
    this.#sent = chain.cell();
    const flags = chain.cell(MSG_NOSIGNAL | MSG_MORE);
    this.#sendStep = chain.add('sendto', [this.#fd, this.#address, this.#bytes, flags], this.#sent);
    chain.add('shutdown', [this.#fd, chain.cell(SHUT_WR)], chain.cell());
    this.#run = chain.finished();
  }

  sendLast(fd: number, at: number, bytes: number): number {
    const chain = this.#chain;
    chain.put(this.#fd, fd);
    chain.putAddress(this.#address, at);
    chain.put(this.#bytes, bytes);
    chain.demand(this.#sendStep, bytes);
    do this.#run();
    while (chain.take(this.#sent) === -EINTR);
    return chain.take(this.#sent);
  }
}
