// A yardstick for tests that bound a duration or a size. A busy machine makes everything late, and it says
// so itself: Linux counts for each thread how long it was ready to run and waited for a CPU. So a duration
// is measured beside that, in the same moment. Who is late although nobody made it wait is too slow, and
// fails at once; who was held up is measured again, a few times at most, and then judged by its own time.

import { readdirSync, readFileSync } from 'node:fs';

const SAMPLE_EVERY_MS = 20;
const ATTEMPTS_MAX = 5;
/** What explains less than this share of the time that was too much explains nothing. */
const SHARE_MIN = 0.2;
/** What grows once may have been touched for the first time; what leaks grows each time. */
const STRETCHES_MAX = 3;
/** of /proc/stat, where USER_HZ is 100 as everywhere */
const TICK_MS = 10;

export interface Measured {
  readonly tookMs: number;
  /** what threads waited for a CPU meanwhile, all together: on a very busy machine more than `tookMs` */
  readonly heldUpMs: number;
}

/**
 * How long something takes by this process's clock, and how long the machine holds it up meanwhile.
 * @param pids of the processes that do the work, besides this one
 */
export async function measure(pids: readonly number[], action: () => Promise<unknown>): Promise<Measured> {
  const delays = new Delays([...pids, process.pid]);
  const sampling = setInterval(() => delays.sample(), SAMPLE_EVERY_MS);
  const sinceMs = performance.now();
  try {
    await action();
    const tookMs = performance.now() - sinceMs;
    delays.sample();
    return { tookMs, heldUpMs: delays.waitedMs + delays.lateMs };
  } finally {
    clearInterval(sampling);
  }
}

/**
 * The same of what takes `tookMs` by somebody else's clock, while none of the processes ends: what makes this process
 * wait has no part in it.
 */
export async function measureTheirs(pids: readonly number[], tookMs: () => Promise<number>): Promise<Measured> {
  const delays = new Delays(pids);
  const took = await tookMs();
  delays.sample();
  return { tookMs: took, heldUpMs: delays.waitedMs };
}

/** @returns by thread: nanoseconds for which it was ready to run and did not */
export type DelayReader = (pids: readonly number[]) => Map<string, number>;

/** Adds up what the threads of some processes wait, also of those that end meanwhile. */
export class Delays {
  readonly #pids: readonly number[];
  readonly #read: DelayReader;
  readonly #first: ReadonlyMap<string, number>;
  readonly #last: Map<string, number>;
  readonly #firstStolenMs = stolenMs();
  #sampledMs = performance.now();
  /** by which samples came too late: whoever has ended since the one before may have waited all the time */
  lateMs = 0;

  constructor(pids: readonly number[], read: DelayReader = readDelays) {
    this.#pids = pids;
    this.#read = read;
    this.#first = read(pids);
    this.#last = new Map(this.#first);
  }

  /** To be called every SAMPLE_EVERY_MS where threads may end: they take with them what they have waited for since. */
  sample(): void {
    const nowMs = performance.now();
    this.lateMs += Math.max(0, nowMs - this.#sampledMs - 2 * SAMPLE_EVERY_MS);
    this.#sampledMs = nowMs;
    for (const [thread, ns] of this.#read(this.#pids)) this.#last.set(thread, ns);
  }

  /** Of all threads together. */
  get waitedMs(): number {
    let ns = 0;
    for (const [thread, last] of this.#last) ns += last - (this.#first.get(thread) ?? 0);
    return ns / 1e6 + stolenMs() - this.#firstStolenMs;
  }
}

function readDelays(pids: readonly number[]): Map<string, number> {
  const delays = new Map<string, number>();
  for (const pid of pids) {
    for (const thread of namesIn(`/proc/${pid}/task`)) {
      const waitedNs = Number(textOf(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[1] ?? 0);
      delays.set(`${pid}/${thread}`, waitedNs);
    }
  }
  return delays;
}

/** While another machine on the same host had this one's CPUs: `steal`, the eighth number (proc_stat(5)). */
function stolenMs(): number {
  return Number(textOf('/proc/stat').split(/\s+/, 9)[8] ?? 0) * TICK_MS;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Nothing when it has ended meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * @param attempt does it once, from the beginning, and says how long it took
 * @throws when it takes longer than that, and the machine is not to blame
 */
export async function takesAtMost(limitMs: number, attempt: () => Promise<Measured>): Promise<void> {
  const attempts: Measured[] = [];
  while (attempts.length < ATTEMPTS_MAX) {
    const measured = await attempt();
    if (measured.tookMs <= limitMs) return;
    attempts.push(measured);
    if (measured.heldUpMs < SHARE_MIN * (measured.tookMs - limitMs)) throw tooSlow(limitMs, attempts);
  }
  if (attempts.every(({ tookMs, heldUpMs }) => tookMs - heldUpMs > limitMs)) throw tooSlow(limitMs, attempts);
}

function tooSlow(limitMs: number, attempts: readonly Measured[]): Error {
  const each = attempts.map(
    ({ tookMs, heldUpMs }) => `${Math.round(tookMs)} ms, of which it was held up for ${Math.round(heldUpMs)}`,
  );
  return new Error(`it may take ${limitMs} ms, and took ${each.join('; then ')}`);
}

/** CPU time of this thread alone: it stands still while somebody else has the CPU. */
export function ownCpuMs(action: () => unknown): number {
  const before = process.threadCpuUsage();
  action();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/**
 * @param sizeBytes of what must not grow
 * @param stretch some work that leaves nothing behind
 * @throws when each of some stretches in a row has left more than that behind
 */
export async function growsAtMost(
  limitBytes: number,
  sizeBytes: () => number,
  stretch: () => Promise<unknown>,
): Promise<void> {
  const grown: number[] = [];
  while (grown.length < STRETCHES_MAX) {
    const before = sizeBytes();
    await stretch();
    const more = sizeBytes() - before;
    if (more <= limitBytes) return;
    grown.push(more);
  }
  throw new Error(`it may grow by ${limitBytes} bytes, and grew each time by more: ${grown.join(', ')}`);
}

/**
 * For what has to be quick enough itself, as a client that must not be silent for too long.
 * @param attempt does it once, and says whether it was quick enough for the result to mean anything
 * @throws when it never was
 */
export async function untilQuickEnough(attempt: () => Promise<boolean>): Promise<void> {
  for (let attempts = 0; attempts < ATTEMPTS_MAX; attempts++) if (await attempt()) return;
  throw new Error(`in ${ATTEMPTS_MAX} attempts the test itself was not quick enough once`);
}
