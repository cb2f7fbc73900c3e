// One check from its connect to its last byte: opens the connection, sends the PROXY header, lets the check talk, keeps the time,
// hands over one result and says farewell. Whether an answer is good is the talk's affair.
//
//   connecting --connected--> talking --pass, fail--> farewell: FIN, then read until the other side's --> closed
//        '------error, time is up------'------------------------------error, time is up---------------------^

import { Socket } from 'node:net';
import { ECONNABORTED, ECONNREFUSED, ECONNRESET, EPIPE, isLocalShortage } from '../../core/base/errno.ts';
import { formatIp } from '../../core/base/ip.ts';
import { REASON, type Reason } from '../../core/health/node-states.ts';
import { openBoundSocket } from '../../core/linux/bound-socket.ts';
import { proxyHeader } from './proxy-header.ts';
import type { CheckResult, CheckTarget } from './target.ts';

/** A failure that is seen this long after the timeout was seen by a process that had been suspended: it judges nothing. */
export const LATE_MS = 500;

/** After the result: so long, and so many bytes, until whoever does not end on our FIN is cut off. */
export const FAREWELL_MS = 1000;
const FAREWELL_BYTES_MAX = 256 * 1024;

/** Sockets that are waited for after their result, those of all checks together; further ones are closed at once. */
export class Farewells {
  readonly #max: number;
  #open = 0;

  /** @param max descriptors that they may have at a time */
  constructor(max: number) {
    this.#max = max;
  }

  /** @returns false when there is no room */
  take(): boolean {
    if (this.#open >= this.#max) return false;
    this.#open++;
    return true;
  }

  give(): void {
    this.#open--;
  }
}

/** The other side is gone, whoever closed first. */
const GONE: ReadonlySet<number> = new Set([ECONNRESET, EPIPE]);

export interface AttemptOptions {
  readonly target: CheckTarget;
  readonly ip: Uint8Array;
  /** the local address to connect from; undefined: the system chooses */
  readonly source: Uint8Array | undefined;
  readonly signal: AbortSignal;
  readonly done: (result: CheckResult) => void;
  readonly nowMs: () => number;
  readonly farewells: Farewells;
  /** called when the connection is open and the header sent */
  readonly talk: (attempt: Attempt) => void;
}

export class Attempt {
  readonly target: CheckTarget;
  readonly socket: Socket;
  readonly #options: AttemptOptions;
  readonly #startedMs: number;
  #timer: NodeJS.Timeout;
  #saysFarewell = false;
  readonly #giveUp = (): void => this.#abandon();
  #isOpen = false;
  /** false from the first result on; what comes later changes nothing */
  #isUndecided = true;

  constructor(options: AttemptOptions) {
    const { target, signal, nowMs } = options;
    this.target = target;
    this.#options = options;
    this.#startedMs = nowMs();
    this.#timer = setTimeout(() => this.#expire(), target.timeoutMs);
    signal.addEventListener('abort', this.#giveUp, { once: true });
    this.socket = this.#connect(options);
    this.socket.once('connect', () => this.#open());
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.#lost(Math.abs(error.errno ?? ECONNABORTED)));
    this.socket.once('close', () => this.#closed());
  }

  /** Node.js's own `localAddress` binds a port along with the address: see core/linux/bound-socket.ts. */
  #connect({ target, ip, source }: AttemptOptions): Socket {
    const fd = source === undefined ? undefined : openBoundSocket(source);
    if (fd !== undefined && fd < 0) {
      // Not within the constructor: nobody has the attempt yet.
      setImmediate(() => this.#lost(-fd));
      return new Socket();
    }
    const socket = fd === undefined ? new Socket() : new Socket({ fd, readable: true, writable: true });
    return socket.connect({ host: formatIp(ip, 0), port: target.port, autoSelectFamily: false });
  }

  get isUndecided(): boolean {
    return this.#isUndecided;
  }

  pass(reason: Reason, detail = 0): void {
    this.#decide(true, reason, detail);
  }

  fail(reason: Reason, detail = 0): void {
    this.#decide(false, reason, detail);
  }

  #open(): void {
    const { socket } = this;
    // A connect to a local port that nobody listens on can meet itself. A FIN would leave it in TIME_WAIT, in the node's way.
    if (socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress) {
      socket.resetAndDestroy();
      return this.fail(REASON.connectError, ECONNREFUSED);
    }
    const header = proxyHeader(this.target.proxyProtocol, socket);
    if (header === undefined) return this.#lost(ECONNRESET);
    this.#isOpen = true;
    // What the talk sends goes out with the header, in one segment; its first write or the end uncorks.
    socket.cork();
    if (header.length > 0) socket.write(header);
    // Whoever does not read what arrives resets the connection with its own close.
    socket.resume();
    this.#options.talk(this);
  }

  #lost(errno: number): void {
    const isSilent = this.#isOpen && this.socket.bytesRead === 0 && GONE.has(errno);
    if (isSilent) this.fail(REASON.noAnswer);
    else this.fail(REASON.connectError, errno);
    this.socket.destroy();
  }

  /** A thread that was held up sees its timers before its sockets: what has arrived meanwhile is heard first. */
  #expire(): void {
    setImmediate(() => {
      this.fail(REASON.timeout);
      this.socket.destroy();
    });
  }

  #abandon(): void {
    this.#isUndecided = false;
    this.socket.destroy();
  }

  #closed(): void {
    clearTimeout(this.#timer);
    if (this.#saysFarewell) this.#options.farewells.give();
    this.#saysFarewell = false;
    this.#options.signal.removeEventListener('abort', this.#giveUp);
  }

  /** The farewell takes its time after the result. */
  #decide(ok: boolean, reason: Reason, detail: number): void {
    if (!this.#isUndecided) return;
    this.#isUndecided = false;
    this.#sayFarewell();
    const { done, nowMs } = this.#options;
    const tookMs = nowMs() - this.#startedMs;
    done(!ok && this.#saysNothing(reason, detail, tookMs) ? 'inconclusive' : { ok, reason, detail, tookMs });
  }

  /** Our FIN, then what the node still says, unless that takes too long or is too much. */
  #sayFarewell(): void {
    const { socket } = this;
    if (socket.destroyed) return;
    socket.end();
    if (!this.#options.farewells.take()) return void socket.destroy();
    this.#saysFarewell = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => socket.destroy(), FAREWELL_MS);
    const bytesMax = socket.bytesRead + FAREWELL_BYTES_MAX;
    socket.on('data', () => {
      if (socket.bytesRead > bytesMax) socket.destroy();
    });
  }

  #saysNothing(reason: Reason, detail: number, tookMs: number): boolean {
    // Not the timeout alone: a process that wakes may hear first of a node that gave it up meanwhile.
    if (tookMs > this.target.timeoutMs + LATE_MS) return true;
    return reason === REASON.connectError && isLocalShortage(detail);
  }
}
