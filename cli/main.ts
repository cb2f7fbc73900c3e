// The `balancer` command: finds the verb and runs it. Data goes to stdout, messages to stderr. Exit codes: 0 ok, 1 failure,
// 2 usage, 78 bad configuration.

import './early.ts';
import { suggest } from '../core/config/suggest.ts';
import { runCheck } from './check.ts';
import { runApply, runExport, runHistory, runRollback } from './configuration.ts';
import { runConns, runKill } from './conns.ts';
import { runEnv } from './env.ts';
import { EXIT_USAGE, UsageError } from './exit.ts';
import { help } from './help.ts';
import { runLogin } from './login.ts';
import { runNodes } from './nodes.ts';
import { parseOptions } from './options.ts';
import { runRun } from './run.ts';
import { runStatus } from './status.ts';
import { runToken } from './token.ts';
import { VERSION } from './version.ts';

/** @returns exit code; a promise where the verb takes its time */
type Verb = (args: string[]) => number | Promise<number>;

const VERBS: Readonly<Record<string, Verb>> = {
  run: runRun,
  check: runCheck,
  status: runStatus,
  nodes: runNodes,
  conns: runConns,
  kill: runKill,
  apply: runApply,
  export: runExport,
  history: runHistory,
  rollback: runRollback,
  token: runToken,
  login: runLogin,
  env: runEnv,
  version: (args) => {
    parseOptions(args, {});
    process.stdout.write(`${VERSION}\n`);
    return 0;
  },
  help: (args) => {
    const [verb, ...rest] = args;
    if (rest.length > 0 || (verb !== undefined && !Object.hasOwn(VERBS, verb))) {
      throw new UsageError(`no help for "${args.join(' ')}"`);
    }
    process.stdout.write(help(verb));
    return 0;
  },
};

function findVerb(args: readonly string[]): { verb: Verb; rest: string[] } {
  const [first, ...rest] = args;
  if (first === undefined) throw new UsageError('no command given');
  if (first === '--help' || first === '-h') return { verb: VERBS.help as Verb, rest };
  if (first === '--version' || first === '-v') return { verb: VERBS.version as Verb, rest };
  const verb = Object.hasOwn(VERBS, first) ? VERBS[first] : undefined;
  if (verb !== undefined) {
    const asksHelp = rest.some((arg) => arg === '--help' || arg === '-h');
    return asksHelp ? { verb: () => VERBS.help?.([first]) ?? 0, rest: [] } : { verb, rest };
  }
  const guess = suggest(first, Object.keys(VERBS));
  throw new UsageError(`unknown command "${first}"${guess === undefined ? '' : `, did you mean "${guess}"?`}`);
}

try {
  const { verb, rest } = findVerb(process.argv.slice(2));
  process.exitCode = await verb(rest);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`balancer: ${error.message}\nTry "balancer --help".\n`);
  process.exitCode = EXIT_USAGE;
}
