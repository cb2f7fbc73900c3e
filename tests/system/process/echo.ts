// Long-lived traffic for the tests of the process: a node that echoes, and streams that check every byte that comes back. Both only
// count and remember what went wrong; what that means is the test's business.

import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Peer } from '../../../testing/peer.ts';
import { freePort, hostPort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';

const V2_SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const V2_FIXED_BYTES = 16;

/** Echoes until the other side's FIN, and then ends too. Takes PROXY v2 headers off, and counts them. */
export class EchoNode {
  readonly port: number;
  accepted = 0;
  headers = 0;
  /** streams that ended in order */
  fins = 0;
  readonly sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(port: number) {
    this.port = port;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#serve(socket));
  }

  static async listen(): Promise<EchoNode> {
    const node = new EchoNode(await freePort());
    await new Promise<void>((resolve, reject) => {
      node.#server.once('error', reject);
      node.#server.listen({ host: LOOPBACK_IPV4, port: node.port, backlog: 4096 }, resolve);
    });
    return node;
  }

  get address(): string {
    return hostPort(LOOPBACK_IPV4, this.port);
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.accepted++;
    this.sockets.add(socket);
    let head: Buffer | undefined = Buffer.alloc(0);
    const echo = (bytes: Buffer) => {
      if (bytes.length === 0 || socket.write(bytes)) return;
      socket.pause();
      socket.once('drain', () => socket.resume());
    };
    socket.on('data', (chunk: Buffer) => {
      if (head === undefined) return echo(chunk);
      head = Buffer.concat([head, chunk]);
      const begin = payloadBegin(head);
      if (begin === undefined) return;
      if (begin > 0) this.headers++;
      const rest = head.subarray(begin);
      head = undefined;
      echo(rest);
    });
    socket.on('end', () => {
      this.fins++;
      socket.end();
    });
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
  }
}

/**
 * Clients that have had an answer and say nothing more: nothing of theirs is on its way anywhere.
 */
export function quietClients(port: number, count: number): Promise<Peer[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const client = await Peer.connect({ host: LOOPBACK_IPV4, port });
      await client.send('hello');
      await client.recv(5);
      return client;
    }),
  );
}

/** Where the client's bytes begin; undefined while that cannot be said. */
function payloadBegin(head: Buffer): number | undefined {
  const known = Math.min(head.length, V2_SIGNATURE.length);
  if (!head.subarray(0, known).equals(V2_SIGNATURE.subarray(0, known))) return 0;
  if (head.length < V2_FIXED_BYTES) return undefined;
  const bytes = V2_FIXED_BYTES + head.readUInt16BE(14);
  return head.length < bytes ? undefined : bytes;
}

/** Bytes to send and to expect: one long random-looking text, begun anywhere, again and again. A prime length: no block divides it. */
const PERIOD = 1_000_003;
const TEXT = makeText();

function makeText(): Buffer {
  const text = Buffer.alloc(2 * PERIOD);
  let state = 0x2545f491;
  for (let i = 0; i < PERIOD; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    text[i] = state;
  }
  text.copyWithin(PERIOD, 0, PERIOD);
  return text;
}

function textAt(position: number, length: number): Buffer {
  const from = position % PERIOD;
  return TEXT.subarray(from, from + length);
}

export interface StreamOptions {
  /** bytes on their way at a time: small for a conversation, large for a bulk transfer */
  window: number;
  /** pause between two blocks of a conversation */
  paceMs?: number;
}

/** A long-lived session that sends and checks what the echo brings back, until it is told to finish. */
export class EchoStream {
  sent = 0;
  received = 0;
  /** what went wrong first */
  problem: string | undefined;
  readonly clientPort: number;
  readonly #socket: Socket;
  readonly #start: number;
  readonly #options: StreamOptions;
  #isFinishing = false;
  #isEnded = false;

  private constructor(socket: Socket, seed: number, options: StreamOptions) {
    this.#socket = socket;
    this.#start = seed * 7919;
    this.#options = options;
    this.clientPort = socket.localPort ?? 0;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => {
      this.#isEnded = true;
      if (!this.#isFinishing || this.received !== this.sent) this.problem ??= `FIN after ${this.received} bytes`;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#isEnded = true;
      this.problem ??= `${error.code} after ${this.received} bytes`;
    });
    this.#send();
  }

  static async open(port: number, seed: number, options: StreamOptions): Promise<EchoStream> {
    const socket = connect({ host: LOOPBACK_IPV4, port, allowHalfOpen: true, noDelay: true });
    await once(socket, 'connect');
    return new EchoStream(socket, seed, options);
  }

  /** Resolves when `bytes` more have come back, or something went wrong. */
  async moves(bytes: number): Promise<void> {
    const goal = this.received + bytes;
    await eventually(`${bytes} more bytes`, () => this.received >= goal || this.problem !== undefined);
  }

  /** Waits for every byte, says FIN, and waits for the answer. @returns what went wrong */
  async finish(): Promise<string | undefined> {
    this.#isFinishing = true;
    await eventually('all bytes to come back', () => this.received === this.sent || this.problem !== undefined);
    this.#socket.end();
    await eventually('the FIN', () => this.#isEnded || this.problem !== undefined);
    this.#socket.destroy();
    return this.problem;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at += PERIOD) {
      const part = chunk.subarray(at, at + PERIOD);
      if (part.equals(textAt(this.#start + this.received, part.length))) {
        this.received += part.length;
      } else {
        this.problem ??= `a wrong byte within ${part.length} after ${this.received}`;
        this.#socket.destroy();
      }
    }
    const { paceMs } = this.#options;
    if (paceMs === undefined || this.received < this.sent) this.#send();
    else setTimeout(() => this.#send(), paceMs);
  }

  #send(): void {
    const { window } = this.#options;
    const block = Math.min(window, 65_536);
    while (!this.#isFinishing && !this.#socket.destroyed && this.sent - this.received + block <= window) {
      this.#socket.write(textAt(this.#start + this.sent, block));
      this.sent += block;
    }
  }
}
