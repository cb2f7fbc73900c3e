import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // Real processes share two cores with the tests: one file at a time keeps what they show about time meaningful.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Waiting ends when the condition holds; a machine that has other things to do may take its time.
    expect: { poll: { timeout: 20_000 } },
  },
});
