// `balancer check -f FILE [--json]`: says all that is wrong with a file, with the same code that
// `run` and a reload use. With `--store` it is the store that is looked at: see check-store.ts.

import { describeFile, type FileReading, readConfigFile } from './config-file.ts';
import { readEnvironment } from './environment.ts';
import { EXIT_CONFIG, EXIT_OK, UsageError } from './exit.ts';
import { machineRemarks } from './machine-remarks.ts';
import { parseOptions } from './options.ts';
import { print, say } from './output.ts';
import { ownAddresses } from './own-addresses.ts';

export async function runCheck(args: string[]): Promise<number> {
  const {
    file,
    json,
    store,
    'data-dir': directory,
  } = parseOptions(args, {
    file: { type: 'string', short: 'f' },
    json: { type: 'boolean' },
    store: { type: 'boolean' },
    'data-dir': { type: 'string' },
  });
  if (store === true) {
    if (file !== undefined) throw new UsageError('check looks at one thing at a time: -f FILE or --store');
    return (await import('./check-store.ts')).checkStore(directory, json === true);
  }
  if (file === undefined) throw new UsageError('check needs a file: balancer check -f FILE; or balancer check --store');
  if (directory !== undefined) throw new UsageError('check needs --data-dir with --store only');
  const env = readEnvironment(process.env).values;
  const reading = readConfigFile(file, ownAddresses(env), (config) =>
    machineRemarks(config, env.floatingAddresses ?? []),
  );
  if (json === true) printJson(file, reading);
  else printText(file, reading);
  return 'config' in reading ? EXIT_OK : EXIT_CONFIG;
}

function printText(file: string, reading: FileReading): void {
  if (!('config' in reading)) {
    say(`${reading.messages}\n`);
    return;
  }
  if (reading.notices !== '') say(`${reading.notices}\n`);
  print(`${file}: ok, ${describeFile(reading.config)}\n`);
}

function printJson(file: string, reading: FileReading): void {
  const result =
    'config' in reading
      ? { file, ok: true, warnings: reading.warnings, errors: [], more: 0 }
      : { file, ok: false, warnings: [], errors: reading.errors, more: reading.more, message: reading.messages };
  print(`${JSON.stringify(result, null, 2)}\n`);
}
