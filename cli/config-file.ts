// Reads a configuration file and says everything that is wrong with it. The one way for `check`, for start and for reload.

import { readFileSync, statSync } from 'node:fs';
import { formatConfigErrors, formatConfigWarnings } from '../core/config/format.ts';
import { FILE_BYTES_MAX } from '../core/config/limits.ts';
import type { Config } from '../core/config/model.ts';
import type { OwnAddresses } from '../core/config/own-ports.ts';
import { type ConfigError, type ConfigWarning, type MoreRemarks, parseConfig } from '../core/config/parse.ts';

export type FileReading =
  /** `notices`: the warnings as lines for people, empty without any */
  | { config: Config; warnings: readonly ConfigWarning[]; notices: string }
  /** lines for people; `errors` where the file could be read at all, and how many there are besides */
  | { messages: string; errors: readonly ConfigError[]; more: number };

/**
 * @param own as for `validateConfig`
 * @param moreRemarks remarks that need to know the machine
 */
export function readConfigFile(path: string, own?: OwnAddresses, moreRemarks?: MoreRemarks): FileReading {
  const text = readText(path);
  if (typeof text !== 'string') return { messages: `${path}: ${text.problem}`, errors: [], more: 0 };
  const result = parseConfig(text, path, own, moreRemarks);
  if ('errors' in result) {
    const { errors, more } = result;
    return { messages: formatConfigErrors(errors, more), errors, more };
  }
  return { ...result, notices: formatConfigWarnings(result.warnings).trimEnd() };
}

function readText(path: string): string | { problem: string } {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return { problem: 'is a directory, expected a YAML or JSON file' };
    if (!stat.isFile()) return { problem: 'is not a regular file, expected a YAML or JSON file' };
    if (stat.size > FILE_BYTES_MAX) return { problem: `has ${stat.size} bytes, at most ${FILE_BYTES_MAX} are read` };
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return { problem: 'no such file' };
    if (code === 'EACCES') return { problem: 'no permission to read it' };
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** `2 nodebalancers, 3 ports, 5 nodes` */
export function describeFile(config: Config): string {
  const frontends = config.nodebalancers.flatMap(({ configs }) => configs);
  const nodes = frontends.flatMap((frontend) => frontend.nodes);
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;
  return [
    count(config.nodebalancers.length, 'nodebalancer'),
    count(frontends.length, 'port'),
    count(nodes.length, 'node'),
  ].join(', ');
}
