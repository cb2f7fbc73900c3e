// The `balancer` command: finds the verb and runs it. Data goes to stdout, messages to stderr. Exit codes: exit.ts.

import './early.ts';
import { suggest } from '../core/config/suggest.ts';
import { EXIT_USAGE, UsageError } from './exit.ts';
import { help } from './help.ts';
import { parseOptions } from './options.ts';
import { finish, print, say } from './output.ts';
import { VERSION } from './version.ts';

/** @returns exit code; a promise where the verb takes its time */
type Verb = (args: string[]) => number | Promise<number>;

// Each verb loads what it needs, and only that.
const VERBS: Readonly<Record<string, Verb>> = {
  run: async (args) => (await import('./run.ts')).runRun(args),
  check: async (args) => (await import('./check.ts')).runCheck(args),
  status: async (args) => (await import('./status.ts')).runStatus(args),
  nodes: async (args) => (await import('./nodes.ts')).runNodes(args),
  conns: async (args) => (await import('./conns.ts')).runConns(args),
  kill: async (args) => (await import('./conns.ts')).runKill(args),
  apply: async (args) => (await import('./configuration.ts')).runApply(args),
  export: async (args) => (await import('./configuration.ts')).runExport(args),
  history: async (args) => (await import('./configuration.ts')).runHistory(args),
  rollback: async (args) => (await import('./configuration.ts')).runRollback(args),
  token: async (args) => (await import('./token.ts')).runToken(args),
  login: async (args) => (await import('./login.ts')).runLogin(args),
  env: async (args) => (await import('./env.ts')).runEnv(args),
  version: (args) => {
    parseOptions(args, {});
    print(`${VERSION}\n`);
    return 0;
  },
  help: (args) => {
    const [verb, ...rest] = args;
    if (rest.length > 0 || (verb !== undefined && !Object.hasOwn(VERBS, verb))) {
      throw new UsageError(`no help for "${args.join(' ')}"`);
    }
    print(help(verb));
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
  process.exitCode = finish(await verb(rest));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  say(`balancer: ${error.message}\nTry "balancer --help".\n`);
  process.exitCode = finish(EXIT_USAGE);
}
