// What a hostile file costs the thread that reads it. Why it cannot cost more, whatever it says, is counted in
// tests/pure/config/broken-and-hostile-text.test.ts; here are the kinds that need the most.

import { expect, test } from 'vitest';
import { parseConfig } from '../../../core/config/parse.ts';
import { ownCpuMs } from '../../../testing/yardstick.ts';
import { BOMB, CHAIN, DIFFERENT_KEYS } from '../../pure/config/hostile-texts.ts';

/** Some take the YAML library alone minutes. */
const CPU_MS_MAX = 10_000;

test.each([
  ['an alias bomb', BOMB],
  ['a long chain of aliases', CHAIN],
  ['keys that are all different', DIFFERENT_KEYS],
  ['more pieces than are read', '"'.repeat(1_000_000)],
])('%s', (_name, text) => {
  let parsed: ReturnType<typeof parseConfig> | undefined;
  const cpuMs = ownCpuMs(() => {
    parsed = parseConfig(text, 'c.yaml');
  });
  expect(parsed).toHaveProperty('errors');
  expect(cpuMs).toBeLessThan(CPU_MS_MAX);
});
