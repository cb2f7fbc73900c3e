// The connections of one HTTP server: how many there may be, how much may wait in memory for their clients, and who goes when that is
// too much. Nobody is judged by an address: behind that of a tunnel or a proxy are the operators, too. What counts is whether somebody
// has shown a login on a connection, and for how long it is we who wait for the client.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { type Exchange, type Handler, serveInTurns, type Turns } from '../turns.ts';
import { answerBrokenRequest } from './broken-requests.ts';

/** Of one server: what clients have not read, and what they have sent in advance. */
export const WAITING_BYTES_MAX = 32 << 20;
/** a client that neither takes nor sends a byte for so long, while it is its turn, is cut */
export const STALL_MS = 10_000;

/**
 * idle: there is no request, or half of one's headers. sending: of a body. working: it is our turn. unread: the answer is made, and
 * waits for its reader.
 */
export type Phase = 'idle' | 'sending' | 'working' | 'unread';

export interface Standing {
  readonly phase: Phase;
  /** a request with a login came over it */
  readonly isKnown: boolean;
  /** since when it is in this phase, or one of the same request */
  readonly sinceMs: number;
  /** in our memory, for it or from it */
  readonly bytes: number;
}

export function phaseOf(exchange: Exchange | undefined): Phase {
  if (exchange === undefined) return 'idle';
  const { request, response } = exchange;
  if (response.writableEnded) return 'unread';
  return request.complete ? 'working' : 'sending';
}

/**
 * The lower goes first; undefined stays. Half a body and an unread answer are worth no more than silence: a newcomer, silent until its
 * first bytes are read, must not go before what has waited for longer. Of those with a login only who loses no more than a connection
 * to be opened again.
 */
function roomRank({ phase, isKnown }: Standing): number | undefined {
  if (phase === 'working') return undefined;
  if (!isKnown) return 0;
  return phase === 'idle' ? 1 : undefined;
}

function bytesRank({ isKnown, bytes }: Standing): number | undefined {
  if (bytes === 0) return undefined;
  return isKnown ? 1 : 0;
}

/** Who makes room for a new connection: the stranger that has kept us waiting for longest; without one, the longest idle login. */
export function whoMakesRoom<T extends Standing>(all: Iterable<T>): T | undefined {
  return firstBy(all, roomRank);
}

/** Who is cut when too many bytes wait. */
export function whoHoldsBytes<T extends Standing>(all: Iterable<T>): T | undefined {
  return firstBy(all, bytesRank);
}

function firstBy<T extends Standing>(all: Iterable<T>, rankOf: (one: T) => number | undefined): T | undefined {
  let first: T | undefined;
  let firstRank = Number.POSITIVE_INFINITY;
  for (const one of all) {
    const rank = rankOf(one) ?? Number.POSITIVE_INFINITY;
    const isBefore = rank < firstRank || (rank === firstRank && first !== undefined && one.sinceMs < first.sinceMs);
    if (rank === Number.POSITIVE_INFINITY || !isBefore) continue;
    first = one;
    firstRank = rank;
  }
  return first;
}

class Connection implements Standing {
  readonly raw: Socket;
  /** the one that HTTP is spoken over: with TLS another than the one that was accepted, after the handshake */
  socket: Socket;
  turns: Turns | undefined;
  isKnown = false;
  sinceMs: number;

  constructor(raw: Socket, sinceMs: number) {
    this.raw = raw;
    this.socket = raw;
    this.sinceMs = sinceMs;
  }

  get phase(): Phase {
    return phaseOf(this.turns?.current);
  }

  get bytes(): number {
    return this.socket.writableLength + (this.turns?.heldBytes ?? 0);
  }

  end(): void {
    this.socket.destroy();
    this.raw.destroy();
  }
}

export interface ConnectionLimits {
  readonly connectionsMax: number;
  readonly bytesMax?: number;
}

export class Connections {
  readonly connectionsMax: number;
  readonly #bytesMax: number;
  readonly #open = new Set<Connection>();
  readonly #bySocket = new WeakMap<Socket, Connection>();
  /** those whose handshake is not done yet, by both ends' addresses: TLS does not tell whose its socket is */
  readonly #shaking = new Map<string, Connection>();
  /** ended by this side, each for one of the limits */
  readonly ended = { room: 0, bytes: 0, stalled: 0 };

  constructor({ connectionsMax, bytesMax = WAITING_BYTES_MAX }: ConnectionLimits) {
    this.connectionsMax = connectionsMax;
    this.#bytesMax = bytesMax;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Has the server's requests answered by `handler`, within the limits. */
  serve(server: Server, isSecure: boolean, handler: Handler): void {
    server.on('connection', (raw: Socket) => this.#accept(raw, isSecure));
    serveInTurns(server, handler, isSecure, (socket, turns) => this.#speaks(socket, turns));
    server.setTimeout(STALL_MS);
    server.on('timeout', (socket: Socket) => this.#stalled(socket));
  }

  /** Whoever uses this connection has shown who they are. */
  noteLogin(socket: Socket): void {
    const connection = this.#bySocket.get(socket);
    if (connection !== undefined) connection.isKnown = true;
  }

  /** Before so many bytes more are to wait for this client. */
  makeRoomForBytes(socket: Socket, bytes: number): void {
    if (!this.#bySocket.has(socket)) return;
    let total = bytes;
    for (const connection of this.#open) total += connection.bytes;
    while (total > this.#bytesMax) {
      const first = whoHoldsBytes(this.#open);
      if (first === undefined) return;
      total -= first.bytes;
      this.ended.bytes++;
      this.#end(first);
    }
  }

  #accept(raw: Socket, isSecure: boolean): void {
    const connection = new Connection(raw, performance.now());
    this.#makeRoom();
    if (this.#open.size >= this.connectionsMax) {
      this.ended.room++;
      raw.destroy();
      return;
    }
    this.#open.add(connection);
    this.#bySocket.set(raw, connection);
    const key = endsOf(raw);
    if (isSecure) this.#shaking.set(key, connection);
    raw.on('close', () => {
      this.#open.delete(connection);
      if (this.#shaking.get(key) === connection) this.#shaking.delete(key);
    });
  }

  #makeRoom(): void {
    if (this.#open.size < this.connectionsMax) return;
    const first = whoMakesRoom(this.#open);
    if (first === undefined) return;
    this.ended.room++;
    this.#end(first);
  }

  /** Its descriptor is free when this returns; its 'close' comes later, and would be too late for the next that is accepted. */
  #end(connection: Connection): void {
    this.#open.delete(connection);
    connection.end();
  }

  #speaks(socket: Socket, turns: Turns): () => void {
    const key = endsOf(socket);
    const connection = this.#bySocket.get(socket) ?? this.#shaking.get(key);
    if (connection === undefined) {
      // Has had to go in the meantime.
      socket.destroy();
      return () => {};
    }
    this.#shaking.delete(key);
    connection.socket = socket;
    connection.turns = turns;
    this.#bySocket.set(socket, connection);
    return () => {
      connection.sinceMs = performance.now();
    };
  }

  /** Nothing has moved on it for a while: STALL_MS, or between two requests what is allowed there. */
  #stalled(socket: Socket): void {
    const connection = this.#bySocket.get(socket);
    const exchange = connection?.turns?.current;
    const phase = phaseOf(exchange);
    if (phase === 'working' && socket.writableLength === 0) return;
    if (phase !== 'idle') this.ended.stalled++;
    if (phase === 'sending' && exchange?.response.headersSent === false) {
      answerBrokenRequest(Object.assign(new Error('stalled'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
    } else if (connection === undefined) socket.destroy();
    else this.#end(connection);
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
