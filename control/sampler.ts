// Every 10 seconds, what each nodebalancer had to do since the last time: read from the data plane's counters, put
// into the statistics. A nodebalancer is known by its id, its ports by their config's ids: names come and go. What a
// port does between the last sample and its removal, or its move to another number, is not seen.

import { monotonicMs } from '../core/base/clock.ts';
import type { FrontendSnapshot, Snapshot } from '../workers/snapshot.ts';
import type { DataPlane } from './data-plane.ts';
import { RisingBytes } from './rising.ts';
import type { Inventory } from './store/inventory.ts';
import { type Amounts, SHORT_INTERVAL_MS, type Statistics } from './store/statistics.ts';
import type { Store } from './store/store.ts';

/** A timer may be a little early: so shortly before its end, an interval has had its sample. */
const EARLY_MS = 1000;
/** After a pause of the whole process: further back than this nothing is spread. */
const INTERVALS_MAX = 360;

export interface SamplerOptions {
  readonly plane: Pick<DataPlane, 'snapshot'>;
  readonly store: Pick<Store, 'read'>;
  readonly statistics: Pick<Statistics, 'record'>;
  /** told the first of several failures in a row: statistics are worth no more */
  readonly fault: (error: unknown) => void;
  /** milliseconds since 1970, of a clock that may be set */
  readonly now?: () => number;
  /** of one that may not */
  readonly steadyMs?: () => number;
}

/** What a config's counters showed. */
interface Reading extends Amounts {
  /** the name of its port: under another, its counters began again */
  readonly place: string;
}

export class Sampler {
  readonly #options: Required<SamplerOptions>;
  readonly #rising = new RisingBytes();
  #readings: ReadonlyMap<number, Reading>;
  #sampledMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isFailing = false;

  /** What was counted until now is nobody's: it was sampled by a predecessor, or is lost. */
  constructor(options: SamplerOptions) {
    this.#options = { now: Date.now, steadyMs: monotonicMs, ...options };
    this.#readings = this.#read();
    this.#sampledMs = this.#options.steadyMs();
  }

  start(): void {
    // At the end of each interval of the clock on the wall, so that each gets one sample.
    const leftMs = SHORT_INTERVAL_MS - (this.#options.now() % SHORT_INTERVAL_MS);
    const delayMs = leftMs > EARLY_MS ? leftMs : leftMs + SHORT_INTERVAL_MS;
    this.#timer = setTimeout(() => {
      this.sample();
      this.start();
    }, delayMs);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Never throws. What could not be recorded is part of the next sample. */
  sample(): void {
    const { now, steadyMs, fault } = this.#options;
    try {
      const atMs = steadyMs();
      const readings = this.#read();
      this.#record(intervalEnd(now()), atMs - this.#sampledMs, this.#amounts(readings));
      this.#readings = readings;
      this.#sampledMs = atMs;
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) fault(error);
      this.#isFailing = true;
    }
  }

  /** By config id. */
  #read(): ReadonlyMap<number, Reading> {
    const { plane, store } = this.#options;
    const states = statesByPlace(plane.snapshot());
    const readings = new Map<number, Reading>();
    this.#rising.begin();
    for (const { config, place } of placesOf(store.read().inventory)) {
      const state = states.get(place);
      if (state === undefined) continue;
      const { accepted: connections, bytes_in: bytesIn, bytes_out: bytesOut } = state;
      readings.set(config, { place, connections, ...this.#rising.rise(place, connections, { bytesIn, bytesOut }) });
    }
    return readings;
  }

  /** By nodebalancer id. One without traffic has its zeroes. */
  #amounts(readings: ReadonlyMap<number, Reading>): ReadonlyMap<number, Amounts> {
    const { inventory } = this.#options.store.read();
    const amounts = new Map<number, Amounts>(inventory.nodebalancers.map(({ id }) => [id, NOTHING]));
    for (const { nodebalancer, config } of placesOf(inventory)) {
      const reading = readings.get(config);
      if (reading === undefined) continue;
      const before = this.#readings.get(config);
      amounts.set(nodebalancer, sum(amounts.get(nodebalancer) ?? NOTHING, since(before, reading)));
    }
    return amounts;
  }

  /** @param elapsedMs since the last sample: after a pause, the amounts belong to more than one interval */
  #record(endMs: number, elapsedMs: number, amounts: ReadonlyMap<number, Amounts>): void {
    const intervals = Math.min(Math.max(Math.round(elapsedMs / SHORT_INTERVAL_MS), 1), INTERVALS_MAX);
    const share = new Map([...amounts].map(([id, amount]) => [id, divide(amount, intervals)]));
    for (let back = intervals; back >= 1; back--)
      this.#options.statistics.record(endMs - back * SHORT_INTERVAL_MS, share);
  }
}

const NOTHING: Amounts = { connections: 0, bytesIn: 0, bytesOut: 0 };

/** The end of an interval that is nearest: a timer may be a little early or late. */
function intervalEnd(timeMs: number): number {
  return Math.round(timeMs / SHORT_INTERVAL_MS) * SHORT_INTERVAL_MS;
}

function placeOf(label: string, port: number): string {
  return `${label} ${port}`;
}

function statesByPlace({ frontends }: Snapshot): ReadonlyMap<string, FrontendSnapshot> {
  return new Map(frontends.map((frontend) => [placeOf(frontend.nodebalancer, frontend.port), frontend]));
}

function placesOf({ nodebalancers }: Inventory) {
  return nodebalancers.flatMap(({ id, label, configs }) =>
    configs.map((config) => ({ nodebalancer: id, config: config.id, place: placeOf(label, config.port) })),
  );
}

/** A config that is new, was moved, or whose counters began again, began at zero. */
function since(before: Reading | undefined, now: Reading): Amounts {
  const isSame = before?.place === now.place && before.connections <= now.connections;
  const { connections, bytesIn, bytesOut } = isSame ? before : NOTHING;
  return {
    connections: now.connections - connections,
    bytesIn: now.bytesIn - bytesIn,
    bytesOut: now.bytesOut - bytesOut,
  };
}

function sum(a: Amounts, b: Amounts): Amounts {
  return {
    connections: a.connections + b.connections,
    bytesIn: a.bytesIn + b.bytesIn,
    bytesOut: a.bytesOut + b.bytesOut,
  };
}

function divide({ connections, bytesIn, bytesOut }: Amounts, by: number): Amounts {
  return { connections: connections / by, bytesIn: bytesIn / by, bytesOut: bytesOut / by };
}
