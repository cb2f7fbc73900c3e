// What the client and the node of the volume tests say to each other through the balancer:
//   client -> node: preamble (own port, seed, bytes up, bytes down), the up bytes, FIN
//   node -> client: R when header and preamble agree, the down bytes, the digest of what came up, FIN
// Both write while they read. Both count what passes, and the counts are compared at the end.

import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { ByteStream } from './stream.ts';

export const DIGEST_BYTES = 32;
export const READY = 0x52;
export const PREAMBLE_BYTES = 2 + 4 + 8 + 8;

export interface Preamble {
  clientPort: number;
  seed: number;
  bytesUp: number;
  bytesDown: number;
}

/** Totals of one end. `problems` holds the first few; `problemCount` all. */
export interface Totals {
  sessions: number;
  bytesUp: number;
  bytesDown: number;
  problemCount: number;
  problems: string[];
}

const PROBLEMS_SHOWN = 10;

export const newTotals = (): Totals => ({ sessions: 0, bytesUp: 0, bytesDown: 0, problemCount: 0, problems: [] });

export function addProblem(totals: Totals, text: string): void {
  totals.problemCount++;
  if (totals.problems.length < PROBLEMS_SHOWN) totals.problems.push(text);
}

export function encodePreamble({ clientPort, seed, bytesUp, bytesDown }: Preamble): Buffer {
  const bytes = Buffer.alloc(PREAMBLE_BYTES);
  bytes.writeUInt16BE(clientPort, 0);
  bytes.writeUInt32BE(seed, 2);
  bytes.writeBigUInt64BE(BigInt(bytesUp), 6);
  bytes.writeBigUInt64BE(BigInt(bytesDown), 14);
  return bytes;
}

export function decodePreamble(bytes: Buffer): Preamble {
  return {
    clientPort: bytes.readUInt16BE(0),
    seed: bytes.readUInt32BE(2),
    bytesUp: Number(bytes.readBigUInt64BE(6)),
    bytesDown: Number(bytes.readBigUInt64BE(14)),
  };
}

/** Writes the whole stream, waiting while the other side does not read. Resolves early when the socket is gone. */
export async function writeStream(socket: Socket, stream: ByteStream): Promise<void> {
  for (let block = stream.next(); block !== undefined && !socket.destroyed; block = stream.next()) {
    if (socket.write(block)) continue;
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
  }
}
