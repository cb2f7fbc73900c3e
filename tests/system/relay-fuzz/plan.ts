// What the two ends of a fuzzed session do, drawn from a seed: how much each sends and in which pieces, how it reads, and how it
// finishes. A plan says what is done, never when: each end goes on as soon as its socket lets it.

import { Random } from '../../sim/random.ts';
import { PIECE_BYTES_MAX } from '../data-path/byte-pool.ts';

export type Finish =
  /** a FIN behind the last byte */
  | 'fin'
  /** a reset in the middle of whatever goes on, and no FIN */
  | 'reset'
  /** a FIN, and a reset once the balancer's kernel has all of it: nothing of that stream may be missing */
  | 'fin-then-reset';

export interface EndPlan {
  /** what it means to send */
  readonly bytes: number;
  /** how much it gives to the kernel at a time, at most */
  readonly pieceBytes: number;
  /** how much it reads at a time, at most */
  readonly readBytes: number;
  /** turns in which it reads nothing, from the first on: the other side's window closes meanwhile */
  readonly deafTurns: number;
  readonly finish: Finish;
  /** `reset` waits until so much was sent */
  readonly resetAfterSent: number;
  /** both resets wait until so much came, or the stream has ended */
  readonly resetAfterReceived: number;
  /** SO_RCVBUF; 0: the kernel's own */
  readonly receiveBufferBytes: number;
}

export interface SessionPlan {
  readonly seed: number;
  readonly client: EndPlan;
  readonly node: EndPlan;
}

const STREAM_BYTES_MAX = 4 << 20;
const PIECES_MAX = 200;
const DEAF_TURNS_MAX = 100;

export function drawSession(seed: number): SessionPlan {
  const random = new Random(seed);
  const bytes = [drawBytes(random), drawBytes(random)] as const;
  return {
    seed,
    client: drawEnd(random.fork(), bytes[0], bytes[1]),
    node: drawEnd(random.fork(), bytes[1], bytes[0]),
  };
}

function drawBytes(random: Random): number {
  return random.chance(0.1) ? 0 : random.size(1, STREAM_BYTES_MAX);
}

/** A megabyte in single bytes would be a test of patience. */
function drawPiece(random: Random, streamBytes: number): number {
  const least = Math.ceil((streamBytes + 1) / PIECES_MAX);
  return random.chance(0.5) ? PIECE_BYTES_MAX : random.size(least, PIECE_BYTES_MAX);
}

function drawEnd(random: Random, bytes: number, otherBytes: number): EndPlan {
  return {
    bytes,
    pieceBytes: drawPiece(random, bytes),
    readBytes: drawPiece(random, otherBytes),
    deafTurns: random.chance(0.3) ? random.int(1, DEAF_TURNS_MAX) : 0,
    finish: random.chance(0.5) ? 'fin' : random.chance(0.6) ? 'reset' : 'fin-then-reset',
    resetAfterSent: Math.floor(bytes * random.fraction()),
    resetAfterReceived: random.chance(0.5) ? 0 : Math.floor(otherBytes * random.fraction()),
    receiveBufferBytes: random.chance(0.2) ? random.size(4096, 65_536) : 0,
  };
}
