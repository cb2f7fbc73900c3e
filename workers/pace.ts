// The times in which the process itself does things: how often it looks, how long it waits, when it gives
// up. Nobody tunes them, so they are constants; all of them that a test would otherwise have to wait for
// stand here, in the one object that tests may replace (cli/faults.ts). What an operator may tune is a
// setting, and the data path's own limits are in core/session/limits.ts.

export interface Pace {
  /** how often the main thread looks whether the shards come round */
  readonly watchMs: number;
  /** a shard that has not come round for this long is stuck */
  readonly heartbeatMs: number;
  /** the same of a thread that still loads its sources: on a machine that is short of memory, as when
   * threads die, that takes long */
  readonly startMs: number;
  /** shards get this long to close what they hold */
  readonly stopMs: number;
  /** the end of the whole process is forced after this long: the shards' time, and what a thread that is
   * stuck and the access log need on top */
  readonly endMs: number;
  /** a change waits this long for the clients in the backlog of a listener that goes; then they are reset */
  readonly backlogMs: number;
  /** a control thread that has not come round for this long is stuck. Longer than a shard gets: the store's
   * writes wait for the disk, and nobody's bytes wait for this thread */
  readonly controlHeartbeatMs: number;
  /** an API address that is taken is asked for again after this long */
  readonly apiRetryMs: number;
}

export const PACE: Pace = {
  watchMs: 250,
  heartbeatMs: 2000,
  startMs: 8000,
  stopMs: 2000,
  endMs: 2900,
  backlogMs: 5000,
  controlHeartbeatMs: 5000,
  apiRetryMs: 5000,
};

/** Beyond ten minutes nobody waits. */
const USUAL_RANGE = [1, 600_000] as const;
/**
 * A shard may sleep for half a second, and a watchdog that looks rarely cannot tell a shard that is stuck
 * from a process that was suspended: both would be taken for what they are not.
 */
const RANGES: Readonly<Partial<Record<string, readonly [min: number, max: number]>>> = {
  watchMs: [1, 250],
  heartbeatMs: [1000, 600_000],
  controlHeartbeatMs: [1000, 600_000],
};

/** @param text `heartbeatMs=1500,backlogMs=100` @returns the pace, or what is wrong with the text */
export function parsePace(text: string): { pace: Pace } | { problems: readonly string[] } {
  const problems: string[] = [];
  const changed = new Map<string, number>();
  for (const part of text.split(',')) {
    const { name = '', value = '' } = /^(?<name>\w*)=?(?<value>.*)$/.exec(part.trim())?.groups ?? {};
    const expected = changed.has(name) ? 'each name once' : expectedOf(name, value);
    if (expected === undefined) changed.set(name, Number(value));
    else problems.push(`found ${JSON.stringify(part.trim())}, expected ${expected}`);
  }
  return problems.length > 0 ? { problems } : { pace: { ...PACE, ...Object.fromEntries(changed) } };
}

/** @returns undefined when that is right */
function expectedOf(name: string, value: string): string | undefined {
  if (!Object.hasOwn(PACE, name)) return `NAME=MILLISECONDS with one of ${Object.keys(PACE).join(', ')}`;
  const [min, max] = RANGES[name] ?? USUAL_RANGE;
  const isInRange = /^\d{1,6}$/.test(value) && Number(value) >= min && Number(value) <= max;
  return isInRange ? undefined : `${name}= and a whole number from ${min} to ${max}`;
}
