// The environment variables that tune the balancer: one table for reading, checking, `balancer env` and the README. Precedence:
// flag > environment > file > default; flags and files are other modules' business.

import { canonicalIp, formatIp, groupFault, isWildcard, parseIp } from '../core/base/ip.ts';
import { parseListenAddress, withoutRootDot } from '../core/config/node-address.ts';
import { suggest } from '../core/config/suggest.ts';
import { TRANSFERS_MAX } from '../core/linux/kernel.ts';

export const PREFIX = 'BALANCER_';

interface VariableOf<T> {
  /** without the prefix */
  readonly name: string;
  /** for people, where it is not simply a value: depends on the machine */
  readonly defaultText: string;
  readonly meaning: string;
  /** what a value must look like, for messages */
  readonly expected: string;
  /** @returns the value, or undefined when the text is none */
  readonly parse: (text: string) => T | undefined;
}

export type Variable = VariableOf<unknown>;

/** What happens to the running sessions of a node that goes down. */
export interface NodeDownPolicy {
  /** how long they may go on; undefined: to their end */
  readonly cutAfterMs: number | undefined;
}

/** Where the API listens. */
export interface AdminAddress {
  readonly ip: string;
  readonly port: number;
}

/** A variable whose default is a value, and not a matter of the machine. */
type VariableWithDefault<T> = VariableOf<T> & { readonly default: T };

/** @param defaultText where the value alone does not say all */
function integer(
  name: string,
  min: number,
  max: number,
  fallback: number,
  meaning: string,
  defaultText = String(fallback),
): VariableWithDefault<number> {
  return { ...integerByMachine(name, min, max, defaultText, meaning), default: fallback };
}

function integerByMachine(
  name: string,
  min: number,
  max: number,
  defaultText: string,
  meaning: string,
): VariableOf<number> {
  return {
    name,
    defaultText,
    meaning,
    expected: `a whole number from ${min} to ${max}`,
    parse: (text) => {
      if (!/^\d{1,15}$/.test(text)) return undefined;
      const value = Number(text);
      return value >= min && value <= max ? value : undefined;
    },
  };
}

function oneOf<T extends string>(
  name: string,
  values: readonly T[],
  fallback: T,
  meaning: string,
): VariableWithDefault<T> {
  return {
    name,
    default: fallback,
    defaultText: fallback,
    meaning,
    expected: `one of ${values.join(', ')}`,
    parse: (text) => values.find((value) => value === text),
  };
}

function text(
  name: string,
  pattern: RegExp,
  expected: string,
  defaultText: string,
  meaning: string,
): VariableOf<string> {
  return { name, defaultText, meaning, expected, parse: (value) => (pattern.test(value) ? value : undefined) };
}

/** `keep`, `cut` or `cut:SECONDS`. */
function onNodeDown(text: string): NodeDownPolicy | undefined {
  if (text === 'keep') return { cutAfterMs: undefined };
  if (text === 'cut') return { cutAfterMs: 0 };
  const seconds = /^cut:(\d{1,5})$/.exec(text)?.[1];
  return seconds !== undefined && Number(seconds) <= CUT_SECONDS_MAX
    ? { cutAfterMs: Number(seconds) * 1000 }
    : undefined;
}

/** An IP address and a port, or `off`: a host name would be looked up before anything runs. */
function adminAddress(text: string): AdminAddress | 'off' | undefined {
  if (text === 'off') return text;
  const parsed = parseListenAddress(text);
  return parsed?.ip === undefined ? undefined : { ip: formatIp(parsed.ip, 0), port: parsed.port };
}

/** In lower case, without the dot that may stand behind a whole name. */
function hostName(text: string): string | undefined {
  return /^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?\.?$/i.test(text) ? withoutRootDot(text.toLowerCase()) : undefined;
}

/** An address that one machine can have, in its canonical form. */
function machineAddress(text: string): string | undefined {
  const ip = parseIp(text);
  return ip === undefined || isWildcard(ip) || groupFault(ip) !== undefined ? undefined : formatIp(ip, 0);
}

function list<T>(
  name: string,
  item: (text: string) => T | undefined,
  expected: string,
  defaultText: string,
  meaning: string,
): VariableOf<readonly T[]> {
  return {
    name,
    defaultText,
    meaning,
    expected,
    parse: (value) => {
      const items = value.split(',').map((part) => item(part.trim()));
      return items.some((one) => one === undefined) ? undefined : items.filter((one) => one !== undefined);
    },
  };
}

const CUT_SECONDS_MAX = 86_400;
/** the longest time that timers take: some 24 days */
const TIMER_MS_MAX = 2 ** 31 - 1;
const CONGESTION = /^[a-z0-9_-]{1,15}$/;
const CONGESTION_EXPECTED = 'the name of a congestion control, such as cubic';

/** In the order in which they are shown. */
export const VARIABLES = {
  workers: integerByMachine(
    'WORKERS',
    1,
    256,
    'one per CPU',
    'listener workers (shards), each a thread with its own sockets',
  ),
  cpuAffinity: list(
    'CPU_AFFINITY',
    (part) => (/^\d{1,4}$/.test(part) && Number(part) < 1024 ? Number(part) : undefined),
    'CPU numbers separated by commas, such as 0,1',
    'none',
    'CPUs to bind the workers to, in their order',
  ),
  backlog: integer(
    'BACKLOG',
    1,
    1_000_000,
    4096,
    'connections that may wait to be accepted, per socket; at most somaxconn',
  ),
  connectionsMax: integerByMachine(
    'MAX_CONNECTIONS',
    1,
    1_000_000,
    'what the limit of open files allows',
    'sessions at a time over all workers; further clients wait in the backlog',
  ),
  connectTimeoutMs: integer('CONNECT_TIMEOUT_MS', 1, TIMER_MS_MAX, 5000, 'time for a connect to a node'),
  connectRetries: integer('CONNECT_RETRIES', 0, 8, 3, 'further attempts when a connect fails, on other nodes first'),
  idleTimeoutMs: integer(
    'IDLE_TIMEOUT_MS',
    1,
    TIMER_MS_MAX,
    3_600_000,
    'a session without a byte for this long is ended, by resets',
  ),
  halfClosedTimeoutMs: integer(
    'HALF_CLOSED_TIMEOUT_MS',
    1,
    TIMER_MS_MAX,
    60_000,
    'a session of which one direction has ended, and without a byte for this long since, is ended, by a reset',
  ),
  lingerTimeoutMs: integer(
    'LINGER_TIMEOUT_MS',
    1,
    TIMER_MS_MAX,
    2000,
    'time for a client or node that is to be reset, or still talks after its FIN, to take the end of what it was sent',
  ),
  drainDelayMs: integer(
    'DRAIN_DELAY_MS',
    0,
    TIMER_MS_MAX,
    0,
    'on SIGTERM: time from the signal until no more is accepted',
  ),
  drainTimeoutMs: integer('DRAIN_TIMEOUT_MS', 0, TIMER_MS_MAX, 30_000, 'on SIGTERM: time for running sessions to end'),
  keepaliveSeconds: integer('KEEPALIVE_SECONDS', 1, 32767, 60, 'TCP keepalive of both sides: idle time before a probe'),
  bufferBytes: integer('BUFFER_BYTES', 4096, 4 << 20, 65_536, 'bytes per read while copying'),
  batchFrom: integer(
    'BATCH_FROM',
    0,
    TRANSFERS_MAX,
    3,
    'sessions with bytes at once from which one call serves several; 0: never',
  ),
  splice: oneOf(
    'SPLICE',
    ['auto', 'on', 'off'],
    'auto',
    'move bulk transfers with splice(2): auto after some big reads',
  ),
  spliceAfterBytes: integer('SPLICE_AFTER_BYTES', 0, 1 << 30, 262_144, 'bytes of big reads in a row before splicing'),
  lowWaterBytes: integer(
    'LOW_WATER_BYTES',
    0,
    2 ** 30,
    524_288,
    'bytes that must lie in the socket of a long spliced transfer for a shard to be woken; 0: any',
  ),
  pipeBytes: integer('PIPE_BYTES', 65536, 2 ** 30, 1 << 20, 'size of a pipe for splicing'),
  pipeTotalBytes: integer(
    'PIPE_TOTAL_BYTES',
    0,
    2 ** 40,
    256 << 20,
    'all pipes together',
    '268435456; without privileges half of what pipe-user-pages-soft allows',
  ),
  frontCongestion: text(
    'FRONT_CONGESTION',
    CONGESTION,
    CONGESTION_EXPECTED,
    "the system's",
    'TCP congestion control towards clients',
  ),
  backCongestion: text(
    'BACK_CONGESTION',
    CONGESTION,
    CONGESTION_EXPECTED,
    "the system's",
    'TCP congestion control towards nodes',
  ),
  sourceAddresses: list(
    'SOURCE_ADDRESSES',
    parseIp,
    'IP addresses of this machine separated by commas',
    'chosen by the system',
    'local addresses for connections to nodes, checks included, in turn: each adds a range of ports',
  ),
  onNodeDown: {
    name: 'ON_NODE_DOWN',
    defaultText: 'keep',
    meaning: 'running sessions of a node that goes down: keep them, cut them, or cut:SECONDS later',
    expected: `keep, cut, or cut:SECONDS with a whole number from 0 to ${CUT_SECONDS_MAX}`,
    parse: onNodeDown,
  } satisfies VariableOf<NodeDownPolicy>,
  clientTableEntries: integer(
    'CLIENT_TABLE_ENTRIES',
    1000,
    10_000_000,
    100_000,
    'client addresses that stickiness and throttle remember, each',
  ),
  throttleIpv6Prefix: integer(
    'THROTTLE_IPV6_PREFIX',
    1,
    128,
    64,
    'IPv6 clients are throttled by networks of this prefix length',
  ),
  adminAddress: {
    name: 'ADMIN_ADDRESS',
    default: { ip: '127.0.0.1', port: 8080 },
    defaultText: '127.0.0.1:8080',
    meaning: 'where the API listens; off, with `run -f` only: no control plane',
    expected: 'an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080, or off',
    parse: adminAddress,
  } satisfies VariableWithDefault<AdminAddress | 'off'>,
  adminCertificate: text(
    'ADMIN_CERTIFICATE',
    /^\//,
    'an absolute path',
    'none',
    "file with the API's certificate and those that sign it (PEM): HTTPS instead of HTTP",
  ),
  adminKey: text('ADMIN_KEY', /^\//, 'an absolute path', 'none', "file with the certificate's private key (PEM)"),
  adminHosts: list(
    'ADMIN_HOSTS',
    hostName,
    'host names separated by commas, without ports',
    "the certificate's names",
    'names under which the API may be asked, besides addresses and localhost: others are refused (DNS rebinding)',
  ),
  region: {
    ...text(
      'REGION',
      /^[a-z0-9][a-z0-9-]{0,31}$/,
      'at most 32 lower-case letters, digits and hyphens',
      'local',
      'id of the one region that the API knows',
    ),
    default: 'local',
  },
  addresses: list(
    'ADDRESSES',
    canonicalIp,
    'IP addresses of this machine separated by commas',
    'none',
    'addresses for new nodebalancers, one each, in this order; when none is left, every address of the machine',
  ),
  floatingAddresses: list(
    'FLOATING_ADDRESSES',
    machineAddress,
    'IP addresses of single machines separated by commas',
    'none',
    'addresses that this machine has only at times, as a spare machine does: listened on also while it lacks them',
  ),
  dataDir: text(
    'DATA_DIR',
    /^\//,
    'an absolute path',
    '/var/lib/balancer for root, else ~/.local/state/balancer',
    'directory of the configuration, the tokens, the statistics and the local sockets',
  ),
  accessLog: text(
    'ACCESS_LOG',
    /^.+$/,
    'a path, - for stdout, or off',
    'off',
    'one JSON line per ended session: a path, - for stdout, or off',
  ),
  logLevel: oneOf(
    'LOG_LEVEL',
    ['debug', 'info', 'warn', 'error'],
    'info',
    'least severe messages that are shown on stderr',
  ),
} as const;

export type VariableName = keyof typeof VARIABLES;
type ValueOf<V> = V extends VariableOf<infer T> ? T : never;

/** What was set; what is missing takes its default elsewhere. */
export type Environment = { -readonly [K in VariableName]?: ValueOf<(typeof VARIABLES)[K]> };

export interface EnvironmentReading {
  values: Environment;
  errors: string[];
  warnings: string[];
}

/** Names that exist for other purposes than tuning. */
const OTHER_NAMES: readonly string[] = ['TEST_FAULTS', 'TEST_PACE', 'TEST_INSTALL'];

/** Reads all variables, and finds all mistakes at once. An empty value counts as not set. */
export function readEnvironment(env: NodeJS.ProcessEnv): EnvironmentReading {
  const values: Record<string, unknown> = {};
  const errors: string[] = [];
  const entries: [string, Variable][] = Object.entries(VARIABLES);
  for (const [key, variable] of entries) {
    const found = env[PREFIX + variable.name];
    if (found === undefined || found.trim() === '') continue;
    const value = variable.parse(found.trim());
    if (value === undefined)
      errors.push(`${PREFIX}${variable.name}: found ${JSON.stringify(found)}, expected ${variable.expected}`);
    else values[key] = value;
  }
  return { values, errors, warnings: unknownNames(env) };
}

function unknownNames(env: NodeJS.ProcessEnv): string[] {
  const known = Object.values(VARIABLES).map(({ name }) => name as string);
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => name.slice(PREFIX.length))
    .filter((name) => !known.includes(name) && !OTHER_NAMES.includes(name))
    .map((name) => {
      const guess = suggest(name, known);
      const hint = guess === undefined ? '' : `, did you mean ${PREFIX}${guess}?`;
      return `${PREFIX}${name} is not a variable of the balancer${hint}`;
    });
}
