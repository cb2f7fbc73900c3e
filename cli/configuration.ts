// `balancer apply`, `export`, `history` and `rollback`: the configuration in the store, as a file and through time.

import type { RevisionInfo } from '../control/store/store.ts';
import { yamlText } from '../core/config/yaml-text.ts';
import { localAddresses } from '../workers/machine-addresses.ts';
import { readConfigFile } from './config-file.ts';
import { EXIT_CONFIG, EXIT_FAILURE, EXIT_OK, UsageError } from './exit.ts';
import { count, DIRECTORY_OPTION, jsonText, operate, printJson } from './operating.ts';
import { parseOptions } from './options.ts';
import { print, reasonOf, say } from './output.ts';
import { writeWholeFile } from './whole-file.ts';

interface Outcome {
  readonly revision: number;
  readonly changes: readonly string[];
}

export async function runApply(args: string[]): Promise<number> {
  const {
    file,
    'dry-run': isDryRun = false,
    json = false,
    'data-dir': directory,
  } = parseOptions(args, {
    file: { type: 'string', short: 'f' },
    'dry-run': { type: 'boolean' },
    json: { type: 'boolean' },
    ...DIRECTORY_OPTION,
  });
  if (file === undefined) throw new UsageError('apply needs a configuration: balancer apply -f FILE');
  // Where the API listens is for the balancer to say that gets it: this command's environment need not be its.
  const reading = readConfigFile(file, { local: localAddresses(), api: undefined });
  if (!('config' in reading)) {
    say(`${reading.messages}\n`);
    return EXIT_CONFIG;
  }
  if (reading.notices !== '') say(`${reading.notices}\n`);
  return operate({ directory, mayCreate: !isDryRun }, async ({ ask, isRunning }) => {
    const path = '/balancer/v1/configuration';
    const planned = (await ask('PUT', `${path}?dry_run=true`, reading.config)) as unknown as Outcome;
    if (!json) showChanges(planned.changes);
    if (isDryRun || planned.changes.length === 0) {
      if (json) printJson(planned);
      else if (planned.changes.length === 0) say('nothing differs\n');
      return EXIT_OK;
    }
    const outcome = (await ask('PUT', `${path}?base=${planned.revision}`, reading.config)) as unknown as Outcome;
    if (json) printJson(outcome);
    else say(`revision ${outcome.revision}: ${count(outcome.changes.length, 'change')}, ${whenInForce(isRunning)}\n`);
    return EXIT_OK;
  });
}

export function runExport(args: string[]): Promise<number> {
  const {
    json,
    output,
    'data-dir': directory,
  } = parseOptions(args, {
    json: { type: 'boolean' },
    output: { type: 'string', short: 'o' },
    ...DIRECTORY_OPTION,
  });
  if (output === '') throw new UsageError('--output needs the name of a file');
  return operate({ directory }, async ({ ask }) => {
    const configuration = await ask('GET', '/balancer/v1/configuration');
    const text = json === true ? jsonText(configuration) : yamlText(configuration);
    if (output !== undefined) return writeFile(output, text);
    print(text);
    return EXIT_OK;
  });
}

function writeFile(path: string, text: string): number {
  try {
    writeWholeFile(path, text);
    return EXIT_OK;
  } catch (error) {
    say(`balancer: ${path} cannot be written, and is as it was: ${reasonOf(error)}\n`);
    return EXIT_FAILURE;
  }
}

export function runHistory(args: string[]): Promise<number> {
  const {
    json,
    limit = '20',
    'data-dir': directory,
  } = parseOptions(args, {
    json: { type: 'boolean' },
    limit: { type: 'string' },
    ...DIRECTORY_OPTION,
  });
  if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > 500)
    throw new UsageError('--limit needs a whole number from 1 to 500');
  return operate({ directory }, async ({ ask }) => {
    const revisions = (await ask('GET', `/balancer/v1/history?limit=${limit}`)).data as readonly RevisionInfo[];
    if (json === true) printJson(revisions);
    else for (const revision of revisions) print(revisionText(revision));
    return EXIT_OK;
  });
}

export function runRollback(args: string[]): Promise<number> {
  const [revision, ...rest] = args;
  if (revision === undefined || !/^\d{1,15}$/.test(revision)) {
    throw new UsageError('rollback needs the number of a revision: see balancer history');
  }
  const { 'data-dir': directory } = parseOptions(rest, DIRECTORY_OPTION);
  return operate({ directory }, async ({ ask, isRunning }) => {
    const outcome = (await ask(
      'POST',
      '/balancer/v1/rollback',
      { revision: Number(revision) },
      `revision ${revision}, or no longer: see balancer history`,
    )) as unknown as Outcome;
    showChanges(outcome.changes);
    const what =
      outcome.changes.length === 0 ? 'nothing differs' : `revision ${outcome.revision}, ${whenInForce(isRunning)}`;
    say(`${what}\n`);
    return EXIT_OK;
  });
}

function showChanges(changes: readonly string[]): void {
  for (const change of changes) print(`${change}\n`);
}

function whenInForce(isRunning: boolean): string {
  return isRunning ? 'in force' : 'in force when the balancer starts';
}

function revisionText({ revision, time, author, changes }: RevisionInfo): string {
  return [`${revision}  ${time}Z  ${author}`, ...changes.map((change) => `    ${change}`), ''].join('\n');
}
