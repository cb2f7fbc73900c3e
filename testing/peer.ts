// Scripted TCP peers: a test says what each end does, step by step: listen, accept, recv, send, fin, rst, pause.
// A peer reads only what is asked for and keeps the rest; its own FIN never follows from the other side's.
// How a connection ended is kept apart: `fin` and `rst` are different answers, and many tests are about just that.

import { Buffer } from 'node:buffer';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { DEADLINE_MS } from './deadline.ts';
import { type ProxyHeader, readProxyHeader } from './proxy-header.ts';

/** How the other side ended its direction. */
export type End = 'fin' | 'rst' | 'open';

export interface ConnectOptions {
  host: string;
  port: number;
  localAddress?: string;
}

/** One end of a TCP connection. */
export class Peer {
  readonly socket: Socket;
  /** Sizes of the pieces in which bytes arrived: shows what was sent in one write. */
  readonly pieces: number[] = [];
  bytesReceived = 0;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #end: End = 'open';
  #error: NodeJS.ErrnoException | undefined;
  readonly #watchers = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.pieces.push(chunk.length);
      this.bytesReceived += chunk.length;
      this.#chunks.push(chunk);
      this.#buffered += chunk.length;
      this.#notify();
    });
    socket.on('end', () => {
      if (this.#end === 'open') this.#end = 'fin';
      this.#notify();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error;
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') this.#end = 'rst';
      this.#notify();
    });
    socket.on('close', () => this.#notify());
  }

  static connect(options: ConnectOptions): Promise<Peer> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...options, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeListener('error', reject);
        resolve(new Peer(socket));
      });
    });
  }

  /** This end's address and port. */
  get local(): { address: string; port: number } {
    return { address: this.socket.localAddress ?? '', port: this.socket.localPort ?? 0 };
  }

  get remote(): { address: string; port: number } {
    return { address: this.socket.remoteAddress ?? '', port: this.socket.remotePort ?? 0 };
  }

  get ended(): End {
    return this.#end;
  }

  /** Exactly `count` bytes. Rejects when the connection ends before. */
  async recv(count: number, deadlineMs: number = DEADLINE_MS): Promise<Buffer> {
    await this.#wait(`${count} bytes`, () => this.#buffered >= count || this.#over(), deadlineMs);
    if (this.#buffered < count) {
      throw new Error(`wanted ${count} bytes, got ${this.#buffered} and then ${this.#describeEnd()}`);
    }
    return this.#take(count);
  }

  /** Up to and with the first `mark`. */
  async recvUntil(mark: string, deadlineMs: number = DEADLINE_MS): Promise<Buffer> {
    const wanted = Buffer.from(mark);
    const find = () => Buffer.concat(this.#chunks).indexOf(wanted);
    await this.#wait(JSON.stringify(mark), () => find() >= 0 || this.#over(), deadlineMs);
    const at = find();
    if (at < 0) throw new Error(`wanted ${JSON.stringify(mark)}, got ${this.#buffered} bytes, ${this.#describeEnd()}`);
    return this.#take(at + wanted.length);
  }

  /** Everything up to the other side's FIN. A reset rejects: it promises nothing about what came before. */
  async recvAll(deadlineMs: number = DEADLINE_MS): Promise<Buffer> {
    await this.#wait('the end', () => this.#over(), deadlineMs);
    if (this.#end !== 'fin') throw new Error(`wanted FIN, got ${this.#buffered} bytes and ${this.#describeEnd()}`);
    return this.#take(this.#buffered);
  }

  /** How the other side ends; bytes that arrive before stay readable. */
  async recvEnd(deadlineMs: number = DEADLINE_MS): Promise<'fin' | 'rst'> {
    await this.#wait('FIN or RST', () => this.#over(), deadlineMs);
    return this.#end === 'fin' ? 'fin' : 'rst';
  }

  /** The PROXY header, byte by byte: what follows it stays unread. */
  readProxyHeader(): Promise<ProxyHeader> {
    return readProxyHeader((count) => this.recv(count));
  }

  /** Resolves when the kernel took all of it, which needs the other side to read when it is much. */
  send(data: Uint8Array | string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(data, (error) => (error == null ? resolve() : reject(error)));
    });
  }

  /** Ends our direction; receiving goes on. */
  fin(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.end(() => resolve());
    });
  }

  rst(): void {
    this.socket.resetAndDestroy();
  }

  /** Stops reading, so that the other side's window closes. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #over(): boolean {
    return this.#end !== 'open' || this.socket.destroyed;
  }

  #describeEnd(): string {
    return this.#error?.code ?? (this.#end === 'open' && this.socket.destroyed ? 'closed here' : this.#end);
  }

  #take(count: number): Buffer {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all.subarray(count)];
    this.#buffered -= count;
    return all.subarray(0, count);
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #wait(what: string, condition: () => boolean, deadlineMs: number): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        reject(new Error(`no ${what} within ${deadlineMs} ms; ${this.#buffered} bytes unread, ${this.#describeEnd()}`));
      }, deadlineMs);
      this.#watchers.add(look);
    });
  }
}

/** A scripted node: accepts only when the script says so. */
export class PeerListener {
  readonly host: string;
  readonly port: number;
  readonly #server: Server;
  readonly #waiting: Peer[] = [];
  readonly #all = new Set<Peer>();
  #takers: ((peer: Peer) => void)[] = [];

  constructor(server: Server, host: string, port: number) {
    this.#server = server;
    this.host = host;
    this.port = port;
    server.on('connection', (socket) => {
      const peer = new Peer(socket);
      this.#all.add(peer);
      socket.once('close', () => this.#all.delete(peer));
      const taker = this.#takers.shift();
      if (taker === undefined) this.#waiting.push(peer);
      else taker(peer);
    });
  }

  static listen(host: string, port: number): Promise<PeerListener> {
    return new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true });
      server.once('error', reject);
      server.listen({ host, port, ipv6Only: host.includes(':'), backlog: 4096 }, () => {
        server.removeListener('error', reject);
        resolve(new PeerListener(server, host, port));
      });
    });
  }

  accept(deadlineMs: number = DEADLINE_MS): Promise<Peer> {
    const ready = this.#waiting.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    return new Promise((resolve, reject) => {
      const taker = (peer: Peer) => {
        clearTimeout(timer);
        resolve(peer);
      };
      const timer = setTimeout(() => {
        this.#takers = this.#takers.filter((other) => other !== taker);
        reject(new Error(`nobody connected to ${this.host}:${this.port} within ${deadlineMs} ms`));
      }, deadlineMs);
      this.#takers.push(taker);
    });
  }

  /** Stops listening and destroys what it accepted. */
  close(): Promise<void> {
    for (const peer of this.#all) peer.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
