// Load of small requests from a generator of our own, for what wrk and autocannon cannot do: an open loop, and latency from the
// connect on. Every answer is checked, and every request is answered or counted as an error: what is still under way
// when the time is over is awaited, so the node must have seen exactly as many.

import type { Histogram } from 'hdr-histogram-js';
import { decodeLatency, type EncodedLatency } from '../latency.ts';
import { type Generator, startGenerator } from './generator.ts';

/** Beyond the load's own time: starting, and waiting for what is still under way. */
const SPARE_MS = 30_000;

export interface RequestLoad {
  port: number;
  /** At a time. In an open loop of new connections it limits nothing: each intended moment opens its own. */
  connections: number;
  seconds: number;
  /** One connection per request, until its end of stream. */
  newConnections: boolean;
  /** Open loop: intended moments, evenly spaced. Absent: a closed loop. */
  ratePerSecond?: number;
  /** Client addresses, taken in turn; absent: one. */
  clientAddresses?: number;
  /** default: `/small` */
  path?: string;
}

export interface RequestResult {
  /** Connections that were established. */
  connections: number;
  /** Answered whole, with 200. */
  requests: number;
  /** All bytes received. */
  bytes: number;
  errors: number;
  /** What the first of the errors was. */
  firstError?: string;
  /** From the start to the last answer. */
  microseconds: number;
  /** One value per answered request, in microseconds to its first byte: from the connect(2), from the send where the connection is
   * kept, and in an open loop from the intended moment. */
  latency: Histogram;
}

/** What the program hands over. */
export type WireResult = Omit<RequestResult, 'latency'> & { latency: EncodedLatency };

/** Rejects when nobody accepts connections there. */
export async function runRequestLoad(load: RequestLoad): Promise<RequestResult> {
  const generator: Generator<WireResult> = await startGenerator('request load', 'requests-client.ts', load);
  generator.say('go');
  const { latency, ...rest } = await generator.result(load.seconds * 1000 + SPARE_MS);
  return { ...rest, latency: decodeLatency(latency) };
}
