// Reads the text format of Prometheus 0.0.4 as strictly as a test should: names, help and type before samples and once
// each, families in one piece, no series twice, escapes.

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly help: string;
  readonly type: string;
  readonly series: Series[];
}

const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const SAMPLE = /^([^\s{]+)(?:\{(.*)\})? (\S+)$/;
const PAIR = /([^=,{}]+)="((?:[^"\\]|\\.)*)"(,|$)/y;
const VALUE = /^(?:NaN|[+-]Inf|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

/** @throws Error with the line that is wrong */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let help: { name: string; text: string } | undefined;
  let current: { name: string; family: Family } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword !== undefined && !METRIC.test(name)) fail('no name');
    if (keyword === 'HELP') {
      if (families.has(name) || help !== undefined) fail('a second help');
      help = { name, text: rest };
    } else if (keyword === 'TYPE') {
      if (help?.name !== name) fail('a type without its help before it');
      if (!['counter', 'gauge', 'histogram'].includes(rest)) fail('no such type');
      current = { name, family: { help: help?.text ?? '', type: rest, series: [] } };
      families.set(name, current.family);
      help = undefined;
    } else {
      const series = parseSample(line) ?? fail('no sample');
      if (current === undefined || help !== undefined || !belongs(series.name, current)) fail('a sample of no family');
      const key = `${series.name} ${JSON.stringify(Object.entries(series.labels).sort())}`;
      if (seen.has(key)) fail('a series twice');
      seen.add(key);
      current?.family.series.push(series);
    }
  }
  for (const [name, { type, series }] of families) if (type === 'histogram') checkHistogram(name, series);
  return families;
}

function belongs(name: string, { name: family, family: { type } }: { name: string; family: Family }): boolean {
  if (type !== 'histogram') return name === family;
  return ['_bucket', '_sum', '_count'].some((suffix) => name === family + suffix);
}

function parseSample(line: string): Series | undefined {
  const [, name, pairs = '', value] = SAMPLE.exec(line) ?? [];
  if (name === undefined || value === undefined || !METRIC.test(name) || !VALUE.test(value)) return undefined;
  const labels: Record<string, string> = {};
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < pairs.length) {
    const [, label, text] = PAIR.exec(pairs) ?? [];
    if (label === undefined || text === undefined || !LABEL.test(label) || Object.hasOwn(labels, label))
      return undefined;
    const plain = plainText(text);
    if (plain === undefined) return undefined;
    labels[label] = plain;
  }
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

function plainText(text: string): string | undefined {
  if (/\\[^\\"n]/.test(text.replaceAll('\\\\', ''))) return undefined;
  return text.replace(/\\(.)/g, (_whole, character: string) => (character === 'n' ? '\n' : character));
}

/** Buckets rise, the last is +Inf, and that is the count. */
function checkHistogram(name: string, series: readonly Series[]): void {
  const buckets = series.filter((one) => one.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) => Number((labels.le ?? '').replace('Inf', 'Infinity')));
  const counts = buckets.map(({ value }) => value);
  const rises = (numbers: readonly number[], isStrict: boolean) =>
    numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? 0) || (!isStrict && number === numbers[i - 1]));
  if (bounds.at(-1) !== Number.POSITIVE_INFINITY || !rises(bounds, true)) throw new Error(`${name}: bounds ${bounds}`);
  if (!rises(counts, false)) throw new Error(`${name}: counts ${counts}`);
  const [count, ...others] = series.filter((one) => one.name === `${name}_count`);
  if (count?.value !== counts.at(-1) || others.length > 0) throw new Error(`${name}: its count is not that of +Inf`);
  if (series.filter((one) => one.name === `${name}_sum`).length !== 1) throw new Error(`${name}: no sum`);
}
