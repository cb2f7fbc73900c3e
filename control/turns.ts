// The requests of one HTTP connection, one after the other. Node.js parses whatever one read has brought, and hands out every request
// that is in it: of 64 KiB that is two thousand, each with its answer in memory before the client has read a byte. So the parser is
// given small pieces, the next request begins when the answer before it has been handed to the system, and meanwhile nothing is read:
// what a client sends in advance waits in its own kernel. Knows nothing of who asks for what.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What the parser is given at a time: a dozen of the shortest requests that there are fit into it. */
export const PIECE_BYTES = 256;

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export class Turns {
  readonly #socket: Socket;
  readonly #handler: Handler;
  readonly #onTurn: () => void;
  readonly #parse: (piece: Buffer) => void;
  readonly #finish: () => void;
  /** the client has sent its last byte, and the parser has not been told */
  #isEndHeld = false;
  /** read, and not given to the parser */
  readonly #held: Buffer[] = [];
  /** parsed, and not begun */
  readonly #waiting: Exchange[] = [];
  #current: Exchange | undefined;
  /** Node.js pauses the socket for reasons of its own, too, and must then find it paused until it resumes it itself */
  #isPausedByUs = false;

  /** @param socket of a server that has begun to listen to it @param onTurn called when an exchange has begun or ended */
  constructor(socket: Socket, handler: Handler, onTurn: () => void) {
    this.#socket = socket;
    this.#handler = handler;
    this.#onTurn = onTurn;
    this.#parse = takeOver(socket, 'data');
    this.#finish = takeOver(socket, 'end');
    // Also ends the shortcut that takes bytes from the socket to the parser without asking anybody.
    socket.on('data', (chunk: Buffer) => {
      this.#held.push(chunk);
      this.#feed();
    });
    // Told at once, it would end the connection before what is held was answered.
    socket.on('end', () => {
      this.#isEndHeld = true;
      this.#feed();
    });
    socket.on('resume', () => this.#feed());
  }

  /** What is being answered now. */
  get current(): Exchange | undefined {
    return this.#current;
  }

  /** Bytes of the client that wait in our memory. */
  get heldBytes(): number {
    return this.#held.reduce((sum, { length }) => sum + length, this.#socket.readableLength);
  }

  /** Another request was parsed. */
  add(exchange: Exchange): void {
    this.#waiting.push(exchange);
    // Not at once: what else is in this piece must find nothing written, or Node.js would pause its parser in the middle.
    if (this.#waiting.length === 1) process.nextTick(() => this.#begin());
  }

  #begin(): void {
    if (this.#current !== undefined || !this.#socket.writable) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#current = next;
    this.#onTurn();
    next.response.once('close', () => {
      this.#current = undefined;
      this.#onTurn();
      // All other connections have their turn before this one's next request.
      setImmediate(() => this.#goOn());
    });
    this.#handler(next.request, next.response);
  }

  #goOn(): void {
    this.#begin();
    if (this.#isPausedByUs && !this.#isBusy()) {
      this.#isPausedByUs = false;
      this.#socket.resume();
    }
    this.#feed();
  }

  /** Whether the last request that was parsed is whole and has not been answered. */
  #isBusy(): boolean {
    return (this.#waiting.at(-1) ?? this.#current)?.request.complete === true;
  }

  #feed(): void {
    while (this.#held.length > 0 && !this.#isBusy() && !this.#socket.isPaused() && this.#socket.writable) {
      this.#parse(this.#takePiece());
    }
    if (!this.#socket.writable) this.#held.length = 0;
    const isEmpty = this.#held.length + this.#waiting.length === 0;
    if (isEmpty && this.#isEndHeld) {
      this.#isEndHeld = false;
      this.#finish();
    } else if (!isEmpty && !this.#socket.isPaused()) {
      this.#isPausedByUs = true;
      this.#socket.pause();
    }
  }

  #takePiece(): Buffer {
    const [chunk = Buffer.alloc(0)] = this.#held;
    if (chunk.length <= PIECE_BYTES) this.#held.shift();
    else this.#held[0] = chunk.subarray(PIECE_BYTES);
    return chunk.subarray(0, PIECE_BYTES);
  }
}

/** @returns what calls those who have listened until now */
function takeOver(socket: Socket, event: 'data' | 'end'): (...given: readonly unknown[]) => void {
  const listeners = socket.listeners(event);
  socket.removeAllListeners(event);
  return (...given) => {
    for (const listener of listeners) Reflect.apply(listener, socket, given);
  };
}

/**
 * Lets a server answer in turns; it must not have a listener for requests of its own, nor refuse by itself what has no Host header
 * (`requireHostHeader: false`): what it answers behind our back is not waited for.
 * @param isSecure HTTPS @param onTurns called with each connection when it speaks HTTP; what it returns, whenever an exchange
 * begins or ends
 */
export function serveInTurns(
  server: Server,
  handler: Handler,
  isSecure = false,
  onTurns: (socket: Socket, turns: Turns) => () => void = () => () => {},
): void {
  const all = new WeakMap<Socket, Turns>();
  server.on(isSecure ? 'secureConnection' : 'connection', (socket: Socket) => {
    let onTurn = (): void => {};
    const turns = new Turns(socket, handler, () => onTurn());
    all.set(socket, turns);
    onTurn = onTurns(socket, turns);
  });
  const add: Handler = (request, response) => all.get(request.socket)?.add({ request, response });
  server.on('request', add);
  // Node.js would refuse these by itself, one after the other and without waiting for any answer to be read.
  server.on('checkExpectation', add);
}
