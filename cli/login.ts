// `balancer login`: an address that logs its opener in at the page, once; and who is logged in
// there.

import type { LoginInfo } from '../control/api/logins.ts';
import { suggest } from '../core/config/suggest.ts';
import { EXIT_FAILURE, EXIT_OK, UsageError } from './exit.ts';
import { DIRECTORY_OPTION, operate, printJson } from './operating.ts';
import { parseOptions } from './options.ts';
import { isReaderGone, print, printLasting, say } from './output.ts';
import { paintOfStdout } from './running.ts';
import { formatTable } from './table.ts';

type Action = (args: string[]) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = { list, revoke };

export function runLogin(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  // Without a word it makes an address, as its options alone do.
  if (name === undefined || name.startsWith('-')) return create(args);
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action !== undefined) return action(rest);
  const guess = suggest(name, Object.keys(ACTIONS));
  const hint = guess === undefined ? '' : `, did you mean "${guess}"?`;
  throw new UsageError(`login takes list, revoke or nothing, not "${name}"${hint}`);
}

function create(args: string[]): Promise<number> {
  const { 'data-dir': directory } = parseOptions(args, DIRECTORY_OPTION);
  return operate({ directory }, async ({ ask, isRunning }) => {
    if (!isRunning) {
      say('balancer: no balancer runs, so there is no page: start one, or name its directory (--data-dir)\n');
      return EXIT_FAILURE;
    }
    const { url, path, id } = await ask('POST', '/balancer/v1/login/codes');
    if (!printLasting(`${url ?? path}\n`)) {
      // Nobody has it, and it would be good for whoever finds the half of it.
      await ask('DELETE', `/balancer/v1/logins/${id}`, undefined, `login ${id}, which could not be printed`);
      if (!isReaderGone()) say(`balancer: login ${id} could not be printed, and is revoked\n`);
      return EXIT_FAILURE;
    }
    say(`It logs you in once, within 15 minutes; "balancer login revoke ${id}" takes it back.\n`);
    return EXIT_OK;
  });
}

function list(args: string[]): Promise<number> {
  const { json, 'data-dir': directory } = parseOptions(args, { json: { type: 'boolean' }, ...DIRECTORY_OPTION });
  return operate({ directory }, async ({ ask }) => {
    const logins = (await ask('GET', '/balancer/v1/logins')).data as readonly LoginInfo[];
    if (json === true) printJson(logins);
    else print(tableOf(logins));
    return EXIT_OK;
  });
}

function tableOf(logins: readonly LoginInfo[]): string {
  const columns = [
    { title: 'ID', isNumber: true },
    { title: 'WHO' },
    { title: 'SCOPE' },
    { title: 'BY' },
    { title: 'CREATED' },
    { title: 'OPENED' },
    { title: 'UNTIL' },
  ];
  const rows = logins.map(({ id, author, scope, kind, created, opened, until }) => [
    String(id),
    author,
    scope,
    kind === 'token' ? 'token' : 'address',
    created,
    opened ?? 'not yet',
    until,
  ]);
  return formatTable(columns, rows, paintOfStdout());
}

function revoke(args: string[]): Promise<number> {
  const [id, ...rest] = args;
  if (id === undefined || !/^[1-9]\d{0,14}$/.test(id))
    throw new UsageError('login revoke needs the id of a login: see login list');
  const { 'data-dir': directory } = parseOptions(rest, DIRECTORY_OPTION);
  return operate({ directory }, async ({ ask }) => {
    await ask('DELETE', `/balancer/v1/logins/${id}`, undefined, `login ${id}: see balancer login list`);
    say(`login ${id} is over\n`);
    return EXIT_OK;
  });
}
