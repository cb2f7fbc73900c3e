// Command-line options, the same way for every verb: a mistake is a UsageError that names it.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from './exit.ts';

/** node:util's parseArgs, strict, without operands. */
export function parseOptions<T extends NonNullable<ParseArgsConfig['options']>>(args: string[], options: T) {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // Its messages are sentences for the user, followed by advice about "--" that does not fit here.
    const [sentence = ''] = error instanceof Error ? error.message.split(/\. |\n/) : [];
    throw new UsageError(sentence);
  }
}
