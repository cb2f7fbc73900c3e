// Many sessions whose four ends are all in this process, on raw sockets: each end sends until nothing more is taken and reads
// only when told to. How long a stream becomes is decided by the stall: whatever was taken has to arrive, compared on the fly.

import type { Buffer } from 'node:buffer';
import { LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { connectRaw, type RawListener, type RawOptions, type RawSocket } from '../../../testing/raw-socket.ts';
import { PIECE_BYTES_MAX, POOL_BYTES, piece } from './byte-pool.ts';

const EAGAIN = 11;

/** One direction of one session. */
interface Stream {
  from: RawSocket;
  to: RawSocket;
  /** offset of its first byte in the pool */
  offset: number;
  sent: number;
  received: number;
}

function pieceOf({ offset }: Stream, at: number, bytes: number): Buffer {
  return piece(offset, at, bytes);
}

export class Crowd {
  readonly #streams: Stream[] = [];

  async add(port: number, node: RawListener, sockets: RawOptions): Promise<void> {
    const client = await connectRaw(LOOPBACK_IPV4, port, sockets);
    const back = await node.accept();
    for (const [from, to] of [
      [client, back],
      [back, client],
    ] as const) {
      const offset = (this.#streams.length * 7919) % POOL_BYTES;
      this.#streams.push({ from, to, offset, sent: 0, received: 0 });
    }
  }

  get bytesSent(): number {
    return this.#streams.reduce((sum, { sent }) => sum + sent, 0);
  }

  /** Sends on all streams, reads nothing, until no stream moves any more. */
  async stall(): Promise<void> {
    let quiet = 0;
    await eventually('all streams to stand still', () => {
      const before = this.bytesSent;
      for (const stream of this.#streams) {
        // A bounded piece of each in turn: none gets all the room.
        const n = stream.from.send(pieceOf(stream, stream.sent, PIECE_BYTES_MAX));
        if (n > 0) stream.sent += n;
        else if (n !== -EAGAIN) throw new Error(`send: errno ${-n}`);
      }
      quiet = this.bytesSent === before ? quiet + 1 : 0;
      return quiet >= 20;
    });
  }

  /** Reads everything that was sent, comparing each piece; then ends all streams. */
  async release(): Promise<void> {
    for (const { from } of this.#streams) from.fin();
    const open = new Set(this.#streams);
    await eventually('all streams to end', () => {
      for (const stream of open) if (this.#drain(stream)) open.delete(stream);
      return open.size === 0;
    });
    for (const { from } of this.#streams) from.close();
  }

  /** @returns true at the end of the stream, which must come where it was sent */
  #drain(stream: Stream): boolean {
    for (;;) {
      const n = stream.to.recv();
      if (n === -EAGAIN) return false;
      if (n < 0) throw new Error(`recv after ${stream.received} of ${stream.sent} bytes: errno ${-n}`);
      if (n === 0) {
        if (stream.received === stream.sent) return true;
        throw new Error(`the end after ${stream.received} of ${stream.sent} bytes`);
      }
      if (!pieceOf(stream, stream.received, n).equals(stream.to.received(n))) {
        throw new Error(`wrong bytes behind ${stream.received} of ${stream.sent}`);
      }
      stream.received += n;
    }
  }
}
