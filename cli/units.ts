// Numbers as people read them: times gone by, bytes. For text only; JSON has the numbers themselves.

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `12s`, `5m 3s`, `2h 5m`, `3d 4h`: two units are enough. A time before its beginning is 0. */
export function formatDuration(ms: number): string {
  const atLeast0 = Math.max(0, ms);
  if (atLeast0 < MINUTE_MS) return `${Math.floor(atLeast0 / SECOND_MS)}s`;
  if (atLeast0 < HOUR_MS) return twoUnits(atLeast0, MINUTE_MS, 'm', SECOND_MS, 's');
  if (atLeast0 < DAY_MS) return twoUnits(atLeast0, HOUR_MS, 'h', MINUTE_MS, 'm');
  return twoUnits(atLeast0, DAY_MS, 'd', HOUR_MS, 'h');
}

function twoUnits(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  return `${Math.floor(ms / largeMs)}${large} ${Math.floor((ms % largeMs) / smallMs)}${small}`;
}

/** @param time ISO 8601, or null: never */
export function formatSince(time: string | null, nowMs: number): string {
  return time === null ? '-' : formatDuration(nowMs - Date.parse(time));
}

/** `0 B`, `1.5 KiB`, `20 GiB` */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // From here on it would be rounded to 1024.
  while (value >= 1023.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

/** `1 session`, `2 sessions` */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}
