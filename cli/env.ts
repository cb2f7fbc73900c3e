// `balancer env [--json]`: every variable with its value, where that comes from, its default and its meaning.

import { PREFIX, readEnvironment, VARIABLES, type Variable } from './environment.ts';
import { EXIT_OK, EXIT_USAGE } from './exit.ts';
import { parseOptions } from './options.ts';
import { print, say } from './output.ts';

interface Row {
  name: string;
  value: string;
  source: 'environment' | 'default';
  default: string;
  meaning: string;
}

export function runEnv(args: string[]): number {
  const { json } = parseOptions(args, { json: { type: 'boolean' } });
  const { errors, warnings } = readEnvironment(process.env);
  const rows = Object.values(VARIABLES).map((variable) => rowOf(variable));
  print(json === true ? `${JSON.stringify(rows, null, 2)}\n` : textOf(rows));
  for (const message of [...warnings, ...errors]) say(`${message}\n`);
  return errors.length === 0 ? EXIT_OK : EXIT_USAGE;
}

/** @returns what is set, or the text about the default */
export function rowOf({ name, defaultText, meaning }: Variable): Row {
  const found = process.env[PREFIX + name]?.trim() || undefined;
  return {
    name: PREFIX + name,
    value: found ?? defaultText,
    source: found === undefined ? 'default' : 'environment',
    default: defaultText,
    meaning,
  };
}

function textOf(rows: readonly Row[]): string {
  return rows
    .map(({ name, value, source, default: fallback, meaning }) => {
      const origin = source === 'default' ? '(default)' : `(environment; default: ${fallback})`;
      return `${name}=${value}  ${origin}\n    ${meaning}\n`;
    })
    .join('');
}
