// What frontends and nodes did per second over the last minutes, from the counters that the page asks for anyway: graphs that are live
// from the moment somebody looks. Nothing of it is kept longer than the page is open.

import type { PlaneState } from './plane.ts';

export const LIVE_SPAN_S = 300;
/** At one answer every two seconds. */
const LIVE_SAMPLES = 150;
const BITS_PER_BYTE = 8;

/** Counters as they stood. */
interface Sample {
  /** seconds since 1970 */
  readonly time: number;
  readonly sessions: number;
  readonly connections: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** All of one length; the times are when each span ended. */
export interface Rates {
  readonly times: readonly number[];
  readonly sessions: readonly number[];
  /** per second */
  readonly connections: readonly number[];
  /** bits per second, as the API counts directions: of a frontend from and to clients, of a node from and to the node */
  readonly bitsIn: readonly number[];
  readonly bitsOut: readonly number[];
}

let samples: ReadonlyMap<string, readonly Sample[]> = new Map();

export const nodebalancerKey = (label: string): string => label;
export const nodeKey = (label: string, port: number, address: string): string => `${label} ${port} ${address}`;

/** @param time seconds since 1970 */
export function record({ frontends }: PlaneState, time: number): void {
  const next = new Map<string, readonly Sample[]>();
  const add = (key: string, sample: Sample) =>
    next.set(key, [...(samples.get(key) ?? []), sample].slice(-LIVE_SAMPLES));
  const totals = new Map<string, Sample>();
  for (const { nodebalancer, port, sessions, accepted, bytes_in, bytes_out, nodes } of frontends) {
    const key = nodebalancerKey(nodebalancer);
    const total = totals.get(key) ?? { time, sessions: 0, connections: 0, bytesIn: 0, bytesOut: 0 };
    totals.set(key, {
      time,
      sessions: total.sessions + sessions,
      connections: total.connections + accepted,
      bytesIn: total.bytesIn + bytes_in,
      bytesOut: total.bytesOut + bytes_out,
    });
    for (const node of nodes) {
      add(nodeKey(nodebalancer, port, node.address), {
        time,
        sessions: node.sessions,
        connections: node.connects,
        bytesIn: node.bytes_in,
        bytesOut: node.bytes_out,
      });
    }
  }
  for (const [key, total] of totals) add(key, total);
  // What is gone is forgotten with the old map.
  samples = next;
}

/** @param key see `nodebalancerKey` and `nodeKey` */
export function ratesOf(key: string): Rates {
  const own = samples.get(key) ?? [];
  const pairs = own.slice(1).map((after, index) => ({ before: own[index] ?? after, after }));
  // Counters that fell have begun again: what they stood at before is not known to have happened since.
  const perSecond = (amount: (sample: Sample) => number) =>
    pairs.map(
      ({ before, after }) => Math.max(0, amount(after) - amount(before)) / Math.max(0.001, after.time - before.time),
    );
  return {
    times: pairs.map(({ after }) => after.time),
    sessions: pairs.map(({ after }) => after.sessions),
    connections: perSecond(({ connections }) => connections),
    bitsIn: perSecond(({ bytesIn }) => bytesIn * BITS_PER_BYTE),
    bitsOut: perSecond(({ bytesOut }) => bytesOut * BITS_PER_BYTE),
  };
}
