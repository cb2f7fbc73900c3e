import { defineConfig } from 'vitest/config';
import { SEED_VARIABLE, seedOfRun } from './testing/suite/seeds.ts';
import { sizeOfRun } from './testing/suite/size.ts';
import { TIERS } from './testing/suite/tiers.ts';

const isThorough = sizeOfRun() === 'thorough';
/** One of three tests at a time on two processors: waiting ends when the condition holds. */
const TIMEOUT_MS = isThorough ? 3_600_000 : 120_000;

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
        expect: { poll: { timeout: 20_000 } },
      },
    })),
  },
});
