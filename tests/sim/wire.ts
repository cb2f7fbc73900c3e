// Between the two ends of a connection: segments, FIN and RST, each under way for a random while. A sent byte stays in its
// sender's queue until it is delivered, so what a reset may destroy is exactly what is in a queue. Also the timers with
// which a kernel gives up on a silent peer. Nothing here knows descriptors or epoll.

import { ETIMEDOUT } from '../../core/base/errno.ts';
import type { SimClock } from './clock.ts';
import type { Random } from './random.ts';
import type { TcpEnd } from './tcp-end.ts';

const KEEPALIVE_LOOK_MS = 1000;

export class Wire {
  readonly clock: SimClock;
  readonly #random: Random;

  constructor(clock: SimClock, random: Random) {
    this.clock = clock;
    this.#random = random;
  }

  delayMs(end: TcpEnd): number {
    return this.#random.between(end.limits.delayMinMs, end.limits.delayMaxMs);
  }

  join(a: TcpEnd, b: TcpEnd): void {
    a.peer = b;
    b.peer = a;
  }

  bytesQueued(end: TcpEnd, wasEmpty: boolean): void {
    if (wasEmpty) end.progressAtMs = this.clock.nowMs;
    this.#watchTimeout(end);
    this.kick(end);
  }

  /** Something may be deliverable. */
  kick(end: TcpEnd): void {
    if (end.transmitting || end.phase !== 'open') return;
    end.transmitting = true;
    this.clock.after(this.delayMs(end), () => {
      end.transmitting = false;
      this.#transmit(end);
    });
  }

  /** The owner of `end` read something. */
  windowOpened(end: TcpEnd): void {
    const from = end.peer;
    if (from === undefined) return;
    if (from.phase === 'open') this.kick(from);
    // The window's news reaches a socket that gave up on us: it is answered with a reset.
    else if (from.timedOut) this.reset(from);
  }

  /** Sends a RST from `end`, which has no socket any more or is about to lose it. */
  reset(end: TcpEnd): void {
    const to = end.peer;
    if (to === undefined || to === end) return;
    end.resetSent = true;
    this.clock.after(this.delayMs(end), () => {
      if (!end.cut) to.resetArrived();
    });
  }

  /** The network in between goes away without a word. */
  cut(end: TcpEnd): void {
    for (const side of [end, end.peer]) {
      if (side === undefined) continue;
      side.cut = true;
      side.progressAtMs = this.clock.nowMs;
      this.keepAlive(side);
    }
  }

  /** Keepalive is all that notices the end of an idle connection. Its times may be set after it has been switched on. */
  keepAlive(end: TcpEnd): void {
    if (!end.cut || end.options.get('keepalive') !== 1 || end.phase !== 'open' || end.keepaliveWatched) return;
    const idleMs = (end.options.get('keepalive-idle-s') ?? 7200) * 1000;
    const probingMs = userTimeoutMs(end) || 9000 * (end.options.get('keepalive-interval-s') ?? 75);
    if (this.clock.nowMs >= end.progressAtMs + idleMs + probingMs) {
      this.#timeOut(end);
      return;
    }
    end.keepaliveWatched = true;
    this.clock.after(KEEPALIVE_LOOK_MS, () => {
      end.keepaliveWatched = false;
      this.keepAlive(end);
    });
  }

  #transmit(end: TcpEnd): void {
    const to = end.peer;
    if (to === undefined || end.phase !== 'open' || end.cut) return;
    const unheldBytes = end.sendQueue.bytes - end.heldBytes;
    if (unheldBytes > 0) {
      if (to.phase === 'closed' || to.orphan) {
        this.#meetNobody(to);
        return;
      }
      this.#deliver(end, to, unheldBytes);
    }
    if (end.sendQueue.bytes > end.heldBytes) {
      // With the window shut, the receiver's next read goes on from here.
      if (to.receiveRoom > 0) this.kick(end);
    } else if (end.finQueued && !end.finAcked) {
      if (this.#random.chance(0.5)) this.#deliverFin(end, to);
      else this.kick(end);
    }
  }

  #deliver(end: TcpEnd, to: TcpEnd, bytes: number): void {
    const segmentMax = this.#random.size(1, end.limits.segmentMax);
    const count = Math.min(segmentMax, to.receiveRoom, bytes);
    if (count <= 0) return;
    const urgentAt = end.urgentSendAt;
    end.sendQueue.take(count, (piece) => to.arrived(piece));
    end.deliveredAt += count;
    if (urgentAt >= 0 && urgentAt < end.deliveredAt) {
      end.urgentSendAt = -1;
      to.urgentArrived(urgentAt);
    }
    end.progressAtMs = this.clock.nowMs;
    end.roomFreed();
  }

  #deliverFin(end: TcpEnd, to: TcpEnd): void {
    if (to.phase === 'closed') {
      this.reset(to);
      return;
    }
    end.finAcked = true;
    to.finArrived();
    end.finAcknowledged();
  }

  /** Bytes reach a socket that its process has closed: they cannot be delivered, so the connection is reset (RFC 1122). */
  #meetNobody(to: TcpEnd): void {
    if (to.phase === 'open') to.fail(0);
    this.reset(to);
  }

  /** TCP_USER_TIMEOUT: no byte acknowledged for so long, be it for a dead network or a window that stays shut. */
  #watchTimeout(end: TcpEnd): void {
    const limitMs = userTimeoutMs(end);
    if (limitMs === 0 || end.timeoutWatched) return;
    end.timeoutWatched = true;
    this.clock.after(Math.max(0, end.progressAtMs + limitMs - this.clock.nowMs), () => {
      end.timeoutWatched = false;
      if (end.phase !== 'open' || end.sendQueue.bytes === 0) return;
      if (this.clock.nowMs >= end.progressAtMs + limitMs) this.#timeOut(end);
      else this.#watchTimeout(end);
    });
  }

  #timeOut(end: TcpEnd): void {
    if (end.phase === 'closed') return;
    end.timedOut = true;
    end.fail(ETIMEDOUT);
  }
}

function userTimeoutMs(end: TcpEnd): number {
  return end.options.get('user-timeout-ms') ?? 0;
}
