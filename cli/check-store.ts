// `balancer check --store`: whether what is stored is whole. A running balancer looks itself,
// because it holds the database; else the file is looked at, and neither changed nor brought up to
// date.

import { findRunning, OperatorError } from '../control/operator.ts';
import { StoreError } from '../control/store/store.ts';
import { checkStoredFile, type StoreReport } from '../control/store/store-check.ts';
import { EXIT_CONFIG, EXIT_FAILURE, EXIT_OK } from './exit.ts';
import { count } from './operating.ts';
import { print, say } from './output.ts';
import { dataDir } from './running.ts';

const PATH = '/balancer/v1/store/check';
const HINT =
  'Nothing was changed. A copy of the directory from before may have it whole; "balancer export" and, in a new directory, ' +
  '"balancer apply -f FILE" carry over the configuration that is in force.';

export async function checkStore(option: string | undefined, isJson: boolean): Promise<number> {
  try {
    const report = await look(dataDir(option));
    if (isJson) print(`${JSON.stringify({ ok: report.problems.length === 0, ...report }, null, 2)}\n`);
    else tell(report);
    return report.problems.length === 0 ? EXIT_OK : EXIT_CONFIG;
  } catch (error) {
    if (!(error instanceof OperatorError || error instanceof StoreError)) throw error;
    say(`balancer: ${error.message}\n`);
    return EXIT_FAILURE;
  }
}

async function look(directory: string): Promise<StoreReport> {
  const running = await findRunning(directory);
  if (running === undefined) return checkStoredFile(directory);
  const { status, body } = await running.request('GET', PATH);
  if (status === 200) return body as StoreReport;
  throw new OperatorError(`the balancer of ${directory} was asked in vain: it answered with status ${status}`);
}

function tell({ path, revisions, tokens, problems, notices }: StoreReport): void {
  for (const notice of notices) say(`${path}: ${notice}\n`);
  for (const problem of problems) say(`${path}: ${problem}\n`);
  if (problems.length > 0) say(`${count(problems.length, 'problem')}. ${HINT}\n`);
  else print(`${path}: ok, ${count(revisions, 'revision')}, ${count(tokens, 'token')}\n`);
}
