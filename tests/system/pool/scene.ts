// What the tests of the node pool have in common: nodes that say their name to whoever connects, clients of many addresses, and a
// balancer of two shards in front. All of 127.0.0.0/8 is this machine: a client may come from any of it.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Balancer, startBalancer } from '../../../testing/balancer.ts';
import type { BalancerSpec } from '../../../testing/balancer-spec.ts';
import { freePort, hostPort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';

/** who waits for a node sees others come, and shards die: on a busy machine that takes half a minute */
const ANSWER_MS_MAX = 60_000;

/** Says its label, or another greeting, and holds the connection until the other side ends. */
export class NamedNode {
  readonly label: string;
  readonly port: number;
  /** connections taken so far, open now, and most of them at a time */
  taken = 0;
  open = 0;
  peak = 0;
  /** what came first on each connection */
  readonly received: Buffer[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #greeting: string;
  #server: Server | undefined;

  constructor(label: string, port: number, greeting = `${label}\n`) {
    this.label = label;
    this.port = port;
    this.#greeting = greeting;
  }

  static async start(label: string, greeting?: string): Promise<NamedNode> {
    const node = new NamedNode(label, await freePort(), greeting);
    await node.listen();
    return node;
  }

  get address(): string {
    return hostPort(LOOPBACK_IPV4, this.port);
  }

  async listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: false }, (socket) => this.#take(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, LOOPBACK_IPV4, resolve);
    });
    this.#server = server;
  }

  /** Takes no more connections; those that are open stay. */
  stopListening(): void {
    this.#server?.close();
  }

  close(): void {
    this.stopListening();
    for (const socket of this.#sockets) socket.destroy();
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    this.taken++;
    this.open++;
    this.peak = Math.max(this.peak, this.open);
    socket.once('data', (bytes: Buffer) => this.received.push(bytes));
    socket.resume();
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.open--;
    });
    socket.write(this.#greeting);
  }
}

/** A connection that has been answered, or the word for why not. */
export interface Answer {
  /** the node's label; `reset` or `end` when it was none */
  readonly by: string;
  readonly socket: Socket;
}

/** Connects and waits for the node's name. @param from the client's address @param host where the balancer listens */
export function ask(port: number, from: string = LOOPBACK_IPV4, host: string = LOOPBACK_IPV4): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, localAddress: from });
    const answer = (by: string) => resolve({ by, socket });
    socket.setTimeout(ANSWER_MS_MAX, () => {
      answer('silence');
      socket.destroy();
    });
    socket.once('data', (bytes: Buffer) => {
      socket.setTimeout(0);
      answer(bytes.toString().trim());
    });
    socket.once('error', () => answer('reset'));
    socket.once('end', () => answer('end'));
  });
}

/** Who serves a client of that address now; the connection ends at once. */
export async function whoServes(port: number, from?: string): Promise<string> {
  const { by, socket } = await ask(port, from);
  socket.destroy();
  return by;
}

/** `n` client addresses. */
export function clients(n: number): string[] {
  return Array.from({ length: n }, (_, i) => `127.1.${i >> 8}.${i & 255 || 255}`);
}

export async function startPool(spec: BalancerSpec, env: Readonly<Record<string, string>> = {}): Promise<Balancer> {
  return startBalancer(spec, { env: { BALANCER_WORKERS: '2', BALANCER_DRAIN_TIMEOUT_MS: '0', ...env } });
}
