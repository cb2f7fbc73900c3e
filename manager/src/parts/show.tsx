// Values as people read them: sizes and rates with units, local times with UTC on hover, the state of a node as a chip.

/** Made with the first time that is shown: in a new tab, it takes some 50 ms, and the first page of most visits shows none. */
let localTime: Intl.DateTimeFormat | undefined;

function formatTime(date: Date): string {
  localTime ??= new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
  return localTime.format(date);
}

/** @param time ISO 8601; without a zone it is UTC, as the API writes it */
export function Time({ time }: { readonly time: string }) {
  const iso = /Z$|[+-]\d\d:\d\d$/.test(time) ? time : `${time}Z`;
  const date = new Date(iso);
  return (
    <time dateTime={iso} title={`${date.toISOString().replace('T', ' ').replace(/\..*/, '')} UTC`}>
      {formatTime(date)}
    </time>
  );
}

const UNITS = ['', 'k', 'M', 'G', 'T', 'P'] as const;

/** `1.5 MB`: three digits and a unit. @param unit `B`, `bit/s` */
export function formatAmount(value: number, unit: string): string {
  let scaled = value;
  let step = 0;
  while (scaled >= 999.5 && step < UNITS.length - 1) {
    scaled /= 1000;
    step++;
  }
  const digits = step === 0 && Number.isInteger(scaled) ? 0 : scaled >= 99.5 ? 0 : scaled >= 9.95 ? 1 : 2;
  return `${scaled.toFixed(digits)} ${UNITS[step]}${unit}`;
}

export function formatBytes(bytes: number): string {
  return formatAmount(bytes, 'B');
}

const MEGABYTE_BYTES = 2 ** 20;

/** @param megabytes of the API; null before there was any */
export function formatMegabytes(megabytes: number | null): string {
  return formatBytes((megabytes ?? 0) * MEGABYTE_BYTES);
}

/** `3 min 20 s` */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 1) return `${Math.round(milliseconds)} ms`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `1 node`, `2 nodes` */
export function count(number: number, word: string): string {
  return `${number} ${number === 1 ? word : `${word}s`}`;
}

export type ChipState = 'up' | 'down' | 'unknown' | 'out';
const CHIP_TEXT: Readonly<Record<ChipState, string>> = { up: 'UP', down: 'DOWN', unknown: 'Unknown', out: 'Ejected' };

/** A node as the data plane sees it. */
export function NodeChip({ node }: { readonly node: { readonly health: ChipState; readonly is_ejected: boolean } }) {
  return <StatusChip state={node.is_ejected && node.health !== 'down' ? 'out' : node.health} />;
}

/** Says it in words too: colour alone tells not everybody. */
export function StatusChip({ state }: { readonly state: ChipState }) {
  return <span class={`chip ${state}`}>{CHIP_TEXT[state]}</span>;
}
