// How often one caller may ask: a bucket per caller, kind of request and minute. And how often one address may be wrong about its
// token. Both tables are bounded: past that, the oldest go.

const WINDOW_MS = 60_000;
const CALLERS_MAX = 10_000;

/**
 * Requests per minute, by kind. The Linode API allows 200, 50 and 1,600; on one's own machine a limit is there only to stop a client
 * that runs wild.
 */
export const RATES = { list: 12_000, stats: 3_000, other: 12_000, login: 120 } as const;
export type RateKind = keyof typeof RATES;

const FAILURES_MAX = 20;

interface Bucket {
  windowMs: number;
  count: number;
}

class Buckets {
  readonly #buckets = new Map<string, Bucket>();

  /** @returns the caller's bucket of the present minute */
  at(key: string, nowMs: number): Bucket {
    const windowMs = nowMs - (nowMs % WINDOW_MS);
    const bucket = this.#buckets.get(key);
    if (bucket?.windowMs === windowMs) return bucket;
    this.#buckets.delete(key);
    const fresh = { windowMs, count: 0 };
    this.#buckets.set(key, fresh);
    if (this.#buckets.size > CALLERS_MAX) {
      const [oldest = ''] = this.#buckets.keys();
      this.#buckets.delete(oldest);
    }
    return fresh;
  }
}

export interface RateState {
  readonly limit: number;
  readonly remaining: number;
  /** seconds since 1970 */
  readonly resetS: number;
  readonly isExceeded: boolean;
}

export class RateLimit {
  readonly #requests = new Buckets();
  readonly #failures = new Buckets();

  /** Counts one request. */
  take(caller: string, kind: RateKind, nowMs: number): RateState {
    const limit = RATES[kind];
    const bucket = this.#requests.at(`${kind} ${caller}`, nowMs);
    bucket.count++;
    return {
      limit,
      remaining: Math.max(0, limit - bucket.count),
      resetS: Math.ceil((bucket.windowMs + WINDOW_MS) / 1000),
      isExceeded: bucket.count > limit,
    };
  }

  noteFailure(address: string, nowMs: number): void {
    this.#failures.at(address, nowMs).count++;
  }

  /** Whether an address has been wrong too often in this minute to be listened to. */
  isLockedOut(address: string, nowMs: number): boolean {
    return this.#failures.at(address, nowMs).count >= FAILURES_MAX;
  }

  /** Seconds until the present minute is over. */
  retryAfterS(nowMs: number): number {
    return Math.ceil((WINDOW_MS - (nowMs % WINDOW_MS)) / 1000);
  }
}
