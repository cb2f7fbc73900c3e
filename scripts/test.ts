// `npm test [-- ARGS]`: installs the servers that the tests want, runs the suite tier by tier, and says
// what each came to, which files were slowest, and in one plain last line what ran: `N passed, N failed`.
// `npm run test:thorough` is the same with --thorough: everything at full size, and the record of it.
// ARGS are files, folders or parts of their names, --tier NAME, and Vitest's own options.

import { parseCLI, startVitest } from 'vitest/node';
import { parseTestArguments, type TestArguments, UsageError } from '../testing/suite/arguments.ts';
import { TallyReporter } from '../testing/suite/reporter.ts';
import { SEED_VARIABLE, SeedError, seedOfRun } from '../testing/suite/seeds.ts';
import { SIZE_VARIABLE } from '../testing/suite/size.ts';
import { closingLine, formatSlowest, formatTiers, sumOf, tierResults } from '../testing/suite/tally.ts';
import { recordThorough } from '../testing/suite/thorough-record.ts';
import { testFiles } from '../testing/suite/tiers.ts';
import { installTestPackages } from './debian.ts';

/** What the words mean, or the end: a mistake in them is the user's, and named. */
function readArguments(): { wanted: TestArguments; seed: number } {
  try {
    return { wanted: parseTestArguments(process.argv.slice(2), testFiles()), seed: seedOfRun(process.env) };
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof SeedError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

const { wanted, seed } = readArguments();
const installSeconds = installTestPackages();
if (installSeconds >= 1) process.stdout.write(`Debian packages installed in ${installSeconds.toFixed(0)} s\n`);
process.stdout.write(`Seed of this run: ${SEED_VARIABLE}=${seed}\n`);
process.env[SEED_VARIABLE] = String(seed);
if (wanted.isThorough) process.env[SIZE_VARIABLE] = 'thorough';

const tally = new TallyReporter();
const { filter, options } = parseCLI(['vitest', 'run', ...wanted.filters, ...wanted.options]);
const vitest = await startVitest('test', filter, {
  ...options,
  watch: false,
  reporters: ['default', tally],
  ...(wanted.tiers.length === 0 ? {} : { project: [...wanted.tiers] }),
});
await vitest.close();

const tiers = tierResults(tally.results);
const sum = sumOf(tally.results);
// Vitest can fail without a test that failed: an error outside all tests, a worker that died.
const strays = Math.max(tally.strayErrors, tally.reason === 'passed' || sum.failed > 0 ? 0 : 1);
const counts = { ...sum, failed: sum.failed + strays };
process.exitCode = counts.failed === 0 ? 0 : 1;
if (wanted.isThorough && wanted.tiers.length === 0 && wanted.filters.length === 0) {
  recordThorough({ ...counts, seed, tiers });
}
process.stdout.write(`${formatTiers(tiers, seed)}\n${formatSlowest(tally.results)}\n${closingLine(counts)}`);
