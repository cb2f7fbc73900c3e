// `balancer conns` and `balancer kill`: the sessions that run, and the end of some.

import type { SessionView } from '../control/data-plane.ts';
import { EXIT_FAILURE, EXIT_OK, UsageError } from './exit.ts';
import { count, DIRECTORY_OPTION, operate, printJson } from './operating.ts';
import { parseOptions } from './options.ts';
import { print, say } from './output.ts';
import { paintOfStdout } from './running.ts';
import { type Column, formatTable } from './table.ts';
import { formatBytes, formatDuration, formatSince } from './units.ts';

const FILTERS = {
  client: { type: 'string' },
  node: { type: 'string' },
  nodebalancer: { type: 'string' },
  port: { type: 'string' },
} as const;

const COLUMNS: readonly Column[] = [
  { title: 'ID' },
  { title: 'CLIENT' },
  { title: 'FRONTEND' },
  { title: 'NODE' },
  { title: 'PHASE' },
  { title: 'AGE', isNumber: true },
  { title: 'IDLE', isNumber: true },
  { title: 'IN', isNumber: true },
  { title: 'OUT', isNumber: true },
];

type Given = Readonly<Partial<Record<keyof typeof FILTERS, string | undefined>>>;

function queryOf({ client, node, nodebalancer, port }: Given): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ client, node, nodebalancer, port })) {
    // An unset variable of a shell must not turn "of this client" into "of all".
    if (value === '') throw new UsageError(`--${name} needs a value`);
  }
  for (const [name, value] of Object.entries({ client, node, nodebalancer, port }))
    if (value !== undefined) query.set(name, value);
  return query;
}

export function runConns(args: string[]): Promise<number> {
  const {
    json,
    limit,
    'data-dir': directory,
    ...filters
  } = parseOptions(args, {
    json: { type: 'boolean' },
    limit: { type: 'string' },
    ...FILTERS,
    ...DIRECTORY_OPTION,
  });
  const query = queryOf(filters);
  if (limit !== undefined) query.set('limit', limit);
  return operate({ directory }, async ({ ask, isRunning }) => {
    if (!isRunning) return sayNothingRuns();
    const { total, sessions } = (await ask('GET', `/balancer/v1/sessions?${query}`)) as unknown as {
      total: number;
      sessions: readonly SessionView[];
    };
    if (json === true) printJson({ total, sessions });
    else {
      print(formatTable(COLUMNS, sessions.map(rowOf), paintOfStdout()));
      if (total > sessions.length) say(`${sessions.length} of ${total} shown: --limit shows up to 1000\n`);
    }
    return EXIT_OK;
  });
}

export function runKill(args: string[]): Promise<number> {
  const [first] = args;
  const id = first !== undefined && !first.startsWith('-') ? first : undefined;
  const { 'data-dir': directory, ...filters } = parseOptions(id === undefined ? args : args.slice(1), {
    ...FILTERS,
    ...DIRECTORY_OPTION,
  });
  const query = queryOf(filters);
  if (id === undefined && query.size === 0) {
    throw new UsageError('kill needs the id of a session (see conns), or --client, --node, --nodebalancer or --port');
  }
  if (id !== undefined && query.size > 0) throw new UsageError('kill takes the id of a session or a filter, not both');
  return operate({ directory }, async ({ ask, isRunning }) => {
    if (!isRunning) return sayNothingRuns();
    const path =
      id === undefined ? `/balancer/v1/sessions?${query}` : `/balancer/v1/sessions/${encodeURIComponent(id)}`;
    const { killed } = await ask('DELETE', path, undefined, `session ${id}, or it has ended: see balancer conns`);
    say(`${count(Number(killed), 'session')} ended\n`);
    return EXIT_OK;
  });
}

function sayNothingRuns(): number {
  say('balancer: no balancer runs: start one, or name the directory of the running one (--data-dir)\n');
  return EXIT_FAILURE;
}

function rowOf({
  id,
  client,
  nodebalancer,
  port,
  node,
  phase,
  started,
  idle_ms,
  bytes_in,
  bytes_out,
}: SessionView): string[] {
  return [
    id,
    client,
    `${nodebalancer}:${port}`,
    node === null ? '-' : `${node.label} ${node.address}`,
    phase,
    formatSince(started, Date.now()),
    formatDuration(idle_ms),
    formatBytes(bytes_in),
    formatBytes(bytes_out),
  ];
}
