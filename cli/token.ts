// `balancer token create|list|revoke`: who may use the API.

import { TOKEN_SCOPES, type TokenInfo } from '../control/store/tokens.ts';
import { suggest } from '../core/config/suggest.ts';
import { EXIT_FAILURE, EXIT_OK, UsageError } from './exit.ts';
import { DIRECTORY_OPTION, operate, printJson } from './operating.ts';
import { parseOptions } from './options.ts';
import { isReaderGone, print, printLasting, say } from './output.ts';
import { paintOfStdout } from './running.ts';
import { formatTable } from './table.ts';

type Action = (args: string[]) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = { create, list, revoke };

export function runToken(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  const action = name !== undefined && Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action !== undefined) return action(rest);
  const guess = name === undefined ? undefined : suggest(name, Object.keys(ACTIONS));
  const hint = guess === undefined ? '' : `, did you mean "${guess}"?`;
  throw new UsageError(`token needs create, list or revoke${name === undefined ? '' : `, not "${name}"`}${hint}`);
}

function create(args: string[]): Promise<number> {
  const {
    scope,
    label,
    'data-dir': directory,
  } = parseOptions(args, {
    scope: { type: 'string' },
    label: { type: 'string' },
    ...DIRECTORY_OPTION,
  });
  if (scope === undefined || !TOKEN_SCOPES.some((name) => name === scope)) {
    throw new UsageError(`token create needs --scope ${TOKEN_SCOPES.join(' or --scope ')}`);
  }
  if (label === undefined) throw new UsageError('token create needs --label, so that you know it again');
  return operate({ directory, mayCreate: true }, async ({ ask }) => {
    const { id, token } = await ask('POST', '/balancer/v1/tokens', { scope, label });
    // Alone, for TOKEN=$(balancer token create …).
    if (printLasting(`${token}\n`)) return EXIT_OK;
    // Nobody has it, or half of it, and nobody can ask for it again.
    await ask('DELETE', `/balancer/v1/tokens/${id}`, undefined, `token ${id}, which could not be printed`);
    if (!isReaderGone()) say(`balancer: token ${id} could not be printed, and is revoked\n`);
    return EXIT_FAILURE;
  });
}

function list(args: string[]): Promise<number> {
  const { json, 'data-dir': directory } = parseOptions(args, { json: { type: 'boolean' }, ...DIRECTORY_OPTION });
  return operate({ directory }, async ({ ask }) => {
    const tokens = (await ask('GET', '/balancer/v1/tokens')).data as readonly TokenInfo[];
    if (json === true) printJson(tokens);
    else {
      const columns = [
        { title: 'ID', isNumber: true },
        { title: 'LABEL' },
        { title: 'SCOPE' },
        { title: 'CREATED' },
        { title: 'USED' },
      ];
      const rows = tokens.map(({ id, label, scope, created, used }) => [
        String(id),
        label,
        scope,
        created,
        used ?? 'never',
      ]);
      print(formatTable(columns, rows, paintOfStdout()));
    }
    return EXIT_OK;
  });
}

function revoke(args: string[]): Promise<number> {
  const [id, ...rest] = args;
  if (id === undefined || !/^[1-9]\d{0,14}$/.test(id))
    throw new UsageError('token revoke needs the id of a token: see token list');
  const { 'data-dir': directory } = parseOptions(rest, DIRECTORY_OPTION);
  return operate({ directory }, async ({ ask }) => {
    await ask('DELETE', `/balancer/v1/tokens/${id}`, undefined, `token ${id}: see balancer token list`);
    say(`token ${id} is good for nothing now\n`);
    return EXIT_OK;
  });
}
