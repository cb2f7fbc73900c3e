// A client or a node's end of one connection, following a script. It acts on its TCP end directly, between the calls of the
// code under test: it has no descriptors and no epoll. Reading goes on beside the script, at the rate set by the last
// `reading` step; sending is the script. An error ends the script: the peer closes, as programs do.

import { EAGAIN } from '../../core/base/errno.ts';
import type { SimClock } from './clock.ts';
import type { HeaderCheck, Ledger } from './ledger.ts';
import type { Random } from './random.ts';
import { StreamCheck, streamBytes } from './streams.ts';
import type { TcpEnd } from './tcp-end.ts';

export type PeerStep =
  /** The next `bytes` of the peer's stream, at most `chunk` per send, one send every `everyMs`. */
  | { readonly do: 'send'; readonly bytes: number; readonly chunk: number; readonly everyMs: number }
  /** The next byte of the stream, as urgent data. */
  | { readonly do: 'urgent' }
  | { readonly do: 'pause'; readonly ms: number }
  /** From here on read at most `chunk` bytes every `everyMs`; 0 bytes: do not read. */
  | { readonly do: 'reading'; readonly chunk: number; readonly everyMs: number }
  /** Until so much of the other's stream has been read in all, or it ended. */
  | { readonly do: 'await-bytes'; readonly bytes: number }
  /** Until FIN or error. */
  | { readonly do: 'await-end' }
  | { readonly do: 'fin' }
  /** Orderly; but the kernel resets if something is unread, or arrives later. */
  | { readonly do: 'close' }
  | { readonly do: 'reset' }
  /** The network is gone, nobody says a word. */
  | { readonly do: 'vanish' };

export interface PeerOptions {
  readonly name: string;
  readonly side: 'client' | 'node';
  readonly end: TcpEnd;
  readonly clock: SimClock;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly streamId: number;
  readonly script: readonly PeerStep[];
  /** What a node expects in front of the client's stream. */
  readonly header?: HeaderCheck | undefined;
  /** A peer reacts to what it gets within this time. */
  readonly reactionMsMax: number;
}

export class SimPeer {
  readonly name: string;
  readonly side: 'client' | 'node';
  readonly end: TcpEnd;
  readonly streamId: number;
  readonly incoming: StreamCheck;
  /** Bytes of the own stream that the kernel took. */
  sent = 0;
  sawFin = false;
  /** errno, 0 for none */
  sawError = 0;
  /** The script is over: nothing happens here any more. */
  finished = false;
  headerBytes = 0;
  readonly #options: PeerOptions;
  #headerSoFar: Uint8Array | undefined;
  #step = 0;
  /** Of a send step: bytes already sent. Of a pause: 1 once it runs. */
  #progress = 0;
  #busyUntilMs = 0;
  #readAgainMs = 0;
  #chunk = 65_536;
  #everyMs = 0;
  #actPlanned = false;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.name = options.name;
    this.side = options.side;
    this.end = options.end;
    this.streamId = options.streamId;
    if (options.header !== undefined) this.#headerSoFar = new Uint8Array(0);
    const { ledger } = options;
    this.incoming = new StreamCheck(
      (id) => ledger.identified(this, id),
      (what) => ledger.violate(`${this.name}: ${what}`),
    );
    this.end.onNotify = () => this.#planAct();
    this.#planAct();
  }

  get ended(): boolean {
    return this.sawFin || this.sawError !== 0;
  }

  /** It takes what it gets, sooner or later. */
  get reads(): boolean {
    return this.#chunk > 0 && !this.finished && !this.ended;
  }

  /** Where the script is, for reports. */
  describe(): string {
    const step = this.finished ? 'finished' : (this.#options.script[this.#step]?.do ?? 'end');
    const end = this.sawError !== 0 ? `, errno ${this.sawError}` : this.sawFin ? ', FIN seen' : '';
    return `${this.name}: ${step}, sent ${this.sent}, received ${this.incoming.received}${end}, ${this.end.phase}`;
  }

  #planAct(): void {
    if (this.#actPlanned || this.finished) return;
    this.#actPlanned = true;
    this.#options.clock.after(this.#options.random.between(0, this.#options.reactionMsMax), () => {
      this.#actPlanned = false;
      this.#act();
    });
  }

  #actAt(atMs: number): void {
    this.#options.clock.after(Math.max(0, atMs - this.#options.clock.nowMs), () => this.#act());
  }

  #act(): void {
    if (this.finished || this.end.phase === 'syn-sent') return;
    this.#read();
    while (!this.finished) {
      const step = this.#options.script[this.#step];
      if (step === undefined || this.sawError !== 0) {
        this.#finish();
        return;
      }
      if (this.#options.clock.nowMs < this.#busyUntilMs || !this.#perform(step)) return;
      this.#step++;
      this.#progress = 0;
    }
  }

  /** @returns false when the step has to go on later */
  #perform(step: PeerStep): boolean {
    switch (step.do) {
      case 'send':
        return this.#send(step.bytes, step.chunk, step.everyMs);
      case 'urgent':
        return this.#sendUrgent();
      case 'pause':
        return this.#pause(step.ms);
      case 'reading':
        this.#chunk = step.chunk;
        this.#everyMs = step.everyMs;
        this.#read();
        return true;
      case 'await-bytes':
        return this.ended || this.incoming.received >= step.bytes;
      case 'await-end':
        return this.ended;
      case 'fin':
        this.end.shutdownWrite();
        return true;
      case 'close':
        this.#finish();
        return true;
      case 'reset':
        this.end.lingerZero = true;
        this.#finish();
        return true;
      case 'vanish':
        this.end.wire.cut(this.end);
        this.finished = true;
        return true;
    }
  }

  #send(bytes: number, chunk: number, everyMs: number): boolean {
    while (this.#progress < bytes) {
      const count = this.end.send(streamBytes(this.streamId, this.sent, Math.min(chunk, bytes - this.#progress)));
      if (count === -EAGAIN) return false;
      if (count < 0) {
        this.sawError = -count;
        return true;
      }
      this.sent += count;
      this.#progress += count;
      if (everyMs > 0) this.#stayBusy(everyMs);
      if (everyMs > 0 && this.#progress < bytes) return false;
    }
    return true;
  }

  #sendUrgent(): boolean {
    const count = this.end.sendUrgent(streamBytes(this.streamId, this.sent, 1));
    if (count === -EAGAIN) return false;
    if (count > 0) this.sent += count;
    else this.sawError = -count;
    return true;
  }

  #pause(ms: number): boolean {
    if (this.#progress === 1) return true;
    this.#progress = 1;
    this.#stayBusy(ms);
    return false;
  }

  #stayBusy(ms: number): void {
    this.#busyUntilMs = this.#options.clock.nowMs + ms;
    this.#actAt(this.#busyUntilMs);
  }

  #read(): void {
    while (this.#chunk > 0 && !this.ended && this.#options.clock.nowMs >= this.#readAgainMs) {
      const count = this.end.recv(this.#chunk, (piece) => this.#accept(piece));
      if (count === -EAGAIN) return;
      if (count === 0) this.sawFin = true;
      if (count < 0) this.sawError = -count;
      if (this.#everyMs > 0) {
        this.#readAgainMs = this.#options.clock.nowMs + this.#everyMs;
        this.#actAt(this.#readAgainMs);
      }
    }
  }

  #accept(piece: Uint8Array): void {
    const soFar = this.#headerSoFar;
    if (soFar === undefined || this.#options.header === undefined) {
      this.incoming.accept(piece);
      return;
    }
    const received = Buffer.concat([soFar, piece]);
    const result = this.#options.header(received);
    if (result.kind === 'more') {
      this.#headerSoFar = received;
      return;
    }
    this.#headerSoFar = undefined;
    if (result.kind === 'wrong') {
      this.#options.ledger.violate(`${this.name}: wrong header: ${result.why}`);
      return;
    }
    this.headerBytes = result.bytes;
    if ((this.end.peer?.firstSendBytes ?? 0) < result.bytes) {
      this.#options.ledger.violate(`${this.name}: the header came in pieces`);
    }
    this.incoming.id = this.#options.ledger.headerSeen(this, result.source);
    if (received.length > result.bytes) this.incoming.accept(received.subarray(result.bytes));
  }

  #finish(): void {
    this.end.close();
    this.finished = true;
  }
}
