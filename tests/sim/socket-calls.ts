// The system calls on sockets and listeners.
//
// Promises kept while inventing faults: after an invented EAGAIN or short count there is a later edge, as if the rest had
// come, or the room appeared, only then. None is invented once an FIN or an error is there (Linux has no EAGAIN after
// those), nor for the first bytes of a connection (a new send queue has room for a header).

import {
  EAGAIN,
  EALREADY,
  EBADF,
  ECONNREFUSED,
  EINPROGRESS,
  EINVAL,
  EMFILE,
  ENOBUFS,
  ENOTCONN,
} from '../../core/base/errno.ts';
import { AF_INET, AF_INET6, EPOLLIN, type SocketOption } from '../../core/linux/kernel.ts';
import { ACCEPT_ERRORS, OPEN_ERRORS } from './faults.ts';
import { KernelCore } from './kernel-core.ts';
import { addressOf } from './network.ts';
import { TcpEnd } from './tcp-end.ts';

const EISCONN = 106;
/** Where a peer asks for no other (RFC 9293, 3.7.1). */
const MSS_MIN = 536;
const NOWHERE4 = addressOf('0.0.0.0', 0);
const NOWHERE6 = addressOf('::', 0);

export abstract class SocketCalls extends KernelCore {
  /** Sockets in the order in which accept and connect made them: the options they were given are part of the contract. */
  readonly fronts: TcpEnd[] = [];
  readonly backs: TcpEnd[] = [];

  accept(listenFd: number, addressAt: number): number {
    this.enter();
    const listener = this.table.listener(listenFd, 'accept');
    if (typeof listener === 'number') return listener;
    // Linux reserves descriptor and memory before it looks at the queue: a failure loses no connection.
    if (!this.table.hasRoom(1)) return -EMFILE;
    if (this.random.chance(this.faults.acceptErrors)) return -this.random.pick(ACCEPT_ERRORS);
    const end = listener.queue.shift();
    if (end === undefined) return -EAGAIN;
    this.fronts.push(end);
    this.writeAddress(addressAt, end.remote);
    return this.table.open({ kind: 'socket', end }, 'shard');
  }

  localAddress(fd: number, addressAt: number): number {
    this.enter();
    const end = this.table.socket(fd, 'localAddress');
    if (typeof end === 'number') return end;
    this.writeAddress(addressAt, end.local);
    return 0;
  }

  peerAddress(fd: number, addressAt: number): number {
    this.enter();
    const end = this.table.socket(fd, 'peerAddress');
    if (typeof end === 'number') return end;
    if (end.phase !== 'open') return -ENOTCONN;
    this.writeAddress(addressAt, end.remote);
    return 0;
  }

  openSocket(family: number): number {
    this.enter();
    if (family !== AF_INET && family !== AF_INET6) this.violate(`openSocket: family ${family}`);
    if (!this.table.hasRoom(1)) return -EMFILE;
    if (this.random.chance(this.faults.openSocketErrors)) return -this.random.pick(OPEN_ERRORS);
    const end = new TcpEnd(this.network.wire, this.limits());
    end.local = family === AF_INET ? NOWHERE4 : NOWHERE6;
    return this.table.open({ kind: 'socket', end }, 'shard');
  }

  setOption(fd: number, option: SocketOption, value: number): number {
    this.enter();
    const end = this.table.socket(fd, `setOption ${option}`);
    if (typeof end === 'number') return end;
    if (!Number.isInteger(value)) this.violate(`setOption(${fd}, ${option}, ${value}): no integer`);
    if (option === 'no-delay') end.noDelayAsked = true;
    if (this.random.chance(this.faults.optionErrors)) return -ENOBUFS;
    end.options.set(option, value);
    if (option === 'keepalive') this.network.wire.keepAlive(end);
    return 0;
  }

  setCongestion(fd: number, nameAt: number, nameBytes: number): number {
    this.enter();
    const end = this.table.socket(fd, 'setCongestion');
    if (typeof end === 'number') return end;
    end.congestion = String.fromCharCode(...this.span(nameAt, nameBytes, 'setCongestion'));
    return 0;
  }

  resetOnClose(fd: number): number {
    this.enter();
    const end = this.table.socket(fd, 'resetOnClose');
    if (typeof end === 'number') return end;
    end.lingerZero = true;
    return 0;
  }

  bind(fd: number, addressAt: number): number {
    this.enter();
    const end = this.table.socket(fd, 'bind');
    if (typeof end === 'number') return end;
    if (end.phase !== 'unconnected') return -EINVAL;
    const address = this.readAddress(addressAt);
    const refused = this.network.bindError(address);
    if (refused !== 0) return -refused;
    end.local = address;
    return 0;
  }

  connect(fd: number, addressAt: number): number {
    this.enter();
    const end = this.table.socket(fd, 'connect');
    if (typeof end === 'number') return end;
    if (end.phase !== 'unconnected') return end.phase === 'syn-sent' ? -EALREADY : -EISCONN;
    const target = this.readAddress(addressAt);
    const plan = this.network.planFor(end, target) ?? { outcome: 'fail', afterMs: 0.1, errno: ECONNREFUSED };
    // No route, no port left: nothing was started, and the socket is as it was.
    if (plan.outcome === 'fail' && plan.afterMs === 0) return -plan.errno;
    this.backs.push(end);
    end.phase = 'syn-sent';
    end.remote = target;
    end.local = plan.outcome === 'self' ? target : this.completeLocal(end.local, target);
    return this.network.begin(end, plan) ? 0 : -EINPROGRESS;
  }

  takeError(fd: number): number {
    this.enter();
    const end = this.table.socket(fd, 'takeError');
    return typeof end === 'number' ? end : end.takeError();
  }

  recv(fd: number, at: number, bytes: number): number {
    this.enter();
    const end = this.table.socket(fd, 'recv');
    if (typeof end === 'number') return end;
    const room = this.span(at, bytes, 'recv');
    const limit = this.readLimit(end, room.length);
    if (limit === 0 && room.length > 0) return -EAGAIN;
    let filled = 0;
    return end.recv(limit, (piece) => {
      room.set(piece, filled);
      filled += piece.length;
    });
  }

  peek(fd: number, at: number, bytes: number): number {
    this.enter();
    const end = this.table.socket(fd, 'peek');
    if (typeof end === 'number') return end;
    const room = this.span(at, bytes, 'peek');
    const limit = this.readLimit(end, room.length);
    if (limit === 0 && room.length > 0) return -EAGAIN;
    let filled = 0;
    return end.peek(limit, (piece) => {
      room.set(piece, filled);
      filled += piece.length;
    });
  }

  /** What a peek has shown is there: no invented shortage. */
  discard(fd: number, bytes: number): number {
    this.enter();
    const end = this.table.socket(fd, 'discard');
    return typeof end === 'number' ? end : end.recv(bytes, () => {});
  }

  send(fd: number, at: number, bytes: number): number {
    return this.#transmit('send', fd, at, bytes);
  }

  sendMore(fd: number, at: number, bytes: number): number {
    return this.#transmit('sendMore', fd, at, bytes);
  }

  #transmit(call: 'send' | 'sendMore', fd: number, at: number, bytes: number): number {
    this.enter();
    const end = this.table.socket(fd, call);
    if (typeof end === 'number') return end;
    const source = this.span(at, bytes, call);
    const verdict = end.sendVerdict();
    if (verdict < 0 || source.length === 0) return verdict;
    const limit = this.writeLimit(end, source.length);
    if (limit === 0) return -EAGAIN;
    // What is left out for want of room is not held back for want of company.
    return limit < source.length ? end.send(source.slice(0, limit)) : end[call](source.slice());
  }

  shutdownWrite(fd: number): number {
    this.enter();
    const end = this.table.socket(fd, 'shutdownWrite');
    return typeof end === 'number' ? end : end.shutdownWrite();
  }

  unsent(fd: number): number {
    this.enter();
    const end = this.table.socket(fd, 'unsent');
    return typeof end === 'number' ? end : end.unsent;
  }

  received(fd: number): number {
    this.enter();
    const end = this.table.socket(fd, 'received');
    return typeof end === 'number' ? end : end.received;
  }

  unread(fd: number): number {
    this.enter();
    const found = this.table.find(fd, 'unread');
    if (found === undefined) return -EBADF;
    if (found.file.kind === 'pipe') return found.file.pipe.bytes;
    const end = this.table.socket(fd, 'unread');
    return typeof end === 'number' ? end : end.unread;
  }

  close(fd: number): number {
    this.enter();
    const found = this.table.close(fd, 'shard');
    this.release(found);
    return found === undefined ? -EBADF : 0;
  }

  closeTwo(fd: number): number {
    this.enter();
    const both = [this.table.close(fd, 'shard'), this.table.close(fd + 1, 'shard')];
    for (const found of both) this.release(found);
    return both.includes(undefined) ? -EBADF : 0;
  }

  /** How much of `bytes` a read may take now. */
  protected readLimit(end: TcpEnd, bytes: number): number {
    if (end.phase !== 'open' || end.finReceived || end.error !== 0) return bytes;
    const empty = this.random.chance(this.faults.emptyReads);
    if (!empty && !this.random.chance(this.faults.shortReads)) return bytes;
    const limit = empty ? 0 : this.random.int(1, Math.max(1, Math.min(bytes, end.receiveQueue.bytes)));
    if (limit < Math.min(bytes, end.receiveQueue.bytes)) {
      this.clock.after(this.network.wire.delayMs(end), () => end.notify(EPOLLIN));
    }
    return limit;
  }

  /** How much of `bytes` a write may hand over now. The caller has seen that there is room. */
  protected writeLimit(end: TcpEnd, bytes: number): number {
    const isFirst = end.deliveredAt + end.sendQueue.bytes === 0;
    if (!end.noDelayAsked && (!isFirst || bytes > MSS_MIN)) end.mayHaveWaited = true;
    if (isFirst) return bytes;
    const full = this.random.chance(this.faults.fullWrites);
    if (!full && !this.random.chance(this.faults.shortWrites)) return bytes;
    const limit = full ? 0 : this.random.int(1, bytes);
    if (limit < bytes) {
      end.refuseRoom();
      this.clock.after(this.network.wire.delayMs(end), () => end.roomFreed());
    }
    return limit;
  }
}
