// The verbs that ask a running balancer: finds its socket, asks, and prints what the verb makes of the answer. When
// there is no answer, one sentence says where it was sought and what to do.

import { resolve } from 'node:path';
import { isatty } from 'node:tty';
import { AnswerError, askStatus, isPathTooLong, SOCKET_PATH_BYTES_MAX, socketPath } from '../control/status-client.ts';
import type { Snapshot } from '../workers/snapshot.ts';
import { readEnvironment } from './environment.ts';
import { EXIT_FAILURE, EXIT_OK, UsageError } from './exit.ts';
import { parseOptions } from './options.ts';
import { print, say } from './output.ts';
import { defaultDataDir } from './settings.ts';
import { COLOURED, type Paint, PLAIN } from './table.ts';

/** What a verb makes of a snapshot. */
export interface View {
  /** for --json */
  data: (snapshot: Snapshot) => unknown;
  /** @param nowMs wall clock */
  text: (snapshot: Snapshot, nowMs: number, paint: Paint) => string;
}

const ANSWER_TIMEOUT_MS = 5000;
const DATA_DIR = 'BALANCER_DATA_DIR';

export async function showRunning(args: string[], view: View): Promise<number> {
  const { json, 'data-dir': directory } = parseOptions(args, {
    json: { type: 'boolean' },
    'data-dir': { type: 'string' },
  });
  const path = socketPath(dataDir(directory));
  const answer = await ask(path);
  if (typeof answer === 'string') {
    say(`balancer: ${answer}\n`);
    return EXIT_FAILURE;
  }
  if (json === true) print(`${JSON.stringify(view.data(answer), null, 2)}\n`);
  else print(view.text(answer, Date.now(), paintOfStdout()));
  return EXIT_OK;
}

/** @param option of the command line. The environment's is checked as `run` does; other variables do not matter here. */
export function dataDir(option: string | undefined): string {
  if (option === '') throw new UsageError('--data-dir needs the name of a directory');
  if (option !== undefined) return resolve(option);
  const { values, errors } = readEnvironment({ [DATA_DIR]: process.env[DATA_DIR] });
  if (errors[0] !== undefined) throw new UsageError(errors[0]);
  return values.dataDir ?? defaultDataDir();
}

/** @returns the snapshot, or a sentence about why there is none */
async function ask(path: string): Promise<Snapshot | string> {
  if (isPathTooLong(path)) {
    return `${path} is longer than the ${SOCKET_PATH_BYTES_MAX} bytes of a socket's path: choose another directory`;
  }
  try {
    return await askStatus(path, ANSWER_TIMEOUT_MS);
  } catch (error) {
    return describeFailure(path, error);
  }
}

function describeFailure(path: string, error: unknown): string {
  if (error instanceof AnswerError) return `the process behind ${path} was asked in vain: ${error.message}`;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') {
    return `no balancer runs at ${path}: start one, or name the directory of the running one (--data-dir or ${DATA_DIR})`;
  }
  if (code === 'EACCES' || code === 'EPERM')
    return `no permission to use ${path}: ask as the balancer's user, or as root`;
  return `the process behind ${path} was asked in vain: ${error instanceof Error ? error.message : error}`;
}

/** See https://no-color.org for the variable. */
export function paintOfStdout(): Paint {
  // Not process.stdout.isTTY: that makes a stream, which sets a pipe that others may have, too, to non-blocking.
  return isatty(1) && (process.env.NO_COLOR ?? '') === '' ? COLOURED : PLAIN;
}
