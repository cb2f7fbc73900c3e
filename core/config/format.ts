// Errors and warnings of a configuration file as people and programs read them: `file:line:col: path: …`, or JSON.
// Decides nothing about what is an error.

import { reasonOf } from './problem.ts';

/** Both count from 1; columns in UTF-16 units, as editors do. */
export interface Place {
  readonly line: number;
  readonly col: number;
}

export interface ConfigError extends Place {
  readonly file: string;
  /** `nodebalancers[0].configs[1].port`; empty for the file as a whole and for broken syntax. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
  readonly didYouMean?: string;
  /** What the Linode API says about it, where it says something. */
  readonly sentence?: string;
  /** The other place, for what may be used only once. */
  readonly also?: Place;
}

export interface ConfigWarning extends Place {
  readonly file: string;
  readonly path: string;
  readonly text: string;
}

/** `web.yaml:7:13: nodebalancers[0].configs[0].protocol: found "tpc", expected tcp; did you mean "tcp"?` */
function formatConfigError(error: ConfigError): string {
  return withPlace(error, configErrorReason(error));
}

/** One per line, without a line break at the end. @param more errors that are not among them */
export function formatConfigErrors(errors: readonly ConfigError[], more = 0): string {
  const lines = errors.map(formatConfigError);
  return [...lines, ...(more === 0 ? [] : [`${errors[0]?.file}: and ${more} more`])].join('\n');
}

export function formatConfigWarnings(warnings: readonly ConfigWarning[]): string {
  return warnings.map((warning) => withPlace(warning, `warning: ${warning.text}`)).join('\n');
}

function configErrorReason(error: ConfigError): string {
  const { also, line } = error;
  if (also === undefined) return reasonOf(error);
  return reasonOf(error, also.line === line ? `column ${also.col}` : `line ${also.line}`);
}

function withPlace({ file, line, col, path }: ConfigError | ConfigWarning, text: string): string {
  return `${file}:${line}:${col}: ${path === '' ? '' : `${path}: `}${text}`;
}

/** For `--json`: plain data under the names of the outside. */
export function configErrorsToJson(errors: readonly ConfigError[]): Readonly<Record<string, unknown>>[] {
  return errors.map((error) => ({
    file: error.file,
    line: error.line,
    col: error.col,
    path: error.path,
    found: error.found,
    expected: error.expected,
    did_you_mean: error.didYouMean ?? null,
    also: error.also ?? null,
    reason: error.sentence ?? configErrorReason(error),
  }));
}
