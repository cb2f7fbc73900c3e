// The verbs that act on a balancer's store, whether it runs or not: they open the way to it, ask, and close it again. What went wrong
// is one sentence per mistake on stderr.

import { type Operator, OperatorError, openOperator } from '../control/operator.ts';
import { StoreError } from '../control/store/store.ts';
import { isRecord } from '../core/config/problem.ts';
import { readEnvironment, VARIABLES } from './environment.ts';
import { EXIT_FAILURE } from './exit.ts';
import { print, say } from './output.ts';
import { ownAddresses } from './own-addresses.ts';
import { dataDir } from './running.ts';

export const DIRECTORY_OPTION = { 'data-dir': { type: 'string' } } as const;

/** An answer that is an error: its reasons. */
class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';
}

export interface Operating {
  readonly isRunning: boolean;
  /**
   * @param named what the path names, for the sentence that there is none
   * @returns the answer's body @throws RefusedRequest with all reasons
   */
  ask(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    named?: string,
  ): Promise<Readonly<Record<string, unknown>>>;
}

export interface OperateOptions {
  /** option of the command line */
  readonly directory: string | undefined;
  /** the verb makes something: where there is no store yet, it makes that, too */
  readonly mayCreate?: boolean;
}

/** @param work returns the exit code */
export async function operate(
  { directory, mayCreate = false }: OperateOptions,
  work: (operating: Operating) => Promise<number>,
): Promise<number> {
  let operator: Operator | undefined;
  try {
    const env = readEnvironment(process.env).values;
    const { region = VARIABLES.region.default } = env;
    const opened = await openOperator(dataDir(directory), { region, own: ownAddresses(env), mayCreate });
    operator = opened;
    return await work({ isRunning: opened.isRunning, ask: (...question) => ask(opened, ...question) });
  } catch (error) {
    const isKnown = error instanceof OperatorError || error instanceof StoreError || error instanceof RefusedRequest;
    if (!isKnown) throw error;
    say(`balancer: ${error.message}\n`);
    return EXIT_FAILURE;
  } finally {
    await operator?.close();
  }
}

async function ask(
  operator: Operator,
  ...[method, path, sent, named]: Parameters<Operating['ask']>
): ReturnType<Operating['ask']> {
  const { status, body } = await operator.request(method, path, sent);
  if (status === 200 && isRecord(body)) return body;
  if (status === 404 && named !== undefined) throw new RefusedRequest(`there is no ${named}`);
  const errors = isRecord(body) && Array.isArray(body.errors) ? body.errors : [];
  const reasons = errors.map((error: unknown) => {
    const { field, reason } = isRecord(error) ? error : {};
    return field === undefined ? String(reason) : `${field}: ${reason}`;
  });
  throw new RefusedRequest(reasons.join('\nbalancer: ') || `the balancer answered with status ${status}`);
}

export function printJson(value: unknown): void {
  print(jsonText(value));
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** `1 change`, `2 changes` */
export function count(number: number, word: string): string {
  return `${number} ${number === 1 ? word : `${word}s`}`;
}
