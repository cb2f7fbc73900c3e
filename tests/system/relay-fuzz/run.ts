// Carries many fuzzed sessions out at the same time, all their ends in this process: connects, finds out by the PROXY header whose
// connection the node got, gives each end its turn, and judges the session when both are done.

import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { decodeHeader } from '../../../core/proxy-protocol/decode.ts';
import { DEADLINE_MS } from '../../../testing/deadline.ts';
import { LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { beginConnect, isConnected, type RawListener, type RawSocket } from '../../../testing/raw-socket.ts';
import { POOL_BYTES } from '../data-path/byte-pool.ts';
import { End } from './end.ts';
import { judge } from './judge.ts';
import { drawSession, type SessionPlan } from './plan.ts';

/** signature, command, families, lengths, two IPv4 addresses and two ports */
const HEADER_BYTES = 28;

interface Session {
  readonly plan: SessionPlan;
  readonly socket: RawSocket;
  client: End | undefined;
  node: End | undefined;
}

/** A connection at the node that has not said yet whose it is. */
interface Stranger {
  readonly socket: RawSocket;
  readonly header: number[];
}

export interface FuzzOptions {
  readonly port: number;
  readonly node: RawListener;
  readonly seeds: readonly number[];
  readonly atOnce: number;
}

export interface FuzzFailure {
  readonly seed: number;
  readonly wrong: readonly string[];
}

export class RelayFuzz {
  readonly failures: FuzzFailure[] = [];
  readonly #options: FuzzOptions;
  readonly #waiting: number[];
  /** by the client's own port */
  readonly #byPort = new Map<number, Session>();
  readonly #sessions = new Set<Session>();
  #strangers: Stranger[] = [];

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#waiting = [...options.seeds];
  }

  /** @throws when nothing moves any more */
  async run(): Promise<void> {
    let movedMs = performance.now();
    while (this.#waiting.length > 0 || this.#sessions.size > 0) {
      if (this.#turn()) {
        movedMs = performance.now();
        await nextTurn();
      } else {
        if (performance.now() - movedMs > DEADLINE_MS) throw new Error(`nothing moves: ${this.#describe()}`);
        // The balancer's turn, on a machine of few processors.
        await wait(1);
      }
    }
  }

  close(): void {
    for (const { socket, node } of this.#sessions) {
      socket.close();
      node?.close();
    }
    for (const { socket } of this.#strangers) socket.close();
  }

  #turn(): boolean {
    const moved = [this.#connect(), this.#accept(), this.#readHeaders()];
    for (const session of this.#sessions) moved.push(this.#step(session));
    return moved.includes(true);
  }

  #connect(): boolean {
    let hasBegun = false;
    while (this.#sessions.size < this.#options.atOnce) {
      const seed = this.#waiting.shift();
      if (seed === undefined) break;
      const plan = drawSession(seed);
      const { receiveBufferBytes } = plan.client;
      const buffer = receiveBufferBytes === 0 ? {} : { receiveBytes: receiveBufferBytes };
      const socket = beginConnect(LOOPBACK_IPV4, this.#options.port, buffer);
      const session: Session = { plan, socket, client: undefined, node: undefined };
      this.#byPort.set(socket.local.port, session);
      this.#sessions.add(session);
      hasBegun = true;
    }
    return hasBegun;
  }

  #accept(): boolean {
    const before = this.#strangers.length;
    for (;;) {
      const socket = this.#options.node.tryAccept();
      if (socket === undefined) break;
      this.#strangers.push({ socket, header: [] });
    }
    return this.#strangers.length > before;
  }

  #readHeaders(): boolean {
    const before = this.#strangers.length;
    this.#strangers = this.#strangers.filter(({ socket, header }) => {
      const n = socket.recv(HEADER_BYTES - header.length);
      if (n > 0) header.push(...socket.received(n));
      if (header.length < HEADER_BYTES) return true;
      const decoded = decodeHeader(Uint8Array.from(header));
      const port = decoded.kind === 'accepted' ? decoded.source?.port : undefined;
      const session = this.#byPort.get(port ?? 0);
      if (session === undefined) throw new Error(`a header that is nobody's: ${decoded.kind} ${port}`);
      session.node = new End(session.plan.node, socket, nodeAt(session.plan), clientAt(session.plan), true);
      if (session.client !== undefined) session.client.isPaired = true;
      return false;
    });
    return this.#strangers.length < before;
  }

  #step(session: Session): boolean {
    const { plan, socket } = session;
    if (session.client === undefined) {
      if (!isConnected(socket)) return false;
      session.client = new End(plan.client, socket, clientAt(plan), nodeAt(plan), session.node !== undefined);
      return true;
    }
    const { client, node } = session;
    const hasMoved = [client.turn(), node?.turn() === true].includes(true);
    if (node !== undefined && client.isDone && node.isDone) this.#finish(session, client, node);
    return hasMoved;
  }

  #finish(session: Session, client: End, node: End): void {
    const wrong = judge(client, node);
    if (wrong.length > 0) this.failures.push({ seed: session.plan.seed, wrong });
    client.close();
    node.close();
    this.#sessions.delete(session);
  }

  #describe(): string {
    const state = (end: End | undefined) =>
      end === undefined
        ? 'not there'
        : `${end.plan.finish}, sent ${end.sent}/${end.plan.bytes}, ${end.seen} after ${end.received}`;
    return [...this.#sessions]
      .slice(0, 5)
      .map(({ plan, client, node }) => `seed ${plan.seed}: client ${state(client)}; node ${state(node)}`)
      .join('\n');
  }
}

/** Where a stream begins in the pool of bytes. */
function clientAt({ seed }: SessionPlan): number {
  return (seed * 7919) % POOL_BYTES;
}

function nodeAt({ seed }: SessionPlan): number {
  return (seed * 104_729 + 1) % POOL_BYTES;
}
