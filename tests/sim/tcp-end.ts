// One end of a TCP connection, as the process that owns it sees it: what recv, send, shutdown, close and poll do in each state
// (net/ipv4/tcp.c). How bytes, FIN and RST reach the other end is the wire's business (wire.ts); neither knows descriptors.
//
//   unconnected --connect--> syn-sent --established--> open --both FINs acknowledged, RST, timeout--> closed
//
// "open" covers ESTABLISHED to LAST_ACK, told apart by `finQueued`, `finAcked` and `finReceived`; "closed" is TCP_CLOSE.

import { EAGAIN, ECONNREFUSED, ECONNRESET, ENOTCONN, EPIPE } from '../../core/base/errno.ts';
import {
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  type SocketOption,
} from '../../core/linux/kernel.ts';
import { ANY, Pollable } from './epoll.ts';
import type { Address } from './network.ts';
import type { Pipe } from './pipe.ts';
import { SegmentQueue } from './segment-queue.ts';
import type { Wire } from './wire.ts';

export type TcpPhase = 'unconnected' | 'syn-sent' | 'open' | 'closed';

export interface EndLimits {
  readonly receiveLimit: number;
  readonly sendLimit: number;
  /** How long a segment, an FIN or a RST sent from here is under way. */
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  readonly segmentMax: number;
}

const NO_MARK = -1;
/** A spliced piece is a fragment of an skb, which may be a compound page. */
const PIECE_BYTES_MAX = 32_768;

export class TcpEnd extends Pollable {
  readonly wire: Wire;
  readonly limits: EndLimits;
  readonly options = new Map<SocketOption, number>();
  congestion = '';
  /** TCP_NODELAY was asked for, granted or not. */
  noDelayAsked = false;
  /** A write that Nagle's algorithm may hold until the one before is acknowledged. Here it never waits; for the invariants. */
  mayHaveWaited = false;
  phase: TcpPhase = 'unconnected';
  peer: TcpEnd | undefined;
  local: Address | undefined;
  remote: Address | undefined;
  /** Closed by its process; the kernel may still be delivering. */
  orphan = false;
  lingerZero = false;
  /** sk_err: set by a reset or timeout, cleared by whoever reports it first. */
  error = 0;

  readonly receiveQueue = new SegmentQueue();
  finReceived = false;
  /** Offset in the received stream of the next byte to read. */
  #readAt = 0;
  /** Offset in the received stream of the urgent byte, from its arrival until it has been read. */
  #markAt = NO_MARK;

  readonly sendQueue = new SegmentQueue();
  /** Offset in the sent stream of the next byte to deliver, and of the urgent one. */
  deliveredAt = 0;
  urgentSendAt = NO_MARK;
  /** At the end of the send queue, by MSG_MORE. Linux holds them for 200 ms at most; here whoever forgets them waits for ever. */
  heldBytes = 0;
  finQueued = false;
  finAcked = false;
  /** SOCK_NOSPACE: somebody saw the queue full, so the next writable moment is an edge. */
  #noSpace = false;
  /** What SIOCOUTQ goes on reporting after a reset threw the queue away. */
  #lostBytes = 0;

  /** The wire's own notes. */
  transmitting = false;
  timeoutWatched = false;
  keepaliveWatched = false;
  progressAtMs = 0;
  /** The network between the two ends is gone. */
  cut = false;

  /** How much the very first send took: a PROXY header must be in it whole. */
  firstSendBytes = 0;
  /** Facts for the invariants. `resetSent` includes resets that the kernel sends for a closed socket. */
  resetSent = false;
  resetReceived = false;
  timedOut = false;
  /** Unread when the process closed; after both FINs nobody else ever learns of it. */
  tossedBytes = 0;

  constructor(wire: Wire, limits: EndLimits) {
    super();
    this.wire = wire;
    this.limits = limits;
  }

  get bothShut(): boolean {
    return this.phase === 'closed' || (this.finReceived && this.finQueued);
  }

  get sendRoom(): number {
    return this.limits.sendLimit - this.sendQueue.bytes;
  }

  get receiveRoom(): number {
    return this.limits.receiveLimit - this.receiveQueue.bytes;
  }

  /** sk_stream_is_writeable: at least a third of the buffer is free. */
  get isWritable(): boolean {
    return this.sendRoom > 0 && 2 * this.sendRoom >= this.sendQueue.bytes;
  }

  /** tcp_epollin_ready: as much as the low-water mark asks for, or so much that seven eighths of the buffer are full. */
  get #isReadable(): boolean {
    const { bytes } = this.receiveQueue;
    const mark = this.options.get('receive-low-water') ?? 1;
    return bytes > 0 && (bytes >= mark || this.receiveRoom <= this.limits.receiveLimit >> 3);
  }

  poll(): number {
    if (this.phase === 'unconnected') return EPOLLOUT | EPOLLHUP;
    let mask = this.error !== 0 ? EPOLLERR : 0;
    if (this.bothShut) mask |= EPOLLHUP;
    if (this.phase === 'closed' || this.finReceived) mask |= EPOLLIN | EPOLLRDHUP;
    if (this.phase === 'syn-sent') return mask;
    if (this.#isReadable) mask |= EPOLLIN;
    if (this.phase === 'closed' || this.finQueued || this.isWritable) mask |= EPOLLOUT;
    else this.#noSpace = true;
    if (this.#markAt !== NO_MARK) mask |= EPOLLPRI;
    return mask;
  }

  /** SO_ERROR */
  takeError(): number {
    const { error } = this;
    this.error = 0;
    return error;
  }

  /** recv(2). The queue comes first; only then the error, and only when no FIN came (SOCK_DONE) before it. */
  recv(bytes: number, show: (piece: Uint8Array) => void): number {
    const count = Math.min(bytes, this.#readableBytes());
    if (count === 0) return this.#emptyRead();
    this.#consume(count, show);
    return count;
  }

  /** recv(2) with MSG_PEEK. An error is consumed all the same. */
  peek(bytes: number, show: (piece: Uint8Array) => void): number {
    const count = Math.min(bytes, this.#readableBytes());
    if (count === 0) return this.#emptyRead();
    this.receiveQueue.peek(count, show);
    return count;
  }

  /** splice(2) into a pipe with a free slot. At the urgent mark it sees an empty queue, and so even an end of stream. */
  spliceTo(pipe: Pipe, bytes: number): number {
    let spliced = 0;
    while (spliced < bytes && !pipe.isFull) {
      const untilMark = this.#markAt === NO_MARK ? bytes : this.#markAt - this.#readAt;
      const piece = this.receiveQueue.takePiece(Math.min(bytes - spliced, untilMark, PIECE_BYTES_MAX));
      if (piece.length === 0) break;
      pipe.addSlot(piece);
      this.#readAt += piece.length;
      spliced += piece.length;
    }
    if (spliced === 0) return this.#emptyRead();
    this.wire.windowOpened(this);
    return spliced;
  }

  #emptyRead(): number {
    if (this.phase === 'unconnected') return -ENOTCONN;
    if (this.finReceived) return 0;
    if (this.error !== 0) return -this.takeError();
    return this.phase === 'closed' ? 0 : -EAGAIN;
  }

  /** recv stops in front of the urgent byte, and starts there the next time. */
  #readableBytes(): number {
    const untilMark = this.#markAt - this.#readAt;
    if (untilMark === 0 && this.options.get('oob-inline') !== 1) this.#consume(1, () => {});
    return this.#markAt !== NO_MARK && untilMark > 0
      ? Math.min(untilMark, this.receiveQueue.bytes)
      : this.receiveQueue.bytes;
  }

  #consume(bytes: number, show: (piece: Uint8Array) => void): void {
    this.receiveQueue.take(bytes, show);
    this.#readAt += bytes;
    if (this.#markAt < this.#readAt) this.#markAt = NO_MARK;
    this.wire.windowOpened(this);
  }

  /** Why nothing can be sent now, as -errno; 0 when there is room. */
  sendVerdict(): number {
    if (this.phase === 'syn-sent') return -EAGAIN;
    if (this.error !== 0) return -this.takeError();
    if (this.phase !== 'open' || this.finQueued) return -EPIPE;
    if (this.sendRoom > 0) return 0;
    this.#noSpace = true;
    return -EAGAIN;
  }

  /** send(2). The bytes are kept, not copied. */
  send(bytes: Uint8Array): number {
    const verdict = this.sendVerdict();
    if (verdict < 0) return verdict;
    const count = Math.min(bytes.length, this.sendRoom);
    if (count < bytes.length) this.#noSpace = true;
    const wasEmpty = this.sendQueue.bytes === 0;
    if (wasEmpty && this.deliveredAt === 0) this.firstSendBytes = count;
    this.sendQueue.push(bytes.subarray(0, count));
    this.heldBytes = 0;
    this.wire.bytesQueued(this, wasEmpty);
    return count;
  }

  /** MSG_MORE: what the queue took waits for what follows, unless it did not take all. */
  sendMore(bytes: Uint8Array): number {
    const heldBefore = this.heldBytes;
    const count = this.send(bytes);
    if (count === bytes.length) this.heldBytes = heldBefore + count;
    return count;
  }

  /** MSG_OOB: the last of the bytes is the urgent one. */
  sendUrgent(bytes: Uint8Array): number {
    const count = this.send(bytes);
    if (count > 0) this.urgentSendAt = this.deliveredAt + this.sendQueue.bytes - 1;
    return count;
  }

  /** A send stopped short for another reason than the limit (memory pressure); room will be reported as usual. */
  refuseRoom(): void {
    this.#noSpace = true;
  }

  shutdownWrite(): number {
    if (this.phase === 'unconnected' || this.phase === 'closed') {
      this.notify(ANY);
      return -ENOTCONN;
    }
    if (this.phase === 'syn-sent') {
      this.phase = 'unconnected';
      this.error = ECONNRESET;
    } else {
      this.#queueFin();
    }
    this.notify(ANY);
    return 0;
  }

  /** close(2): an orderly end, unless something was left unread or a reset was asked for. */
  close(): void {
    this.tossedBytes = this.receiveQueue.bytes;
    this.receiveQueue.clear();
    this.orphan = true;
    this.onNotify = undefined;
    if (this.phase !== 'open') {
      this.phase = 'closed';
      return;
    }
    // With both FINs on their way and everything sent, a linger of 0 resets nothing (tcp_disconnect).
    const nothingToCut = this.finQueued && this.finReceived && this.sendQueue.bytes === 0;
    if (this.tossedBytes > 0 || (this.lingerZero && !nothingToCut)) {
      this.#enterClosed(0);
      this.wire.reset(this);
    } else {
      this.#queueFin();
    }
  }

  #queueFin(): void {
    this.finQueued = true;
    this.heldBytes = 0;
    this.wire.kick(this);
  }

  /**
   * FIONREAD. An urgent byte that is not in line, and what is behind it, does not count before it
   * has been passed.
   */
  get unread(): number {
    if (this.phase === 'syn-sent') return 0;
    const hidesMark = this.#markAt !== NO_MARK && this.options.get('oob-inline') !== 1;
    return hidesMark ? this.#markAt - this.#readAt : this.receiveQueue.bytes;
  }

  get arrivedBytes(): number {
    return this.#readAt + this.receiveQueue.bytes;
  }

  /** tcpi_bytes_received: an FIN counts as one, and an urgent byte too, be it in line or not. */
  get received(): number {
    return this.arrivedBytes + (this.finReceived ? 1 : 0);
  }

  /** SIOCOUTQ counts an unacknowledged FIN as a byte. */
  get unsent(): number {
    return this.sendQueue.bytes + this.#lostBytes + (this.phase === 'open' && this.finQueued && !this.finAcked ? 1 : 0);
  }

  // ---- what the wire tells ----

  connected(): void {
    this.phase = 'open';
    this.notify(ANY);
  }

  arrived(bytes: Uint8Array): void {
    this.receiveQueue.push(bytes);
    if (this.#isReadable) this.notify(EPOLLIN | EPOLLPRI);
  }

  /** @param offset of the urgent byte in the received stream, which has arrived. A later mark replaces an earlier one. */
  urgentArrived(offset: number): void {
    this.#markAt = offset;
    this.notify(EPOLLIN | EPOLLPRI);
  }

  roomFreed(): void {
    if (!this.#noSpace || !this.isWritable) return;
    this.#noSpace = false;
    this.notify(EPOLLOUT);
  }

  finArrived(): void {
    this.finReceived = true;
    if (this.finAcked) this.phase = 'closed';
    this.notify(ANY);
  }

  finAcknowledged(): void {
    if (this.finReceived) this.phase = 'closed';
    this.notify(ANY);
  }

  resetArrived(): void {
    if (this.phase === 'closed' || this.phase === 'unconnected') return;
    this.resetReceived = true;
    if (this.phase === 'syn-sent') this.fail(ECONNREFUSED);
    else this.fail(this.finReceived && !this.finQueued ? EPIPE : ECONNRESET);
  }

  /** The receive queue stays readable, the send queue is gone (tcp_done_with_error). */
  fail(errno: number): void {
    this.#enterClosed(errno);
    this.notify(ANY);
    this.notify(EPOLLERR);
  }

  #enterClosed(errno: number): void {
    this.#lostBytes = this.unsent;
    this.sendQueue.clear();
    this.heldBytes = 0;
    this.phase = 'closed';
    this.error = errno;
  }
}
