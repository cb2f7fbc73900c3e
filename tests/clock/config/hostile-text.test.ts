// What a hostile file costs the thread that reads it. Why it cannot cost more, whatever it says, is counted in
// tests/pure/config/broken-and-hostile-text.test.ts; here are the kinds that need the most.

import { expect, test } from 'vitest';
import { parseConfig } from '../../../core/config/parse.ts';
import { ownCpuMs } from '../../../testing/yardstick.ts';
import { BOMB, CHAIN, keys } from '../../pure/config/hostile-texts.ts';

/** Four times what the dearest of them needs. Some take the YAML library alone minutes. */
const CPU_MS_MAX = 3000;

test.each([
  ['an alias bomb', BOMB],
  ['a long chain of aliases', CHAIN],
  ['as many different keys as are read', keys(40_000)],
  ['more pieces than are read', '"'.repeat(1_000_000)],
])('%s', (_name, text) => {
  let parsed: ReturnType<typeof parseConfig> | undefined;
  const cpuMs = ownCpuMs(() => {
    parsed = parseConfig(text, 'c.yaml');
  });
  expect(parsed).toHaveProperty('errors');
  expect(cpuMs).toBeLessThan(CPU_MS_MAX);
});
