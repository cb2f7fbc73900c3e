// `balancer login`: an address that logs its opener in at the page, once.

import { EXIT_FAILURE, EXIT_OK } from './exit.ts';
import { DIRECTORY_OPTION, operate } from './operating.ts';
import { parseOptions } from './options.ts';

export function runLogin(args: string[]): Promise<number> {
  const { 'data-dir': directory } = parseOptions(args, DIRECTORY_OPTION);
  return operate({ directory }, async ({ ask, isRunning }) => {
    if (!isRunning) {
      process.stderr.write(
        'balancer: no balancer runs, so there is no page: start one, or name its directory (--data-dir)\n',
      );
      return EXIT_FAILURE;
    }
    const { url, path } = await ask('POST', '/balancer/v1/login/codes');
    process.stdout.write(`${url ?? path}\n`);
    process.stderr.write('It logs you in once, within 15 minutes.\n');
    return EXIT_OK;
  });
}
