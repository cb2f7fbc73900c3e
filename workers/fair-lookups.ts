// Lets look-ups wait for each other fairly. The system's look-up holds one of libuv's threads until the name server answers or is given
// up, half a minute with some; the pool lends half of its threads to look-ups, and nobody can take one back. So names whose servers
// were silent the last time get at most half of these threads, and those that answer never wait behind all of them.

import type { LookupAll } from './resolver.ts';

/** longer than a name server needs that is there */
const SLOW_MS = 2000;
/** libuv's own default, and the most that it takes (threadpool.c) */
const POOL_THREADS = 4;
const POOL_THREADS_MAX = 1024;
/** names are forgotten all at once: they come and go with configurations */
const SLOW_NAMES_MAX = 10_000;

/** @returns how many look-ups libuv does at a time */
export function lookupSlots(env: NodeJS.ProcessEnv = process.env): number {
  const threads = Number.parseInt(env.UV_THREADPOOL_SIZE ?? '', 10);
  const bounded = Number.isNaN(threads) ? POOL_THREADS : Math.min(Math.max(threads, 1), POOL_THREADS_MAX);
  return Math.floor((bounded + 1) / 2);
}

interface Waiting {
  readonly host: string;
  readonly begin: () => void;
}

/** @param slots look-ups at a time @param nowMs a monotonic clock */
export function fairly(
  lookupAll: LookupAll,
  slots: number = lookupSlots(),
  nowMs: () => number = () => performance.now(),
): LookupAll {
  const slow = new Set<string>();
  const waiting: Waiting[] = [];
  let [underWay, slowUnderWay] = [0, 0];

  /** Who has waited longest, of those that answer before those that do not. */
  function next(): Waiting | undefined {
    if (underWay >= slots) return undefined;
    const quick = waiting.findIndex(({ host }) => !slow.has(host));
    const mayBeSlow = slowUnderWay < Math.max(1, Math.floor(slots / 2));
    const at = quick >= 0 ? quick : mayBeSlow ? 0 : -1;
    return at < 0 ? undefined : waiting.splice(at, 1)[0];
  }

  function beginWaiting(): void {
    for (let one = next(); one !== undefined; one = next()) one.begin();
  }

  async function lookUp(host: string): Promise<readonly string[]> {
    const isSlow = slow.has(host);
    const startMs = nowMs();
    underWay++;
    if (isSlow) slowUnderWay++;
    try {
      return await lookupAll(host);
    } finally {
      underWay--;
      if (isSlow) slowUnderWay--;
      if (slow.size >= SLOW_NAMES_MAX) slow.clear();
      if (nowMs() - startMs > SLOW_MS) slow.add(host);
      else slow.delete(host);
      beginWaiting();
    }
  }

  return (host) => {
    const { promise, resolve } = Promise.withResolvers<readonly string[]>();
    waiting.push({ host, begin: () => resolve(lookUp(host)) });
    beginWaiting();
    return promise;
  };
}
