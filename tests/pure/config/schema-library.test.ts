// Our walker and the schema library read the same schema: what the walker lets through, the library's own check finds fitting too.

import fc from 'fast-check';
import { Check } from 'typebox/value';
import { expect, test } from 'vitest';
import { ConfigSchema } from '../../../core/config/model.ts';
import { validateConfig } from '../../../core/config/validate.ts';
import { holds } from '../../../testing/suite/property.ts';
import { arbitraryConfig } from './support.ts';

/** Somewhere in a mapping or list, another value; or one less. */
function spoil(value: unknown, path: readonly number[], by: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return by;
  const keys = Object.keys(value);
  const key = keys[step % Math.max(1, keys.length)];
  if (key === undefined) return by;
  const spoiled = spoil(Reflect.get(value, key), rest, by);
  if (Array.isArray(value)) return value.with(Number(key), spoiled);
  return Object.fromEntries(Object.entries(value).flatMap(([name, old]) => entry(name, name === key ? spoiled : old)));
}

function entry(name: string, value: unknown): [string, unknown][] {
  return value === undefined ? [] : [[name, value]];
}

test('a valid configuration fits the schema as the library reads it', () => {
  holds(fc.property(arbitraryConfig, (config) => Check(ConfigSchema, config)));
});

test('a spoiled configuration that is let through fits it, and one that does not fit is not let through', () => {
  const seen = { passed: 0, refused: 0 };
  const path = fc.array(fc.nat(20), { minLength: 1, maxLength: 7 });
  const by = fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 1 }), fc.integer({ min: -1, max: 70_000 }));
  holds(
    fc.property(arbitraryConfig, path, by, (config, place, value) => {
      const validated = validateConfig(spoil(config, place, value));
      if ('problems' in validated) {
        seen.refused++;
        return;
      }
      seen.passed++;
      expect(Check(ConfigSchema, validated.config)).toBe(true);
    }),
    { numRuns: 500 },
  );
  expect(seen.passed).toBeGreaterThan(5);
  expect(seen.refused).toBeGreaterThan(50);
});
