// The simulated Linux: the whole `Kernel` interface over files that live in this process, with its own clock; this file adds
// epoll and eventfds, and what a test needs from outside. `wait` never blocks: when nothing is ready it moves the clock on to
// the next thing that happens, or to the timeout.
// Wrong use (a closed descriptor, memory outside the arena, a wait that could never end) is collected in `violations`.

import { EINPROGRESS, EINVAL, EMFILE } from '../../core/base/errno.ts';
import { EPOLLIN, EVENT_BYTES, type Kernel, NOWHERE, type SocketOption, writeEvent } from '../../core/linux/kernel.ts';
import { sockaddrFamily } from '../../core/linux/sockaddr.ts';
import { type Descriptor, Wake } from './descriptors.ts';
import { Epoll } from './epoll.ts';
import { LATE_MS_MAX } from './faults.ts';
import { type Address, Listener } from './network.ts';
import type { TcpEnd } from './tcp-end.ts';
import { TransferCalls } from './transfer-calls.ts';

const ENOENT = 2;
const EEXIST = 17;

export class SimKernel extends TransferCalls implements Kernel {
  #connections = { epollFd: -1, events: 0, congestionAt: 0, congestionBytes: 0 };
  #rest = 0;

  openEpoll(): number {
    this.enter();
    if (!this.table.hasRoom(1)) return -EMFILE;
    return this.table.open({ kind: 'epoll', epoll: new Epoll(this.random.fork()) }, 'shard');
  }

  watch(epollFd: number, fd: number, events: number, tag: number, generation: number): number {
    this.enter();
    const epoll = this.table.epoll(epollFd, 'watch in');
    if (typeof epoll === 'number') return epoll;
    const file = this.table.pollable(fd, 'watch');
    if (typeof file === 'number') return file;
    if (epoll.find(file) !== undefined) return -EEXIST;
    epoll.add(file, events, tag >>> 0, generation >>> 0);
    return 0;
  }

  prepareConnections(epollFd: number, events: number, congestionAt: number, congestionBytes: number): void {
    this.#connections = { epollFd, events, congestionAt, congestionBytes };
  }

  acceptConnection(listenFd: number, addressAt: number, localAt: number, tag: number, generation: number): number {
    const fd = this.accept(listenFd, addressAt);
    if (fd < 0) return fd;
    this.#rest = localAt === NOWHERE ? 0 : this.localAddress(fd, localAt);
    if (this.#rest === 0) this.#rest = this.#watchConnection(fd, tag, generation);
    return fd;
  }

  openConnection(addressAt: number, sourceAt: number, tag: number, generation: number): number {
    const fd = this.openSocket(sockaddrFamily(this.arena, addressAt));
    if (fd < 0) return fd;
    const { congestionAt, congestionBytes } = this.#connections;
    this.setOption(fd, 'oob-inline', 1);
    if (congestionBytes > 0) this.setCongestion(fd, congestionAt, congestionBytes);
    this.#rest = sourceAt === NOWHERE ? 0 : this.bind(fd, sourceAt);
    if (this.#rest === 0) this.#rest = this.connect(fd, addressAt);
    if (this.#rest === 0 || this.#rest === -EINPROGRESS) this.#rest = this.#watchConnection(fd, tag, generation);
    return fd;
  }

  restOfConnection(): number {
    return this.#rest;
  }

  sendLast(fd: number, at: number, bytes: number): number {
    const sent = this.sendMore(fd, at, bytes);
    if (sent === bytes) this.shutdownWrite(fd);
    return sent;
  }

  #watchConnection(fd: number, tag: number, generation: number): number {
    const { epollFd, events } = this.#connections;
    return this.watch(epollFd, fd, events, tag, generation);
  }

  unwatch(epollFd: number, fd: number): number {
    this.enter();
    const epoll = this.table.epoll(epollFd, 'unwatch in');
    if (typeof epoll === 'number') return epoll;
    const file = this.table.pollable(fd, 'unwatch');
    if (typeof file === 'number') return file;
    const watch = epoll.find(file);
    if (watch === undefined) return -ENOENT;
    epoll.remove(watch);
    return 0;
  }

  wait(epollFd: number, eventsAt: number, maxEvents: number, timeoutMs: number): number {
    this.enter();
    const epoll = this.table.epoll(epollFd, 'wait');
    if (typeof epoll === 'number') return epoll;
    if (!Number.isInteger(maxEvents) || maxEvents <= 0) return -EINVAL;
    this.span(eventsAt, maxEvents * EVENT_BYTES, 'wait');
    const untilMs = timeoutMs < 0 ? Number.POSITIVE_INFINITY : this.clock.nowMs + Math.ceil(timeoutMs);
    for (;;) {
      const count = this.#collect(epoll, eventsAt, maxEvents);
      if (count > 0) return count;
      const nextMs = this.clock.nextAtMs ?? Number.POSITIVE_INFINITY;
      if (nextMs === Number.POSITIVE_INFINITY && untilMs === Number.POSITIVE_INFINITY) {
        this.violate('wait: nothing will ever happen');
        return 0;
      }
      this.clock.advanceTo(Math.min(nextMs, untilMs));
      if (nextMs > untilMs) return 0;
      // A thread is not always run the moment it could be: the longer it takes, the more is in one event.
      if (epoll.hasReady && this.random.chance(this.faults.lateWakes)) {
        this.clock.advanceTo(this.clock.nowMs + this.random.between(0, LATE_MS_MAX));
      }
    }
  }

  #collect(epoll: Epoll, eventsAt: number, maxEvents: number): number {
    const max = this.random.chance(this.faults.partialBatches) ? this.random.int(1, maxEvents) : maxEvents;
    return epoll.collect(max, (index, mask, watch) =>
      writeEvent(this.arena, eventsAt + index * EVENT_BYTES, mask, watch.tag, watch.generation),
    );
  }

  openWake(): number {
    this.enter();
    return this.table.open({ kind: 'wake', wake: new Wake() }, 'shard');
  }

  wake(fd: number): number {
    this.enter();
    const wake = this.table.wake(fd, 'wake');
    if (typeof wake === 'number') return wake;
    wake.count++;
    wake.notify(EPOLLIN);
    return 0;
  }

  takeWake(fd: number): number {
    this.enter();
    const wake = this.table.wake(fd, 'takeWake');
    if (typeof wake === 'number') return wake;
    wake.count = 0;
    return 0;
  }

  // ---- from outside: what a test lends, and what it looks at ----

  /** A listening socket that stays the test's to close. */
  lendListener(address: Address, backlog = 128, options: ReadonlyMap<SocketOption, number> = new Map()): number {
    return this.table.open({ kind: 'listener', listener: new Listener(address, backlog, options) }, 'test');
  }

  /** An eventfd that stays the test's to close. */
  lendWake(): number {
    return this.table.open({ kind: 'wake', wake: new Wake() }, 'test');
  }

  closeLent(fd: number): void {
    this.release(this.table.close(fd, 'test'));
  }

  listenerAt(fd: number): Listener {
    const listener = this.table.listener(fd, 'listenerAt');
    if (typeof listener === 'number') throw new Error(`${fd} is no listener`);
    return listener;
  }

  endAt(fd: number): TcpEnd {
    const end = this.table.socket(fd, 'endAt');
    if (typeof end === 'number') throw new Error(`${fd} is no socket`);
    return end;
  }

  /** What the code under test opened and has not closed, oldest first. */
  openDescriptors(): Descriptor[] {
    return this.table.list('shard');
  }

  get descriptorsOpened(): number {
    return this.table.opened;
  }

  /** Lets time pass without a call from the code under test. */
  passMs(ms: number): void {
    this.clock.advanceTo(this.clock.nowMs + ms);
  }
}
