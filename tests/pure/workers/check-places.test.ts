// How many checks may be under way at a time, and how many are needed.

import { expect, test } from 'vitest';
import { checkPlaces, checksNeeded, FAREWELLS_MAX } from '../../../workers/check-places.ts';
import { makeTargets } from './prober-support.ts';

test.each([
  [0, 1, 0],
  [1, 1, 0],
  [4, 3, 1],
  [37, 28, 9],
  [128, 100, FAREWELLS_MAX],
  [4124, 4096, FAREWELLS_MAX],
])('of %d descriptors %d are for checks, and %d for farewells', (descriptors, checks, farewells) => {
  expect(checkPlaces(descriptors)).toEqual({ checks, farewells });
});

test('needed are those that are under way when nobody answers, with some room', () => {
  // Between two failures there are 3.5 s.
  expect(checksNeeded(makeTargets(1000))).toBe(Math.ceil((1.1 * 1000 * 3) / 3.5));
  expect(checksNeeded(makeTargets(101, { attempts: 1 }))).toBe(67);
  expect(checksNeeded(makeTargets(1000, { intervalMs: 3_600_000 }))).toBe(1);
});

test('never more than there are nodes: each has one check at a time', () => {
  expect(checksNeeded([])).toBe(0);
  expect(checksNeeded(makeTargets(1))).toBe(1);
  expect(checksNeeded(makeTargets(1000, { timeoutMs: 4999 }))).toBe(1000);
});
