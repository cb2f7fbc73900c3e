// The command line of `npm run bench`. No other file here knows argv. Everything that is wrong with a command line is said at
// once: a run takes minutes, and nobody wants to learn of the second mistake after the first.

import { suggest } from '../core/config/suggest.ts';
import { SCALES, type Scale } from './scale.ts';

export type { Scale } from './scale.ts';

/** More than anybody waits for. */
const ROUNDS_MAX = 99;
const SCALE_NAMES = Object.keys(SCALES);
const DEFAULT_CONGESTION = 'cubic';
/** The list of peers that is empty. */
const NOBODY = 'none';

export interface Options {
  /** `profile` takes one contender apart, `run` compares all of them. */
  verb: 'run' | 'profile';
  help: boolean;
  scale: Scale;
  scenarios: string[];
  peers: string[];
  /** A revision of this repository to compare with. */
  compare?: string;
  json: boolean;
  /** keep the run and make BENCHMARKS.md from it */
  record: boolean;
  /** Congestion control for the run, or `keep`. */
  congestion: string;
}

/** All that is wrong with a command line, a line each. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `usage: npm run bench -- [options]            our balancer beside its peers
       npm run bench -- profile [options]    where its time goes
  --rounds N          measure every contender N times (default 7; under 6 there is no verdict)
  --quick             small sizes, 1 round: does it run, and roughly how fast; the peer "node" only where --peers names it
  --scale NAME        full (default), quick or tiny
  --only A,B          only these scenarios
  --peers A,B         only these peers; none: our balancer alone
  --compare REV       against another revision of this repository; peers only where --peers names them
  --congestion NAME   congestion control for the run, restored afterwards (default ${DEFAULT_CONGESTION}; keep: change nothing)
  --record            keep the run in bench/results and make BENCHMARKS.md from it
  --json              everything measured as JSON on stdout (npm run -s bench -- --json: without npm's own lines above it)
  --help              this
HAPROXY_BIN and NGINX_BIN choose other builds of the peers; BALANCER_* variables reach our balancer.
`;

/** Whether an option wants a value. */
const OPTIONS = {
  rounds: true,
  quick: false,
  scale: true,
  only: true,
  peers: true,
  compare: true,
  congestion: true,
  json: false,
  record: false,
  help: false,
} as const;

type Name = keyof typeof OPTIONS;

/** Throws UsageError. `scenarios` and `peers` are the names that exist. */
export function parseOptions(args: string[], scenarios: readonly string[], peers: readonly string[]): Options {
  const problems: string[] = [];
  const { verb, given } = readArgs(args, problems);
  const compare = given.get('compare');
  const scale = chooseScale(given, problems);
  const options: Options = {
    verb,
    help: given.has('help'),
    scale,
    scenarios: chosen('scenario', '--only', given.get('only'), scenarios, problems),
    peers: choosePeers(given, scale, peers, problems),
    json: given.has('json'),
    record: given.has('record'),
    congestion: given.get('congestion') ?? DEFAULT_CONGESTION,
    ...(compare === undefined ? {} : { compare }),
  };
  problems.push(...contradictions(options, given));
  if (problems.length > 0 && !options.help) throw new UsageError(problems.join('\n'));
  return options;
}

/** Not node:util's parseArgs: strict it throws at the first mistake, else it takes the next option for a value. */
function readArgs(args: readonly string[], problems: string[]): { verb: Options['verb']; given: Map<Name, string> } {
  const given = new Map<Name, string>();
  let verb: Options['verb'] = 'run';
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === 'profile') verb = 'profile';
    else if (!arg.startsWith('-')) problems.push(`unknown command "${arg}"${didYouMean(arg, ['profile'])}`);
    else readOption(arg, rest, given, problems);
  }
  return { verb, given };
}

/** `--name`, `--name value` or `--name=value`; takes the value from `rest`. */
function readOption(arg: string, rest: string[], given: Map<Name, string>, problems: string[]): void {
  const [, name = '', inline] = arg.match(/^--([^=]*)(?:=(.*))?$/s) ?? [arg, arg === '-h' ? 'help' : arg];
  const hasNext = rest[0] !== undefined && !rest[0].startsWith('-');
  if (!isName(name)) {
    problems.push(`unknown option ${arg.split('=')[0]}${didYouMean(name, Object.keys(OPTIONS), '--')}`);
    // What follows was meant as its value.
    if (inline === undefined && hasNext && rest[0] !== 'profile') rest.shift();
    return;
  }
  const value = inline ?? (OPTIONS[name] && hasNext ? rest.shift() : undefined) ?? '';
  if (OPTIONS[name] && value === '') problems.push(`--${name}: needs a value`);
  else if (!OPTIONS[name] && inline !== undefined) problems.push(`--${name}: takes no value, got "${inline}"`);
  else given.set(name, value);
}

function isName(name: string): name is Name {
  return Object.hasOwn(OPTIONS, name);
}

function chooseScale(given: ReadonlyMap<Name, string>, problems: string[]): Scale {
  const name = given.get('scale') ?? (given.has('quick') ? 'quick' : 'full');
  const scale = Object.entries<Scale>(SCALES).find(([key]) => key === name)?.[1];
  if (scale === undefined) problems.push(`--scale ${name}: unknown scale${expected(name, SCALE_NAMES)}`);
  const base = scale ?? SCALES.full;
  const rounds = given.get('rounds') ?? String(base.rounds);
  const count = /^\d{1,9}$/.test(rounds) ? Number(rounds) : 0;
  if (count < 1 || count > ROUNDS_MAX) problems.push(`--rounds ${rounds}: expected a whole number, 1 to ${ROUNDS_MAX}`);
  return { ...base, rounds: count };
}

function choosePeers(
  given: ReadonlyMap<Name, string>,
  { peersOnlyWhenNamed }: Scale,
  known: readonly string[],
  problems: string[],
): string[] {
  const list = given.get('peers') ?? (given.has('compare') ? NOBODY : undefined);
  if (list === NOBODY) return [];
  if (list === undefined) return known.filter((name) => !peersOnlyWhenNamed.includes(name));
  if (list?.split(',').includes(NOBODY)) {
    problems.push(`--peers ${list}: "${NOBODY}" stands alone`);
    return [];
  }
  return chosen('peer', '--peers', list, known, problems);
}

function chosen(
  kind: string,
  option: string,
  list: string | undefined,
  known: readonly string[],
  problems: string[],
): string[] {
  if (list === undefined) return [...known];
  const names = list.split(',').filter((name) => name !== '');
  if (names.length === 0) problems.push(`${option} ${list}: names no ${kind}`);
  for (const name of names) {
    if (!known.includes(name)) problems.push(`${option} ${name}: unknown ${kind}${expected(name, known)}`);
  }
  return known.filter((name) => names.includes(name));
}

function contradictions({ verb, record, compare }: Options, given: ReadonlyMap<Name, string>): string[] {
  const problems: string[] = [];
  const clash = (here: boolean, text: string) => here && problems.push(text);
  clash(given.has('quick') && given.has('scale'), '--quick and --scale: give one of them');
  clash(record && compare !== undefined, '--record and --compare: a comparison of revisions is not kept');
  clash(verb === 'profile' && record, 'profile and --record: a profile is not kept');
  return problems;
}

function expected(word: string, known: readonly string[]): string {
  return `${didYouMean(word, known)}; expected ${known.join(', ')}`;
}

function didYouMean(word: string, known: readonly string[], prefix = ''): string {
  const guess = suggest(word, known);
  return guess === undefined ? '' : `, did you mean "${prefix}${guess}"?`;
}
