// Who can be reached, and how: listeners with their accept queues, and the nodes' addresses with what happens to a connect
// there. It creates the far ends of connections; what those do then is the peers' script (peer.ts).

import { assert } from '../../core/base/assert.ts';
import { ETIMEDOUT } from '../../core/base/errno.ts';
import { formatEndpoint, formatIp, parseIp } from '../../core/base/ip.ts';
import { EPOLLIN, type SocketOption } from '../../core/linux/kernel.ts';
import { Pollable } from './epoll.ts';
import { type EndLimits, TcpEnd } from './tcp-end.ts';
import type { Wire } from './wire.ts';

export interface Address {
  /** 16 bytes; IPv4 in its mapped form. */
  readonly ip: Uint8Array;
  readonly port: number;
}

export function addressOf(ip: string, port: number): Address {
  const bytes = parseIp(ip);
  assert(bytes !== undefined, `no IP address: ${ip}`);
  return { ip: bytes, port };
}

export function formatAddress(address: Address): string {
  return formatEndpoint(formatIp(address.ip, 0), address.port);
}

export class Listener extends Pollable {
  readonly address: Address;
  readonly backlog: number;
  /** Accepted sockets inherit them. */
  readonly options: ReadonlyMap<SocketOption, number>;
  readonly queue: TcpEnd[] = [];

  constructor(address: Address, backlog: number, options: ReadonlyMap<SocketOption, number>) {
    super();
    this.address = address;
    this.backlog = backlog;
    this.options = options;
  }

  poll(): number {
    return this.queue.length > 0 ? EPOLLIN : 0;
  }
}

/** What a connect to a node meets. With `afterMs` 0 connect(2) itself answers. */
export type ConnectPlan =
  | { readonly outcome: 'accept'; readonly afterMs: number; readonly limits: EndLimits; onAccept(end: TcpEnd): void }
  | { readonly outcome: 'fail'; readonly afterMs: number; readonly errno: number }
  | { readonly outcome: 'black-hole' }
  /** The local port picked happens to be the one that is being connected to. */
  | { readonly outcome: 'self'; readonly afterMs: number };

const SYN_TIMEOUT_MS = 127_000;
const SYN_RETRY_MS = 1000;

export class Network {
  readonly wire: Wire;
  readonly #bindErrors = new Map<string, number>();
  readonly #nodes = new Map<string, (from: TcpEnd) => ConnectPlan>();

  constructor(wire: Wire) {
    this.wire = wire;
  }

  addNode(address: Address, plan: (from: TcpEnd) => ConnectPlan): void {
    this.#nodes.set(formatAddress(address), plan);
  }

  /** undefined: nobody lives there. */
  planFor(from: TcpEnd, target: Address): ConnectPlan | undefined {
    return this.#nodes.get(formatAddress(target))?.(from);
  }

  /** Why `address` cannot be bound; 0 when it can. */
  bindError(address: Address): number {
    return this.#bindErrors.get(formatAddress(address)) ?? 0;
  }

  refuseBind(address: Address, errno: number): void {
    this.#bindErrors.set(formatAddress(address), errno);
  }

  /** Sets a plan in motion for `from`, whose SYN is out. @returns true when connect(2) succeeds at once */
  begin(from: TcpEnd, plan: ConnectPlan): boolean {
    if (plan.outcome === 'black-hole') {
      const limitMs = Math.min(from.options.get('user-timeout-ms') || SYN_TIMEOUT_MS, SYN_TIMEOUT_MS);
      this.wire.clock.after(limitMs, () => this.#finish(from, { outcome: 'fail', afterMs: 0, errno: ETIMEDOUT }));
    } else if (plan.afterMs === 0) {
      this.#finish(from, plan);
      return true;
    } else {
      this.wire.clock.after(plan.afterMs, () => this.#finish(from, plan));
    }
    return false;
  }

  #finish(from: TcpEnd, plan: ConnectPlan): void {
    // Closed meanwhile, or shut down: nobody is interested in the answer.
    if (from.phase !== 'syn-sent') return;
    if (plan.outcome === 'fail') {
      from.fail(plan.errno);
    } else if (plan.outcome === 'self') {
      from.peer = from;
      from.connected();
    } else if (plan.outcome === 'accept') {
      const end = new TcpEnd(this.wire, plan.limits);
      end.local = from.remote;
      end.remote = from.local;
      this.wire.join(from, end);
      end.connected();
      from.connected();
      plan.onAccept(end);
    }
  }

  /** A client's connect to one of our listeners. `client` is connected when its SYN found room in the queue. */
  connectTo(listener: Listener, client: TcpEnd, from: Address, to: Address, limits: EndLimits): void {
    client.phase = 'syn-sent';
    client.local = from;
    client.remote = to;
    this.#knock(listener, client, limits);
  }

  #knock(listener: Listener, client: TcpEnd, limits: EndLimits): void {
    this.wire.clock.after(this.wire.delayMs(client), () => {
      if (client.phase !== 'syn-sent') return;
      if (listener.queue.length > listener.backlog) {
        this.wire.clock.after(SYN_RETRY_MS, () => this.#knock(listener, client, limits));
        return;
      }
      const end = new TcpEnd(this.wire, limits);
      for (const [option, value] of listener.options) end.options.set(option, value);
      end.local = client.remote;
      end.remote = client.local;
      this.wire.join(client, end);
      end.connected();
      client.connected();
      listener.queue.push(end);
      listener.notify(EPOLLIN);
    });
  }
}
