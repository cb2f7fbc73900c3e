// What results of checks make of a node's health: by table, and against the sentence of the specification, read backwards over
// any history.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HEALTH_DOWN, HEALTH_UP, type Health, healthName } from '../../../core/health/node-states.ts';
import { afterFailure, afterSuccess, NEVER_CHECKED, RISE, type RiseFall } from '../../../core/health/rise-fall.ts';
import { holds } from '../../../testing/suite/property.ts';

function step(state: RiseFall, ok: boolean, attempts: number): RiseFall {
  return ok ? afterSuccess(state) : afterFailure(state, attempts);
}

/** @param results one letter per check: `+` passed, `-` failed. @returns the health after each */
function healthsAfter(results: string, attempts: number): Health[] {
  let state = NEVER_CHECKED;
  return [...results].map((result) => {
    state = step(state, result === '+', attempts);
    return healthName(state.health);
  });
}

test('a node that was never checked is unknown', () => {
  expect(healthName(NEVER_CHECKED.health)).toBe('unknown');
});

describe('with three attempts', () => {
  test.each<[string, string, string]>([
    ['the very first success brings it up', '+', 'up'],
    ['the first success counts, whatever came before', '--+', 'up'],
    ['the first failures alone take it down, when there are enough', '---', 'unknown unknown down'],
    ['failures that are not in a row do nothing', '+--+--+--', 'up up up up up up up up up'],
    ['three in a row take it down', '+---', 'up up up down'],
    ['one success does not bring it back', '---+-+-', 'unknown unknown down down down down down'],
    ['two in a row do', '---++', 'unknown unknown down down up'],
    [
      'a node that came back is as good as any other',
      '---++--+---',
      'unknown unknown down down up up up up up up down',
    ],
  ])('%s: %s', (_, results, expected) => {
    const healths = healthsAfter(results, 3);
    expect(healths.slice(-expected.split(' ').length).join(' ')).toBe(expected);
  });
});

test('with one attempt each failure takes it down', () => {
  expect(healthsAfter('-++-++', 1)).toEqual(['down', 'down', 'up', 'down', 'down', 'up']);
});

test('with thirty it stands twenty-nine', () => {
  const healths = healthsAfter(`+${'-'.repeat(30)}`, 30);
  expect(healths.slice(-2)).toEqual(['up', 'down']);
});

test('attempts that were lowered meanwhile take effect with the next failure', () => {
  let state = afterSuccess(NEVER_CHECKED);
  for (let i = 0; i < 4; i++) state = afterFailure(state, 5);
  expect(healthName(state.health)).toBe('up');
  expect(healthName(afterFailure(state, 2).health)).toBe('down');
});

/** The same by looking back over all results, without counts. */
function healthBySentence(results: readonly boolean[], attempts: number): Health {
  let health: Health = 'unknown';
  for (let end = 1; end <= results.length; end++) {
    const last = (count: number, ok: boolean) => end >= count && results.slice(end - count, end).every((r) => r === ok);
    if (last(attempts, false)) health = 'down';
    else if (health === 'unknown' && last(1, true)) health = 'up';
    else if (health === 'down' && last(RISE, true)) health = 'up';
  }
  return health;
}

test('after any history health is what the sentence says', () => {
  holds(
    fc.property(fc.array(fc.boolean(), { maxLength: 40 }), fc.integer({ min: 1, max: 6 }), (results, attempts) => {
      const state = results.reduce((before, ok) => step(before, ok, attempts), NEVER_CHECKED);
      expect(healthName(state.health)).toBe(healthBySentence(results, attempts));
      expect(Math.min(state.successes, state.failures)).toBe(0);
      expect(state.successes + state.failures > 0).toBe(results.length > 0);
    }),
  );
});

test('a state is never changed, only followed by another', () => {
  const up = Object.freeze({ health: HEALTH_UP, successes: 1, failures: 0 });
  expect(afterFailure(up, 1)).toEqual({ health: HEALTH_DOWN, successes: 0, failures: 1 });
  expect(up).toEqual({ health: HEALTH_UP, successes: 1, failures: 0 });
});
