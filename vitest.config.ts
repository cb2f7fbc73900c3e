import { defineConfig } from 'vitest/config';
import { DEADLINE_MS } from './testing/deadline.ts';
import { SEED_VARIABLE, seedOfRun } from './testing/suite/seeds.ts';
import { sizeOfRun } from './testing/suite/size.ts';
import { TIERS } from './testing/suite/tiers.ts';

const isThorough = sizeOfRun() === 'thorough';
/** Above every deadline within a test, so that the one that passed is named. */
const TIMEOUT_MS = isThorough ? 3_600_000 : 5 * DEADLINE_MS;

// Every worker of a run draws from the same seed, also where vitest was started by hand.
process.env[SEED_VARIABLE] = String(seedOfRun(process.env));

export default defineConfig({
  test: {
    projects: TIERS.filter((tier) => isThorough || !tier.isThorough).map((tier, groupOrder) => ({
      test: {
        name: tier.name,
        include: [`tests/${tier.name}/**/*.test.ts`],
        pool: tier.pool,
        isolate: tier.isIsolated,
        maxWorkers: tier.workers,
        setupFiles: [...tier.setupFiles],
        sequence: { groupOrder },
        testTimeout: TIMEOUT_MS,
        hookTimeout: TIMEOUT_MS,
        // A machine that has other things to do may take its time.
        expect: { poll: { timeout: DEADLINE_MS } },
      },
    })),
  },
});
